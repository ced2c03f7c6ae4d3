# SPDX-License-Identifier: GPL-3.0-or-later
"""A clip of the canonical skeleton: what every stage between the rig and the engine passes on."""

from dataclasses import dataclass, replace

import numpy as np

from .kinematics import joint_positions
from .rotations import Array
from .skeleton import Skeleton


@dataclass(frozen=True)
class Motion:
    """T frames of one character.

    Attributes:
        times: (T,) seconds, increasing, not necessarily evenly spaced.
        root: (T, 3) pelvis position in the world, metres.
        rotations: (T, 22, 4) global rotations, identity = canonical T-pose.
        skeleton: the character's own proportions.
    """

    times: Array
    root: Array
    rotations: Array
    skeleton: Skeleton

    def __len__(self) -> int:
        return len(self.times)

    def positions(self) -> Array:
        """(T, 22, 3) joint positions in the world, metres."""
        return joint_positions(self.root, self.rotations, self.skeleton.offsets)

    def part(self, frames: slice) -> "Motion":
        """Some frames of the clip."""
        return Motion(self.times[frames], self.root[frames], self.rotations[frames], self.skeleton)

    def with_pose(self, root: Array, rotations: Array) -> "Motion":
        """The same clip with another root path and other rotations."""
        return replace(self, root=np.asarray(root), rotations=np.asarray(rotations))
