# SPDX-License-Identifier: GPL-3.0-or-later
"""Check Engine: one clip through every engine there is; its time, and how far its numbers are from the plainest."""

import time
from typing import Final

from ..backend import (
    EngineError,
    Progress,
    RemoteNetwork,
    Steps,
    Trial,
    WorkerState,
    local_engine_report,
    local_network,
    plain_network,
    scaled,
    try_network_steps,
)
from ..preferences import LOCAL, WORKER, engine_choice
from ..translations import say
from .keeper import current_worker, ensure, state, take_notes

TOLERANCE: Final = 1e-4
"""In units of features: what engines may differ by."""

_PATIENCE: Final = 0.005
_LAST: Final[list[str]] = []


class EngineMismatchError(EngineError):
    """An engine computes other numbers than it should."""


def last_check() -> tuple[str, ...]:
    """What the latest check of this session found, sentence by sentence; empty if there was none."""
    return tuple(_LAST)


def check_steps() -> Steps[str]:
    """Try out the engine in Blender and, unless it is not wanted, the worker.

    Returns:
        Sentences about both, which are kept to be read at leisure.

    Raises:
        PanacheError: the engine that is chosen cannot be used, or computes wrongly; the message says what to do.

    """
    _LAST.clear()
    _LAST.extend((yield from _check_steps()))
    return " ".join(_LAST)


def _check_steps() -> Steps[list[str]]:
    plain = yield from scaled(try_network_steps(plain_network()), 0.0, 0.2)
    local = yield from scaled(try_network_steps(local_network()), 0.2, 0.4)
    said = [local_engine_report(), _judged(say("In Blender"), local, plain)]
    choice = engine_choice().engine
    if choice == LOCAL:
        return [*said, say("The worker process is not used: the preferences say so.")]
    try:
        said += yield from scaled(_worker_steps(plain), 0.4, 1.0)
    except EngineMismatchError:
        raise
    except EngineError as error:
        if choice == WORKER:
            raise
        said.append(say("The worker process is not used: {reason}", reason=error))
    return said


def _worker_steps(plain: Trial) -> Steps[list[str]]:
    """Start the worker if it does not run, and try it out."""
    started = time.monotonic()
    worker, description = ensure()
    while state() is WorkerState.STARTING:
        worker.poll(_PATIENCE)
        yield Progress(0.0, say("Starting the worker"))
    waited = time.monotonic() - started
    if worker.ready is None or current_worker() is not worker:
        raise EngineError(worker.trouble or say("The preferences were changed: check again."))
    ready = worker.ready
    trial = yield from scaled(try_network_steps(RemoteNetwork(worker, description)), 0.5, 1.0)
    where = say("Worker process ({software}, Python {python}, {device})", **vars(ready))
    start = say("It starts in {seconds} s.", seconds=f"{max(waited, ready.seconds):.1f}")
    return [_judged(where, trial, plain), start, *take_notes()]


def _judged(where: str, trial: Trial, plain: Trial) -> str:
    """What can be said of a trial.

    Raises:
        EngineMismatchError: its numbers are wrong.

    """
    difference = trial.difference(plain)
    if not difference < TOLERANCE:
        raise EngineMismatchError(
            say(
                "{where} computes other numbers than it should (by {difference}): choose another device or engine in"
                " the preferences, or update the graphics driver.",
                where=where,
                difference=f"{difference:.2g}",
            )
        )
    return say(
        "{where}: {frames} frames in {milliseconds} ms, numbers right within {difference}.",
        where=where,
        frames=trial.frames,
        milliseconds=f"{trial.seconds * 1000:.0f}",
        difference=f"{difference:.1g}",
    )
