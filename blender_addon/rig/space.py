# SPDX-License-Identifier: GPL-3.0-or-later
"""The only converter between Blender's world (Z up, facing -Y) and core's (Y up, facing +Z).

Core's ``(x, y, z)`` is Blender's ``(x, z, -y)``: the character's left is +X in both.
"""

import numpy as np

from ..backend import rotations

TO_CORE: rotations.Array = np.array(
    [[1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0], [0.0, -1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]]
)
TO_CORE.setflags(write=False)
# The way back.
TO_WORLD: rotations.Array = TO_CORE.T


def placement_of(world: rotations.Array) -> rotations.Array:
    """Object matrices (T, 4, 4) as the way from armature space to core's world."""
    return np.asarray(TO_CORE @ world)


def to_blender(points: rotations.Array) -> rotations.Array:
    """Points (..., 3) of core's world in Blender's."""
    return np.asarray(points @ TO_CORE[:3, :3])
