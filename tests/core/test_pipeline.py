# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole way of a clip, with an engine that computes instead of a network."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from core.calibration import calibrate
from core.errors import ClipTooShortError, InvalidMotionError, UnknownStyleError
from core.matching import match_bones
from core.motion import Motion
from core.pipeline import Clip, StyleSettings, stylize
from core.retarget import to_motion
from core.rig import RigMotion
from core.root_motion import travelled_path
from core.rotations import Array, angle_between, multiply
from core.skeleton import INDEX
from core.transfer import PART_JOINTS, PARTS
from core.treadmill import floor_way, step_off
from scripts.bvh import read_bvh
from scripts.evaluation.contacts import contact_error

from .characters import BendingEngine, RigStyle, about, rig, walk

BENT = StyleSettings(style="bent")


class ShakingEngine(BendingEngine):
    """An engine that nods twice a second, whatever the clip does."""

    def leans(self, frames: int) -> Array:
        return 0.4 + 0.3 * np.sin(np.arange(frames) * 0.42)


def on_the_spot(motion: Motion) -> Motion:
    """The clip with its way over the floor taken out, evenly."""
    way = np.linspace(0.0, 1.0, len(motion))[:, None] * (motion.root[-1] - motion.root[0]) * np.array([1.0, 0.0, 1.0])
    return motion.with_pose(motion.root - way, motion.rotations)


def falling(start: int, stop: int) -> Motion:
    """Somebody who stands, falls on the face between two frames, and stays there."""
    motion = walk(100, speed=0.0)
    share = np.clip((np.arange(100) - start) / (stop - start), 0.0, 1.0)
    share = share * share * (3.0 - 2.0 * share)
    pose = np.repeat(motion.rotations[:1], 100, axis=0)
    lowered = np.repeat(motion.root[:1], 100, axis=0) * np.stack([share * 0 + 1, 1 - 0.85 * share, share * 0 + 1], -1)
    return motion.with_pose(lowered, multiply(about([1, 0, 0], 0.5 * np.pi * share)[:, None], pose))


def real_walk() -> Motion:
    played = read_bvh(Path(__file__).parents[1] / "data/walk_normal.bvh")
    return joints_of(played).part(slice(0, 150))


def clip_of(motion: Motion) -> Clip:
    played = rig(RigStyle(0.6, 0.01), motion)
    return Clip(played, match_bones(played.skeleton))


def joints_of(played: RigMotion) -> Motion:
    return to_motion(played, calibrate(played, match_bones(played.skeleton)))


@pytest.mark.parametrize("pinned", [True, False])
@pytest.mark.parametrize("cyclic", [True, False])
@pytest.mark.parametrize("contacts", [True, False])
@pytest.mark.parametrize("root", ["KEEP", "PREDICTED"])
def test_amount_zero_is_the_original_to_the_last_digit(root: str, contacts: bool, cyclic: bool, pinned: bool) -> None:
    for motion in (walk(), on_the_spot(walk())):
        clip = dataclasses.replace(clip_of(motion), cyclic=cyclic)
        settings = dataclasses.replace(BENT, amount=0.0, root=root, contacts=contacts, pin_end=pinned)
        result = stylize(clip, None, BendingEngine(), settings).motion
        assert np.array_equal(result.rotations, clip.motion.rotations)
        assert np.array_equal(result.locations, clip.motion.locations)
        assert np.array_equal(result.scales, clip.motion.scales)


def test_amount_goes_continuously_to_the_style() -> None:
    clip = clip_of(walk())
    leans = []
    for amount in (0.0, 0.5, 1.0, 1.5):
        result = joints_of(stylize(clip, None, BendingEngine(), dataclasses.replace(BENT, amount=amount)).motion)
        trunk = result.positions()[:, INDEX["neck"]] - result.positions()[:, INDEX["pelvis"]]
        leans.append(float(np.degrees(np.arctan2(trunk[:, 2], trunk[:, 1])).mean()))
    assert np.all(np.diff(leans) > 5.0)


def test_predicted_root_covers_less_ground_and_keep_the_same() -> None:
    clip = clip_of(walk())
    before = joints_of(clip.motion).root
    # Without contacts: the engine slows the root but not the legs, and with them the root would follow the feet.
    predicted = joints_of(stylize(clip, None, BendingEngine(), dataclasses.replace(BENT, contacts=False)).motion).root
    kept = joints_of(stylize(clip, None, BendingEngine(), dataclasses.replace(BENT, root="KEEP")).motion).root
    placed = joints_of(stylize(clip, None, BendingEngine(), dataclasses.replace(BENT, root="IN_PLACE")).motion)
    assert np.isclose(np.ptp(predicted[:, 2]) / np.ptp(before[:, 2]), 0.6, atol=0.01)
    assert np.abs(kept[:, [0, 2]] - before[:, [0, 2]]).max() < 1e-6
    assert np.abs(travelled_path(placed)).max() < 0.1


def test_untouched_parts_keep_their_rotations() -> None:
    clip = clip_of(walk())
    settings = dataclasses.replace(BENT, parts=frozenset({"HEAD"}), contacts=False)
    result = stylize(clip, None, BendingEngine(), settings).motion
    changed = np.degrees(angle_between(result.rotations, clip.motion.rotations)).max(axis=0)
    head = {clip.motion.skeleton.index[clip.bone_map.bones[j]] for j in PART_JOINTS["HEAD"]}
    assert all(changed[b] < 1e-6 for b in range(len(changed)) if b not in head)
    assert sorted(j for part in PARTS for j in PART_JOINTS[part]) == sorted(INDEX)


@pytest.mark.parametrize("root", ["KEEP", "PREDICTED"])
def test_who_falls_loses_the_style_on_the_way_and_lies_as_before(root: str) -> None:
    upright, fallen = slice(0, 30), slice(65, None)
    clip = clip_of(falling(40, 50))
    settings = dataclasses.replace(BENT, root=root)
    original, locked, loose = (
        joints_of(motion)
        for motion in (
            clip.motion,
            stylize(clip, None, BendingEngine(), settings).motion,
            stylize(clip, None, BendingEngine(), dataclasses.replace(settings, contacts=False)).motion,
        )
    )
    for result in (locked, loose):
        change = np.degrees(angle_between(result.rotations, original.rotations)).max(axis=1)
        assert change[upright].min() > 10.0
        assert change[fallen].max() < 1e-4
        # No start and no stop either: it goes over as smoothly as the body falls.
        assert np.abs(np.diff(change)).max() < 5.0
        still = (result.positions() - original.positions())[fallen]
        assert np.ptp(still, axis=0).max() < 1e-3
    assert contact_error(original, locked).feet_max <= contact_error(original, loose).feet_max


def test_who_lies_all_the_time_is_left_alone() -> None:
    clip = clip_of(falling(-20, -10))
    result = stylize(clip, None, BendingEngine(), BENT).motion
    assert np.array_equal(result.rotations, clip.motion.rotations)
    assert np.array_equal(result.locations, clip.motion.locations)


def test_clips_of_any_rate_keep_their_times() -> None:
    for fps in (24.0, 60.0, 119.88):
        motion = walk(int(3 * fps), fps)
        clip = clip_of(motion)
        result = stylize(clip, None, BendingEngine(), BENT).motion
        assert np.array_equal(result.times, motion.times)
        assert np.isfinite(result.rotations).all()


def test_unknown_style_missing_reference_and_strange_settings_are_refused() -> None:
    clip = clip_of(walk())
    with pytest.raises(UnknownStyleError, match="bent, straight"):
        stylize(clip, None, BendingEngine(), StyleSettings(style="sideways"))
    with pytest.raises(InvalidMotionError, match="reference"):
        stylize(clip, None, BendingEngine(), StyleSettings(source="REFERENCE"))
    with pytest.raises(InvalidMotionError, match="another version"):
        stylize(clip, None, BendingEngine(), StyleSettings(style="bent", root="SIDEWAYS"))


@pytest.mark.parametrize("root", ["KEEP", "PREDICTED", "IN_PLACE"])
@pytest.mark.parametrize(("start", "end"), [(True, False), (False, True), (True, True)])
def test_pinned_frames_are_the_originals(root: str, start: bool, end: bool) -> None:
    clip = clip_of(walk())
    before = joints_of(clip.motion)
    settings = dataclasses.replace(BENT, root=root, pin_start=start, pin_end=end)
    after = joints_of(stylize(clip, None, BendingEngine(), settings).motion)
    turned = angle_between(after.rotations, before.rotations).max(axis=1)
    moved = np.linalg.norm(after.root - before.root, axis=-1)
    for frame, pinned in ((0, start), (-1, end)):
        assert (turned[frame] < 1e-6) == pinned
        if root != "IN_PLACE" or frame == 0:
            assert moved[frame] < 1e-6 or not pinned
    assert turned[len(turned) // 2] > 0.1
    # The style comes in smoothly: no frame turns much more than the ones beside it.
    assert np.abs(np.diff(turned, 2)).max() < 0.03
    assert np.abs(np.diff(after.root - before.root, 2, axis=0)).max() < 0.01


@pytest.mark.parametrize("frames", [5, 6, 8, 29, 31])
@pytest.mark.parametrize("fps", [24.0, 120.0])
def test_short_clips_are_stylized_too(frames: int, fps: float) -> None:
    clip = clip_of(walk(frames, fps))
    result = stylize(clip, None, BendingEngine(), BENT)
    assert np.array_equal(result.motion.times, clip.motion.times)
    trunk = [joints_of(m).positions()[:, [INDEX["pelvis"], INDEX["neck"]]] for m in (clip.motion, result.motion)]
    leans = [np.arctan2((p[:, 1] - p[:, 0])[:, 2], (p[:, 1] - p[:, 0])[:, 1]) for p in trunk]
    assert np.all(leans[1] - leans[0] > 0.2)


def test_clips_of_less_than_five_frames_are_refused() -> None:
    for cyclic in (True, False):
        clip = dataclasses.replace(clip_of(walk(4)), cyclic=cyclic)
        with pytest.raises(ClipTooShortError, match="at least 5 frames"):
            stylize(clip, None, BendingEngine(), BENT)


def test_moments_are_those_of_the_steps() -> None:
    clip = clip_of(real_walk())
    moments = stylize(clip, None, BendingEngine(), BENT).moments
    assert 4 <= len(moments) <= 30
    assert np.all(np.diff(moments) > 0.0)
    assert np.isin(moments, clip.motion.times).all()
    assert np.array_equal(stylize(clip, None, BendingEngine(), dataclasses.replace(BENT, amount=0.0)).moments, moments)


@pytest.mark.parametrize("root", ["KEEP", "PREDICTED", "IN_PLACE"])
def test_feet_stand_on_the_floor_that_moves_under_a_walk_on_the_spot(root: str) -> None:
    travelling = real_walk()
    floor = floor_way(on_the_spot(travelling))
    assert np.linalg.norm(floor[-1] + travelling.root[-1] - travelling.root[0]) < 0.8
    assert not floor_way(travelling).any()
    clip = clip_of(on_the_spot(travelling))
    result = joints_of(stylize(clip, None, BendingEngine(), dataclasses.replace(BENT, root=root)).motion)
    assert np.abs(result.root - on_the_spot(travelling).root).max() < 0.15
    if root == "KEEP":
        report = contact_error(step_off(on_the_spot(travelling), floor), step_off(result, floor))
        assert report.contacts > 5
        assert report.feet_max < 0.5


def test_what_stands_still_keeps_still() -> None:
    """The engine shakes the clip; a body at rest takes the pose of it and none of the shaking."""
    frozen = walk(120, speed=0.0)
    frozen = frozen.with_pose(np.repeat(frozen.root[:1], 120, axis=0), np.repeat(frozen.rotations[:1], 120, axis=0))
    result = joints_of(stylize(clip_of(frozen), None, ShakingEngine(), BENT).motion)
    assert np.abs(np.diff(result.positions(), axis=0)).max() < 2e-3
    walking = joints_of(stylize(clip_of(walk(120)), None, ShakingEngine(), BENT).motion)
    calm = joints_of(stylize(clip_of(walk(120)), None, BendingEngine(), BENT).motion)
    assert np.abs(walking.positions() - calm.positions()).max() > 0.05
