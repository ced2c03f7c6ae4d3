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


def scaled(steps: Steps[T], start: float, end: float) -> Steps[T]:
    """Part of a longer work: its progress runs from ``start`` to ``end``; closing this closes the part."""
    try:
        while True:
            try:
                progress = next(steps)
            except StopIteration as stop:
                return stop.value
            yield Progress(start + (end - start) * progress.share, progress.what)
    finally:
        steps.close()
