# SPDX-License-Identifier: GPL-3.0-or-later
"""A clip of the canonical skeleton: what every stage between the rig and the engine passes on."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from .kinematics import joint_positions
from .rotations import Array
from .skeleton import Skeleton

# Where cached_property keeps them.
_POSITIONS = "_positions"


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
        """(T, 22, 3) joint positions in the world, metres; not to be written to."""
        return self._positions

    @cached_property
    def _positions(self) -> Array:
        # Half of the stages ask, most of them several times.
        return joint_positions(self.root, self.rotations, self.skeleton.offsets)

    def part(self, frames: slice) -> "Motion":
        """Some frames of the clip."""
        part = Motion(self.times[frames], self.root[frames], self.rotations[frames], self.skeleton)
        if _POSITIONS in self.__dict__:
            part.__dict__[_POSITIONS] = self._positions[frames]
        return part

    def with_pose(self, root: Array, rotations: Array) -> "Motion":
        """The same clip with another root path and other rotations."""
        return replace(self, root=np.asarray(root), rotations=np.asarray(rotations))


def joined(parts: Sequence[Motion]) -> Motion:
    """One clip of the parts, one after the other."""
    names = ("times", "root", "rotations")
    times, root, rotations = (np.concatenate([getattr(part, name) for part in parts]) for name in names)
    whole = Motion(times, root, rotations, parts[0].skeleton)
    if all(_POSITIONS in part.__dict__ for part in parts):
        whole.__dict__[_POSITIONS] = np.concatenate([part.positions() for part in parts])
    return whole
