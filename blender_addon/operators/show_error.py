# SPDX-License-Identifier: GPL-3.0-or-later
"""The latest failure in a dialog, from which its text can be copied."""

from typing import Final

import bpy

from ..log import last_failure

_WIDTH: Final = 600
_LINES: Final = 18


class PANACHE_OT_show_error(bpy.types.Operator):
    """Shows what went wrong last."""

    bl_idname = "panache.show_error"
    bl_label = "Panache: Last Error"
    bl_description = "Show what went wrong last, to read or to copy"

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Open the dialog."""
        return context.window_manager.invoke_popup(self, width=_WIDTH)

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """Say the last line, where there are no dialogs."""
        lines = last_failure()
        self.report({"INFO"}, lines[-1] if lines else "Nothing went wrong in this session")
        return {"FINISHED"}

    def draw(self, _context: bpy.types.Context) -> None:
        """Draw the last lines and the button."""
        lines = last_failure() or ["Nothing went wrong in this session"]
        column = self.layout.column(align=True)
        column.label(text=self.bl_label, icon="ERROR")
        for line in lines[:1] + lines[1:][-_LINES:]:
            column.label(text=line)
        self.layout.operator("panache.copy_error", icon="COPYDOWN")


class PANACHE_OT_copy_error(bpy.types.Operator):
    """Copies what went wrong last."""

    bl_idname = "panache.copy_error"
    bl_label = "Copy Error"
    bl_description = "Copy the text of the last error to the clipboard, to paste it into a report"

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """There is something to copy."""
        return bool(last_failure())

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Copy."""
        context.window_manager.clipboard = "\n".join(last_failure())
        return {"FINISHED"}
