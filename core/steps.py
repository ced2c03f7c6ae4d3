# SPDX-License-Identifier: GPL-3.0-or-later
"""Long work in short steps, so that whoever asked for it can draw, wait or stop in between.

A step is what runs between two ``yield``s of a generator. Closing the generator stops the work there.
"""

from collections.abc import Generator
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Progress:
    """How far the work has come.

    Attributes:
        share: 0 to 1, never decreasing.
        what: what is done now, in a word or two for the user.
    """

    share: float
    what: str = ""


Steps = Generator[Progress, None, T]
"""Work that ends with a ``T``."""


def finish(steps: Steps[T]) -> T:
    """Run to the end and return the result."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def halving(turn: int) -> tuple[float, float]:
    """Shares at which one of nobody knows how many rounds begins and ends: half of what is left. They count from 0."""
    return 1.0 - 0.5**turn, 1.0 - 0.5 ** (turn + 1)


def scaled(steps: Steps[T], start: float, end: float, what: str = "") -> Steps[T]:
    """Part of a longer work: its progress runs from ``start`` to ``end``; closing this closes the part.

    Work that is more than one part gives each of them a share of its own that begins where the one before ended: a part
    alone knows only its own way from 0 to 1, so that, handed on as it is, it would send the whole back.

    Args:
        steps: the part.
        start: share of the whole at which it begins.
        end: share at which it is done, not less than ``start``.
        what: said in place of the part's own words, from before its first step on.
    """
    try:
        if what:
            yield Progress(start, what)
        while True:
            try:
                progress = next(steps)
            except StopIteration as stop:
                return stop.value
            # Rounding must not lead past the end, where the next part begins.
            yield Progress(min(start + (end - start) * progress.share, end), what or progress.what)
    finally:
        steps.close()
