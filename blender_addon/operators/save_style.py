# SPDX-License-Identifier: GPL-3.0-or-later
"""panache.save_style: keeps a reference as a style with a name."""

import bpy
from bpy.props import StringProperty

from ..backend import Steps
from ..blocking import no_armature
from ..job.operator import JobOperator
from ..saving import default_reference, save_steps, suggested_name
from ..translations import say, shown


class PANACHE_OT_save_style(JobOperator, bpy.types.Operator):
    """Saves the style of an action."""

    bl_idname = "panache.save_style"
    bl_label = "Save Style"
    bl_description = "Keep the style of an action under a name, to use it on other characters and in other files"
    bl_options = {"REGISTER"}

    name: StringProperty(name="Name", description="What to call the style", options={"SKIP_SAVE"})
    reference: StringProperty(
        name="Action",
        description="Action whose style is saved; without one, the chosen action or what the armature plays",
        options={"SKIP_SAVE"},
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """The rig is read with what is known of an armature."""
        reason = no_armature(context)
        if reason:
            cls.poll_message_set(shown(reason))
        return not reason

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Ask for the name; with one, begin."""
        if self.properties.is_property_set("name"):
            return super().invoke(context, event)
        self.reference = self.reference or default_reference(context)
        self.name = suggested_name(self.reference)
        self._asked = True
        return context.window_manager.invoke_props_dialog(self, confirm_text=shown("Save"))

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Do all of it now; after the dialog, as a job of its own, because a dialog cannot become one."""
        if not getattr(self, "_asked", False):
            return super().execute(context)
        bpy.ops.panache.save_style("INVOKE_DEFAULT", name=self.name, reference=self.reference)
        return {"FINISHED"}

    def cancel(self, context: bpy.types.Context) -> None:
        """End the job, unless the dialog was closed before there was one."""
        if not getattr(self, "_asked", False):
            super().cancel(context)

    def draw(self, _context: bpy.types.Context) -> None:
        """Draw the name, and of what it is."""
        self.layout.use_property_split = True
        self.layout.use_property_decorate = False
        self.layout.prop(self, "name")
        self.layout.prop_search(self, "reference", bpy.data, "actions")

    def steps(self, context: bpy.types.Context) -> Steps[str]:
        """Read the reference and write the style."""
        name = yield from save_steps(context, self.name, self.reference)
        return say('"{name}" is among your saved styles', name=name)
