# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting for answers without waiting: the work goes on in steps until they are there."""

from ..steps import Progress, Steps
from . import Answer, Float32, Pending


def answered(answer: Answer, progress: Progress) -> Steps[Float32]:
    """The array that a network answers with; yields ``progress`` as long as it is computed somewhere else.

    Raises:
        EngineError: there will be none.
    """
    if not isinstance(answer, Pending):
        return answer
    while (result := answer.result()) is None:
        yield progress
    return result
