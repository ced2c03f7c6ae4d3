# SPDX-License-Identifier: GPL-3.0-or-later
"""The one job that may run: whoever wants to show it, to stop it, or to start another one asks here."""

import time
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from ..backend import PanacheError, Progress, Steps
from ..translations import say

T = TypeVar("T")

# Seconds below which a step has done nothing.
_IDLE: Final = 5e-4
_RUNNING: "Final[list[Job[str]]]" = []


class JobBusyError(PanacheError):
    """Another job is running; the text says what to do."""


@dataclass(frozen=True)
class JobState:
    """What the panel shows of a job.

    Attributes:
        title: what the user asked for.
        share: how far it has come, 0 to 1.
        what: what is done now, in a word or two.

    """

    title: str
    share: float
    what: str


class Job(Generic[T]):
    """A generator on its way.

    Attributes:
        title: what the user asked for.
        kept: what must be put away when the job ends, however it ends.
        reason: why somebody ended it; empty if nobody did, or if no more is to be said than that.

    """

    def __init__(self, title: str, steps: Steps[T]) -> None:
        self.title = title
        self.kept = ExitStack()
        self.reason = ""
        self._steps = steps
        self._progress = Progress(0.0)
        self._over = False

    @property
    def is_over(self) -> bool:
        """Whether it has ended, well or not."""
        return self._over

    @property
    def state(self) -> JobState:
        """How far it has come."""
        return JobState(self.title, self._progress.share, self._progress.what)

    def advance(self, seconds: float) -> tuple[T] | None:
        """Take steps for about so long, at least one.

        A step that takes no time and reports nothing new waits for somebody else: nothing to do before the next tick.

        Returns:
            The result, alone in a tuple, if this was the end; None if there are more steps.

        Raises:
            Exception: whatever the work raises; then it is over.

        """
        deadline = time.perf_counter() + seconds
        while not self._over:
            before, begin = self._progress, time.perf_counter()
            try:
                self._progress = next(self._steps)
            except StopIteration as stop:
                self.end()
                return (stop.value,)
            except BaseException:
                self.end()
                raise
            now = time.perf_counter()
            waits = self._progress == before and now - begin < _IDLE
            if waits or now >= deadline:
                break
        return None

    def end(self, reason: str = "") -> None:
        """Stop where it is; whatever it had open is closed. Harmless on a job that is over."""
        if self._over:
            return
        self._over = True
        self.reason = reason
        if self in _RUNNING:
            _RUNNING.remove(self)
        try:
            self._steps.close()
        finally:
            self.kept.close()


def current() -> JobState | None:
    """The running job, None if there is none. Cheap enough to call while drawing."""
    return _RUNNING[0].state if _RUNNING else None


def cancel(reason: str = "") -> None:
    """End the running job, if there is one; ``reason`` is a sentence for the user, who may have done it by accident."""
    for job in list(_RUNNING):
        job.end(reason)


def start(title: str, steps: Steps[str]) -> Job[str]:
    """Make ``steps`` the running job.

    Raises:
        JobBusyError: there is one.

    """
    check_free()
    job = Job(title, steps)
    _RUNNING.append(job)
    return job


def check_free() -> None:
    """Refuse a second job.

    Raises:
        JobBusyError: there is one.

    """
    if _RUNNING:
        raise JobBusyError(
            say('"{title}" is still running: wait for it, or press Esc to stop it.', title=_RUNNING[0].title)
        )
