# SPDX-License-Identifier: GPL-3.0-or-later
"""What ties a rig's bone frames to the canonical joints, found once per rig.

For a mapped bone with world rotation R, the canonical global rotation is ``G = R @ inverse(C)``; the constant C is
the bone's frame as it stands in the canonical T-pose. Where the bone points is known from the rig alone (its
child's head never moves in its own frame). How it is rolled needs a pose (see calibration_pose). Elbows and knees
give their roll away by the plane in which they bend; the other bones are taken to carry no twist in that pose.
"""

from dataclasses import dataclass

import numpy as np

from .calibration_pose import Choice, Poses, choose_pose, rest_poses
from .errors import InvalidMotionError
from .matching import BoneMap
from .rig import RigMotion
from .rotations import Array, conjugate, cross, from_frame, multiply, normalize, rotate, swing, to_matrix
from .skeleton import CANONICAL, INDEX, JOINTS, PARENTS, Skeleton
from .steps import Progress, Steps, finish, scaled

# The child that says where a joint's bone points. Leaves have none.
_AIM: dict[str, str] = {
    "spine1": "spine2", "spine2": "spine3", "spine3": "neck", "neck": "head",
    **{f"{s}_{a}": f"{s}_{b}" for s in ("left", "right") for a, b in (
        ("hip", "knee"), ("knee", "ankle"), ("ankle", "foot"),
        ("collar", "shoulder"), ("shoulder", "elbow"), ("elbow", "wrist"))},
}  # fmt: skip

# (first bone, second bone, end) of the limbs that bend in a plane, and the axis of flexion in the T-pose.
_LIMBS: tuple[tuple[tuple[str, str, str], Array], ...] = (
    (("left_hip", "left_knee", "left_ankle"), np.array([1.0, 0.0, 0.0])),
    (("right_hip", "right_knee", "right_ankle"), np.array([1.0, 0.0, 0.0])),
    (("left_shoulder", "left_elbow", "left_wrist"), np.array([0.0, -1.0, 0.0])),
    (("right_shoulder", "right_elbow", "right_wrist"), np.array([0.0, 1.0, 0.0])),
)

# Below this sine of the bend a limb plane is noise, not anatomy.
_MIN_BEND = 0.08
# Bones shorter than this share of the trunk point nowhere.
_MIN_LENGTH = 1e-3
# Joints are modelled up to this sine past straight, but not further.
_MAX_OVERSTRETCH = 0.35
# Above this mean cosine with where it should point, a bone without a mapped child is believed to point there.
_ALONG = 0.7
# Blender's bones point along their own Y.
_BONE = np.array([0.0, 1.0, 0.0])
_LEFT = np.array([1.0, 0.0, 0.0])
# Of the whole work, what choosing the pose takes.
_CHOOSING = 0.8


@dataclass(frozen=True)
class Calibration:
    """The constants of one rig.

    Attributes:
        bone_map: canonical joint to bone name.
        frames: joint name to C, the bone frame in the canonical T-pose, (4,).
        skeleton: the rig's own proportions in world metres.
        from_rest: whether the rest pose served, or frames of the clip.
        frame: row of the clip that served, None for the rest pose and where several rows served.
        error: how far what served is from a standing body with straight arms, degrees (see calibration_pose).
    """

    bone_map: BoneMap
    frames: dict[str, Array]
    skeleton: Skeleton
    from_rest: bool
    frame: int | None = None
    error: float = 0.0


def calibrate(motion: RigMotion, bone_map: BoneMap, frame: int | None = None) -> Calibration:
    """All of :func:`calibrate_steps` at once."""
    return finish(calibrate_steps(motion, bone_map, frame))


def calibrate_steps(motion: RigMotion, bone_map: BoneMap, frame: int | None = None) -> Steps[Calibration]:
    """Find C for every mapped joint.

    Args:
        motion: the clip; at least the mapped bones and those above them.
        bone_map: which bone is which joint.
        frame: row of the clip to take for the calibration pose; None takes the best pose there is.

    Raises:
        UnmappedJointError: a required joint has no bone.
        InvalidMotionError: the rig is no body (a limb without length, a mirrored armature), or it has no such row.
    """
    bone_map.require()
    _check_placement(motion)
    _check_lengths(rest_poses(motion, bone_map))
    if frame is not None and not 0 <= frame < len(motion):
        raise InvalidMotionError("The calibration frame lies outside the clip: choose one inside the action.")
    choice = yield from scaled(choose_pose(motion, bone_map, frame), 0.0, _CHOOSING)
    frames: dict[str, Array] = {}
    for number, joint in enumerate(JOINTS):
        if joint in bone_map.bones:
            yield Progress(_CHOOSING + (1.0 - _CHOOSING) * number / len(JOINTS))
            frames[joint] = _bone_frame(joint, choice, frames)
    skeleton = _own_skeleton(frames, choice.poses)
    return Calibration(bone_map, frames, skeleton, choice.from_rest, choice.frame, choice.error)


def _check_placement(motion: RigMotion) -> None:
    if (np.linalg.det(motion.placement[:, :3, :3]) <= 0.0).any():
        raise InvalidMotionError("The armature has a negative or zero scale: apply its scale first (Ctrl+A, Scale).")


def _bone_frame(joint: str, choice: Choice, above: dict[str, Array]) -> Array:
    """C of one joint, given that of the joints above: the rotation from bone-frame to T-pose directions."""
    poses, is_leaf = choice.poses, joint != "pelvis" and _aim(joint, choice.poses) is None
    neutral = _neutral(joint, poses, above)
    if (is_leaf and not _continues(joint, poses, neutral)) or (choice.is_one and (is_leaf or joint == "pelvis")):
        return _mean_rotation(multiply(conjugate(neutral), poses.rotations[joint]))
    aim, aim_canonical = _aim_axis(joint, poses)
    across = _lateral_axis(joint, poses)
    if across is not None:
        roll, roll_canonical = across, _LEFT
    else:
        from_canonical = _untwisted(poses.rotations[joint], neutral, aim, aim_canonical)
        roll, roll_canonical = _roll_axis(joint, choice.bends, from_canonical, aim_canonical)
    return multiply(from_frame(aim_canonical, roll_canonical), conjugate(from_frame(aim, roll)))


def _continues(joint: str, poses: Poses, neutral: Array) -> bool:
    """Whether a bone without a mapped child points, along its own Y, about where its joint does.

    Else only that people hold heads, hands and feet straight says how it lies. A foot without toes points anywhere.
    """
    if joint.endswith("_ankle"):
        return False
    along = rotate(poses.rotations[joint], _repeat(_BONE, len(neutral)))
    expected = rotate(neutral, _repeat(normalize(CANONICAL.offsets[INDEX[joint]]), len(neutral)))
    return float(np.mean(np.sum(along * expected, axis=-1))) > _ALONG


def _neutral(joint: str, poses: Poses, above: dict[str, Array]) -> Array:
    """(K, 4) how a joint is turned that nothing turns: as the body; hands as their forearms."""
    forearm = joint.replace("wrist", "elbow")
    return multiply(poses.rotations[forearm], conjugate(above[forearm])) if forearm != joint else poses.body


def _untwisted(rotations: Array, neutral: Array, aim: Array, aim_canonical: Array) -> Array:
    """(K, 4) from T-pose to bone-frame directions, if the bone was swung from its neutral by the shortest way."""
    seen = normalize(rotate(multiply(conjugate(neutral), rotations), _repeat(aim, len(rotations))))
    swung = swing(_repeat(aim_canonical, len(seen)), seen)
    return multiply(conjugate(rotations), multiply(neutral, swung))


def _aim(joint: str, poses: Poses) -> str | None:
    """The nearest mapped joint down the chain that the bone points to, and that does not lie on it."""
    target = _AIM.get(joint)
    while target is not None and not (poses.has(target) and poses.distance(joint, target) > _MIN_LENGTH * poses.size):
        target = _AIM.get(target)
    return target


def _aim_axis(joint: str, poses: Poses) -> tuple[Array, Array]:
    """Where the bone points: in its own frame, and in the T-pose."""
    inverse = conjugate(poses.rotations[joint])
    if joint == "pelvis":
        middle = 0.5 * (poses.positions["left_hip"] + poses.positions["right_hip"])
        trunk = next(j for j in ("spine1", "spine2", "spine3", "neck", "left_shoulder") if j in poses.positions)
        return _mean_direction(rotate(inverse, poses.positions[trunk] - middle)), np.array([0.0, 1.0, 0.0])
    target = _aim(joint, poses)
    if target is None:
        # A leaf continues its parent's bone.
        return _BONE, normalize(CANONICAL.offsets[INDEX[joint]])
    local = _mean_direction(rotate(inverse, poses.positions[target] - poses.positions[joint]))
    return local, _canonical_direction(joint, target)


def _canonical_direction(joint: str, target: str) -> Array:
    """(3,) unit vector from joint to target in the T-pose."""
    total, step = np.zeros(3), INDEX[target]
    while step != INDEX[joint]:
        total, step = total + CANONICAL.offsets[step], PARENTS[step]
    return normalize(total)


def _roll_axis(joint: str, bends: Poses, from_canonical: Array, aim_canonical: Array) -> tuple[Array, Array]:
    """A second direction, across the bone: in its own frame, and in the T-pose."""
    for (first, second, end), flexion in _LIMBS:
        if joint in (first, second) and bends.has(end):
            expected = _mean_direction(rotate(from_canonical, _repeat(flexion, len(from_canonical))))
            hinge = _hinge_axis(joint, bends, (first, second, end), expected)
            if hinge is not None:
                return hinge, flexion
    side = np.eye(3)[int(np.argmin(np.abs(aim_canonical)))]
    return _mean_direction(rotate(from_canonical, _repeat(side, len(from_canonical)))), side


def _lateral_axis(joint: str, poses: Poses) -> Array | None:
    """For the trunk bones that carry two limbs: the line between these, in the bone's own frame."""
    pairs = {"pelvis": ("hip",), "spine3": ("collar", "shoulder")}.get(joint, ())
    sides = [(f"left_{pair}", f"right_{pair}") for pair in pairs if poses.has(f"left_{pair}", f"right_{pair}")]
    if not sides:
        return None
    # Collars may lie on one point, or even cross: the wider pair knows left from right.
    left, right = max(sides, key=lambda pair: poses.distance(*pair))
    return _mean_direction(rotate(conjugate(poses.rotations[joint]), poses.positions[left] - poses.positions[right]))


def _hinge_axis(joint: str, bends: Poses, limb: tuple[str, str, str], expected: Array) -> Array | None:
    """(3,) the axis about which a limb flexes, in the frame of one of its two bones; None if it is always straight.

    A knee or elbow that is modelled a little past straight bends away from what is expected of a bone without
    twist; that says nothing about its roll.
    """
    first, second, end = limb
    normal = cross(bends.direction(first, second), bends.direction(second, end))
    in_bone = rotate(conjugate(bends.rotations[joint]), normal)
    bend = np.linalg.norm(normal, axis=-1)
    bent = (bend > _MAX_OVERSTRETCH) | ((bend > _MIN_BEND) & (in_bone @ expected > 0.0))
    return _mean_direction(in_bone[bent]) if bent.any() else None


def _repeat(vector: Array, count: int) -> Array:
    """(3,) as (count, 3)."""
    return np.broadcast_to(vector, (count, 3))


def _mean_direction(vectors: Array) -> Array:
    """(3,) unit mean of (K, 3)."""
    return normalize(vectors.mean(axis=0))


def _mean_rotation(rotations: Array) -> Array:
    """(4,) mean of (K, 4) that are not far from one another."""
    mean = to_matrix(rotations).mean(axis=0)
    return from_frame(mean[:, 0], mean[:, 1])


def _own_skeleton(frames: dict[str, Array], poses: Poses) -> Skeleton:
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


def _check_lengths(poses: Poses) -> None:
    for (first, second, end), _ in _LIMBS:
        ends = [joint for joint in (first, second, end) if joint in poses.positions]
        for a, b in zip(ends, ends[1:], strict=False):
            if poses.distance(a, b) <= _MIN_LENGTH * poses.size:
                raise InvalidMotionError(f"The bones of {a} and {b} lie on one point: correct the bone map.")
