# SPDX-License-Identifier: GPL-3.0-or-later
"""panache.reapply: the run that a result remembers, once more."""

import bpy

from ..backend import Steps
from ..job.operator import JobOperator
from ..reapplying import reapply_steps
from .on_armature import OnResult


class PANACHE_OT_reapply(OnResult, JobOperator, bpy.types.Operator):
    """Runs again with the settings and the seed that a result was made with."""

    bl_idname = "panache.reapply"
    bl_label = "Re-apply"
    bl_description = "Make the result again from the original as it is now, with the settings that are stored in it"
    bl_options = {"REGISTER", "UNDO"}

    def steps(self, context: bpy.types.Context) -> Steps[str]:
        """Restyle again."""
        return (yield from reapply_steps(context))
