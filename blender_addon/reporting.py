# SPDX-License-Identifier: GPL-3.0-or-later
"""What a user is told when something was refused, or went wrong: one sentence, and the rest in the log."""

import bpy

from .backend import PanacheError
from .log import write_failure, write_refusal


def refuse(operator: bpy.types.Operator, error: PanacheError) -> set[str]:
    """Report what to do; nothing was changed."""
    write_refusal(operator.bl_idname, str(error))
    operator.report({"ERROR"}, str(error))
    return {"CANCELLED"}


def failed(operator: bpy.types.Operator, error: Exception) -> set[str]:
    """Report what nobody foresaw; the log keeps the traceback, and in a window a dialog shows it to be copied."""
    path = write_failure(operator.bl_idname, error)
    operator.report({"ERROR"}, f"Panache failed: {error or type(error).__name__}. Details: {path}")
    if not bpy.app.background:
        bpy.ops.panache.show_error("INVOKE_DEFAULT")
    return {"CANCELLED"}
