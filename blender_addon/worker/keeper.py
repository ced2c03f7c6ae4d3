# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps at most one worker alive: started when it is needed, followed by a timer, ended with Panache or Blender."""

import atexit
from dataclasses import dataclass, field
from typing import Final

import bpy

from ..backend import EngineError, RemoteNetwork, WeightsDescription, Worker, WorkerCommand, WorkerState, read_weights
from ..job.display import redraw_sidebars
from ..log import masked, write_note
from ..preferences import AUTO, LOCAL, WORKER, engine_choice
from ..translations import say
from .interpreter import Interpreter, extension_root, find_interpreter

OPENER: Final = "models.serving:open_network"
"""What the worker opens the weights with, by its name in the worker's process."""

# Seconds between two looks at a worker, often enough for what is cancelled to end within half a second; and at one that
# has ended, or from the first drawing of the panel to the start.
_OFTEN, _SELDOM = 0.1, 0.5


@dataclass
class _Kept:
    """What is known from one call to the next."""

    key: tuple[WorkerCommand, int] | None = None
    worker: Worker | None = None
    shown: WorkerState = WorkerState.OFF
    notes: list[str] = field(default_factory=list)
    opened: bool = False


_KEPT: Final = _Kept()


def chosen_network() -> RemoteNetwork | None:
    """The worker's network if the preferences want it and, where they leave the choice, if it is ready.

    Raises:
        EngineError: they want it, and there is no Python for it; the message says what to do.

    """
    choice = engine_choice().engine
    if choice == LOCAL:
        return None
    if choice == AUTO and state() is not WorkerState.READY:
        return None
    worker, description = ensure()
    return RemoteNetwork(worker, description)


def ensure() -> tuple[Worker, WeightsDescription]:
    """The worker that suits preferences and weights, started if it was not.

    Raises:
        EngineError: there is no Python for it, or it cannot be started; the message says what to do.

    """
    choice = engine_choice()
    found = find_interpreter(choice.python)
    if found is None:
        raise EngineError(
            say(
                "There is no Python with torch for the worker process: press Create Runtime in the preferences of"
                " Panache, or choose a Python there."
            )
        )
    path, stamp, description = read_weights()
    command = WorkerCommand(found.path, extension_root(), OPENER, path, choice.device)
    if _KEPT.worker is None or _KEPT.key != (command, stamp):
        stop()
        _KEPT.key, _KEPT.worker = (command, stamp), Worker(command, description, mask=masked)
    _KEPT.worker.start()
    _follow()
    return _KEPT.worker, description


def state() -> WorkerState:
    """What the worker does; cheap enough to call while drawing."""
    return _KEPT.worker.state if _KEPT.worker else WorkerState.OFF


def current_worker() -> Worker | None:
    """The worker as it is, started or not."""
    return _KEPT.worker


def warm_when_opened() -> None:
    """Called whenever the panel is drawn: the first time, a worker that the preferences want is started soon after."""
    if not _KEPT.opened and not bpy.app.background:
        _KEPT.opened = True
        # Not now: nothing may be started while Blender draws.
        bpy.app.timers.register(_warm, first_interval=_SELDOM)


def reconsider() -> None:
    """The preferences changed: end a worker that does not suit them any more, and start the one that does."""
    stop()
    if not bpy.app.background:
        _warm()


def take_notes() -> list[str]:
    """Sentences about what the worker did otherwise than it was asked to, since the last time."""
    _collect_notes()
    notes, _KEPT.notes = _KEPT.notes, []
    return notes


def stop() -> None:
    """End the worker, whatever it does."""
    if _KEPT.worker is not None:
        _KEPT.worker.stop()
    _KEPT.worker = _KEPT.key = None
    if not bpy.app.background and bpy.app.timers.is_registered(_look):
        bpy.app.timers.unregister(_look)
    atexit.unregister(_stop_at_exit)


def forget() -> None:
    """The extension is disabled: nothing may be left of the worker."""
    stop()
    if not bpy.app.background and bpy.app.timers.is_registered(_warm):
        bpy.app.timers.unregister(_warm)
    _KEPT.opened = False


def usable_interpreter() -> Interpreter | None:
    """The Python for the worker, None if there is none or none that can be used."""
    try:
        return find_interpreter(engine_choice().python)
    except EngineError:
        return None


def _warm() -> None:
    """Start the worker if it is wanted; who needs it is told if it cannot be."""
    choice = engine_choice().engine
    if choice == WORKER or (choice == AUTO and usable_interpreter() is not None):
        try:
            ensure()
        except EngineError as error:
            write_note(f"The worker was not started: {error}")


def _follow() -> None:
    """Look after the worker from now on, until it ends."""
    atexit.unregister(_stop_at_exit)
    atexit.register(_stop_at_exit)
    if not bpy.app.background and not bpy.app.timers.is_registered(_look):
        bpy.app.timers.register(_look, first_interval=_OFTEN, persistent=True)


def _look() -> float | None:
    """Hear what the worker has to say, as a timer does it."""
    if _KEPT.worker is None:
        return None
    _KEPT.worker.poll()
    _collect_notes()
    if _KEPT.shown is not _KEPT.worker.state:
        _KEPT.shown = _KEPT.worker.state
        write_note(f"The worker is {_KEPT.shown.value} {_KEPT.worker.ready or _KEPT.worker.trouble}")
        redraw_sidebars()
    return _OFTEN if _KEPT.worker.pid else _SELDOM


def _collect_notes() -> None:
    notes = _KEPT.worker.take_notes() if _KEPT.worker else []
    for note in notes:
        write_note(note)
    _KEPT.notes += notes


def _stop_at_exit() -> None:
    """Blender ends: its own modules may be gone already, the process must not stay."""
    if _KEPT.worker is not None:
        _KEPT.worker.stop()
