# SPDX-License-Identifier: GPL-3.0-or-later
"""panache.keep: a result becomes an action like any other."""

import bpy

from ..backend import PanacheError
from ..keeping import keep_active
from ..reporting import refuse
from ..translations import say
from .on_armature import OnResult


class PANACHE_OT_keep(OnResult, bpy.types.Operator):
    """Ends what Panache can still change in a result."""

    bl_idname = "panache.keep"
    bl_label = "Keep"
    bl_description = (
        "Make the result an action like any other, as it is now; its amount can no longer be changed, and the original "
        "stays in the file"
    )
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Keep, or say in one sentence why not."""
        try:
            name = keep_active(context)
        except PanacheError as error:
            return refuse(self, error)
        self.report({"INFO"}, say('"{name}" is an action like any other now', name=name))
        return {"FINISHED"}
