# SPDX-License-Identifier: GPL-3.0-or-later
"""What ends a job from outside: an undo, a redo or another file, before what the job holds on to is gone."""

from typing import Any, Final

import bpy
from bpy.app.handlers import persistent

from ..preflight import drop_check
from ..unfinished import sweep
from .current import cancel


@persistent
def _end_before_undo(*_arguments: object) -> None:
    drop_check()
    cancel("Stopped by an undo or redo; start it again")


@persistent
def _end_before_load(*_arguments: object) -> None:
    drop_check()
    cancel("Stopped, because another file was opened")


@persistent
def _sweep(*_arguments: object) -> None:
    sweep()


_HANDLERS: Final[dict[str, Any]] = {
    "undo_pre": _end_before_undo,
    "redo_pre": _end_before_undo,
    "load_pre": _end_before_load,
    "undo_post": _sweep,
    "redo_post": _sweep,
    "load_post": _sweep,
}


def add_handlers() -> None:
    """Called when the extension is enabled."""
    for name, handler in _HANDLERS.items():
        getattr(bpy.app.handlers, name).append(handler)


def remove_handlers() -> None:
    """Mirror of :func:`add_handlers`; ends what runs."""
    cancel("Stopped, because Panache was disabled")
    for name, handler in _HANDLERS.items():
        handlers = getattr(bpy.app.handlers, name)
        if handler in handlers:
            handlers.remove(handler)
