# SPDX-License-Identifier: GPL-3.0-or-later
"""panache.renew_style: computes a saved style again, for the model there is now."""

import bpy
from bpy.props import StringProperty

from ..backend import Steps
from ..blocking import no_armature
from ..job.operator import JobOperator
from ..saved import saved_names
from ..saving import renew_steps
from ..translations import say, shown
from .on_saved_style import wanted_style


class PANACHE_OT_renew_style(JobOperator, bpy.types.Operator):
    """Brings a saved style up to date."""

    bl_idname = "panache.renew_style"
    bl_label = "Compute Style Again"
    bl_description = "Read the chosen saved style off its action again, because another model needs other numbers"
    bl_options = {"REGISTER"}

    name: StringProperty(
        name="Name", description="Saved style to compute again; without one, the chosen style", options={"SKIP_SAVE"}
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """The rig is read with what is known of an armature."""
        reason = no_armature(context) or ("" if saved_names() else "There are no saved styles")
        if reason:
            cls.poll_message_set(shown(reason))
        return not reason

    def steps(self, context: bpy.types.Context) -> Steps[str]:
        """Read the action and write the style."""
        name = yield from renew_steps(context, wanted_style(self, context))
        return say('The style "{name}" is up to date', name=name)
