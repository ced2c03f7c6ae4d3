# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of several like bones: toes beside each other, and bones in one place.

Control rigs have a layer of controls, one of mechanics, one that deforms. Rest pose and clip cannot tell them apart, so
one layer is taken throughout: the one whose bones follow each other without bones between, as the limb itself does, and
that hangs deepest, where all controls have had their say.
"""

import itertools
from dataclasses import replace

import numpy as np

from .structure_limbs import Limb
from .structure_tree import SAME_POINT, JointTree

# Toes are at least three, and within this cosine of each other, seen from the ankle.
_TOES, _AHEAD = 3, 0.8


def same_place(tree: JointTree, bone: int) -> list[int]:
    """The bone, and all others whose heads lie where its head does, in every pose."""
    apart = np.linalg.norm(tree.heads - tree.heads[:, [bone]], axis=-1).max(axis=0)
    apart[bone] = 0.0
    return [bone, *(int(other) for other in np.flatnonzero(apart < SAME_POINT * tree.size) if other != bone)]


def directly(tree: JointTree, limb: Limb) -> Limb:
    """The limb by those bones in the same places that follow each other most directly; its own where none do better."""
    if -1 in limb.joints:
        return limb
    places = [same_place(tree, bone) for bone in limb.joints]
    if max(len(place) for place in places) == 1:
        return limb
    lines = {bone: tree.line(bone) for place in places[1:] for bone in place}

    def between(root: int, middle: int, end: int) -> int:
        """Number of steps from the end up to the root; -1 if they are no chain."""
        chained = middle in lines[end] and root in lines[middle]
        return lines[end].index(middle) + lines[middle].index(root) if chained else -1

    steps = {joints: between(*joints) for joints in itertools.product(*places)}
    chains = [joints for joints, count in steps.items() if count > 0 and len(set(joints)) == len(joints)]
    if not chains:
        return limb
    joints = min(chains, key=lambda joints: (steps[joints], -tree.counts[joints[0]], joints != limb.joints))
    return replace(limb, joints=joints, extra=_extra(tree, limb, joints[2]))


def with_middle_toe(tree: JointTree, leg: Limb) -> Limb:
    """The leg with the middle one of its toes as toe base, where a foot has several."""
    if leg.extra < 0 or tree.parents[leg.extra] < 0:
        return leg
    foot = tree.parents[leg.extra]
    steps = tree.heads[0] - tree.heads[0, foot]
    step, length = steps[leg.extra], tree.steps[leg.extra]
    toes = [
        bone
        for bone in tree.children[foot]
        if abs(tree.steps[bone] - length) < 0.5 * length and steps[bone] @ step > _AHEAD * tree.steps[bone] * length
    ]
    if len(toes) < _TOES:
        return leg
    off = np.linalg.norm(steps[toes] - steps[toes].mean(axis=0), axis=-1)
    return replace(leg, extra=toes[int(np.argmin(off))])


def _extra(tree: JointTree, limb: Limb, end: int) -> int:
    """The toes' bone below the end that was taken, if there is one in the place of the limb's own."""
    if limb.extra < 0 or limb.joints[2] not in tree.line(limb.extra):
        return limb.extra
    below = [bone for bone in same_place(tree, limb.extra) if end in tree.line(bone)]
    return min(below, key=lambda bone: tree.line(bone).index(end), default=limb.extra)


def across_layers(tree: JointTree, pelvis: int, chest: int) -> list[int]:
    """Bones above the pelvis up to the chest, where the way from one to the other leads over a common carrier.

    Controls carry the hips from above and the chest from below; what lies between them is found by its place.
    """
    common = tree.common(pelvis, chest)
    down, up = tree.line(pelvis), tree.line(chest)
    way = [*down[: down.index(common) + 1], *reversed(up[: up.index(common)])]
    heads, start = tree.heads[0], tree.heads[0, pelvis]
    axis = heads[chest] - start
    length = float(np.linalg.norm(axis))
    spine: list[int] = []
    reached = SAME_POINT * tree.size
    for bone in way:
        height = float((heads[bone] - start) @ axis) / max(length, 1e-9)
        if reached < height <= length - SAME_POINT * tree.size:
            spine.append(bone)
            reached = height + SAME_POINT * tree.size
    after = [*spine[1:], chest]
    return [*(_pointing(tree, bone, target) for bone, target in zip(spine, after, strict=True)), chest]


def _pointing(tree: JointTree, bone: int, target: int) -> int:
    """Of the bones in one place the deepest one that ends where the target begins; the bone itself if none does."""
    apart = np.linalg.norm(tree.tails[0] - tree.heads[0, target], axis=-1)
    ending = [other for other in same_place(tree, bone) if apart[other] < SAME_POINT * tree.size]
    return max(ending, key=lambda other: len(tree.line(other)), default=bone)
