# SPDX-License-Identifier: GPL-3.0-or-later
"""panache.keep_variation: one of the variations becomes the result."""

import bpy
from bpy.props import IntProperty

from ..backend import Steps
from ..job.operator import JobOperator
from ..variations.keeping import keep_steps
from ..variations.state import active


class PANACHE_OT_keep_variation(JobOperator, bpy.types.Operator):
    """Stylizes with the settings of a ghost."""

    bl_idname = "panache.keep_variation"
    bl_label = "Keep Variation"
    bl_description = "Make this variation the result, and drop the others"
    # Not in the redo panel: there is nothing left to choose from when it could be shown.
    bl_options = {"UNDO"}

    index: IntProperty(name="Index", description="Which one, from 0", default=0, options={"SKIP_SAVE"})

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """Some are shown."""
        if active() is None:
            cls.poll_message_set("Sample variations first")
        return active() is not None

    def steps(self, context: bpy.types.Context) -> Steps[str]:
        """Stylize, and drop the ghosts."""
        return (yield from keep_steps(context, self.index))
