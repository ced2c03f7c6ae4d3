# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting for answers without waiting: the work goes on in steps until they are there."""

from collections.abc import Generator

from ..steps import Progress, Steps, finish
from . import Answer, Float32, Pending


def answered(answer: Answer, progress: Progress) -> Steps[Float32]:
    """The array that a network answers with; yields ``progress`` as long as it is not there.

    Raises:
        EngineError: there will be none.
    """
    if not isinstance(answer, Pending):
        return answer
    while (result := answer.result()) is None:
        yield progress
    return result


def settled(answer: Answer) -> Float32:
    """The array that a network answers with, however long it takes."""
    return finish(answered(answer, Progress(0.0)))


class InPieces:
    """A :class:`Pending` answer that is computed right here, one piece per look, so that no look takes long."""

    def __init__(self, pieces: Generator[None, None, Float32]) -> None:
        """The answer is what ``pieces`` returns."""
        self._pieces = pieces

    def result(self) -> Float32 | None:
        """The answer, None after any piece but the last."""
        try:
            next(self._pieces)
        except StopIteration as end:
            return end.value
        return None
