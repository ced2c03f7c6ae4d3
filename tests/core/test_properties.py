# SPDX-License-Identifier: GPL-3.0-or-later
"""What holds for every rig that can be drawn: nothing is lost on the way, and nothing else is touched."""

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from core.calibration import calibrate
from core.matching import BoneMap
from core.pipeline import Clip, StyleSettings, stylize
from core.retarget import rejoin, to_motion, to_rig
from core.rig import RigMotion
from core.rotations import angle_between, from_rotation_vector, multiply
from core.skeleton import INDEX

from .characters import BendingEngine
from .random_rigs import Plan, character, plans

# The bounds that a user is promised: of angles, and of lengths on a body of human size.
DEGREES, METRES = 0.1, 0.001


def without_mapped_channels(clip: RigMotion, bone_map: BoneMap) -> RigMotion:
    """The clip with its mapped bones at rest, so that they can only come back by way of the joints."""
    rotations, locations = clip.rotations.copy(), clip.locations.copy()
    rotations[:, [clip.skeleton.index[bone] for bone in bone_map.bones.values()]] = (1.0, 0.0, 0.0, 0.0)
    locations[:, clip.skeleton.index[bone_map.bones["pelvis"]]] = 0.0
    return clip.with_channels(rotations, locations)


def mapped(clip: RigMotion, bone_map: BoneMap) -> list[int]:
    return [clip.skeleton.index[bone] for bone in bone_map.bones.values()]


@settings(max_examples=60)
@given(plans(), st.none() | st.integers(0, 8))
def test_the_way_to_the_joints_and_back_loses_nothing(plan: Plan, frame: int | None) -> None:
    clip, bone_map = character(plan)
    calibration = calibrate(clip, bone_map, frame)
    back = to_rig(to_motion(clip, calibration), without_mapped_channels(clip, bone_map), calibration)
    bones = mapped(clip, bone_map)
    (rotations, heads), (rotations_back, heads_back) = clip.world(), back.world()
    assert np.degrees(angle_between(rotations, rotations_back)[:, bones]).max() < DEGREES
    assert np.linalg.norm(heads - heads_back, axis=-1)[:, bones].max() < METRES


@settings(max_examples=40)
@given(plans())
def test_nothing_outside_the_map_changes(plan: Plan) -> None:
    clip, bone_map = character(plan)
    calibration = calibrate(clip, bone_map)
    motion = to_motion(clip, calibration)
    rng = np.random.default_rng(plan.seed)
    turns = from_rotation_vector(rng.normal(0.0, 0.5, (*motion.rotations.shape[:2], 3)))
    other = motion.with_pose(motion.root + rng.normal(0.0, 0.2, 3), multiply(turns, motion.rotations))
    result = rejoin(to_rig(other, clip, calibration), clip, bone_map)
    free = [bone for bone in range(len(clip.skeleton)) if bone not in mapped(clip, bone_map)]
    assert np.array_equal(result.rotations[:, free], clip.rotations[:, free])
    assert np.array_equal(result.locations[:, free], clip.locations[:, free])
    assert np.array_equal(result.scales, clip.scales)
    # The joints are where they were asked to be turned to.
    again = to_motion(result, calibration)
    joints = [INDEX[joint] for joint in bone_map.bones]
    assert np.degrees(angle_between(again.rotations, other.rotations)[:, joints]).max() < DEGREES


@settings(max_examples=15)
@given(plans())
def test_amount_0_gives_back_the_clip_to_the_last_digit(plan: Plan) -> None:
    clip, bone_map = character(plan)
    # Long enough for the network, whatever the frame rate.
    clip = replace(clip, times=clip.times * 2.0 / (clip.times[-1] - clip.times[0]))
    style = StyleSettings(style="bent", amount=0.0)
    result = stylize(Clip(clip, bone_map), None, BendingEngine(), style).motion
    assert np.array_equal(result.rotations, clip.rotations)
    assert np.array_equal(result.locations, clip.locations)
