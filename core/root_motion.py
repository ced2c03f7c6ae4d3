# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the character goes: the original path, the one that the style predicts, or none."""

import numpy as np

from .motion import Motion
from .representation import FPS, gaussian_smooth
from .resample import even_times, interpolate
from .rotations import Array

KEEP, PREDICTED, IN_PLACE = "KEEP", "PREDICTED", "IN_PLACE"
ROOT_MODES: tuple[str, ...] = (KEEP, PREDICTED, IN_PLACE)

_ON_FLOOR = np.array([1.0, 0.0, 1.0])
# Frames of smoothing that part the travelled path from the sway about it: half a step.
_PATH_SIGMA = 10.0


def follow_path(styled: Motion, original: Motion) -> Motion:
    """The stylised clip on the original's path over the floor, exactly; its height stays."""
    return styled.with_pose(np.where(_ON_FLOOR > 0, original.root, styled.root), styled.rotations)


def stay_in_place(motion: Motion) -> Motion:
    """The clip without its travelled path; sway and height stay. Feet that were planted now slide back under it."""
    return motion.with_pose(motion.root - travelled_path(motion), motion.rotations)


def travelled_path(motion: Motion) -> Array:
    """(T, 3) smooth way over the floor since the first frame, metres; its height is 0."""
    times = even_times(motion.times, FPS)
    even = interpolate(motion.root, motion.times, times)
    path = interpolate(gaussian_smooth(even, _PATH_SIGMA), times, motion.times)
    return np.asarray((path - path[:1]) * _ON_FLOOR)
