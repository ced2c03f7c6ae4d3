# SPDX-License-Identifier: GPL-3.0-or-later
"""What a clip must be before anything can be computed from it: finite, not flat, not mirrored, not endless."""

import numpy as np

from .errors import InvalidMotionError
from .rotations import Array

# The product's promise, and what it takes in memory: about 2 kB per bone and frame on the way through core.
MAX_SECONDS = 20.0 * 60.0
MAX_POSES = 5_000_000

_FLAT = 1e-6
# Axes this far from equal or from square, as a share, are rounding of nested transforms.
_UNEVEN = 1e-3
# Radians, and metres of height.
_LOOP = 1e-3


def check_bones(matrices: Array, names: tuple[str, ...]) -> None:
    """Refuse bones that have no orientation, from matrices (T, B, 4, 4).

    Raises:
        InvalidMotionError: naming the first bone that is scaled to zero or mirrored.
    """
    linear = matrices[..., :3, :3]
    flat = np.flatnonzero((np.linalg.norm(linear, axis=-2) < _FLAT).any(axis=(0, 2)))
    if flat.size:
        raise InvalidMotionError(f'Bone "{names[flat[0]]}" is scaled to zero: give it its size back first.')
    mirrored = np.flatnonzero((np.linalg.det(linear) < 0.0).any(axis=0))
    if mirrored.size:
        raise InvalidMotionError(f'Bone "{names[mirrored[0]]}" has a negative scale: make its scale positive first.')


def check_placement(placement: Array, name: str) -> None:
    """Refuse an object transform, (T, 4, 4), that is more than moving, turning and scaling as a whole.

    Raises:
        InvalidMotionError: with the object's ``name``.
    """
    linear = placement[:, :3, :3]
    if not np.isfinite(placement).all():
        raise InvalidMotionError(f'The transform of "{name}" has values that are not numbers: correct its keys.')
    sizes = np.linalg.norm(linear, axis=-2)
    if (sizes < _FLAT).any():
        raise InvalidMotionError(f'"{name}" is scaled to zero: give the object its size back first.')
    if (np.linalg.det(linear) < 0.0).any():
        raise InvalidMotionError(f'"{name}" is mirrored by a negative scale: make the object\'s scale positive first.')
    axes = linear / sizes[:, None, :]
    skew = np.abs(np.swapaxes(axes, -1, -2) @ axes - np.eye(3)).max()
    if skew > _UNEVEN or (sizes.max(axis=1) / sizes.min(axis=1) - 1.0).max() > _UNEVEN:
        raise InvalidMotionError(f'"{name}" is scaled unevenly: give the object the same scale on all three axes.')


def check_extent(seconds: float, poses: int, name: str, remedy: str) -> None:
    """Refuse what is longer than promised, or needs more memory than a workstation has.

    Raises:
        InvalidMotionError: with the length in minutes, and ``remedy``, which says what to do.
    """
    if seconds > MAX_SECONDS:
        minutes, most = seconds / 60.0, MAX_SECONDS / 60.0
        raise InvalidMotionError(f'"{name}" is {minutes:.3g} minutes long, and {most:.0f} is the most: {remedy}.')
    if poses > MAX_POSES:
        raise InvalidMotionError(f'"{name}" has too many frames and bones for the memory of one run: {remedy}.')


def is_loop(rotations: Array, heights: Array) -> bool:
    """Whether a clip ends in the pose it begins with.

    Args:
        rotations: (T, B, 4) unit quaternions of the body's bones.
        heights: (T,) height of the hips; where they go over the floor does not matter.

    """
    turned = np.abs(np.abs(np.sum(rotations[0] * rotations[-1], axis=-1)) - 1.0).max()
    # A quaternion's cosine is the half angle's: this is the tolerance as an angle in radians.
    return bool(np.sqrt(8.0 * turned) < _LOOP and abs(heights[0] - heights[-1]) < _LOOP)
