# SPDX-License-Identifier: GPL-3.0-or-later
"""Legs and arms as two bones with a hinge between: bring their ends to a place, and never bend them the wrong way."""

from dataclasses import dataclass

import numpy as np

from .motion import Motion
from .rotations import Array, conjugate, cross, from_axis_angle, multiply, normalize, rotate, swing
from .skeleton import INDEX
from .steps import Progress, Steps

# Share of a limb's length that a solve may stretch it to: a fully straight limb snaps.
MAX_REACH = 0.998
_SOLVER_ROUNDS = 4
_TINY = 1e-9
# Below this mean sine of the bend a clip does not show in which plane the limb bends, from there on more and more, and
# from the second on surely: of a knee that is bent by 4 degrees throughout, half is noise.
_MIN_BEND, _SHOWN_BEND = 0.05, 0.2
# From this sine of its bend on, a limb's own plane is the one in which it is bent further.
_SURE_BEND = 0.1
_MAX_BEND = 2.62  # radians: calf on thigh, forearm on upper arm
# What a hinge gives sideways, radians, and the share of its flexion by which it may more: its plane is not that sure.
_MAX_SIDE, _SIDE_SHARE = 0.1, 0.5


@dataclass(frozen=True)
class Limb:
    """A leg or an arm.

    Attributes:
        joints: names of its hip, knee and ankle, or of shoulder, elbow and wrist.
        tips: joints that keep their own global rotation when the limb moves: ankle and toe, or the wrist.
        flexion: axis (3,) about which the hinge bends in the T-pose.
    """

    joints: tuple[str, str, str]
    tips: tuple[str, ...]
    flexion: tuple[float, float, float]

    @property
    def is_leg(self) -> bool:
        """Whether it ends in a foot."""
        return len(self.tips) > 1


LEGS: tuple[Limb, ...] = tuple(
    Limb((f"{side}_hip", f"{side}_knee", f"{side}_ankle"), (f"{side}_ankle", f"{side}_foot"), (1.0, 0.0, 0.0))
    for side in ("left", "right")
)
ARMS: tuple[Limb, ...] = tuple(
    Limb((f"{side}_shoulder", f"{side}_elbow", f"{side}_wrist"), (f"{side}_wrist",), (0.0, sign, 0.0))
    for side, sign in (("left", -1.0), ("right", 1.0))
)


def limb_points(motion: Motion, limb: Limb) -> Array:
    """(T, 3, 3) places of the limb's three joints, metres."""
    return motion.positions()[:, [INDEX[joint] for joint in limb.joints]]


def limb_length(motion: Motion, limb: Limb) -> float:
    """Length of the straight limb, metres."""
    lengths = np.linalg.norm(motion.skeleton.offsets, axis=-1)
    return float(lengths[INDEX[limb.joints[1]]] + lengths[INDEX[limb.joints[2]]])


def limb_reach(styled: Motion, original: Motion, limb: Limb) -> Array:
    """(T,) metres that the limb may be stretched to: almost straight, or as far as it or the original's is anyway."""
    both = [limb_points(motion, limb) for motion in (styled, original)]
    stretched = np.maximum(*(np.linalg.norm(points[:, 2] - points[:, 0], axis=-1) for points in both))
    return np.maximum(stretched, MAX_REACH * limb_length(styled, limb))


def hinge_axis(motion: Motion, limb: Limb) -> Array:
    """(3,) axis of flexion in the frame of the limb's first joint, as the clip shows it; anatomy's if it does not."""
    points = limb_points(motion, limb)
    normal = cross(normalize(points[:, 1] - points[:, 0]), normalize(points[:, 2] - points[:, 1]))
    mean = rotate(conjugate(motion.rotations[:, INDEX[limb.joints[0]]]), normal).mean(axis=0)
    shown = np.clip((np.linalg.norm(mean) - _MIN_BEND) / (_SHOWN_BEND - _MIN_BEND), 0.0, 1.0)
    return normalize(shown * normalize(mean) + (1.0 - shown) * np.array(limb.flexion))


def flexion(motion: Motion, limb: Limb, axis: Array) -> Array:
    """(T,) radians by which the hinge is bent about ``axis`` of :func:`hinge_axis`; negative is the wrong way."""
    return _bends(motion, limb, axis)[0]


def keep_hinges_steps(styled: Motion, original: Motion) -> Steps[Motion]:
    """``styled`` with no knee or elbow bent the wrong way, sideways, or folded together, further than the original's.

    Hands and feet keep their rotations.
    """
    rotations = styled.rotations
    for number, limb in enumerate((*LEGS, *ARMS)):
        yield Progress(0.25 * number)
        axis = hinge_axis(original, limb)
        bend, side, hinge, lower = _bends(styled, limb, axis)
        bend_before, side_before, _, _ = _bends(original, limb, axis)
        more = np.clip(bend, np.minimum(bend_before, 0.0), np.maximum(bend_before, _MAX_BEND)) - bend
        allowed = _MAX_SIDE + _SIDE_SHARE * np.maximum(bend + more, 0.0)
        across = np.clip(side, np.minimum(side_before, 0.0) - allowed, np.maximum(side_before, 0.0) + allowed) - side
        turned = np.maximum(np.abs(more), np.abs(across)) > _TINY
        if turned.any():
            second = INDEX[limb.joints[1]]
            folded = from_axis_angle(hinge, more)
            aside = from_axis_angle(normalize(cross(rotate(folded, lower), hinge)), across)
            rotations = rotations.copy()
            rotations[turned, second] = multiply(multiply(aside, folded)[turned], rotations[turned, second])
    return styled if rotations is styled.rotations else styled.with_pose(styled.root, rotations)


def _bends(motion: Motion, limb: Limb, axis: Array) -> tuple[Array, Array, Array, Array]:
    """How the second bone lies to the first.

    Returns:
        (T,) flexion about the hinge, (T,) angle towards the hinge's axis, radians; (T, 3) that axis, across the first
        bone, and (T, 3) the way of the second bone, unit vectors.
    """
    points = limb_points(motion, limb)
    upper, lower = points[:, 1] - points[:, 0], normalize(points[:, 2] - points[:, 1])
    hinge = _across(rotate(motion.rotations[:, INDEX[limb.joints[0]]], np.broadcast_to(axis, upper.shape)), upper)
    bend = _signed_bend(upper, lower, hinge)
    side = np.arcsin(np.clip(np.sum(lower * hinge, axis=-1), -1.0, 1.0))
    # Nothing bends back that far: it is folded further than together.
    return np.where(bend < -0.5 * np.pi, bend + 2.0 * np.pi, bend), side, hinge, lower


def move_limb(motion: Motion, limb: Limb, target: Array, axis: Array) -> Motion:
    """Bring the limb's end to ``target`` (T, 3) as far as it reaches; ``axis`` is that of :func:`hinge_axis`."""
    points = limb_points(motion, limb)
    moved = np.linalg.norm(target - points[:, 2], axis=-1) > _TINY
    if not moved.any():
        return motion
    first, second = (INDEX[joint] for joint in limb.joints[:2])
    rotations = motion.rotations.copy()
    pair = _solve(rotations[moved][:, [first, second]], points[moved], target[moved], axis)
    rotations[moved, first], rotations[moved, second] = pair
    return motion.with_pose(motion.root, rotations)


def _solve(rotations: Array, points: Array, target: Array, axis: Array) -> tuple[Array, Array]:
    """Rotations (T, 4) of both bones that bring the end to ``target``; ``points`` is (T, 3, 3)."""
    first, second = rotations[:, 0], rotations[:, 1]
    start, upper, lower = points[:, 0], points[:, 1] - points[:, 0], points[:, 2] - points[:, 1]
    a, b = np.linalg.norm(upper, axis=-1), np.linalg.norm(lower, axis=-1)
    # What already reaches further may stay so: a limb that was straight is not bent by force.
    limit = np.maximum(np.linalg.norm(upper + lower, axis=-1), MAX_REACH * (a + b))
    distance = np.clip(np.linalg.norm(target - start, axis=-1), np.abs(a - b) * 1.05 + _TINY, limit)
    # Where a bone has no length, as a hand that the rig lacks, there is nothing to bend.
    product = np.maximum(2.0 * a * b, _TINY)
    wanted = np.arccos(np.clip((distance**2 - a**2 - b**2) / product, -1.0, 1.0))
    for _ in range(_SOLVER_ROUNDS):
        hinge = _bend_axis(first, upper, lower, axis)
        turn = from_axis_angle(hinge, wanted - _signed_bend(upper, lower, hinge))
        lower, second = rotate(turn, lower), multiply(turn, second)
        aim = swing(normalize(upper + lower), normalize(target - start))
        upper, lower = rotate(aim, upper), rotate(aim, lower)
        first, second = multiply(aim, first), multiply(aim, second)
    return first, second


def _bend_axis(first: Array, upper: Array, lower: Array, axis: Array) -> Array:
    """(T, 3) axis about which the limb bends: its present plane, or the hinge's axis if it is straight or wrong."""
    hinge = _across(rotate(first, np.broadcast_to(axis, upper.shape)), upper)
    present = cross(normalize(upper), normalize(lower))
    forward = np.maximum(np.sum(present * hinge, axis=-1, keepdims=True), 0.0)
    # The less it bends the less its plane counts: a limb that is straight to a hair's breadth would flip between both.
    sure = np.minimum(forward / _SURE_BEND, 1.0)
    aside = _without(present, hinge) * (sure * sure * (3.0 - 2.0 * sure))
    # A little of the hinge's axis steadies nearly straight limbs, whose plane is noise.
    return normalize(aside + (forward + 0.05) * hinge)


def _across(axis: Array, along: Array) -> Array:
    """Unit part of ``axis`` (T, 3) that is perpendicular to ``along``."""
    return normalize(_without(axis, normalize(along)))


def _without(vectors: Array, way: Array) -> Array:
    """What of ``vectors`` (T, 3) is perpendicular to the unit vectors ``way``."""
    return np.asarray(vectors - way * np.sum(vectors * way, axis=-1, keepdims=True))


def _signed_bend(upper: Array, lower: Array, hinge: Array) -> Array:
    return np.arctan2(np.sum(cross(upper, lower) * hinge, axis=-1), np.sum(upper * lower, axis=-1))
