# SPDX-License-Identifier: GPL-3.0-or-later
"""panache.describe_style: shows what is known of a saved style, and changes what is said about its licence."""

import bpy
from bpy.props import StringProperty

from ..backend import PanacheError
from ..reporting import refuse
from ..saved import saved_style, shown_style
from ..saving import describe
from ..style_facts import draw_facts
from ..translations import say, shown
from .on_saved_style import OnSavedStyle, wanted_style


class PANACHE_OT_describe_style(OnSavedStyle, bpy.types.Operator):
    """Tells about one of the user's styles."""

    bl_idname = "panache.describe_style"
    bl_label = "About Style"
    bl_description = "Show what the chosen saved style was read off, and note what its licence allows"
    bl_options = {"REGISTER"}

    name: StringProperty(
        name="Name", description="Saved style to show; without one, the chosen style", options={"SKIP_SAVE"}
    )
    licence: StringProperty(
        name="Licence",
        description="What may be done with the style; without a note, what the licence of the action allows",
        options={"SKIP_SAVE"},
    )

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Show what there is."""
        self.name = wanted_style(self, context)
        try:
            self.licence = saved_style(self.name).note
        except PanacheError as error:
            return refuse(self, error)
        return context.window_manager.invoke_props_dialog(self, width=400, confirm_text=shown("Save"))

    def draw(self, _context: bpy.types.Context) -> None:
        """Draw the facts, and the note to be edited."""
        style = shown_style(self.name)
        if style is not None:
            draw_facts(self.layout, style)
        self.layout.prop(self, "licence")

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Keep the note, or say in one sentence why not."""
        name = wanted_style(self, context)
        try:
            describe(name, self.licence)
        except PanacheError as error:
            return refuse(self, error)
        self.report({"INFO"}, say('The note on the style "{name}" is saved', name=name))
        return {"FINISHED"}
