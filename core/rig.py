# SPDX-License-Identifier: GPL-3.0-or-later
"""A user's rig as numbers: bones, rest pose, and a clip of local channels.

Bone frames are the rig's own; only the world they live in is core's (Y up, metres). Pose matrices follow
Blender's rule ``pose = parent pose @ (parent rest^-1 @ rest) @ basis``, with basis = location, rotation, scale.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from .errors import InvalidMotionError
from .rotations import Array, from_matrix, normalize, to_matrix

# What of a RigMotion has one row per frame.
_FRAMED = ("times", "rotations", "locations", "scales", "placement")


@dataclass(frozen=True)
class RigSkeleton:
    """Bones of one armature, parents before children.

    Attributes:
        names: B bone names.
        parents: B indices, -1 for a bone without parent.
        rest: (B, 4, 4) rest matrices in armature space, rigid (no scale).
        lengths: (B,) bone lengths in armature units; the tail lies at ``length`` along the bone's own Y.
    """

    names: tuple[str, ...]
    parents: tuple[int, ...]
    rest: Array
    lengths: Array

    def __len__(self) -> int:
        return len(self.names)

    @cached_property
    def index(self) -> dict[str, int]:
        """Bone name to index."""
        return {name: i for i, name in enumerate(self.names)}

    @cached_property
    def relative_rest(self) -> Array:
        """(B, 4, 4) rest matrices relative to the parent's rest."""
        relative = self.rest.copy()
        for bone, parent in enumerate(self.parents):
            if parent >= 0:
                relative[bone] = np.linalg.inv(self.rest[parent]) @ self.rest[bone]
        return relative

    def ancestors(self, bone: int) -> list[int]:
        """Indices from the bone's parent up to the root."""
        chain: list[int] = []
        while (bone := self.parents[bone]) >= 0:
            chain.append(bone)
        return chain

    def needed_for(self, names: set[str]) -> tuple[int, ...]:
        """Indices of ``names`` and everything above them, parents first."""
        wanted = {self.index[name] for name in names}
        return tuple(sorted(wanted.union(*(self.ancestors(bone) for bone in wanted))))

    def subset(self, bones: tuple[int, ...]) -> "RigSkeleton":
        """The skeleton of ``bones`` only; each bone's parent must be among them."""
        new = {old: i for i, old in enumerate(bones)}
        parents = tuple(new[self.parents[bone]] if self.parents[bone] >= 0 else -1 for bone in bones)
        picked = list(bones)
        return RigSkeleton(tuple(self.names[b] for b in bones), parents, self.rest[picked], self.lengths[picked])


@dataclass(frozen=True)
class RigMotion:
    """T frames of local channels of B bones.

    Attributes:
        skeleton: the bones, in the order of the second axis.
        times: (T,) seconds, increasing, any spacing.
        rotations: (T, B, 4) unit basis quaternions.
        locations: (T, B, 3) basis locations, armature units.
        scales: (T, B, 3) basis scales.
        placement: (T, 4, 4) armature space to core's world (object transform, metres, Y up).
    """

    skeleton: RigSkeleton
    times: Array
    rotations: Array
    locations: Array
    scales: Array
    placement: Array

    def __len__(self) -> int:
        return len(self.times)

    @cached_property
    def basis(self) -> Array:
        """(T, B, 4, 4) basis matrices."""
        matrices = np.zeros((*self.rotations.shape[:2], 4, 4))
        matrices[..., :3, :3] = to_matrix(self.rotations) * self.scales[..., None, :]
        matrices[..., :3, 3] = self.locations
        matrices[..., 3, 3] = 1.0
        return matrices

    @cached_property
    def pose(self) -> Array:
        """(T, B, 4, 4) pose matrices in armature space."""
        poses: list[Array] = []
        for bone, parent in enumerate(self.skeleton.parents):
            local = self.skeleton.relative_rest[bone] @ self.basis[:, bone]
            poses.append(local if parent < 0 else poses[parent] @ local)
        return np.stack(poses, axis=1)

    def world(self) -> tuple[Array, Array]:
        """Rotations (T, B, 4) and head positions (T, B, 3) of all bones in core's world."""
        matrices = self.placement[:, None] @ self.pose
        return from_matrix(rotation_part(matrices)), matrices[..., :3, 3]

    def with_channels(self, rotations: Array, locations: Array) -> "RigMotion":
        """The same clip with other basis rotations and locations."""
        return replace(self, rotations=rotations, locations=locations)

    def part(self, frames: slice) -> "RigMotion":
        """Consecutive frames, not copied."""
        return replace(self, **{name: getattr(self, name)[frames] for name in _FRAMED})

    def rows(self, rows: Sequence[int]) -> "RigMotion":
        """Some of the frames."""
        return replace(self, **{name: getattr(self, name)[list(rows)] for name in _FRAMED})

    def check(self) -> None:
        """Refuse values that are no numbers.

        Raises:
            InvalidMotionError: naming the first bone with such a value.
        """
        channels = (self.rotations, self.locations, self.scales)
        broken = np.flatnonzero(~np.all([np.isfinite(values).all(axis=(0, 2)) for values in channels], axis=0))
        if broken.size:
            name = self.skeleton.names[broken[0]]
            raise InvalidMotionError(f'Bone "{name}" has keys that are not numbers: delete or correct them.')


def rotation_part(matrices: Array) -> Array:
    """(..., 3, 3) rotations of (..., 4, 4) matrices, scale removed."""
    linear = matrices[..., :3, :3]
    return np.swapaxes(normalize(np.swapaxes(linear, -1, -2)), -1, -2)
