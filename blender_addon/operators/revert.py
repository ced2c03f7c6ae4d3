# SPDX-License-Identifier: GPL-3.0-or-later
"""panache.revert: back to the action that a result was made from."""

import bpy

from ..backend import PanacheError
from ..reporting import refuse
from ..results import take_back
from ..rig.guards import check_editable
from ..rig.take import active_take
from ..translations import say
from .on_armature import OnResult


class PANACHE_OT_revert(OnResult, bpy.types.Operator):
    """Assigns the action that the played one was made from."""

    bl_idname = "panache.revert"
    bl_label = "Revert to Original"
    bl_description = (
        "Play the original action again; the result stays in the file until it is saved, an edited one for good"
    )
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Assign the original, or say in one sentence why not."""
        try:
            take = active_take(context)
            check_editable(take)
            name = take_back(context, take)
        except PanacheError as error:
            return refuse(self, error)
        self.report({"INFO"}, say('The armature plays "{name}" again', name=name))
        return {"FINISHED"}
