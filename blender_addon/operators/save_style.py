# SPDX-License-Identifier: GPL-3.0-or-later
"""panache.save_style: keeps a reference as a style with a name."""

import bpy
from bpy.props import BoolProperty, StringProperty

from ..backend import Steps
from ..job.operator import JobOperator
from ..saving import REFINE, StyleWish, default_reference, save_steps, suggested_licence, suggested_name
from ..translations import say, shown
from .on_armature import OnArmature


class PANACHE_OT_save_style(OnArmature, JobOperator, bpy.types.Operator):
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
    refine: BoolProperty(
        name="Refine",
        description="Fit the style to the action: it takes some seconds, and more of the style is shown",
        default=REFINE,
        options={"SKIP_SAVE"},
    )
    licence: StringProperty(
        name="Licence",
        description="What may be done with the style; without a note, what the licence of the action allows",
        options={"SKIP_SAVE"},
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Ask for the name; with one, begin."""
        if self.properties.is_property_set("name"):
            return super().invoke(context, event)
        self.reference = self.reference or default_reference(context)
        self.name = suggested_name(self.reference)
        self.licence = self.licence or suggested_licence(self.reference)
        self._asked = True
        return context.window_manager.invoke_props_dialog(self, confirm_text=shown("Save"))

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Do all of it now; after the dialog, as a job of its own, because a dialog cannot become one."""
        if not getattr(self, "_asked", False):
            return super().execute(context)
        wanted = {name: getattr(self, name) for name in ("name", "reference", "refine", "licence")}
        bpy.ops.panache.save_style("INVOKE_DEFAULT", **wanted)
        return {"FINISHED"}

    def cancel(self, context: bpy.types.Context) -> None:
        """End the job, unless the dialog was closed before there was one."""
        if not getattr(self, "_asked", False):
            super().cancel(context)

    def draw(self, _context: bpy.types.Context) -> None:
        """Draw the name, of what it is, and how it is kept."""
        self.layout.use_property_split = True
        self.layout.use_property_decorate = False
        self.layout.prop(self, "name")
        self.layout.prop_search(self, "reference", bpy.data, "actions")
        self.layout.prop(self, "refine")
        self.layout.prop(self, "licence")

    def steps(self, context: bpy.types.Context) -> Steps[str]:
        """Read the reference and write the style."""
        wish = StyleWish(self.name, self.reference, self.refine, self.licence)
        name = yield from save_steps(context, wish)
        return say('"{name}" is among your saved styles', name=name)
