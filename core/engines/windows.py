# SPDX-License-Identifier: GPL-3.0-or-later
"""Long clips in overlapping windows, so that memory stays small and nobody waits for all of a clip at once."""

import math

import numpy as np
from numpy.typing import NDArray

WINDOW = 640
"""Most frames that a network is given at once: 21 seconds."""
OVERLAP = 128
"""Frames over which one window goes over into the next."""
# Windows begin where the networks' strides begin in the whole clip, so that both see the same frames together.
_GRID = 16


def cut(frames: int) -> list[slice]:
    """Windows that cover a clip: the clip itself if it fits, else none shorter than ``WINDOW``.

    They are spread evenly, each overlapping the next by ``OVERLAP`` frames or more.
    """
    if frames <= WINDOW:
        return [slice(0, frames)]
    # The grid may move a start by up to _GRID - 1 frames, which must not eat into the overlap.
    count = math.ceil((frames - OVERLAP) / (WINDOW - OVERLAP - _GRID))
    starts = [int(start) // _GRID * _GRID for start in np.linspace(0, frames - WINDOW, count)]
    return [*(slice(start, start + WINDOW) for start in starts[:-1]), slice(starts[-1], frames)]


def shares(windows: list[slice]) -> list[NDArray[np.float32]]:
    """How much of every frame each window gives, (frames of the window,); they add up to 1 at every frame."""
    fades = [_fade(left.stop, right.start) for left, right in zip(windows[:-1], windows[1:], strict=True)]
    found: list[NDArray[np.float32]] = []
    for index, window in enumerate(windows):
        frames = np.arange(window.start, window.stop) + 0.5
        begun = _risen(frames, fades[index - 1]) if index else np.ones(len(frames))
        ended = _risen(frames, fades[index]) if index < len(fades) else np.zeros(len(frames))
        found.append((begun - ended).astype(np.float32))
    return found


def _fade(stop: int, start: int) -> float:
    """First frame of the crossing from a window that stops into one that starts, in the middle of what they share."""
    return 0.5 * (start + stop - OVERLAP)


def _risen(frames: NDArray[np.float64], start: float) -> NDArray[np.float64]:
    """0 before a crossing, 1 after it, in between as smooth as the motion: two derivatives without a step."""
    x = np.clip((frames - start) / OVERLAP, 0.0, 1.0)
    return x * x * x * (10.0 + x * (6.0 * x - 15.0))
