# SPDX-License-Identifier: GPL-3.0-or-later
"""Variations on the screen: what Blender calls to draw them, and what ends them.

Another file, a deleted armature or a disabled extension do; undo, redo and saving do not, for the file knows nothing
of them.
"""

from contextlib import ExitStack
from typing import Any

import bpy
from bpy.app.handlers import persistent

from .drawing import draw_ghosts
from .labels import draw_labels
from .state import VariationsState, active, armature_of_variations, discard, show
from .viewing import redraw_viewports


def present(state: VariationsState) -> None:
    """Show variations in all 3D viewports until somebody drops them."""
    kept = ExitStack()
    kept.callback(redraw_viewports)
    for draw, moment in ((draw_ghosts, "POST_VIEW"), (draw_labels, "POST_PIXEL")):
        handle = bpy.types.SpaceView3D.draw_handler_add(draw, (), "WINDOW", moment)
        kept.callback(bpy.types.SpaceView3D.draw_handler_remove, handle, "WINDOW")
    for name, handler in _HANDLERS.items():
        getattr(bpy.app.handlers, name).append(handler)
        kept.callback(_remove, name, handler)
    show(state, kept.close)
    redraw_viewports()


@persistent
def _end_before_load(*_arguments: object) -> None:
    discard()


@persistent
def _end_without_armature(*_arguments: object) -> None:
    state = active()
    if state is not None and armature_of_variations(state) is None:
        discard()


def _remove(name: str, handler: Any) -> None:  # noqa: ANN401
    handlers = getattr(bpy.app.handlers, name)
    if handler in handlers:
        handlers.remove(handler)


_HANDLERS = {
    "load_pre": _end_before_load,
    "depsgraph_update_post": _end_without_armature,
    "undo_post": _end_without_armature,
    "redo_post": _end_without_armature,
}
