# SPDX-License-Identifier: GPL-3.0-or-later
"""Carry clips and curves from one set of times to another."""

import numpy as np
from numpy.typing import NDArray

from .motion import Motion
from .rotations import Array, slerp

Frames = NDArray[np.intp]


def even_times(times: Array, fps: float) -> Array:
    """Times from the first to the last at ``fps``; the last step may overshoot by less than one frame."""
    # The tolerance keeps a clip that already has this rate from growing a frame by rounding.
    count = int(np.ceil((times[-1] - times[0]) * fps - 1e-3)) + 1
    return times[0] + np.arange(count) / fps


def resample(motion: Motion, times: Array) -> Motion:
    """The clip at other ``times`` (N,): positions linear, rotations along the shorter arc, ends held."""
    return Motion(
        times,
        interpolate(motion.root, motion.times, times),
        interpolate_rotations(motion.rotations, motion.times, times),
        motion.skeleton,
    )


def interpolate(values: Array, old: Array, new: Array) -> Array:
    """(T, ...) values at ``old`` times to ``new`` ones, linear."""
    before, after, weight = _bracket(old, new)
    weight = weight.reshape(-1, *[1] * (values.ndim - 1))
    return values[before] * (1.0 - weight) + values[after] * weight


def interpolate_rotations(rotations: Array, old: Array, new: Array) -> Array:
    """(T, ..., 4) quaternions at ``old`` times to ``new`` ones, spherical."""
    before, after, weight = _bracket(old, new)
    weight = weight.reshape(-1, *[1] * (rotations.ndim - 2))
    return slerp(rotations[before], rotations[after], np.broadcast_to(weight, rotations[before].shape[:-1]))


def interpolate_smooth(values: Array, old: Array, new: Array) -> Array:
    """(T, ...) values at evenly spaced ``old`` times to ``new`` ones, without kinks (Catmull-Rom spline)."""
    before, after, weight = _bracket(old, new)
    w = weight.reshape(-1, *[1] * (values.ndim - 1))
    a, b = values[before], values[after]
    into = 0.5 * (b - values[np.maximum(before - 1, 0)])
    out = 0.5 * (values[np.minimum(after + 1, len(values) - 1)] - a)
    return np.asarray(a + w * (into + w * (3.0 * (b - a) - 2.0 * into - out + w * (into + out - 2.0 * (b - a)))))


def _bracket(old: Array, new: Array) -> tuple[Frames, Frames, Array]:
    """Frames before and after each new time, and how far it lies between them (0 to 1)."""
    if len(old) == 1:
        zeros = np.zeros(len(new), dtype=np.intp)
        return zeros, zeros, np.zeros(len(new))
    before = np.clip(np.searchsorted(old, new, side="right") - 1, 0, len(old) - 2)
    span = old[before + 1] - old[before]
    weight = np.clip((new - old[before]) / span, 0.0, 1.0)
    return before, before + 1, weight
