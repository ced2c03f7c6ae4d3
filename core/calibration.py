# SPDX-License-Identifier: GPL-3.0-or-later
"""What ties a rig's bone frames to the canonical joints, found once per rig.

For a mapped bone with world rotation R, the canonical global rotation is ``G = R @ inverse(C)``; the constant C is
the bone's frame as it stands in the canonical T-pose. Where the bone points is known from the rig alone (its
child's head never moves in its own frame). How it is rolled needs a pose: the rest pose if that is a human T or A
pose, else frames of the clip. Elbows and knees give their roll away by the plane in which they bend; the other
bones are taken to carry no twist in the calibration pose.
"""

from dataclasses import dataclass

import numpy as np

from .errors import InvalidMotionError
from .matching import BoneMap
from .rig import RigMotion, RigSkeleton
from .rotations import Array, conjugate, from_frame, multiply, normalize, rotate, swing
from .skeleton import CANONICAL, INDEX, JOINTS, PARENTS, Skeleton

# The child that says where a joint's bone points. Leaves have none.
_AIM: dict[str, str] = {
    "spine1": "spine2", "spine2": "spine3", "spine3": "neck", "neck": "head",
    **{f"{s}_{a}": f"{s}_{b}" for s in ("left", "right") for a, b in (
        ("hip", "knee"), ("knee", "ankle"), ("ankle", "foot"),
        ("collar", "shoulder"), ("shoulder", "elbow"), ("elbow", "wrist"))},
}  # fmt: skip

# (first bone, second bone, end) of the limbs that bend in a plane, and the axis of flexion in the T-pose.
_LIMBS: tuple[tuple[tuple[str, str, str], tuple[float, float, float]], ...] = (
    (("left_hip", "left_knee", "left_ankle"), (1.0, 0.0, 0.0)),
    (("right_hip", "right_knee", "right_ankle"), (1.0, 0.0, 0.0)),
    (("left_shoulder", "left_elbow", "left_wrist"), (0.0, -1.0, 0.0)),
    (("right_shoulder", "right_elbow", "right_wrist"), (0.0, 1.0, 0.0)),
)

# Below this sine of the bend a limb plane is noise, not anatomy.
_MIN_BEND = 0.08
_MAX_POSES = 64
_LEFT = np.array([1.0, 0.0, 0.0])


@dataclass(frozen=True)
class Calibration:
    """The constants of one rig.

    Attributes:
        bone_map: canonical joint to bone name.
        frames: joint name to C, the bone frame in the canonical T-pose, (4,).
        skeleton: the rig's own proportions in world metres.
        from_rest: whether the rest pose served, or frames of the clip.
    """

    bone_map: BoneMap
    frames: dict[str, Array]
    skeleton: Skeleton
    from_rest: bool


@dataclass(frozen=True)
class _Poses:
    """K calibration poses of the mapped joints: world rotations and positions, and the body's own frame (K, 4)."""

    rotations: dict[str, Array]
    positions: dict[str, Array]
    body: Array


def calibrate(motion: RigMotion, bone_map: BoneMap) -> Calibration:
    """Find C for every mapped joint.

    Raises:
        UnmappedJointError: a required joint has no bone.
        InvalidMotionError: the rig is no body (a limb without length).
    """
    bone_map.require()
    rest = _gather(rest_pose(motion.skeleton, motion.placement[0]), bone_map)
    _check_lengths(rest)
    from_rest = is_human_pose(rest)
    poses = rest if from_rest else _gather(_clip_poses(motion, bone_map), bone_map, upright=True)
    frames = {joint: _bone_frame(joint, poses, from_rest) for joint in JOINTS if joint in poses.rotations}
    if from_rest:
        frames |= _leaf_frames(frames, poses)
    return Calibration(bone_map, frames, _own_skeleton(frames, poses), from_rest)


def rest_pose(skeleton: RigSkeleton, placement: Array) -> RigMotion:
    """The rig's rest pose as a clip of one frame."""
    count = len(skeleton)
    unit = np.zeros((1, count, 4))
    unit[..., 0] = 1.0
    zeros, ones = np.zeros((1, count, 3)), np.ones((1, count, 3))
    return RigMotion(skeleton, np.zeros(1), unit, zeros, ones, placement[None])


def is_human_pose(poses: "_Poses") -> bool:
    """Whether the first pose is a standing T or A pose: legs down and straight, arms straight and out or down."""
    down = -rotate(poses.body[0], np.array([0.0, 1.0, 0.0]))
    for side, sign in (("left", 1.0), ("right", -1.0)):
        thigh, shin = (
            _direction(poses, f"{side}_{a}", f"{side}_{b}")[0] for a, b in (("hip", "knee"), ("knee", "ankle"))
        )
        if min(float(thigh @ down), float(shin @ down)) < 0.8:
            return False
        upper = _direction(poses, f"{side}_shoulder", f"{side}_elbow")[0]
        out = rotate(conjugate(poses.body[0]), upper) * np.array([sign, 1.0, 1.0])
        if out[0] < -0.2 or out[1] > 0.5:
            return False
        if f"{side}_wrist" in poses.positions:
            fore = _direction(poses, f"{side}_elbow", f"{side}_wrist")[0]
            if float(upper @ fore) < 0.7:
                return False
    return True


def _gather(motion: RigMotion, bone_map: BoneMap, *, upright: bool = False) -> _Poses:
    """World rotations and positions of the mapped bones, and the body frame; ``upright`` trusts the world's up."""
    rotations, positions = motion.world()
    index = {joint: motion.skeleton.index[bone] for joint, bone in bone_map.bones.items()}
    joints = {joint: positions[:, bone] for joint, bone in index.items()}
    return _Poses({j: rotations[:, b] for j, b in index.items()}, joints, _body_frame(joints, upright=upright))


def _body_frame(positions: dict[str, Array], *, upright: bool) -> Array:
    """(K, 4) rotation of a T-posed body: left along the hips and shoulders, up along the trunk or the world."""
    left = sum(positions[f"left_{j}"] - positions[f"right_{j}"] for j in ("hip", "shoulder"))
    hips = 0.5 * (positions["left_hip"] + positions["right_hip"])
    shoulders = 0.5 * (positions["left_shoulder"] + positions["right_shoulder"])
    up = np.broadcast_to(np.array([0.0, 1.0, 0.0]), hips.shape) if upright else normalize(shoulders - hips)
    left = left - up * np.sum(left * up, axis=-1, keepdims=True)
    return from_frame(np.asarray(left), up)


def _clip_poses(motion: RigMotion, bone_map: BoneMap) -> RigMotion:
    """The frames of the clip that come nearest to standing at ease, at most ``_MAX_POSES``."""
    poses = _gather(motion, bone_map, upright=True)
    score = _standing_score(poses)
    # A tenth of the clip, so that one odd frame has no weight of its own.
    count = min(max(len(motion) // 10, 1), _MAX_POSES)
    chosen = np.sort(np.argsort(-score)[:count])
    return RigMotion(
        motion.skeleton, motion.times[chosen], motion.rotations[chosen], motion.locations[chosen],
        motion.scales[chosen], motion.placement[chosen],
    )  # fmt: skip


def _standing_score(poses: _Poses) -> Array:
    """(K,) larger for frames with straight legs, upright trunk and hanging or outstretched arms."""
    up = np.array([0.0, 1.0, 0.0])
    score = np.zeros(len(poses.body))
    for side in ("left", "right"):
        for a, b in (("hip", "knee"), ("knee", "ankle"), ("shoulder", "elbow")):
            score -= _direction(poses, f"{side}_{a}", f"{side}_{b}") @ up
        score += 2.0 * (_direction(poses, f"{side}_hip", f"{side}_shoulder") @ up)
    return score


def _direction(poses: _Poses, start: str, end: str) -> Array:
    """(K, 3) unit vectors from joint to joint."""
    return normalize(poses.positions[end] - poses.positions[start])


def _bone_frame(joint: str, poses: _Poses, from_rest: bool) -> Array:
    """C of one joint: the rotation that takes bone-frame directions to T-pose directions."""
    rotation = poses.rotations[joint]
    if from_rest and (joint == "pelvis" or joint.endswith("_collar") or _aim(joint, poses) is None):
        return multiply(conjugate(poses.body[0]), rotation[0])
    aim, aim_canonical = _aim_axis(joint, poses)
    roll, roll_canonical = _roll_axis(joint, poses, aim, aim_canonical)
    return multiply(from_frame(aim_canonical, roll_canonical), conjugate(from_frame(aim, roll)))


def _aim(joint: str, poses: _Poses) -> str | None:
    """The nearest mapped joint down the chain that the bone points to."""
    target = _AIM.get(joint)
    while target is not None and target not in poses.positions:
        target = _AIM.get(target)
    return target


def _aim_axis(joint: str, poses: _Poses) -> tuple[Array, Array]:
    """Where the bone points: in its own frame, and in the T-pose."""
    inverse = conjugate(poses.rotations[joint])
    if joint == "pelvis":
        middle = 0.5 * (poses.positions["left_hip"] + poses.positions["right_hip"])
        trunk = next(j for j in ("spine1", "spine2", "spine3", "neck", "left_shoulder") if j in poses.positions)
        return _mean_direction(rotate(inverse, poses.positions[trunk] - middle)), np.array([0.0, 1.0, 0.0])
    target = _aim(joint, poses)
    if target is None:
        # A leaf continues its parent's bone; Blender's bones point along their own Y.
        return np.array([0.0, 1.0, 0.0]), normalize(CANONICAL.offsets[INDEX[joint]])
    local = _mean_direction(rotate(inverse, poses.positions[target] - poses.positions[joint]))
    return local, _canonical_direction(joint, target)


def _canonical_direction(joint: str, target: str) -> Array:
    """(3,) unit vector from joint to target in the T-pose."""
    total, step = np.zeros(3), INDEX[target]
    while step != INDEX[joint]:
        total, step = total + CANONICAL.offsets[step], PARENTS[step]
    return normalize(total)


def _roll_axis(joint: str, poses: _Poses, aim: Array, aim_canonical: Array) -> tuple[Array, Array]:
    """A second direction, across the bone: in its own frame, and in the T-pose."""
    across = _lateral_axis(joint, poses)
    if across is not None:
        return across, _LEFT
    hinge = _hinge_axis(joint, poses)
    if hinge is not None:
        return hinge
    # No twist: the bone was swung from the T-pose by the shortest way, seen from the body.
    world = rotate(poses.rotations[joint], np.broadcast_to(aim, (len(poses.body), 3)))
    seen = normalize(rotate(conjugate(poses.body), world))
    untwisted = multiply(poses.body, swing(np.broadcast_to(aim_canonical, seen.shape), seen))
    side = np.eye(3)[int(np.argmin(np.abs(aim_canonical)))]
    in_bone = rotate(multiply(conjugate(poses.rotations[joint]), untwisted), np.broadcast_to(side, seen.shape))
    return _mean_direction(in_bone), side


def _lateral_axis(joint: str, poses: _Poses) -> Array | None:
    """For the trunk bones that carry two limbs: the line between these, in the bone's own frame."""
    pairs = {"pelvis": ("hip",), "spine3": ("collar", "shoulder")}.get(joint, ())
    for pair in pairs:
        left, right = (poses.positions.get(f"{side}_{pair}") for side in ("left", "right"))
        if left is not None and right is not None:
            return _mean_direction(rotate(conjugate(poses.rotations[joint]), left - right))
    return None


def _hinge_axis(joint: str, poses: _Poses) -> tuple[Array, Array] | None:
    """For the two bones of a bent limb: the axis of flexion in the bone's own frame, and in the T-pose."""
    for (first, second, end), flexion in _LIMBS:
        if joint not in (first, second) or end not in poses.positions:
            continue
        normal = np.cross(_direction(poses, first, second), _direction(poses, second, end))
        bent = np.linalg.norm(normal, axis=-1) > _MIN_BEND
        if bent.any():
            return _mean_direction(rotate(conjugate(poses.rotations[joint]), normal)[bent]), np.array(flexion)
    return None


def _mean_direction(vectors: Array) -> Array:
    """(3,) unit mean of (K, 3)."""
    return normalize(vectors.mean(axis=0))


def _leaf_frames(frames: dict[str, Array], poses: _Poses) -> dict[str, Array]:
    """Hands rest straight on their forearms; the rest pose says nothing else about them."""
    hands: dict[str, Array] = {}
    for side in ("left", "right"):
        elbow, wrist = f"{side}_elbow", f"{side}_wrist"
        if wrist in poses.rotations:
            forearm = multiply(poses.rotations[elbow][0], conjugate(frames[elbow]))
            hands[wrist] = multiply(conjugate(forearm), poses.rotations[wrist][0])
    return hands


def _own_skeleton(frames: dict[str, Array], poses: _Poses) -> Skeleton:
    """Offsets (22, 3) of the rig in the canonical T-pose; joints without a bone divide the way of their neighbours."""
    offsets = np.zeros_like(CANONICAL.offsets)
    for joint, name in enumerate(JOINTS):
        if name not in poses.positions or name == "pelvis":
            continue
        chain = [joint]
        while JOINTS[PARENTS[chain[-1]]] not in poses.positions:
            chain.append(PARENTS[chain[-1]])
        start = JOINTS[PARENTS[chain[-1]]]
        step = rotate(conjugate(poses.rotations[start]), poses.positions[name] - poses.positions[start])
        whole = rotate(frames[start], step.mean(axis=0))
        for part in chain:
            offsets[part] = whole / len(chain)
    return Skeleton(offsets)


def _check_lengths(poses: _Poses) -> None:
    for (first, second, end), _ in _LIMBS:
        ends = [joint for joint in (first, second, end) if joint in poses.positions]
        for a, b in zip(ends, ends[1:], strict=False):
            if float(np.linalg.norm(poses.positions[a][0] - poses.positions[b][0])) < 1e-9:
                raise InvalidMotionError(f"The bones of {a} and {b} lie on one point: correct the bone map.")
