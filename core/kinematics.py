# SPDX-License-Identifier: GPL-3.0-or-later
"""Forward kinematics of the canonical skeleton, and the change between global and local rotations."""

import numpy as np

from .rotations import Array, conjugate, multiply, rotate
from .skeleton import PARENTS


def joint_positions(root: Array, rotations: Array, offsets: Array) -> Array:
    """Positions ``(..., 22, 3)`` from root positions ``(..., 3)`` and global rotations ``(..., 22, 4)``."""
    steps = rotate(
        rotations[..., [max(p, 0) for p in PARENTS], :], np.broadcast_to(offsets, (*rotations.shape[:-1], 3))
    )
    positions: list[Array] = []
    for joint, parent in enumerate(PARENTS):
        positions.append(root if parent < 0 else positions[parent] + steps[..., joint, :])
    return np.stack(positions, axis=-2)


def to_local(rotations: Array) -> Array:
    """Global ``(..., 22, 4)`` to parent-relative; the root stays global."""
    local = rotations.copy()
    parents = np.array(PARENTS[1:])
    local[..., 1:, :] = multiply(conjugate(rotations[..., parents, :]), rotations[..., 1:, :])
    return local


def to_global(local: Array) -> Array:
    """Parent-relative ``(..., 22, 4)`` to global."""
    result: list[Array] = []
    for joint, parent in enumerate(PARENTS):
        result.append(local[..., joint, :] if parent < 0 else multiply(result[parent], local[..., joint, :]))
    return np.stack(result, axis=-2)
