# SPDX-License-Identifier: GPL-3.0-or-later
"""Slopes at given keys with which a Bezier curve comes nearest to samples: least squares, in linear time."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .rotations import Array

Indices = NDArray[np.intp]
Mask = NDArray[np.bool_]

# Conjugate gradients stop below this residual, of the first one.
_EXACT, _STEPS = 1e-7, 60


@dataclass(frozen=True)
class Layout:
    """Keys of a curve, K of them.

    Attributes:
        knots: (K,) which samples are keys.
        smooth: (K,) keys through which the curve passes without a corner.
        curved: (K,) keys after which it is a Bezier curve.
    """

    knots: Indices
    smooth: Mask
    curved: Mask


def fitted_slopes(times: Array, values: Array, layout: Layout) -> Array:
    """Slopes for the curves of a property whose keys lie on samples.

    Args:
        times: (N,) frames.
        values: (N, W) samples of each component.
        layout: which samples are keys, and of what kind.

    Returns:
        (2, K, W) per frame, left and right of each key.
    """
    knots = layout.knots
    count, width = len(knots), values.shape[1]
    if count < 2 or not layout.curved.any():
        return np.zeros((2, count, width))
    stretch = np.clip(np.searchsorted(knots, np.arange(len(times)), side="right") - 1, 0, count - 2)
    length = np.diff(times[knots])
    x = np.clip((times - times[knots][stretch]) / length[stretch], 0.0, 1.0)
    weight = 1.0 * layout.curved[stretch] * (times >= times[knots[0]]) * (times <= times[knots[-1]])
    leave = weight * length[stretch] * x * (1 - x) ** 2
    arrive = -weight * length[stretch] * x**2 * (1 - x)
    steps = np.diff(values[knots], axis=0)
    rest = values - values[knots][stretch] - (x * x * (3 - 2 * x))[:, None] * steps[stretch]
    sums = [
        np.bincount(stretch, product, count - 1).astype(np.float64)
        for product in (leave * leave, leave * arrive, arrive * arrive)
    ]
    # A trace of the straight line settles what no sample says.
    trace = 1e-6 * length**3 + 1e-12
    line = steps / length[:, None]
    right = [_sums(stretch, column[:, None] * rest, count - 1) + trace[:, None] * line for column in (leave, arrive)]
    return _solved(_Equations(sums[0] + trace, sums[1], sums[2] + trace, right[0], right[1]), layout.smooth)


@dataclass(frozen=True)
class _Equations:
    """What the samples between each two keys say of the slopes right of the first and left of the second."""

    leaving: Array
    both: Array
    arriving: Array
    right_leaving: Array
    right_arriving: Array


def _solved(own: _Equations, smooth: Mask) -> Array:
    """(2, K, W) slopes, one for both sides of smooth keys, by conjugate gradients."""
    count = len(smooth)
    arrive = np.arange(1, count)
    leave = np.where(smooth, np.arange(count), count + np.arange(count))[:-1]

    def summed(leaving: Array, arriving: Array) -> Array:
        total = np.zeros((2 * count, *leaving.shape[1:]))
        total[leave] += leaving
        total[arrive] += arriving
        return total

    def applied(slopes: Array) -> Array:
        left, right = slopes[leave], slopes[arrive]
        return summed(
            own.leaving[:, None] * left + own.both[:, None] * right,
            own.both[:, None] * left + own.arriving[:, None] * right,
        )

    scale = summed(own.leaving, own.arriving)[:, None]
    slopes = _conjugate_gradients(applied, summed(own.right_leaving, own.right_arriving), scale)
    both = np.stack([slopes[:count], np.append(slopes[leave], slopes[:1], axis=0)])
    # Before the first key and after the last one there is no curve: their handles go on straight.
    both[0, 0], both[1, -1] = both[1, 0], both[0, -1]
    return both


def _conjugate_gradients(applied: Callable[[Array], Array], right: Array, scale: Array) -> Array:
    """(V, W) solutions of equations whose diagonal is ``scale`` (V, 1); unknowns without equations stay 0."""
    inverse = np.where(scale > 0.0, 1.0 / np.where(scale > 0.0, scale, 1.0), 0.0)
    found, rest = np.zeros_like(right), right
    better = inverse * rest
    way, size = better, np.sum(rest * better, axis=0)
    enough = _EXACT**2 * size
    for _ in range(_STEPS):
        if (size <= enough).all():
            break
        image = applied(way)
        length = size / np.maximum(np.sum(way * image, axis=0), np.finfo(float).tiny)
        found, rest = found + length * way, rest - length * image
        better = inverse * rest
        new = np.sum(rest * better, axis=0)
        way, size = better + new / np.maximum(size, np.finfo(float).tiny) * way, new
    return found


def _sums(groups: Indices, values: Array, count: int) -> Array:
    """(C, W) sums of rows (N, W) by group."""
    return np.stack([np.bincount(groups, column, count) for column in values.T], axis=1).astype(np.float64)
