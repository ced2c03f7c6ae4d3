# SPDX-License-Identifier: GPL-3.0-or-later
"""panache.cancel: ends the running job."""

import bpy

from ..job.current import cancel, current


class PANACHE_OT_cancel(bpy.types.Operator):
    """Stops what Panache is doing."""

    bl_idname = "panache.cancel"
    bl_label = "Stop"
    bl_description = "Stop what Panache is doing; nothing is changed by it (Esc)"
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """There is something to stop."""
        return current() is not None

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """Stop it."""
        cancel()
        return {"FINISHED"}
