# SPDX-License-Identifier: GPL-3.0-or-later
"""Slower or faster: where in time the frames of an action lie when a style has changed how long it takes.

One stretch for all of a body keeps planted feet planted and the path as long as it was: only its speed changes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .rotations import Array

Rates = Callable[[Array], Array]
"""How much faster an action plays at frames (M,) of its result."""

# Frames closer than this to a whole one lie on it.
_SAME_FRAME = 1e-3
# Rates that change are looked at so many times a frame.
_FINE = 4
# No result may take longer than this times its original: rates are 0.5 to 2, and amounts up to 1.5.
_LONGEST = 4.0


@dataclass(frozen=True)
class TimeWarp:
    """Straight pieces from frames of the original to frames of the result; the first and last one go on for ever.

    Attributes:
        source: (N,) frames of the original, increasing, at least two.
        shown: (N,) frames at which they are in the result, increasing; the first is the same.
    """

    source: Array
    shown: Array

    @property
    def is_idle(self) -> bool:
        """Whether nothing changes."""
        return bool(np.array_equal(self.source, self.shown))

    def at(self, frames: Array) -> Array:
        """Where frames (M,) of the original are in the result."""
        return _carried(frames, self.source, self.shown)

    def back(self, frames: Array) -> Array:
        """Which frames (M,) of the original are to be seen at frames of the result."""
        return _carried(frames, self.shown, self.source)

    def pace(self, frames: Array) -> Array:
        """How many frames of the original pass per frame of the result, at frames (M,) of the result."""
        piece = _piece(frames, self.shown)
        return np.diff(self.source)[piece] / np.diff(self.shown)[piece]


def even_warp(ends: tuple[float, float], rate: float) -> TimeWarp:
    """All of an action at one rate, about its first frame.

    Where both ends are whole frames the last one stays a whole frame, and the rate gives way by as much.

    Args:
        ends: first and last frame of the original.
        rate: how much faster it shall be.
    """
    first, last = ends
    end = _last_frame(ends, first + (last - first) / rate)
    return TimeWarp(np.array([first, last]), np.array([first, end]))


def changing_warp(ends: tuple[float, float], rates: Rates) -> TimeWarp:
    """An action whose rate changes over the result's frames; its last frame as in :func:`even_warp`."""
    first, last = ends
    shown = first + np.arange(np.ceil(_LONGEST * (last - first)) * _FINE + 1) / _FINE
    passed = np.asarray(rates(0.5 * (shown[1:] + shown[:-1]))) / _FINE
    source = first + np.concatenate([np.zeros(1), np.cumsum(passed)])
    end = _last_frame(ends, float(np.interp(last, source, shown)))
    kept = np.append(shown[shown < end - 0.5 / _FINE], end)
    way = np.interp(kept, shown, source) - first
    return TimeWarp(first + way * (last - first) / way[-1], kept)


def _last_frame(ends: tuple[float, float], end: float) -> float:
    if any(abs(frame - round(frame)) > _SAME_FRAME for frame in ends):
        return end
    return max(float(round(end)), ends[0] + 1.0)


def _carried(frames: Array, source: Array, target: Array) -> Array:
    piece = _piece(frames, source)
    share = (frames - source[piece]) / (source[piece + 1] - source[piece])
    return np.asarray((1.0 - share) * target[piece] + share * target[piece + 1])


def _piece(frames: Array, knots: Array) -> np.ndarray[tuple[int, ...], np.dtype[np.intp]]:
    return np.clip(np.searchsorted(knots, frames, side="right") - 1, 0, len(knots) - 2)
