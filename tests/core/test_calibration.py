# SPDX-License-Identifier: GPL-3.0-or-later
"""Which pose a rig is calibrated from, how good that pose is, and that all rigs then move alike."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from core.calibration import calibrate
from core.calibration_pose import gather, rest_pose, standing_error
from core.errors import InvalidMotionError
from core.matching import BoneMap
from core.motion import Motion
from core.retarget import detached_joints, rejoin, to_motion, to_rig
from core.rig import RigMotion, RigSkeleton
from core.rotations import Array, angle_between, from_matrix, from_rotation_vector, multiply, normalize
from core.skeleton import INDEX, JOINTS, PARENTS

from .characters import MIXAMO, RigStyle, rig, walk
from .random_rigs import REST_POSES, Plan, character

MAP = BoneMap(MIXAMO)
# Joints with one joint that follows: the way between the two is a limb of which all rigs have the direction in common.
LIMBS = [
    (JOINTS[PARENTS[joint]], name)
    for joint, name in enumerate(JOINTS)
    if JOINTS[PARENTS[joint]] not in ("pelvis", "spine3") and joint
] + [("spine3", "neck")]


def plan(rest: str, spine: int = 3, seed: int = 4) -> Plan:
    return Plan(spine, True, True, True, True, rest, 2.0, 12, 30.0, True, seed)


def standing(clip: RigMotion) -> RigMotion:
    """The same bones in their rest pose, twice."""
    return replace(rest_pose(clip.skeleton, clip.placement[0]).rows([0, 0]), times=clip.times[:2])


@pytest.mark.parametrize("rest", REST_POSES[:3])
@pytest.mark.parametrize("spine", [1, 2, 3, 4, 5])
def test_a_standing_rest_pose_is_believed_however_the_armature_lies(rest: str, spine: int) -> None:
    clip, bone_map = character(plan(rest, spine))
    calibration = calibrate(clip, bone_map)
    assert calibration.from_rest
    assert calibration.frame is None
    # A T-pose in our own proportions; its feet and spine are not quite straight.
    assert calibration.error < 5.0


def test_a_motion_points_every_rigs_limbs_the_same_way() -> None:
    motion = walk(40)
    wanted = motion.positions()
    for rest in REST_POSES[:3]:
        for spine in (1, 3, 5):
            clip, bone_map = character(plan(rest, spine, seed=spine))
            still = standing(clip)
            calibration = calibrate(still, bone_map)
            blank = replace(still.rows([0] * len(motion)), times=motion.times)
            _, heads = to_rig(motion, blank, calibration).world()
            place = {joint: heads[:, clip.skeleton.index[bone]] for joint, bone in bone_map.bones.items()}
            for start, end in LIMBS:
                if start in place and end in place:
                    shown = normalize(place[end] - place[start])
                    asked = normalize(wanted[:, INDEX[end]] - wanted[:, INDEX[start]])
                    assert np.degrees(np.arccos(np.clip(np.sum(shown * asked, axis=-1), -1, 1))).max() < 2.0


def test_a_t_pose_at_the_start_of_a_recording_is_found() -> None:
    clip = anyhow(with_t_pose_at(walk(60), 7))
    calibration = calibrate(clip, MAP)
    assert calibration.frame == 7
    assert calibration.error < 4.0
    # Then hands, head and feet are known too, and not only where limbs point.
    found = to_motion(clip, calibration)
    assert np.degrees(angle_between(found.rotations, with_t_pose_at(walk(60), 7).rotations)).max() < 10.0


def test_the_error_tells_better_frames_from_worse_ones() -> None:
    clip = anyhow(with_t_pose_at(walk(60), 7))
    errors = [calibrate(clip, MAP, frame).error for frame in (7, 20)]
    assert errors[0] < 4.0 < errors[1]
    assert calibrate(clip, MAP, 20).frame == 20
    assert np.allclose(standing_error(gather(clip, MAP))[[7, 20]], errors)


@pytest.mark.parametrize("frame", [-1, 60])
def test_a_frame_outside_the_clip_is_refused(frame: int) -> None:
    with pytest.raises(InvalidMotionError, match="outside the clip"):
        calibrate(rig(RigStyle(), walk(60)), MAP, frame)


def test_a_mirrored_armature_is_refused() -> None:
    clip = rig(RigStyle(placement=np.diag([-1.0, 1.0, 1.0, 1.0])), walk(9))
    with pytest.raises(InvalidMotionError, match="negative"):
        calibrate(clip, MAP)


def test_knees_that_are_modelled_past_straight_do_not_turn_the_leg_round() -> None:
    motion = walk(20)
    for bend in (-0.15, 0.15, 0.6):
        clip = reposed(rig(RigStyle(0.5), motion), {"left_knee": [bend, 0.0, 0.0], "right_knee": [bend, 0.0, 0.0]})
        found = to_motion(clip, calibrate(clip, MAP)).rotations
        legs = [INDEX[joint] for joint in ("left_hip", "left_knee", "right_hip", "right_knee")]
        assert np.degrees(angle_between(found, motion.rotations)[:, legs]).max() < 5.0


def test_feet_and_legs_that_hang_elsewhere_follow() -> None:
    motion = walk(30)
    clip = rehung(rehung(rig(RigStyle(0.5), motion), "left_hip", "spine1"), "right_ankle", None)
    assert detached_joints(clip.skeleton, MAP) == ("left_hip", "right_ankle")
    calibration = calibrate(clip, MAP)
    assert np.array_equal(rejoin(clip, clip, MAP).rotations, clip.rotations)
    assert np.abs(rejoin(clip, clip, MAP).locations - clip.locations).max() < 1e-9
    bent = multiply(from_rotation_vector(np.array([0.0, 0.0, 0.4])), motion.rotations)
    other = to_motion(clip, calibration).with_pose(motion.root + 1.0, bent)
    _, heads = rejoin(to_rig(other, clip, calibration), clip, MAP).world()
    for joint in JOINTS:
        bone = clip.skeleton.index[MIXAMO[joint]]
        assert np.abs(heads[:, bone] - other.positions()[:, INDEX[joint]]).max() < 1e-6


def with_t_pose_at(motion: Motion, frame: int) -> Motion:
    rotations = motion.rotations.copy()
    rotations[frame] = (1.0, 0.0, 0.0, 0.0)
    return motion.with_pose(motion.root, rotations)


def anyhow(motion: Motion) -> RigMotion:
    """A rig that plays the motion and whose rest pose is none."""
    rng = np.random.default_rng(3)
    return reposed(rig(RigStyle(0.4), motion), {joint: rng.normal(0.0, 1.5, 3).tolist() for joint in JOINTS})


def reposed(clip: RigMotion, turns: dict[str, list[float]]) -> RigMotion:
    """The same animation on a rig whose rest pose has some joints turned, about the world's axes."""
    rest = rest_pose(clip.skeleton, clip.placement[0])
    rotations = rest.rotations.copy()
    for joint, turn in turns.items():
        bone = clip.skeleton.index[MIXAMO[joint]]
        rotations[:, bone] = from_rotation_vector(clip.skeleton.rest[bone, :3, :3].T @ np.array(turn))
    return on_rest(clip, clip.skeleton.parents, rest.with_channels(rotations, rest.locations).pose[0])


def rehung(clip: RigMotion, joint: str, parent: str | None) -> RigMotion:
    """The same animation with one bone hung elsewhere."""
    index, parents = clip.skeleton.index, list(clip.skeleton.parents)
    parents[index[MIXAMO[joint]]] = index[MIXAMO[parent]] if parent else -1
    order = sorted(range(len(parents)), key=lambda bone: depth(parents, bone))
    return on_rest(clip, parents, clip.skeleton.rest, order)


def depth(parents: list[int], bone: int) -> int:
    return 0 if parents[bone] < 0 else 1 + depth(parents, parents[bone])


def on_rest(
    clip: RigMotion, parents: Sequence[int], rest: Array, order: Sequence[int] = range(len(JOINTS))
) -> RigMotion:
    """The same poses on other rest matrices and parents, bones sorted anew."""
    new = {bone: place for place, bone in enumerate(order)}
    skeleton = RigSkeleton(
        tuple(clip.skeleton.names[bone] for bone in order),
        tuple(new[parents[bone]] if parents[bone] >= 0 else -1 for bone in order),
        rest[list(order)],
        clip.skeleton.lengths[list(order)],
    )
    pose = clip.pose[:, list(order)]
    basis = np.zeros_like(pose)
    for bone, parent in enumerate(skeleton.parents):
        base = skeleton.relative_rest[bone] if parent < 0 else pose[:, parent] @ skeleton.relative_rest[bone]
        basis[:, bone] = np.linalg.inv(base) @ pose[:, bone]
    rotations = from_matrix(basis[..., :3, :3])
    return replace(clip, skeleton=skeleton, rotations=rotations, locations=basis[..., :3, 3])
