# SPDX-License-Identifier: GPL-3.0-or-later
"""panache.pick_variation: listens to mouse and keyboard as long as ghosts are shown."""

import bpy

from ..variations.picking import Choosing
from ..variations.state import active


class PANACHE_OT_pick_variation(bpy.types.Operator):
    """Click or press a number to keep a ghost, Esc to drop all; everything else works as ever."""

    bl_idname = "panache.pick_variation"
    bl_label = "Pick a Variation"
    bl_description = "Choose one of the ghosts with a click or its number"
    bl_options = {"INTERNAL"}

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Begin to listen."""
        state = active()
        if state is None or state.picking:
            return {"CANCELLED"}
        self._choosing = Choosing(state)
        context.window_manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Answer to an event."""
        return self._choosing.react(context, event)

    def cancel(self, _context: bpy.types.Context) -> None:
        """Blender takes the operator away: its window was closed, or another file is loaded."""
        self._choosing.end()
