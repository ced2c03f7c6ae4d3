# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys as Blender has them, with handles anywhere, and the curve through them: value and slope at any time."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..rotations import Array
from .landmarks import Indices, Mask

Codes = NDArray[np.int32]

CONSTANT, LINEAR, BEZIER = 0, 1, 2
"""How a curve goes on after a key; any other number is an easing."""

# Halvings that find the place on a Bezier curve at a time: to a millionth of a millionth.
_HALVINGS = 40
# Times closer than this to a key, frames, are the key's own.
_SAME_TIME = 1e-5
# Share of the way between two keys that counts as none.
_NOTHING = 1e-9


@dataclass(frozen=True)
class Points:
    """K keys of one f-curve, at least one, at increasing times.

    Attributes:
        co: (K, 2) time and value.
        left: (K, 2) end of the handle before.
        right: (K, 2) end of the handle after.
        kinds: (K,) CONSTANT, LINEAR, BEZIER or an easing.
    """

    co: Array
    left: Array
    right: Array
    kinds: Codes

    @property
    def times(self) -> Array:
        """(K,) frames."""
        return self.co[:, 0]

    @cached_property
    def _beziers(self) -> tuple[Array, Array]:
        """Times and values (4, K - 1) of each stretch, its handles within it as Blender has it."""
        start, end = self.co[:-1], self.co[1:]
        length = end[:, 0] - start[:, 0]
        ways = [self.right[:-1] - start, self.left[1:] - end]
        for way in ways:
            reach = np.abs(way[:, 0])
            way *= np.where(reach > length, length / np.maximum(reach, _NOTHING), 1.0)[:, None]
        points = np.stack([start, start + ways[0], end + ways[1], end])
        return points[..., 0], points[..., 1]

    def at(self, times: Array) -> Array:
        """Values (M,) of the curve, which holds its ends; easings count as straight lines."""
        if len(self.co) == 1:
            return np.full(len(times), self.co[0, 1])
        times = np.clip(times, self.times[0], self.times[-1])
        row = self._stretch(times, "right")
        share = self._share(times, row)
        start, end = self.co[row, 1], self.co[row + 1, 1]
        line = start + (times - self.times[row]) / (self.times[row + 1] - self.times[row]) * (end - start)
        found = np.where(self.kinds[row] == BEZIER, _cubic(self._beziers[1][:, row], share), line)
        found = np.where((self.kinds[row] == CONSTANT) & (times < self.times[row + 1]), start, found)
        key = self.nearest(times)
        return np.where(np.abs(times - self.times[key]) < _SAME_TIME, self.co[key, 1], found)

    def slopes(self, times: Array) -> tuple[Array, Array]:
        """Slopes (M,) per frame just before and just after ``times``; outside the keys those of the outer handles."""
        return self._slope(times, "left"), self._slope(times, "right")

    def nearest(self, times: Array) -> Indices:
        """(M,) key that is nearest to each time."""
        after = np.clip(np.searchsorted(self.times, times), 0, len(self.times) - 1)
        before = np.maximum(after - 1, 0)
        return np.where(times - self.times[before] <= self.times[after] - times, before, after)

    def kinds_at(self, times: Array) -> Codes:
        """(M,) kind of the stretch at each time."""
        return self.kinds[np.clip(np.searchsorted(self.times, times, side="right") - 1, 0, len(self.times) - 1)]

    def _slope(self, times: Array, side: str) -> Array:
        key = self.nearest(times)
        times = np.where(np.abs(times - self.times[key]) < _SAME_TIME, self.times[key], times)
        if len(self.co) == 1:
            return self._outer(0, self.left if side == "left" else self.right, np.zeros(len(times)))
        row = self._stretch(times, side)
        x, y = (points[:, row] for points in self._beziers)
        line = (y[3] - y[0]) / (x[3] - x[0])
        share = self._share(times, row)
        across, up = _derivative(x, share), _derivative(y, share)
        # A handle without length says nothing: the curve sets out towards the next point that does.
        bent = np.where(across > _NOTHING * (x[3] - x[0]), up / np.maximum(across, _NOTHING), line)
        found = np.where(self.kinds[row] == BEZIER, bent, np.where(self.kinds[row] == CONSTANT, 0.0, line))
        if side == "left":
            return np.where(times <= self.times[0], self._outer(0, self.left, found), found)
        return np.where(times >= self.times[-1], self._outer(-1, self.right, found), found)

    def _outer(self, key: int, handles: Array, otherwise: Array) -> Array:
        way = handles[key] - self.co[key]
        return otherwise if abs(way[0]) < _SAME_TIME else np.full(len(otherwise), way[1] / way[0])

    def _stretch(self, times: Array, side: str) -> Indices:
        found = np.searchsorted(self.times, times, side="left" if side == "left" else "right")
        return np.clip(found - 1, 0, len(self.times) - 2)

    def _share(self, times: Array, row: Indices) -> Array:
        """(M,) place on the Bezier curve of a stretch that is at a time."""
        x = self._beziers[0][:, row]
        share = np.clip((times - x[0]) / (x[3] - x[0]), 0.0, 1.0)
        plain = np.abs(_cubic(x, share) - times) < _SAME_TIME
        if plain.all():
            return share
        low, high = np.zeros(len(times)), np.ones(len(times))
        for _ in range(_HALVINGS):
            middle = 0.5 * (low + high)
            early = _cubic(x, middle) < times
            low, high = np.where(early, middle, low), np.where(early, high, middle)
        return np.where(plain, share, 0.5 * (low + high))


def corners(points: Points) -> Mask:
    """(K,) keys between others at which the curve has a corner or a step."""
    before, after = points.slopes(points.times)
    found = np.abs(after - before) > 1e-3 * np.maximum(np.abs(before), np.abs(after)) + _NOTHING
    found[[0, -1]] = False
    return found


def _cubic(points: Array, share: Array) -> Array:
    """Value of Bezier curves (4, M) at ``share`` (M,)."""
    u, v = share, 1.0 - share
    return np.asarray(v * v * v * points[0] + 3.0 * u * v * (v * points[1] + u * points[2]) + u * u * u * points[3])


def _derivative(points: Array, share: Array) -> Array:
    u, v = share, 1.0 - share
    first, second, third = np.diff(points, axis=0)
    return np.asarray(3.0 * (v * v * first + 2.0 * u * v * second + u * u * third))
