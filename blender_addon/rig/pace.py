# SPDX-License-Identifier: GPL-3.0-or-later
"""How long a step may last: long enough to be worth it, short enough for a window that stays alive."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

# Seconds of a step of many small pieces. What puts the scene back after itself gets more, because that costs time too.
SHORT: Final = 0.01
LONG: Final = 0.03
# Where nobody waits between the steps: putting a heavy scene back every other frame takes as long as playing it.
_UNWATCHED: Final = 1.0

_is_watched: ContextVar[bool] = ContextVar("is_watched", default=True)


@contextmanager
def unwatched() -> Iterator[None]:
    """Inside, all steps are done in one go, and no window has to stay alive between them."""
    token = _is_watched.set(False)
    try:
        yield
    finally:
        _is_watched.reset(token)


class Pace:
    """The clock of one piece of work."""

    def __init__(self, seconds: float = SHORT) -> None:
        self._seconds = seconds
        self.restart()

    @property
    def is_over(self) -> bool:
        """Whether the step has lasted long enough."""
        return time.perf_counter() >= self._end

    def restart(self) -> None:
        """Begin the next step."""
        self._end = time.perf_counter() + (self._seconds if _is_watched.get() else _UNWATCHED)
