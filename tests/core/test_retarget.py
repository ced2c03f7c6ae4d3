# SPDX-License-Identifier: GPL-3.0-or-later
"""Rig to joints and back: nothing is lost, whatever the rig's rolls, size and place."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.calibration import calibrate
from core.calibration_pose import rest_pose
from core.errors import InvalidMotionError, UnmappedJointError
from core.matching import BoneMap, match_bones
from core.retarget import to_motion, to_rig
from core.rig import RigMotion
from core.rotations import angle_between, from_axis_angle, from_matrix, multiply, normalize, to_matrix
from core.skeleton import INDEX, JOINTS, PARENTS

from .characters import MIXAMO, RigStyle, rig, walk


def placement(size: float, angle: float) -> np.ndarray:
    """An armature object that is scaled, tilted and moved."""
    matrix = np.eye(4)
    axis = normalize(np.array([0.3, 1.0, 0.2]))
    matrix[:3, :3] = to_matrix(from_axis_angle(axis, np.array(angle))) * size
    matrix[:3, 3] = [3.0, -1.0, 2.0]
    return matrix


def there_and_back(clip: RigMotion) -> RigMotion:
    calibration = calibrate(clip, match_bones(clip.skeleton))
    return to_rig(to_motion(clip, calibration), clip, calibration)


@settings(deadline=None, max_examples=20)
@given(st.floats(0.0, 1.0), st.sampled_from([0.01, 1.0, 100.0]), st.floats(-3.0, 3.0))
def test_round_trip_is_exact(rolls: float, size: float, angle: float) -> None:
    clip = rig(RigStyle(rolls, size, placement(size, angle)), walk(20))
    back = there_and_back(clip)
    assert np.degrees(angle_between(back.rotations, clip.rotations)).max() < 1e-5
    assert np.abs(back.locations - clip.locations).max() * size < 1e-9


def test_a_rolled_rig_gives_the_same_joints_as_a_straight_one() -> None:
    motion = walk(30)
    for rolls in (0.0, 1.0):
        clip = rig(RigStyle(rolls), motion)
        calibration = calibrate(clip, match_bones(clip.skeleton))
        found = to_motion(clip, calibration)
        assert calibration.from_rest
        assert np.degrees(angle_between(found.rotations, motion.rotations)).max() < 1e-4
        assert np.abs(found.positions() - motion.positions()).max() < 1e-6


def test_twist_survives() -> None:
    motion = walk(10)
    twisted = motion.rotations.copy()
    along = from_axis_angle(np.array([1.0, 0.0, 0.0]), np.linspace(0.0, 1.0, 10))
    wrist = INDEX["left_wrist"]
    twisted[:, wrist] = multiply(twisted[:, wrist], along)
    clip = rig(RigStyle(0.5), motion.with_pose(motion.root, twisted))
    calibration = calibrate(clip, match_bones(clip.skeleton))
    assert np.degrees(angle_between(to_motion(clip, calibration).rotations[:, wrist], twisted[:, wrist])).max() < 1e-4


def test_a_rest_pose_that_is_no_pose_is_calibrated_from_the_clip() -> None:
    straight = rig(RigStyle(0.3), walk(60))
    clip = scrambled_rest(straight)
    calibration = calibrate(clip, match_bones(clip.skeleton))
    assert not calibration.from_rest
    positions = to_motion(clip, calibration).positions()
    _, heads = clip.world()
    bones = [clip.skeleton.index[MIXAMO[j]] for j in JOINTS]
    assert np.abs(positions - heads[:, bones]).max() < 1e-6
    back = there_and_back(clip)
    assert np.degrees(angle_between(back.rotations, clip.rotations)).max() < 1e-5


def scrambled_rest(clip: RigMotion) -> RigMotion:
    """The same animation on a rig whose rest pose has every bone turned at random: no human pose."""
    rng = np.random.default_rng(3)
    odd = rest_pose(clip.skeleton, clip.placement[0])
    odd = odd.with_channels(normalize(rng.normal(size=odd.rotations.shape)), odd.locations)
    skeleton = dataclasses.replace(clip.skeleton, rest=odd.pose[0])
    basis = np.zeros_like(clip.pose)
    for bone, parent in enumerate(PARENTS):
        base = skeleton.relative_rest[bone] if parent < 0 else clip.pose[:, parent] @ skeleton.relative_rest[bone]
        basis[:, bone] = np.linalg.inv(base) @ clip.pose[:, bone]
    rotations = from_matrix(basis[..., :3, :3])
    return dataclasses.replace(clip, skeleton=skeleton, rotations=rotations, locations=basis[..., :3, 3])


def test_a_rig_without_hips_is_refused_with_a_sentence() -> None:
    clip = rig(RigStyle(), walk(9))
    bones = {joint: bone for joint, bone in MIXAMO.items() if joint != "pelvis"}
    with pytest.raises(UnmappedJointError, match="pelvis"):
        calibrate(clip, BoneMap(bones))


def test_numbers_that_are_none_are_refused_with_the_bones_name() -> None:
    clip = rig(RigStyle(), walk(9))
    rotations = clip.rotations.copy()
    rotations[3, 4, 1] = np.nan
    with pytest.raises(InvalidMotionError, match="mixamorig"):
        clip.with_channels(rotations, clip.locations).check()
