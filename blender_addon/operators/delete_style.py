# SPDX-License-Identifier: GPL-3.0-or-later
"""panache.delete_style: removes a saved style."""

import bpy
from bpy.props import StringProperty

from ..backend import PanacheError
from ..reporting import refuse
from ..saved import delete_style
from ..translations import label, say, shown
from .on_saved_style import OnSavedStyle, wanted_style


class PANACHE_OT_delete_style(OnSavedStyle, bpy.types.Operator):
    """Deletes one of the user's styles."""

    bl_idname = "panache.delete_style"
    bl_label = "Delete Style"
    bl_description = "Delete the chosen saved style for good; what was made with it stays as it is"
    bl_options = {"REGISTER"}

    name: StringProperty(
        name="Name", description="Saved style to delete; without one, the chosen style", options={"SKIP_SAVE"}
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Ask once more: this cannot be undone."""
        self.name = wanted_style(self, context)
        message = label('Delete the style "{name}" for good?', name=self.name)
        return context.window_manager.invoke_confirm(self, event, message=message, confirm_text=shown("Delete"))

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Delete, or say in one sentence why not."""
        name = wanted_style(self, context)
        try:
            delete_style(name)
        except PanacheError as error:
            return refuse(self, error)
        self.report({"INFO"}, say('The style "{name}" is deleted', name=name))
        return {"FINISHED"}
