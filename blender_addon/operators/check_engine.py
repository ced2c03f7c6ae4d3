# SPDX-License-Identifier: GPL-3.0-or-later
"""panache.check_engine: which engine computes, on what, how fast, and whether its numbers are right."""

import bpy

from ..backend import Steps
from ..job.operator import JobOperator
from ..worker.checking import check_steps


class PANACHE_OT_check_engine(JobOperator, bpy.types.Operator):
    """Tries the engine out."""

    bl_idname = "panache.check_engine"
    bl_label = "Check Engine"
    bl_description = "Try out what computes the styles: where, how fast, and whether its numbers are right"
    bl_options = {"REGISTER"}

    def steps(self, _context: bpy.types.Context) -> Steps[str]:
        """Try it out."""
        return check_steps()
