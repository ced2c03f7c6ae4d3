# SPDX-License-Identifier: GPL-3.0-or-later
"""A result whose first or last frame is the original's, so that it can be cut against other animation."""

import numpy as np

from .motion import Motion
from .rotations import ON_FLOOR, Array

# The style comes in and goes out over this time, seconds.
_BLEND = 0.5
# Metres per second that a body is taken to travel at least, so that one that stands has a way to spread along.
_MIN_SPEED = 0.02


def pin_weights(times: Array, start: bool, end: bool) -> Array:
    """(T,) share of the style: 0 at a pinned end, 1 from half a second (or half the clip) on, at rest at both."""
    blend = max(min(_BLEND, 0.5 * float(times[-1] - times[0])), 1e-9)
    weights = np.ones(len(times))
    for pinned, away in ((start, times - times[0]), (end, times[-1] - times)):
        if pinned:
            x = np.clip(away / blend, 0.0, 1.0)
            weights = weights * x * x * x * (x * (6.0 * x - 15.0) + 10.0)
    return weights


def pin_path(styled: Motion, original: Motion, weights: Array) -> Motion:
    """``styled`` with its path over the floor led to the original's at the frames with weight 0.

    With one end pinned the whole path is moved; with both, what it lacks is spread along it, more where the body is
    faster.
    """
    start, end = weights[0] <= 0.0, weights[-1] <= 0.0
    if not (start or end):
        return styled
    middle = 0.5 * (weights[1:] + weights[:-1])[:, None]
    offsets = (styled.root - original.root) * ON_FLOOR
    change = _sum(np.diff(offsets, axis=0) * middle)
    if start and end:
        ways = np.linalg.norm(np.diff(original.root * ON_FLOOR, axis=0), axis=-1, keepdims=True)
        share = _sum(middle * (ways + _MIN_SPEED * np.diff(styled.times)[:, None]))
        change = change - change[-1:] * share / share[-1:]
    elif end:
        change = change - change[-1:]
    height = styled.root * (1.0 - ON_FLOOR)
    return styled.with_pose(original.root * ON_FLOOR + change + height, styled.rotations)


def _sum(steps: Array) -> Array:
    """(T, C) running sum of (T - 1, C) from nothing on."""
    return np.concatenate([np.zeros_like(steps[:1]), np.cumsum(steps, axis=0)])
