# SPDX-License-Identifier: GPL-3.0-or-later
"""Which bone carries which, where parents do not say: some exports parent feet or thighs to a root bone on the floor.

Such a bone is carried, for the search only, by the bone whose joint it sits at, or else by the one that it stays near.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from .rig import RigMotion, RigSkeleton
from .rotations import Array
from .structure_tree import SAME_POINT, JointTree

# A bone this far, as a share of the rig's size, from a root bone that is its parent may hang in the air.
_FAR = 0.06
# A root bone this far below the body stands on the floor.
_FLOOR = 0.12
# It is tied to another joint if that is this much nearer.
_NEARER = 0.6
# A bone without parent is tied to what lies within this share of the rig's size.
_REACHABLE = 0.01
# Larger parts of the rig than this do not hang in the air.
_PART = 0.4
# A foot lies at most this many lengths of the shin away from the shin's head.
_FOOT_AWAY = 1.5


def joint_trees(skeleton: RigSkeleton, clip: RigMotion | None) -> list[JointTree]:
    """The ways to read a skeleton with at least one bone and finite rest matrices, the likeliest first.

    ``clip`` adds poses. All trees share their points; they differ in what carries the bones that hang in the air.
    """
    matrices = skeleton.rest[None]
    if clip is not None and len(clip):
        matrices = np.concatenate([matrices, clip.pose])
    heads = matrices[..., :3, 3]
    tails = heads + matrices[..., :3, 1] * skeleton.lengths[:, None]
    size = _size(skeleton.parents, heads[0])
    tied = _tie(skeleton, heads[0], tails[0], size)
    loose = _tie_loosely(tied, (heads, tails), size)
    return [JointTree(heads, tails, parents, size) for parents in dict.fromkeys((tied, loose))]


def _size(parents: tuple[int, ...], heads: Array) -> float:
    """About the height of a body: twice the farthest that bones get from the second bone of their line.

    So neither turning the rig nor a root bone far away changes it.
    """
    seconds: list[int] = []
    for bone, parent in enumerate(parents):
        if parent < 0:
            seconds.append(-1)
        else:
            seconds.append(bone if seconds[parent] < 0 else seconds[parent])
    below = [(bone, second) for bone, second in enumerate(seconds) if second >= 0]
    far = max((float(np.linalg.norm(heads[bone] - heads[second])) for bone, second in below), default=0.0)
    return 2.0 * far or float(np.linalg.norm(np.ptp(heads, axis=0))) or 1.0


def _tie(skeleton: RigSkeleton, heads: Array, tails: Array, size: float) -> tuple[int, ...]:
    """Parents, with bones that hang in the air tied to the joint that they sit at."""
    parents = list(skeleton.parents)
    branches = _branches(skeleton.parents)
    root = max((bone for bone, parent in enumerate(parents) if parent < 0), key=lambda bone: len(branches[bone]))
    for bone, limit in _loose(skeleton.parents, branches, (heads, tails), size):
        others = np.array(sorted(branches[root] - branches[bone] - {parents[bone]}), dtype=np.int64)
        if not others.size:
            continue
        apart = np.minimum(
            np.linalg.norm(heads[others] - heads[bone], axis=-1), np.linalg.norm(tails[others] - heads[bone], axis=-1)
        )
        nearest = int(np.argmin(apart))
        carrier = int(others[nearest])
        # Bones that were tied to this one cannot carry it.
        if apart[nearest] < limit and carrier not in _branches(parents)[bone]:
            parents[bone] = carrier
    return tuple(parents)


def _loose(
    parents: tuple[int, ...], branches: list[set[int]], points: tuple[Array, Array], size: float
) -> Iterator[tuple[int, float]]:
    """Bones that may hang in the air, and how near another joint must be to tie them to it."""
    roots = sorted((bone for bone, parent in enumerate(parents) if parent < 0), key=lambda bone: len(branches[bone]))
    yield from ((bone, _REACHABLE * size) for bone in roots[:-1])
    below = [bone for bone, parent in enumerate(parents) if parent == roots[-1]]
    trunk = max(below, key=lambda bone: len(branches[bone]), default=-1)
    # A root at the hips carries its children itself; one on the floor, far from the body, carries nothing.
    if trunk < 0 or _away(points[0], trunk, roots[-1]) < _FLOOR * size:
        return
    for bone in below:
        if bone != trunk and len(branches[bone]) < _PART * len(branches[trunk]):
            yield bone, _air(bone, roots[-1], points, size)


def _air(bone: int, parent: int, points: tuple[Array, Array], size: float) -> float:
    """How near another joint must be to tie a bone to it; 0 if the bone sits where its parent is or ends."""
    heads, tails = points
    if float(np.linalg.norm(heads[bone] - tails[parent])) < SAME_POINT * size:
        return 0.0
    away = _away(heads, bone, parent)
    return _NEARER * away if away > _FAR * size else 0.0


def _away(heads: Array, bone: int, parent: int) -> float:
    return float(np.linalg.norm(heads[bone] - heads[parent]))


def _branches(parents: Sequence[int]) -> list[set[int]]:
    """For each bone, itself and everything below it."""
    below: list[set[int]] = [set() for _ in parents]
    for bone in range(len(parents)):
        above = bone
        while above >= 0:
            below[above].add(bone)
            above = parents[above]
    return below


def _tie_loosely(tied: tuple[int, ...], points: tuple[Array, Array], size: float) -> tuple[int, ...]:
    """Parents, with all that hangs on the root far below the body tied to what it stays nearest to in all poses.

    The nearest go first, so that feet find the thighs tied before; the end of a shin takes one foot, and no pole target
    besides.
    """
    heads = points[0]
    parents = list(tied)
    branches = _branches(tied)
    root = max((bone for bone, parent in enumerate(tied) if parent < 0), key=lambda bone: len(branches[bone]))
    loose = [bone for bone, parent in enumerate(tied) if parent == root and _away(heads[0], bone, root) > _FAR * size]
    trunk = max(loose, key=lambda bone: len(branches[bone]), default=root)
    wishes = {bone: _nearest(points, bone, sorted(branches[trunk])) for bone in loose if bone != trunk}

    def is_foot(bone: int) -> bool:
        apart, carrier = wishes[bone]
        return carrier not in parents and apart < _FOOT_AWAY * _away(heads[0], carrier, tied[carrier])

    def is_leg(bone: int) -> bool:
        apart, carrier = wishes[bone]
        return len(branches[bone]) > 1 and carrier in tied and apart < _away(heads[0], bone, root)

    while fitting := [bone for bone in wishes if is_foot(bone) or is_leg(bone)]:
        bone = min(fitting, key=lambda bone: wishes[bone])
        leg = is_leg(bone)
        parents[bone] = wishes.pop(bone)[1]
        if leg:
            added = sorted(branches[bone])
            wishes = {other: min(wish, _nearest(points, other, added)) for other, wish in wishes.items()}
    return tuple(parents)


def _nearest(points: tuple[Array, Array], bone: int, others: Sequence[int]) -> tuple[float, int]:
    """How far a bone ever gets from the joint that it stays nearest to, and that joint's bone."""
    starts = points[0][:, [bone]]
    apart = np.min([np.linalg.norm(joints[:, others] - starts, axis=-1).max(axis=0) for joints in points], axis=0)
    nearest = int(np.argmin(apart))
    return float(apart[nearest]), int(others[nearest])
