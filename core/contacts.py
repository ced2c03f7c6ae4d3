# SPDX-License-Identifier: GPL-3.0-or-later
"""When a foot rests on the floor."""

import numpy as np
from numpy.typing import NDArray

from .motion import Motion
from .rotations import Array
from .skeleton import CANONICAL, CONTACT_JOINTS, INDEX, TOE_HEIGHT

# Thresholds for a character with the canonical leg; others are scaled by their leg length.
_MAX_SPEED = 0.35  # metres per second
_MAX_RISE = 0.05  # metres above the joint's own resting height
_REST_HEIGHT = {"ankle": TOE_HEIGHT + 0.06, "foot": TOE_HEIGHT}


def detect_contacts(motion: Motion) -> NDArray[np.bool_]:
    """(T, 4) contacts of ``CONTACT_JOINTS``: slow, and near the floor of the clip."""
    scale = motion.skeleton.leg_length / CANONICAL.leg_length
    feet = motion.positions()[:, [INDEX[name] for name in CONTACT_JOINTS]]
    speed = np.linalg.norm(rate_of_change(feet, motion.times), axis=-1)
    rest = scale * np.array([_REST_HEIGHT[name.partition("_")[2]] for name in CONTACT_JOINTS])
    height = feet[..., 1] - floor_height(motion) - rest
    return (speed < _MAX_SPEED * scale) & (height < _MAX_RISE * scale)


def floor_height(motion: Motion) -> float:
    """Height of the floor under the clip, metres: a toe's height below its lowest frames.

    A low percentile instead of the minimum, so that one bad frame does not sink the floor.
    """
    scale = motion.skeleton.leg_length / CANONICAL.leg_length
    toes = motion.positions()[:, [INDEX["left_foot"], INDEX["right_foot"]], 1].min(axis=1)
    return float(np.percentile(toes, 5)) - TOE_HEIGHT * scale


def rate_of_change(values: Array, times: Array) -> Array:
    """Central time derivative of ``(T, ...)`` at uneven times, per second."""
    if len(times) < 2:
        return np.zeros_like(values)
    return np.asarray(np.gradient(values, times, axis=0))
