# SPDX-License-Identifier: GPL-3.0-or-later
"""Walks on the spot, as games use them: the floor moves and the body stays.

For the network, and for contacts, the body has to travel over a floor at rest. It is sent on its way before, and
taken back afterwards.
"""

import numpy as np

from .contacts import rate_of_change, sole_rise
from .motion import Motion
from .root_motion import travelled_path
from .rotations import ON_FLOOR, Array
from .skeleton import CONTACT_JOINTS, INDEX

_LOW = 0.04  # metres above its own resting height, for the canonical leg: a foot that may be on the floor
_MIN_SPEED = 0.3  # metres per second, for the canonical leg
# Share of the floor's speed by which a low foot, and the body, may differ from it and from rest; share of the low feet
# that have to agree, and of all frames that have to have one.
_MAX_DIFFERENCE, _MAX_TRAVEL, _MIN_AGREEMENT, _MIN_FRAMES = 0.35, 0.25, 0.5, 0.08


def floor_way(motion: Motion) -> Array:
    """(T, 3) how far the floor goes under a body that walks on the spot, metres; all 0 for everybody else.

    Such a floor shows by low feet that all move the same way, at one speed, while the body travels nowhere.
    """
    scale, seconds = motion.skeleton.scale, motion.times - motion.times[0]
    low = sole_rise(motion) < _LOW * scale
    feet = motion.positions()[:, [INDEX[name] for name in CONTACT_JOINTS]] * ON_FLOOR
    speeds = rate_of_change(feet, motion.times)[low]
    nowhere = np.zeros((len(motion), 3))
    if low.any(axis=-1).mean() < _MIN_FRAMES:
        return nowhere
    floor = np.median(speeds, axis=0)
    speed = float(np.linalg.norm(floor))
    agree = np.linalg.norm(speeds - floor, axis=-1) < _MAX_DIFFERENCE * speed
    travel = float(np.linalg.norm((motion.root[-1] - motion.root[0]) * ON_FLOOR)) / max(float(seconds[-1]), 1e-9)
    if speed < _MIN_SPEED * scale or agree.mean() < _MIN_AGREEMENT or travel > _MAX_TRAVEL * speed:
        return nowhere
    # The feet that agree say it best: others are just landing, or leaving.
    return seconds[:, None] * speeds[agree].mean(axis=0)


def step_off(motion: Motion, floor: Array) -> Motion:
    """The clip as it travels over a floor at rest; ``floor`` is that of :func:`floor_way`."""
    return motion.with_pose(motion.root - floor, motion.rotations) if floor.any() else motion


def step_on(styled: Motion, travelling: Motion, floor: Array, freedom: Array) -> Motion:
    """The changed clip on a floor that moves as fast as the style walks: the body is where the original's was.

    Args:
        styled: what became of ``travelling``.
        travelling: the clip of :func:`step_off`.
        floor: (T, 3) of :func:`floor_way`.
        freedom: (T,) 0 where the result is pinned to the original, else up to 1; all 0 for the original's floor.
    """
    further = travelled_path(styled) - travelled_path(travelling)
    if freedom[-1] <= 0.0 < freedom[0]:
        further = further - further[-1:]
    return styled.with_pose(styled.root + floor - further * freedom[:, None], styled.rotations)
