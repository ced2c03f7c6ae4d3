# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading a chain of bones as a leg or an arm: which bone is the hip, the knee, the ankle, and how likely that is.

A reading costs nothing if the chain has the proportions of a human limb, and about 1 for each deviation by one
standard deviation of the rigs in use, from realistic scans to game characters with short legs.
"""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .rotations import Array, normalize
from .structure_tree import SAME_POINT, JointTree

# Indices of a limb's root, middle and end among a chain's points.
Choice = tuple[int, int, int]

# More joints on one chain than this are not searched: a limb with all its twist segments and fingers has fewer.
_MAX_POINTS = 12
# Cost of an ankle with nothing below it.
_NO_FOOT = 2.5
# Cost of a bone on the same point as the one before.
_DOUBLE = 0.15
# What a joint says with so many branches below it, from the third on: where the fingers begin.
_FAN_WEIGHTS = (0.0, 0.0, 0.7, 1.5)
# What says that there are fingers: two branches may be anything.
FINGERS = _FAN_WEIGHTS[3]


@dataclass(frozen=True)
class Chain:
    """One way down from a junction, coincident bones taken as one point.

    Attributes:
        bones: for each point, its upmost bone; -1 for the tip of the last bone.
        points: (K, N, 3) positions over the poses.
        along: length of the way from the junction to each point.
        fan: index of the first point with fingers below it.
        fan_weight: how much that says, 0 if there are none.
        doubles: cost of bones that lie on the same point as the one before, as in the layers of control rigs.
    """

    bones: tuple[int, ...]
    points: Array
    along: tuple[float, ...]
    fan: int
    fan_weight: float
    doubles: float

    @cached_property
    def leg_costs(self) -> dict[Choice, float]:
        """What each choice of hip, knee and ankle costs."""
        choices = [choice for choice in self._triples() if self.bones[choice[2]] >= 0]
        if not choices:
            return {}
        _, knees, ankles = _columns(choices)
        toes = [min(ankle + 1, len(self.bones) - 1) for ankle in ankles]
        angles = _rest_or_usual(bend(self.points, (knees, ankles, toes))).tolist()
        poses = _pose_costs(self, choices)
        return {
            choice: _leg_cost(self, choice, angle) + pose
            for choice, angle, pose in zip(choices, angles, poses, strict=True)
        }

    @cached_property
    def arm_costs(self) -> dict[Choice, float]:
        """What each choice of shoulder, elbow and wrist costs, the shoulders' width aside."""
        choices = list(self._triples())
        if not choices:
            return {}
        poses = _pose_costs(self, choices)
        return {choice: _arm_cost(self, choice) + pose for choice, pose in zip(choices, poses, strict=True)}

    def _triples(self) -> Iterator[Choice]:
        return itertools.combinations(range(min(len(self.bones), _MAX_POINTS)), 3)


@dataclass(frozen=True)
class Limb:
    """A chain read as a limb; the joints are bones, -1 where the rig has none.

    Attributes:
        joints: (root, middle, end) of the limb: hip, knee, ankle or shoulder, elbow, wrist.
        extra: toe base of a leg, collar of an arm.
        after: number of bones of the chain after the end.
        length: root to end.
        cost: how unlike a human limb it is, 0 or more.
        points: (K, 4, 3) positions of root, middle, end and the chain's last point.
    """

    joints: tuple[int, int, int]
    extra: int
    after: int
    length: float
    cost: float
    points: Array


def read_chains(tree: JointTree, bone: int) -> list[Chain]:
    """The longest way down from ``bone``, and if it is another one, the way that carries most.

    A sleeve or a weapon may reach farther than the hand, but it has fewer bones.
    """
    ways = dict.fromkeys((tuple(tree.longest_way(bone)), tuple(tree.fullest_way(bone))))
    return [_read_chain(tree, way) for way in ways]


def _read_chain(tree: JointTree, way: Sequence[int]) -> Chain:
    bones: list[int] = []
    along: list[float] = []
    fan, weight = 0, 0.0
    total = 0.0
    for step in way:
        total += tree.steps[step]
        if not bones or total - along[-1] > SAME_POINT * tree.size:
            bones.append(step)
            along.append(total)
        found = _FAN_WEIGHTS[min(_branches(tree, step), len(_FAN_WEIGHTS) - 1)]
        if found > weight:
            fan, weight = len(bones) - 1, found
    doubles = len(way) - len(bones)
    points = [tree.heads[:, index] for index in bones]
    tip, step = tree.tips[way[-1]], tree.steps[way[-1]]
    # Importers that know no bone ends make the last bone as long as the one before: that says nothing.
    if tip > SAME_POINT * tree.size and (len(bones) < 3 or abs(tip - step) > 0.01 * step):
        points.append(tree.tails[:, way[-1]])
        bones.append(-1)
        along.append(total + tip)
    return Chain(tuple(bones), np.stack(points, axis=1), tuple(along), fan, weight, _DOUBLE * doubles)


def read_legs(chains: tuple[Chain, Chain]) -> tuple[Limb, Limb] | None:
    """The best reading of two mirrored chains as legs; the same points are taken on both."""
    costs = chains[0].leg_costs, chains[1].leg_costs
    choices = (
        (0.5 * (costs[0][first] + costs[1][second]), first, second)
        for first, second in _choices(chains)
        if first in costs[0] and second in costs[1]
    )
    return _limbs(chains, min(choices, default=None), toes=True)


def read_arms(chains: tuple[Chain, Chain]) -> tuple[Limb, Limb] | None:
    """The best reading of two mirrored chains as arms; the wrist may be the tip of the forearm's bone."""
    width = np.linalg.norm(chains[0].points[:, :, None] - chains[1].points[:, None], axis=-1).max(axis=0)
    costs = chains[0].arm_costs
    choices = (
        (costs[first] + _breadth_cost(chains[0], first, float(width[first[0], second[0]])), first, second)
        for first, second in _choices(chains)
    )
    return _limbs(chains, min(choices, default=None), toes=False)


def penalty(ratio: float, usual: float, spread: float) -> float:
    """Squared deviation of a ratio from its usual value, in standard deviations of its logarithm."""
    return (math.log(max(ratio, 1e-6) / usual) / spread) ** 2


def bend(points: Array, choice: Sequence[int] | Sequence[list[int]]) -> Array:
    """(K,) angle, radians, by which the way turns at the middle one of three points; (K, C) for C points each."""
    first, middle, last = (points[:, i] for i in choice)
    cosine = np.sum(normalize(middle - first) * normalize(last - middle), axis=-1)
    return np.asarray(np.arccos(np.clip(cosine, -1.0, 1.0)))


def _branches(tree: JointTree, bone: int) -> int:
    """Number of similar branches, as of fingers, that leave here from different points; twist bones are shorter."""
    lengths = {child: tree.steps[child] + tree.reach[child] for child in tree.children[bone]}
    longest = max(lengths.values(), default=0.0)
    starts: list[Array] = []
    for child, length in lengths.items():
        head = tree.heads[0, child]
        near = (float(np.linalg.norm(head - start)) < SAME_POINT * tree.size for start in starts)
        if length > 0.5 * longest and not any(near):
            starts.append(head)
    return len(starts)


def _choices(chains: tuple[Chain, Chain]) -> Iterator[tuple[Choice, Choice]]:
    """Three points of the first chain, and those of the second that lie as far along it."""
    along = np.array(chains[1].along)
    twins = [int(np.argmin(np.abs(along - at))) for at in chains[0].along[:_MAX_POINTS]]
    for i, j, k in itertools.combinations(range(len(twins)), 3):
        if twins[i] < twins[j] < twins[k]:
            yield (i, j, k), (twins[i], twins[j], twins[k])


def _leg_cost(chain: Chain, choice: Choice, ankle_bend: float) -> float:
    hip, knee, ankle = (chain.along[i] for i in choice)
    leg = ankle - hip
    foot = 0.5 + (chain.along[-1] - ankle) / leg
    cost = _ratio_cost((knee - hip) / (ankle - knee), 0.97, choice)
    cost += penalty(0.5 + hip / leg, 0.62, 0.6)
    if choice[2] + 1 == len(chain.bones):
        return cost + _NO_FOOT
    # A foot is about a quarter of a leg; rigs without toes have a short one, and cartoon feet are long.
    cost += penalty(foot, 0.72, 0.25 if foot < 0.72 else 0.35)
    return cost + (max(1.1 - ankle_bend, 0.0) / 0.5) ** 2


def _breadth_cost(chain: Chain, choice: Choice, width: float) -> float:
    """Round characters have short arms on broad shoulders, but nobody's shoulders lie on one point."""
    half = 0.3 + 0.5 * width / (chain.along[choice[2]] - chain.along[choice[0]])
    return penalty(half, 0.62, 0.25 if half < 0.62 else 0.4)


def _arm_cost(chain: Chain, choice: Choice) -> float:
    shoulder, elbow, wrist = (chain.along[i] for i in choice)
    arm = wrist - shoulder
    cost = _ratio_cost((elbow - shoulder) / (wrist - elbow), 1.05, choice)
    cost += penalty(0.5 + (chain.along[-1] - wrist) / arm, 0.85, 0.35)
    # Before the shoulder there is a collar, or two; hair and coats have more.
    cost += 0.5 * max(choice[0] - 2, 0)
    # Fingers begin at the wrist, or at a palm bone right after it.
    return cost + (chain.fan_weight * (chain.fan - choice[2])) ** 2


def _ratio_cost(ratio: float, usual: float, choice: Choice) -> float:
    """Cost of the ratio of a limb's two bones, and of points left out between them."""
    return penalty(ratio, usual, 0.25) + 0.9 * (choice[2] - choice[0] - 2)


def _columns(choices: Sequence[Choice]) -> tuple[list[int], list[int], list[int]]:
    """The roots, the middles and the ends of choices."""
    roots, middles, ends = (list(column) for column in zip(*choices, strict=True))
    return roots, middles, ends


def _pose_costs(chain: Chain, choices: Sequence[Choice]) -> list[float]:
    """Cost of limbs that are bent in every pose, and of joints left out between their ends.

    Twist segments lie straight on one bone; a way that turns where no joint was chosen has left one out.
    """
    columns = _columns(choices)
    straight = np.linalg.norm(np.diff(chain.points[:, list(columns)], axis=1), axis=-1).sum(axis=1)
    along = np.array(chain.along)
    left_out = np.maximum(_rest_or_usual(1.0 - straight / (along[columns[2]] - along[columns[0]])), 0.0)
    costs = (bend(chain.points, columns).min(axis=0) / 0.8) ** 2 + (left_out / 0.03) ** 2
    return costs.tolist()


def _rest_or_usual(values: Array) -> Array:
    """The larger of the rest pose's value and of the median: a rest pose may be no pose, and a clip all odd poses."""
    return np.maximum(values[0], np.median(values, axis=0))


def _limbs(
    chains: tuple[Chain, Chain], best: tuple[float, Choice, Choice] | None, *, toes: bool
) -> tuple[Limb, Limb] | None:
    if best is None:
        return None
    cost, first, second = best
    return _limb(chains[0], first, cost, toes=toes), _limb(chains[1], second, cost, toes=toes)


def _limb(chain: Chain, choice: Choice, cost: float, *, toes: bool) -> Limb:
    root, middle, end = (chain.bones[i] for i in choice)
    after = choice[2] + 1
    if toes:
        extra = chain.bones[after] if after < len(chain.bones) else -1
    else:
        extra = chain.bones[0] if choice[0] > 0 else -1
    points = chain.points[:, [*choice, len(chain.bones) - 1]]
    bones_after = sum(bone >= 0 for bone in chain.bones[after:])
    length = chain.along[choice[2]] - chain.along[choice[0]]
    return Limb((root, middle, end), extra, bones_after, length, cost, points)
