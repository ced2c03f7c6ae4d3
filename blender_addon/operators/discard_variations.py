# SPDX-License-Identifier: GPL-3.0-or-later
"""panache.discard_variations: none of them."""

import bpy

from ..variations.state import active, discard


class PANACHE_OT_discard_variations(bpy.types.Operator):
    """Takes the ghosts away."""

    bl_idname = "panache.discard_variations"
    bl_label = "Drop Variations"
    bl_description = "Take all ghosts away; nothing in the file changes (Esc)"
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """Some are shown."""
        if active() is None:
            cls.poll_message_set("No variations are shown")
        return active() is not None

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """Take them away."""
        discard()
        return {"FINISHED"}
