# SPDX-License-Identifier: GPL-3.0-or-later
"""panache.revert: back to the action that a result was made from."""

import bpy

from ..backend import PanacheError
from ..record import original_of
from ..rig.guards import check_editable
from ..rig.take import active_take
from ..rig.writer import play_action


class PANACHE_OT_revert(bpy.types.Operator):
    """Assigns the action that the played one was made from."""

    bl_idname = "panache.revert"
    bl_label = "Revert to Original"
    bl_description = "Play the original action again; the stylized one stays in the file until it is saved"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Assign the original, or say in one sentence why not."""
        try:
            take = active_take(context)
            check_editable(take)
            original, slot = original_of(take.action)
        except PanacheError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        play_action(context, take.armature, original, slot)
        self.report({"INFO"}, f'The armature plays "{original.name}" again')
        return {"FINISHED"}
