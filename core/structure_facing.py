# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of two mirrored sides is the left one: from what makes a body's front differ from its back.

Feet point forward, knees bend forward, elbows bend backward, eyes and jaw lie before the head. Each says something over
every pose; together they give a sign, and how sure that is.
"""

import math

import numpy as np

from .rotations import Array, normalize
from .structure_limbs import Limb, bend
from .structure_tree import JointTree
from .structure_trunk import Trunk

# How much each sign of the front is to be trusted, for a full deviation to the front.
_FEET, _KNEES, _ELBOWS, _FACE, _NECK, _WALK = 6.0, 12.0, 4.0, 1.5, 0.5, 0.5
# What hangs from the head and is longer than this share of the trunk is hair, which tells nothing of the face.
_HAIR = 0.25
# Sum of evidence that makes a side as good as sure.
_SURE = 0.45
# A foot without toes is no foot unless it turns from the shin by this angle, radians.
_FOOT_BEND = 0.5
# A body that moved less than this many leg lengths did not walk.
_WALKED = 0.5


def left_first(tree: JointTree, legs: tuple[Limb, Limb], arms: tuple[Limb, Limb], trunk: Trunk) -> tuple[bool, float]:
    """Whether the first limbs are the left ones, and how sure that is (0 to 1).

    Poses in which the legs are not below the trunk (a rest pose that is none) say nothing.
    """
    up = trunk.up
    across = _across(legs, up)
    front = np.cross(across, up)
    weight = _weights(legs, up, across)
    total = float(weight.sum())
    if total < 1e-6:
        return True, 0.0
    signs = (
        _FEET * _feet(legs, front),
        _KNEES * _agreed([_bulge(leg, front) for leg in legs]),
        -_ELBOWS * _agreed([_bulge(arm, front) for arm in arms]),
        _FACE * _face(tree, trunk, front),
        _NECK * _lean(tree, trunk, front),
    )
    evidence = [float(np.sum(weight * sign) / total) for sign in signs]
    evidence.append(_WALK * _walk(tree, trunk, (up, front), legs[0].length))
    return sum(evidence) >= 0.0, _certainty(evidence)


def _certainty(evidence: list[float]) -> float:
    """0 to 1: much evidence makes a side sure, contradicting evidence unsure."""
    total, weight = abs(sum(evidence)), sum(abs(sign) for sign in evidence)
    return float(np.tanh(total / _SURE) * math.sqrt(total / weight)) if weight > 0.0 else 0.0


def same_sides(legs: tuple[Limb, Limb], arms: tuple[Limb, Limb], up: Array) -> bool:
    """Whether the first arm is on the first leg's side: hips and shoulders twist, but not by half a turn."""
    across = _across(legs, up)
    weight = _weights(legs, up, across)
    shoulders = normalize(arms[0].points[:, 0] - arms[1].points[:, 0])
    return float(np.sum(weight * np.sum(across * shoulders, axis=-1))) >= 0.0


def _across(legs: tuple[Limb, Limb], up: Array) -> Array:
    """(K, 3) unit vectors from the second to the first leg, square to the trunk."""
    across = legs[0].points[:, 0] - legs[1].points[:, 0]
    return normalize(across - up * np.sum(across * up, axis=-1, keepdims=True))


def _weights(legs: tuple[Limb, Limb], up: Array, across: Array) -> Array:
    """(K,) how much of a standing body a pose is, 0 to 1."""
    down = np.mean([-np.sum(normalize(leg.points[:, 2] - leg.points[:, 0]) * up, axis=-1) for leg in legs], axis=0)
    return np.asarray(np.clip(down, 0.0, 1.0) ** 2 * np.linalg.norm(across, axis=-1))


def _feet(legs: tuple[Limb, Limb], front: Array) -> Array:
    """(K,) how far the feet reach forward from the ankles, in leg lengths.

    Without a toe bone only the end of the foot's own bone is known, which importers may have made up: as the shin's way
    carried on.
    """
    reaches: list[Array] = []
    for leg in legs:
        foot = leg.points[:, 3] - leg.points[:, 2]
        turned = leg.after > 0 or bend(leg.points, (1, 2, 3)) > _FOOT_BEND
        reaches.append(np.sum(foot * front, axis=-1) * turned / leg.length)
    return _agreed(reaches)


def _agreed(values: list[Array]) -> Array:
    """(K,) of two values the smaller, and nothing where they disagree about the direction."""
    first, second = values
    smaller = np.where(np.abs(first) < np.abs(second), first, second)
    return np.where(first * second > 0.0, smaller, 0.0)


def _bulge(limb: Limb, front: Array) -> Array:
    """(K,) how far the middle joint lies before the line from root to end, in limb lengths."""
    root, middle, end = (limb.points[:, i] for i in range(3))
    way = normalize(end - root)
    off = middle - root
    off = off - way * np.sum(off * way, axis=-1, keepdims=True)
    return np.asarray(np.sum(off * front, axis=-1) / limb.length)


def _face(tree: JointTree, trunk: Trunk, front: Array) -> Array:
    """(K,) how far what the head carries, long hair aside, lies before the head, in lengths of a trunk."""
    head = trunk.joints.get("head", -1)
    if head < 0:
        return np.zeros(len(front))
    size = np.linalg.norm(tree.heads[:, head] - tree.heads[:, trunk.joints["pelvis"]], axis=-1)
    below = [bone for bone in tree.children[head] if tree.reach[bone] < _HAIR * float(size[0])]
    if len(below) < 2:
        return np.zeros(len(front))
    offset = tree.heads[:, below].mean(axis=1) - tree.heads[:, head]
    return np.asarray(np.sum(offset * front, axis=-1) / np.maximum(size, 1e-9))


def _lean(tree: JointTree, trunk: Trunk, front: Array) -> Array:
    """(K,) sine by which the neck leans forward."""
    neck, head = trunk.joints.get("neck", -1), trunk.joints.get("head", -1)
    if min(neck, head) < 0:
        return np.zeros(len(front))
    return np.asarray(np.sum(normalize(tree.heads[:, head] - tree.heads[:, neck]) * front, axis=-1))


def _walk(tree: JointTree, trunk: Trunk, axes: tuple[Array, Array], leg: float) -> float:
    """-1 to 1: whether the clip's poses travel to the front."""
    if len(axes[0]) < 3:
        return 0.0
    path = np.diff(tree.heads[1:, trunk.joints["pelvis"]], axis=0)
    if float(np.linalg.norm(path.sum(axis=0))) < _WALKED * leg:
        return 0.0
    ahead = np.sum(path * axes[1][1:-1], axis=-1)
    return float(ahead.sum() / max(np.linalg.norm(path, axis=-1).sum(), 1e-9))
