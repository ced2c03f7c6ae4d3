# SPDX-License-Identifier: GPL-3.0-or-later
"""Feet and hands stay planted: judged by scripts/evaluation/contacts.py, which does not know how they are held."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.calibration import calibrate
from core.contact_lock import lock_contacts_steps
from core.contacts import PLANTED_JOINTS, Contacts, contact_moments, contact_runs, detect_planted, detect_seated
from core.kinematics import to_global, to_local
from core.limbs import ARMS, LEGS, flexion, hinge_axis, keep_hinges_steps, limb_points, move_limb
from core.matching import match_bones
from core.motion import Motion
from core.resample import resample
from core.retarget import to_motion
from core.root_motion import follow_feet, settle
from core.rotations import Array, angle_between, conjugate, from_rotation_vector, multiply, normalize, rotate
from core.skeleton import INDEX, Skeleton
from core.steps import finish
from scripts.bvh import read_bvh
from scripts.evaluation.contacts import contact_error

from .characters import about, walk

WALK = Path(__file__).parents[1] / "data/walk_normal.bvh"


def real(path: Path, frames: int = 240) -> Motion:
    clip = read_bvh(path)
    motion = to_motion(clip, calibrate(clip, match_bones(clip.skeleton)))
    return motion.part(slice(0, frames))


def still(frames: int = 60) -> Motion:
    pose = walk(frames, speed=0.0)
    return pose.with_pose(np.repeat(pose.root[:1], frames, axis=0), np.repeat(pose.rotations[:1], frames, axis=0))


def contacts_of(motion: Motion) -> Contacts:
    return Contacts(motion, detect_planted(motion), np.ones(len(motion)))


def swayed(motion: Motion, size: float) -> Motion:
    """The clip in another "style": hips and legs swing differently, the body is elsewhere and lower."""
    phase = 2.0 * np.pi * 0.7 * motion.times
    local = to_local(motion.rotations)
    for joint, axis, share in (("left_hip", 0, 1.0), ("right_hip", 0, -0.7), ("left_knee", 0, 0.6), ("pelvis", 1, 0.5),
                               ("right_ankle", 1, 0.8), ("spine1", 0, 1.0), ("left_shoulder", 2, 1.0)):  # fmt: skip
        turn = np.zeros((len(motion), 3))
        turn[:, axis] = size * share * np.sin(phase + axis)
        local[:, INDEX[joint]] = multiply(local[:, INDEX[joint]], from_rotation_vector(turn))
    offset = size * 0.1 * np.stack([np.sin(phase), -np.ones_like(phase), np.cos(0.5 * phase)], axis=-1)
    return motion.with_pose(motion.root + offset * motion.skeleton.scale, to_global(local))


def scaled(motion: Motion, size: float) -> Motion:
    return Motion(motion.times, motion.root * size, motion.rotations, Skeleton(motion.skeleton.offsets * size))


def climbing(frames: int = 90) -> Motion:
    """Standing with the right hand on something, while the body leans from side to side."""
    motion = still(frames)
    lean = 0.12 * np.sin(2.0 * np.pi * 0.5 * motion.times)[:, None] * np.array([1.0, 0.0, 0.0])
    moved = motion.with_pose(motion.root + lean, motion.rotations)
    hand = limb_points(moved, ARMS[1])[:1, 2] + np.array([0.1, 0.25, 0.1])
    return move_limb(moved, ARMS[1], np.repeat(hand, frames, axis=0), hinge_axis(moved, ARMS[1]))


@pytest.mark.parametrize("size", [0.1, 0.2])
@pytest.mark.parametrize("scale", [1.0, 100.0])
def test_planted_feet_move_as_the_originals_did(size: float, scale: float) -> None:
    original = scaled(real(WALK), scale)
    styled = swayed(original, size)
    loose, locked = (
        contact_error(original, m) for m in (styled, finish(lock_contacts_steps(styled, contacts_of(original))))
    )
    assert loose.contacts > 20
    assert loose.feet_max > 1.0
    assert locked.feet_max < 0.5
    assert locked.feet_mean < 0.1
    assert locked.pop < min(1.2, loose.pop)
    assert locked.flips == 0
    assert locked.sink < 0.01
    assert locked.skate < locked.original_skate + 0.3


def test_feet_leave_and_land_as_the_originals_did() -> None:
    """What has to give gives in the middle of the swing, so that nothing jerks at a contact's ends."""
    original = real(WALK)
    contacts = contacts_of(original)
    locked = finish(lock_contacts_steps(swayed(original, 0.1), contacts))
    for leg in LEGS:
        before, after = (limb_points(motion, leg)[:, 2] for motion in (original, locked))
        speeds = [np.linalg.norm(np.diff(ends, axis=0), axis=-1) for ends in (before, after)]
        inner = contact_runs(contacts.touching(leg.tips))[1:-1]
        near = [frame for start, stop in inner for frame in (start - 1, stop - 1)]
        assert len(near) >= 10
        assert np.abs(speeds[1] - speeds[0])[near].max() < 1e-4
        assert np.abs(speeds[1] - speeds[0]).max() > 0.004


@settings(max_examples=12)
@given(size=st.floats(0.0, 0.2), fps=st.sampled_from([24.0, 25.0, 30.0, 60.0, 120.0]), scale=st.floats(0.01, 50.0))
def test_contacts_hold_at_any_rate_and_size(size: float, fps: float, scale: float) -> None:
    motion = scaled(real(WALK, 150), scale)
    original = resample(motion, np.arange(motion.times[0], motion.times[-1], 1.0 / fps))
    locked = finish(lock_contacts_steps(swayed(original, size), contacts_of(original)))
    report = contact_error(original, locked)
    assert report.feet_max < 0.5
    assert report.flips == 0
    assert report.sink < 0.1
    assert np.isfinite(locked.rotations).all()


def test_who_sits_stays_on_the_seat() -> None:
    standing = still(90)
    local = to_local(standing.rotations)
    for side in ("left", "right"):
        local[:, INDEX[f"{side}_hip"]] = about([1, 0, 0], np.full(90, -1.4))
        local[:, INDEX[f"{side}_knee"]] = about([1, 0, 0], np.full(90, 1.4))
    sitting = standing.with_pose(standing.root - np.array([0.0, 0.38, 0.0]), to_global(local))
    assert detect_seated(sitting).all()
    assert not detect_seated(standing).any()
    assert not detect_seated(real(WALK)).any()
    styled = swayed(sitting, 0.15)
    result = follow_feet(settle(styled, contacts_of(sitting)), contacts_of(sitting))
    assert np.abs(styled.root - sitting.root).max() > 0.01
    # Where the seat is may be the style's, but not that it moves.
    assert np.ptp(result.root - sitting.root, axis=0).max() < 0.003
    assert np.abs(result.root - sitting.root)[:, 1].max() < 0.003


def test_contacts_of_other_takes(shared_data: Callable[[str], Path]) -> None:
    folder = shared_data("bandai-namco.tar.xz")
    for name in ("2_run_elderly_001", "2_walk-turn-left_active_001", "1_walk-back_old_001", "1_dance-short_normal_001"):
        original = real(next(folder.rglob(f"dataset-{name}.bvh")))
        report = contact_error(original, finish(lock_contacts_steps(swayed(original, 0.2), contacts_of(original))))
        assert report.feet_max < 0.5, name
        assert report.flips == 0, name
        assert report.sink < 0.01, name


def test_nothing_changes_where_nothing_changed() -> None:
    for motion in (walk(), real(WALK), climbing()):
        same = finish(lock_contacts_steps(motion, contacts_of(motion)))
        assert np.array_equal(same.root, motion.root)
        assert np.array_equal(same.rotations, motion.rotations)
        assert finish(keep_hinges_steps(motion, motion)) is motion


def test_the_judge_sees_what_goes_wrong() -> None:
    original = real(WALK)
    assert contact_error(original, original).feet_max == 0.0
    slide = np.linspace(0.0, 0.5, len(original))[:, None] * np.array([1.0, 0.0, 0.0])
    assert contact_error(original, original.with_pose(original.root + slide, original.rotations)).feet_max > 0.5
    jump = np.where(np.arange(len(original)) % 15 == 0, 0.1, 0.0)[:, None] * np.array([0.0, -1.0, 0.0])
    jumped = contact_error(original, original.with_pose(original.root + jump, original.rotations))
    assert jumped.pop > 2.0
    assert jumped.sink > 5.0
    local = to_local(original.rotations)
    local[:, INDEX["left_knee"]] = about([1, 0, 0], np.full(len(original), -0.4))
    assert contact_error(original, original.with_pose(original.root, to_global(local))).flips > 100
    # A floor that moves with the clip is no sliding.
    assert contact_error(original, original.with_pose(original.root - slide, original.rotations), slide).feet_max < 1e-9


def test_a_hand_that_holds_on_keeps_its_place() -> None:
    original = climbing()
    contacts = contacts_of(original)
    assert contacts.planted[20:70, PLANTED_JOINTS.index("right_wrist")].all()
    assert not contacts.planted[:, PLANTED_JOINTS.index("left_wrist")].any()
    locked = finish(lock_contacts_steps(swayed(original, 0.15), contacts))
    hand = INDEX["right_wrist"]
    held = contacts.planted[:, PLANTED_JOINTS.index("right_wrist")]
    assert np.abs(locked.positions() - original.positions())[held][:, hand].max() < 0.005
    assert np.degrees(angle_between(locked.rotations, original.rotations))[held][:, hand].max() < 1e-6


def test_hands_that_hold_nothing_are_free(shared_data: Callable[[str], Path]) -> None:
    folder = shared_data("bandai-namco.tar.xz")
    for name in ("1_walk-back_old_001", "2_walk_feminine_014", "2_run_elderly_001", "2_wave-both-hands_active_001"):
        planted = detect_planted(real(next(folder.rglob(f"dataset-{name}.bvh")), 600))
        assert not planted[:, len(PLANTED_JOINTS) - 2 :].any(), name
    for motion in (walk(), real(WALK), still()):
        assert not detect_planted(motion)[:, len(PLANTED_JOINTS) - 2 :].any()


def test_feet_on_steps_are_planted_too() -> None:
    """A stair is no floor of the clip: whoever climbs it stands all the same."""
    standing = still(90)
    lifted = standing.with_pose(standing.root + np.array([0.0, 1.0, 0.0]), standing.rotations)
    both = Motion(
        np.arange(180) / 30.0,
        np.concatenate([standing.root, lifted.root]),
        np.concatenate([standing.rotations, lifted.rotations]),
        standing.skeleton,
    )
    planted = detect_planted(both)[:, :4]
    assert planted[:85].all()
    assert planted[95:].all()


@pytest.mark.parametrize("limb", [*LEGS, *ARMS], ids=lambda limb: limb.joints[0])
def test_a_limb_reaches_what_it_is_asked_for(limb: object) -> None:
    motion = walk(30)
    wish = limb_points(motion, limb)[:, 2] + np.array([0.02, 0.03, -0.03])
    moved = move_limb(motion, limb, wish, hinge_axis(motion, limb))
    assert np.abs(limb_points(moved, limb)[:, 2] - wish).max() < 1e-3
    unmoved = [j for j in range(22) if j not in [INDEX[name] for name in limb.joints[:2]]]
    assert np.array_equal(moved.rotations[:, unmoved], motion.rotations[:, unmoved])
    assert flexion(moved, limb, hinge_axis(motion, limb)).min() > 0.0


def test_a_limb_out_of_reach_stretches_and_does_not_flip() -> None:
    motion = walk(30)
    for limb in LEGS:
        far = limb_points(motion, limb)[:, 2] + np.array([0.0, -0.5, 0.4])
        moved = move_limb(motion, limb, far, hinge_axis(motion, limb))
        assert np.isfinite(moved.rotations).all()
        assert flexion(moved, limb, hinge_axis(motion, limb)).min() > 0.0


@pytest.mark.parametrize("degrees", [-4.0, 0.0, 4.0, 40.0])
def test_a_knee_that_is_all_but_straight_bends_as_knees_do(degrees: float) -> None:
    """Knees that are locked a little beyond straight do not bend backwards; where the noise points says nothing."""
    motion = still()
    turned = to_local(motion.rotations)
    bend = np.radians(degrees)
    turned[:, INDEX["left_hip"]] = turned[:, INDEX["left_knee"]] = [1.0, 0.0, 0.0, 0.0]
    turned[:, INDEX["left_knee"]] = from_rotation_vector(np.array([bend, 0.0, 0.4 * abs(bend)]))
    knee = hinge_axis(motion.with_pose(motion.root, to_global(turned)), LEGS[0])
    assert knee @ [1.0, 0.0, 0.0] > 0.9


def test_hinges_bend_one_way() -> None:
    motion = walk(40)
    for limb in (*LEGS, *ARMS):
        axis = hinge_axis(motion, limb)
        local = to_local(motion.rotations)
        wrong = from_rotation_vector(np.linspace(0.0, -1.5, 40)[:, None] * np.array(limb.flexion))
        local[:, INDEX[limb.joints[1]]] = multiply(local[:, INDEX[limb.joints[1]]], wrong)
        bad = motion.with_pose(motion.root, to_global(local))
        assert flexion(bad, limb, axis).min() < -0.2
        assert flexion(finish(keep_hinges_steps(bad, motion)), limb, axis).min() > -1e-6


def test_hinges_do_not_give_sideways() -> None:
    motion = still(40)
    for limb in (*LEGS, *ARMS):
        axis, joint = hinge_axis(motion, limb), INDEX[limb.joints[1]]
        local = to_local(motion.rotations)
        aside = from_rotation_vector(np.linspace(-0.8, 0.8, 40)[:, None] * np.array([0.0, 0.0, 1.0]))
        local[:, joint] = multiply(local[:, joint], aside)
        bad = motion.with_pose(motion.root, to_global(local))
        kept = finish(keep_hinges_steps(bad, motion))
        out, left = (_sideways(one, limb.joints, axis) for one in (bad, kept))
        usual = np.abs(_sideways(motion, limb.joints, axis)).max()
        assert np.ptp(out) > 0.8
        assert np.all(np.abs(left) < usual + 0.1 + 0.5 * flexion(kept, limb, axis) + 0.02)
        assert np.ptp(left) < 0.6 * np.ptp(out)
        assert np.abs(np.diff(left)).max() < 0.1
        others = [index for index in range(22) if index != joint]
        assert np.array_equal(kept.rotations[:, others], bad.rotations[:, others])


def _sideways(motion: Motion, joints: tuple[str, str, str], axis: Array) -> Array:
    """(T,) radians between the second bone and the plane in which a hinge with this axis bends."""
    second, end = (motion.positions()[:, INDEX[joint]] for joint in joints[1:])
    way = rotate(conjugate(motion.rotations[:, INDEX[joints[0]]]), normalize(end - second))
    return np.arcsin(way @ axis)


def test_moments_are_starts_and_ends() -> None:
    mask = np.zeros((10, 6), dtype=np.bool_)
    mask[2:5, 0] = mask[4:, 3] = True
    assert contact_moments(mask, np.arange(10) / 10.0).tolist() == [0.2, 0.4]
    assert contact_runs(np.array([True, True, False, True])) == [(0, 2), (3, 4)]
    assert contact_runs(np.zeros(3, dtype=np.bool_)) == []


def test_the_original_is_judged_at_its_own_rate() -> None:
    original = real(WALK)
    double = dataclasses.replace(original.part(slice(0, 120)), times=original.times[:120] / 2.0)
    report = contact_error(double, finish(lock_contacts_steps(swayed(double, 0.1), contacts_of(double))))
    assert report.feet_max < 0.5
