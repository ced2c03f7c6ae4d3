# SPDX-License-Identifier: GPL-3.0-or-later
"""Finding a body in a skeleton whose names say nothing: mirrored legs, mirrored arms, a trunk and a head.

All pairs of like branches of a joint are read as legs and as arms; of all legs with all arms, those win that
together are most like a human body. What is pose-free (lengths, who carries whom) counts most, so that a rest pose
that is no human pose does little harm; where up and down matter, the most upright of the poses is asked.
"""

import itertools
import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from .rig import RigMotion, RigSkeleton
from .rotations import Array, normalize
from .structure_facing import left_first, same_sides
from .structure_layers import directly, with_middle_toe
from .structure_limbs import FINGERS, Chain, Limb, penalty, read_arms, read_chains, read_legs
from .structure_ties import joint_trees
from .structure_tree import JointTree
from .structure_trunk import Trunk, read_trunk

# Branches this different in length, as a logarithm, are no pair.
_LIKE = 0.25
# A limb is at least this share of the rig's size.
_MIN_LIMB = 0.08
# The likeliest readings of each kind that are tried with each other; of them, at most so many of one junction.
_TRIED, _TRIED_EACH = 26, 13
# What fingers on both sides speak for arms: hair, capes and wings have none.
_HANDS = 3.0
# Shoulders of this width, as a share of the trunk's length, are broad.
_BROAD = 0.9
# The cost of a body as unlikely as it is likely.
_EVEN_COST = 14.0
# Rigs carry the trunk by the hips; a few carry the hips by the trunk.
_HANGING_LEGS = 6.0
# Most that legs can cost that end above the rig's lowest bone.
_FLOOR_COST = 10.0
# Two bodies of which the worse costs at most this much more are two characters.
_SAME_COST = 8.0


@dataclass(frozen=True)
class Body:
    """A body found by structure.

    Attributes:
        joints: canonical joint to bone index; empty if there is none.
        likely: 0 to 1 that this is a body and these are its joints, left and right aside.
        facing: 0 to 1, how sure left and right are.
        others: number of further bodies elsewhere in the same skeleton.
    """

    joints: dict[str, int] = field(default_factory=dict)
    likely: float = 0.0
    facing: float = 0.0
    others: int = 0

    @property
    def confidence(self) -> float:
        """0 to 1 that these bones are these joints, left and right included."""
        return self.likely * self.facing


@dataclass(frozen=True)
class _Pair:
    """Two like limbs and the joint that carries both."""

    junction: int
    limbs: tuple[Limb, Limb]
    cost: float


@dataclass(frozen=True)
class _Guess:
    """Legs and arms that may belong to one body."""

    legs: _Pair
    arms: _Pair
    cost: float


def find_body(skeleton: RigSkeleton, clip: RigMotion | None = None) -> Body:
    """The likeliest body of a skeleton with finite rest matrices.

    Args:
        skeleton: all bones of the armature.
        clip: some frames of the same bones, for a rest pose that is no human pose.
    """
    if len(skeleton) < 2:
        return Body()
    readings = [(tree, sorted(_guesses(tree), key=_cost)) for tree in joint_trees(skeleton, clip)]
    readings = [reading for reading in readings if reading[1]]
    if not readings:
        return Body()
    tree, guesses = min(readings, key=lambda reading: reading[1][0].cost)
    best = _directly(tree, _same_sides(guesses[0]))
    others = sum(_is_elsewhere(tree, best, guess) for guess in guesses if guess.cost < best.cost + _SAME_COST)
    trunk = read_trunk(tree, best.legs.limbs, best.arms.limbs, (best.legs.junction, best.arms.junction))
    first_is_left, facing = left_first(tree, best.legs.limbs, best.arms.limbs, trunk)
    joints = _name_joints(best, trunk, ("left", "right") if first_is_left else ("right", "left"))
    likely = 0.5 - 0.5 * math.tanh((best.cost - _EVEN_COST) / 8.0)
    return Body(joints, likely, facing, others)


def _same_sides(guess: _Guess) -> _Guess:
    """The guess with the arms in the order of the legs."""
    legs, arms = guess.legs.limbs, guess.arms.limbs
    if same_sides(legs, arms, normalize(_middle(arms) - _middle(legs))):
        return guess
    return replace(guess, arms=replace(guess.arms, limbs=(arms[1], arms[0])))


def _directly(tree: JointTree, guess: _Guess) -> _Guess:
    """The guess by the bones that follow each other most directly, where several lie in one place, and middle toes."""
    legs, arms = (
        replace(pair, limbs=(directly(tree, pair.limbs[0]), directly(tree, pair.limbs[1])))
        for pair in (guess.legs, guess.arms)
    )
    first, second = legs.limbs
    legs = replace(legs, limbs=(with_middle_toe(tree, first), with_middle_toe(tree, second)))
    return replace(guess, legs=legs, arms=arms)


def _guesses(tree: JointTree) -> Iterator[_Guess]:
    legs, arms = _limb_pairs(tree)
    for leg, arm in itertools.product(legs, arms):
        guess = _combine(tree, leg, arm)
        if guess is not None:
            yield guess


def _limb_pairs(tree: JointTree) -> tuple[list[_Pair], list[_Pair]]:
    """The likeliest pairs of legs and of arms."""
    legs: list[_Pair] = []
    arms: list[_Pair] = []
    for junction, bones, chains in _like_chains(tree):
        layers = _layers(tree, chains, bones)
        for found, read in ((legs, read_legs), (arms, read_arms)):
            readings = [limbs for limbs in (read(chains), read((chains[1], chains[0]))) if limbs is not None]
            if readings:
                limbs = min(readings, key=lambda limbs: limbs[0].cost)
                hands = _HANDS if found is arms and min(chain.fan_weight for chain in chains) >= FINGERS else 0.0
                found.append(_Pair(junction, limbs, limbs[0].cost + _unlike(limbs) + layers - hands))
    return _likeliest(legs), _likeliest(arms)


def _likeliest(pairs: list[_Pair]) -> list[_Pair]:
    """The best pairs, not too many of one junction: the strands of a skirt make pairs without number."""
    kept: list[_Pair] = []
    used: Counter[int] = Counter()
    for pair in sorted(pairs, key=_cost):
        used[pair.junction] += 1
        if used[pair.junction] <= _TRIED_EACH:
            kept.append(pair)
    return kept[:_TRIED]


def _like_chains(tree: JointTree) -> Iterator[tuple[int, tuple[int, int], tuple[Chain, Chain]]]:
    """Like branches of a joint: the joint, their first bones, and their ways down."""
    chains: dict[int, list[Chain]] = {}
    for junction, *bones in _like_branches(tree):
        for bone in bones:
            if bone not in chains:
                chains[bone] = read_chains(tree, bone)
        first, second = (chains[bone] for bone in bones)
        # The longest way of each, and where one has another that carries more, those.
        for way in range(max(len(first), len(second))):
            yield junction, (bones[0], bones[1]), (first[min(way, len(first) - 1)], second[min(way, len(second) - 1)])


def _cost(found: _Pair | _Guess) -> float:
    return found.cost


def _like_branches(tree: JointTree) -> Iterator[tuple[int, int, int]]:
    """Joints with two of their branches that are alike in length."""
    length = [step + reach for step, reach in zip(tree.steps, tree.reach, strict=True)]
    for junction, children in enumerate(tree.children):
        long = [child for child in children if tree.reach[child] > _MIN_LIMB * tree.size]
        for first, second in itertools.combinations(long, 2):
            # A weapon in one hand makes that arm long, but does not move its shoulder.
            pairs = ((length[first], length[second]), (tree.steps[first], tree.steps[second]))
            if any(min(pair) > 0.0 and math.log(max(pair) / min(pair)) < _LIKE for pair in pairs):
                yield junction, first, second


def _layers(tree: JointTree, chains: tuple[Chain, Chain], bones: tuple[int, int]) -> float:
    """Cost of a control rig's inner layers: doubled bones, and a left chain of another layer than the right one."""
    counts = [1 + tree.counts[bone] for bone in bones]
    unequal = abs(chains[0].doubles - chains[1].doubles)
    return chains[0].doubles + chains[1].doubles + 5.0 * unequal + abs(math.log(counts[0] / counts[1]))


def _unlike(limbs: tuple[Limb, Limb]) -> float:
    """Cost of two limbs that are no mirror images: other lengths, or both in the same place."""
    spans = [np.linalg.norm(np.diff(limb.points[0], axis=0), axis=-1)[:2] for limb in limbs]
    cost = sum(penalty(float(a / max(b, 1e-9)), 1.0, 0.1) for a, b in zip(*spans, strict=True))
    apart = np.linalg.norm(limbs[0].points - limbs[1].points, axis=-1) / limbs[0].length
    return cost + sum(penalty(0.1 + min(float(gap), 0.2), 0.3, 0.3) for gap in apart[:, [0, 2]].max(axis=0))


def _combine(tree: JointTree, legs: _Pair, arms: _Pair) -> _Guess | None:
    """Legs and arms as one body, or None if they share bones or hang on nothing common."""
    bones = [bone for pair in (legs, arms) for limb in pair.limbs for bone in limb.joints if bone >= 0]
    if len(set(bones)) < len(bones) or tree.common(legs.junction, arms.junction) < 0:
        return None
    above = set(tree.line(legs.junction)) | set(tree.line(arms.junction))
    if above.intersection(bones):
        return None
    hips, shoulders = (_middle(pair.limbs) for pair in (legs, arms))
    trunk = float(np.median(np.linalg.norm(shoulders - hips, axis=-1)))
    if trunk < 1e-6 * tree.size:
        return None
    leg, arm = legs.limbs[0].length, arms.limbs[0].length
    upright = _uprightness(legs.limbs, normalize(shoulders - hips))
    pose = int(np.argmax(upright))
    cost = legs.cost + arms.cost + penalty(arm / trunk, 1.1, 0.5) + penalty(math.sqrt(arm * trunk) / leg, 0.62, 0.5)
    cost += ((1.0 - float(upright[pose])) / 0.25) ** 2
    cost += _askew(legs.limbs, arms.limbs) + _too_wide(arms.limbs, trunk)
    cost += _lopsided(legs.limbs, shoulders) + _lopsided(arms.limbs, hips)
    cost += _above_floor(tree, legs, hips[pose] - shoulders[pose], pose)
    if arms.junction != legs.junction and arms.junction in tree.line(legs.junction):
        cost += _HANGING_LEGS
    # Of limbs that look alike, those with more bones below them are the ones that carry hands and feet.
    cost -= 0.1 * math.log1p(sum(tree.counts[limb.joints[0]] for pair in (legs, arms) for limb in pair.limbs))
    return _Guess(legs, arms, cost)


def _middle(limbs: tuple[Limb, Limb]) -> Array:
    """(K, 3) the point between the two limbs' roots."""
    return np.asarray(0.5 * (limbs[0].points[:, 0] + limbs[1].points[:, 0]))


def _uprightness(legs: tuple[Limb, Limb], up: Array) -> Array:
    """(K,) cosine between the legs and straight down the trunk; the worse leg counts."""
    down = [-np.sum(normalize(leg.points[:, 2] - leg.points[:, 0]) * up, axis=-1) for leg in legs]
    return np.asarray(np.minimum(*down))


def _askew(legs: tuple[Limb, Limb], arms: tuple[Limb, Limb]) -> float:
    """Cost of hips that lie across the shoulders in all poses."""
    hips, shoulders = (normalize(limbs[0].points[:, 0] - limbs[1].points[:, 0]) for limbs in (legs, arms))
    return ((1.0 - float(np.abs(np.sum(hips * shoulders, axis=-1)).max())) / 0.15) ** 2


def _too_wide(arms: tuple[Limb, Limb], trunk: float) -> float:
    """Cost of shoulders farther apart than the trunk is long: sleeves and wings begin out on the arms."""
    width = float(np.linalg.norm(arms[0].points[:, 0] - arms[1].points[:, 0], axis=-1).max())
    return penalty(max(width / trunk, _BROAD), _BROAD, 0.4)


def _lopsided(limbs: tuple[Limb, Limb], middle: Array) -> float:
    """Cost of two limbs of which one is nearer to the other end of the trunk."""
    near, far = (float(np.linalg.norm(limb.points[0, 0] - middle[0])) for limb in limbs)
    return penalty(near / max(far, 1e-9), 1.0, 0.12)


def _above_floor(tree: JointTree, legs: _Pair, down: Array, pose: int) -> float:
    """Cost of legs that end far above the lowest thing that the same joint carries, or above the rig's lowest bone.

    The latter may be a weapon or a cape, so it counts up to a limit only.
    """
    start = _middle(legs.limbs)[pose]
    depth = (tree.heads[pose] - start) @ normalize(down)
    feet = max(float(((limb.points[pose, 2:] - start) @ normalize(down)).max()) for limb in legs.limbs)
    beside = max(depth[bone] for child in tree.children[legs.junction] for bone in tree.longest_way(child))
    shares = (max(feet, 1e-9) / max(float(lowest), 1e-9) for lowest in (beside, depth.max()))
    own, all_bones = (penalty(min(share, 1.0), 1.0, 0.2) for share in shares)
    return own + min(all_bones, _FLOOR_COST)


def _is_elsewhere(tree: JointTree, best: _Guess, other: _Guess) -> bool:
    """Whether another guess is a second body, beside the first; hair, wings and skirts hang on the first's trunk."""
    trunk = tree.common(best.legs.junction, best.arms.junction)
    if any(trunk in tree.line(pair.junction) for pair in (other.legs, other.arms)):
        return False
    apart = np.linalg.norm(_middle(best.legs.limbs)[0] - _middle(other.legs.limbs)[0])
    above = np.linalg.norm(_middle(best.arms.limbs)[0] - _middle(other.arms.limbs)[0])
    return bool(min(apart, above) > 0.25 * best.legs.limbs[0].length) and other.cost < _EVEN_COST


def _name_joints(guess: _Guess, trunk: Trunk, sides: tuple[str, str]) -> dict[str, int]:
    joints = dict(trunk.joints)
    for names, pair, extra in (
        (("hip", "knee", "ankle"), guess.legs, "foot"),
        (("shoulder", "elbow", "wrist"), guess.arms, "collar"),
    ):
        for side, limb in zip(sides, pair.limbs, strict=True):
            found = dict(zip((*names, extra), (*limb.joints, limb.extra), strict=True))
            joints |= {f"{side}_{joint}": bone for joint, bone in found.items() if bone >= 0}
    return joints
