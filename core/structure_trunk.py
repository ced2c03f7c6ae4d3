# SPDX-License-Identifier: GPL-3.0-or-later
"""The middle line of a body whose limbs are known: pelvis, spine, neck and head."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .rotations import Array, normalize
from .structure_layers import across_layers
from .structure_limbs import Limb, penalty
from .structure_tree import SAME_POINT, JointTree

# Distances along the neck and head as shares of the trunk (hips to shoulders).
_NECK, _HEAD = 0.22, 0.45
# What a neck that is missing costs, compared with one of an odd length.
_NO_NECK = 1.5
# With more bones between the legs' joint and what carries legs and trunk these are the layers of a control rig.
_LAYERS = 3
# Collars that begin this near, as a share of the trunk, to the joint that carries them hang on the neck.
_AT_NECK = 0.22
# A joint with this many branches on the way up is the head, with eyes, ears and jaw.
_FACE = 3


@dataclass(frozen=True)
class Trunk:
    """Joints of the middle line to bones, and what is needed to tell front from back.

    Attributes:
        joints: pelvis, spine1-3, neck and head, as far as there are.
        up: (K, 3) unit vectors from the hips to the shoulders.
    """

    joints: dict[str, int]
    up: Array


def read_trunk(tree: JointTree, legs: tuple[Limb, Limb], arms: tuple[Limb, Limb], junctions: tuple[int, int]) -> Trunk:
    """Name the bones between the legs' junction and the top of the head."""
    hips, shoulders = (0.5 * (limbs[0].points[:, 0] + limbs[1].points[:, 0]) for limbs in (legs, arms))
    up = normalize(shoulders - hips)
    length = float(np.median(np.linalg.norm(shoulders - hips, axis=-1)))
    below, chest = junctions
    common = tree.common(below, chest)
    line = tree.line(chest)
    if tree.line(below).index(common) > _LAYERS:
        pelvis, spine = below, across_layers(tree, below, chest)
    else:
        pelvis = _pelvis(tree, common, hips[0])
        spine = list(reversed(line[: line.index(pelvis)]))
    neck, head = _neck_and_head(tree, chest, (legs, arms), up, length)
    if neck < 0 and spine and _hangs_on_neck(tree, chest, arms, length):
        neck = spine.pop()
    joints = {"pelvis": pelvis, **spread_spine(tree.heads[0], _apart(tree, spine)), "neck": neck, "head": head}
    return Trunk({joint: bone for joint, bone in joints.items() if bone >= 0}, up)


def spread_spine(heads: Array, spine: Sequence[int]) -> dict[str, int]:
    """The bones between pelvis and neck as spine1-3; ``heads`` is (B, 3).

    One bone is spine3, since it carries neck and collars; two are spine1 and spine3; of more than three, spine2 is the
    one that divides the way from the first to the last best.
    """
    if not spine:
        return {}
    named = {"spine3": spine[-1]}
    if len(spine) > 1:
        named["spine1"] = spine[0]
    if len(spine) > 2:
        first, last = heads[spine[0]], heads[spine[-1]]
        inner = spine[1:-1]
        uneven = np.abs([float(np.linalg.norm(heads[b] - first) - np.linalg.norm(last - heads[b])) for b in inner])
        # Of two that divide it equally well, the lower one, whatever the last digits say.
        named["spine2"] = inner[int(np.argmin(np.round(uneven / np.linalg.norm(last - first), 3)))]
    return named


def _pelvis(tree: JointTree, common: int, hips: Array) -> int:
    """The bone that carries legs and trunk; or the one above it if that one, not the first, sits between the legs."""
    above = tree.parents[common]
    if above < 0 or tree.steps[common] < SAME_POINT * tree.size:
        return common
    own, upper = (float(np.linalg.norm(tree.heads[0, bone] - hips)) for bone in (common, above))
    return above if upper < 0.4 * own else common


def _apart(tree: JointTree, spine: list[int]) -> list[int]:
    """Of bones on one point, the last."""
    kept = [
        bone
        for bone, after in zip(spine, spine[1:], strict=False)
        if float(np.linalg.norm(tree.heads[0, after] - tree.heads[0, bone])) > SAME_POINT * tree.size
    ]
    return [*kept, *spine[-1:]]


def _neck_and_head(
    tree: JointTree, chest: int, limbs: tuple[tuple[Limb, Limb], tuple[Limb, Limb]], up: Array, length: float
) -> tuple[int, int]:
    """The neck's and the head's bone on the way up from the chest, -1 for what is not there."""
    taken = {bone for pair in limbs for limb in pair for bone in (*limb.joints, limb.extra)}
    ways = [_way_up(tree, child) for child in _beginnings(tree, chest)]
    ways = [way for way in ways if not taken.intersection(tree.longest_way(way[0]))]
    side = normalize(limbs[1][0].points[:, 0] - limbs[1][1].points[:, 0])
    scored = [(_rises(tree, way, (up, side)) / length, way) for way in ways]
    height, way = max(scored, default=(0.0, []))
    if height < 0.08:
        return -1, -1
    # A rig whose toes end in one more bone ends its head so, too.
    if min(leg.after for leg in limbs[0]) >= 2 and len(way) > 1 and not tree.children[way[-1]]:
        way = way[:-1]
    return _split(tree, way, length)


def _beginnings(tree: JointTree, chest: int) -> list[int]:
    """Bones that leave from the chest, or from a bone above it on the same point, as in control rigs."""
    line = tree.line(chest)
    near = [chest]
    for bone in line[1:]:
        if float(np.linalg.norm(tree.heads[0, bone] - tree.heads[0, chest])) > SAME_POINT * tree.size:
            break
        near.append(bone)
    return [child for bone in near for child in tree.children[bone] if child not in line]


def _way_up(tree: JointTree, bone: int) -> list[int]:
    """From the neck to the head: the longest way, up to where the face branches off."""
    way: list[int] = []
    for step in tree.longest_way(bone):
        way.append(step)
        if len(tree.children[step]) >= _FACE or _has_pair(tree, step):
            break
    return way


def _has_pair(tree: JointTree, bone: int) -> bool:
    """Whether two like branches, as eyes or ears, begin here beside each other."""
    children = tree.children[bone]
    if len(children) != 2:
        return False
    first, second = (tree.steps[child] for child in children)
    apart = float(np.linalg.norm(tree.heads[0, children[0]] - tree.heads[0, children[1]]))
    return abs(first - second) < 0.05 * (first + second) and apart > 0.3 * first


def _rises(tree: JointTree, way: list[int], axes: tuple[Array, Array]) -> float:
    """How far a way goes up, less how far it goes aside; the median over the poses."""
    end = way[-1]
    step = tree.heads[:, end] - tree.heads[:, tree.parents[way[0]]]
    rise, aside = (np.sum(step * axis, axis=-1) for axis in axes)
    return float(np.median(rise - 2.0 * np.abs(aside)))


def _split(tree: JointTree, way: list[int], length: float) -> tuple[int, int]:
    """Neck and head on the way up: the head is where the face begins, or what has a head's height above it."""
    bones = [way[0]]
    for bone in way[1:]:
        if tree.steps[bone] > SAME_POINT * tree.size:
            bones.append(bone)
    if len(bones) == 1:
        return -1, bones[0]
    ends_in_face = len(tree.children[way[-1]]) >= 2
    if ends_in_face:
        return bones[0], bones[-1]
    along = np.cumsum([0.0, *(tree.steps[bone] for bone in bones[1:])]) / length
    costs = [
        (penalty(0.1 + float(at), 0.1 + _NECK, 0.5) if i else _NO_NECK)
        + (penalty(0.1 + float(along[-1] - at), 0.1 + _HEAD, 0.4) if i < len(bones) - 1 else 0.0)
        for i, at in enumerate(along)
    ]
    head = int(np.argmin(costs))
    return (bones[0] if head > 0 else -1), bones[head]


def _hangs_on_neck(tree: JointTree, chest: int, arms: tuple[Limb, Limb], length: float) -> bool:
    """Whether the joint that carries the collars is the neck, as in Biped rigs."""
    if min(arm.extra for arm in arms) < 0:
        return False
    away = [float(np.linalg.norm(tree.heads[0, arm.extra] - tree.heads[0, chest])) for arm in arms]
    return max(away) < _AT_NECK * length
