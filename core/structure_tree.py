# SPDX-License-Identifier: GPL-3.0-or-later
"""A rig without its names: where its bones start and end, over some poses, and which bone carries which."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .rotations import Array

# Points closer than this share of the rig's size are one point.
SAME_POINT = 2e-3
# Ways down of at least this share of the longest are as good as it.
_ALIKE = 0.8


@dataclass(frozen=True)
class JointTree:
    """Bones as points that carry points.

    Attributes:
        heads: (K, B, 3) bone heads over K poses, the rest pose first.
        tails: (K, B, 3) bone tails.
        parents: B indices of the carrying bones, -1 for none; any order.
        size: extent of the rest pose.
    """

    heads: Array
    tails: Array
    parents: tuple[int, ...]
    size: float

    @cached_property
    def children(self) -> tuple[tuple[int, ...], ...]:
        """Bones carried by each bone."""
        below: list[list[int]] = [[] for _ in self.parents]
        for bone, parent in enumerate(self.parents):
            if parent >= 0:
                below[parent].append(bone)
        return tuple(tuple(bones) for bones in below)

    @cached_property
    def order(self) -> tuple[int, ...]:
        """All bones, each after the one that carries it."""
        waiting = [bone for bone, parent in enumerate(self.parents) if parent < 0]
        order: list[int] = []
        while waiting:
            order.append(waiting.pop())
            waiting.extend(self.children[order[-1]])
        return tuple(order)

    @cached_property
    def steps(self) -> list[float]:
        """Distance of each bone's head from its carrier's at rest; 0 without carrier."""
        carriers = [max(parent, 0) for parent in self.parents]
        distance = np.linalg.norm(self.heads[0] - self.heads[0, carriers], axis=-1)
        return np.where(np.array(self.parents) >= 0, distance, 0.0).tolist()

    @cached_property
    def tips(self) -> list[float]:
        """Length of each bone that carries nothing; 0 for the others."""
        length = np.linalg.norm(self.tails[0] - self.heads[0], axis=-1).tolist()
        return [0.0 if self.children[bone] else length[bone] for bone in range(len(self.parents))]

    @cached_property
    def reach(self) -> list[float]:
        """Length of the longest way down from each bone's head."""
        reach = list(self.tips)
        for bone in reversed(self.order):
            for child in self.children[bone]:
                reach[bone] = max(reach[bone], self.steps[child] + reach[child])
        return reach

    @cached_property
    def counts(self) -> list[int]:
        """Number of bones below each bone."""
        counts = [0] * len(self.parents)
        for bone in reversed(self.order):
            if self.parents[bone] >= 0:
                counts[self.parents[bone]] += counts[bone] + 1
        return counts

    def line(self, bone: int) -> list[int]:
        """The bone and its carriers up to the root."""
        line = [bone]
        while self.parents[line[-1]] >= 0:
            line.append(self.parents[line[-1]])
        return line

    def longest_way(self, bone: int) -> list[int]:
        """The bone and, down from it, always the child with the longest way below.

        Of children with nearly the same way, as the layers of a control rig have them, the one that carries most.
        """
        way = [bone]
        while self.children[way[-1]]:
            lengths = {child: self.steps[child] + self.reach[child] for child in self.children[way[-1]]}
            enough = _ALIKE * max(lengths.values())
            long = [child for child, length in lengths.items() if length >= enough]
            way.append(max(long, key=lambda child: (self.counts[child], lengths[child])))
        return way

    def fullest_way(self, bone: int) -> list[int]:
        """The bone and, down from it, always the child that carries most, the longer one of two that carry as much."""
        way = [bone]
        while self.children[way[-1]]:
            way.append(
                max(
                    self.children[way[-1]],
                    key=lambda child: (self.counts[child], self.steps[child] + self.reach[child]),
                )
            )
        return way

    def common(self, first: int, second: int) -> int:
        """The lowest bone that carries both (or is one of them); -1 if none does."""
        above = set(self.line(first))
        return next((bone for bone in self.line(second) if bone in above), -1)
