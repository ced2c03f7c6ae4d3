# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole way of a clip, with an engine that computes instead of a network."""

import dataclasses

import numpy as np
import pytest

from core.calibration import calibrate
from core.contacts import detect_contacts
from core.errors import InvalidMotionError, UnknownStyleError
from core.foot_lock import contact_runs, lock_feet, move_foot
from core.matching import match_bones
from core.motion import Motion
from core.pipeline import Clip, StyleSettings, stylize
from core.retarget import to_motion
from core.rig import RigMotion
from core.root_motion import travelled_path
from core.rotations import angle_between
from core.skeleton import INDEX
from core.transfer import PART_JOINTS, PARTS

from .characters import BendingEngine, RigStyle, rig, walk

BENT = StyleSettings(style="bent")


def clip_of(motion: Motion) -> Clip:
    played = rig(RigStyle(0.6, 0.01), motion)
    return Clip(played, match_bones(played.skeleton))


def joints_of(played: RigMotion) -> Motion:
    return to_motion(played, calibrate(played, match_bones(played.skeleton)))


@pytest.mark.parametrize("contacts", [True, False])
@pytest.mark.parametrize("root", ["KEEP", "PREDICTED"])
def test_amount_zero_is_the_original(root: str, contacts: bool) -> None:
    clip = clip_of(walk())
    settings = dataclasses.replace(BENT, amount=0.0, root=root, contacts=contacts)
    result = stylize(clip, None, BendingEngine(), settings)
    assert np.degrees(angle_between(result.rotations, clip.motion.rotations)).max() < 1e-6
    assert np.abs(result.locations - clip.motion.locations).max() * 0.01 < 1e-9


def test_amount_goes_continuously_to_the_style() -> None:
    clip = clip_of(walk())
    leans = []
    for amount in (0.0, 0.5, 1.0, 1.5):
        result = joints_of(stylize(clip, None, BendingEngine(), dataclasses.replace(BENT, amount=amount)))
        trunk = result.positions()[:, INDEX["neck"]] - result.positions()[:, INDEX["pelvis"]]
        leans.append(float(np.degrees(np.arctan2(trunk[:, 2], trunk[:, 1])).mean()))
    assert np.all(np.diff(leans) > 5.0)


def test_predicted_root_covers_less_ground_and_keep_the_same() -> None:
    clip = clip_of(walk())
    before = joints_of(clip.motion).root
    # Without contacts: the engine slows the root but not the legs, and with them the root would follow the feet.
    predicted = joints_of(stylize(clip, None, BendingEngine(), dataclasses.replace(BENT, contacts=False))).root
    kept = joints_of(stylize(clip, None, BendingEngine(), dataclasses.replace(BENT, root="KEEP"))).root
    placed = joints_of(stylize(clip, None, BendingEngine(), dataclasses.replace(BENT, root="IN_PLACE")))
    assert np.isclose(np.ptp(predicted[:, 2]) / np.ptp(before[:, 2]), 0.6, atol=0.01)
    assert np.abs(kept[:, [0, 2]] - before[:, [0, 2]]).max() < 1e-6
    assert np.abs(travelled_path(placed)).max() < 0.1


def test_untouched_parts_keep_their_rotations() -> None:
    clip = clip_of(walk())
    settings = dataclasses.replace(BENT, parts=frozenset({"HEAD"}), contacts=False)
    result = stylize(clip, None, BendingEngine(), settings)
    changed = np.degrees(angle_between(result.rotations, clip.motion.rotations)).max(axis=0)
    head = {clip.motion.skeleton.index[clip.bone_map.bones[j]] for j in PART_JOINTS["HEAD"]}
    assert all(changed[b] < 1e-6 for b in range(len(changed)) if b not in head)
    assert sorted(j for part in PARTS for j in PART_JOINTS[part]) == sorted(INDEX)


def test_clips_of_any_rate_keep_their_times() -> None:
    for fps in (24.0, 60.0, 119.88):
        motion = walk(int(3 * fps), fps)
        clip = clip_of(motion)
        result = stylize(clip, None, BendingEngine(), BENT)
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


def test_foot_lock_is_nothing_where_nothing_changed() -> None:
    motion = walk()
    assert (
        np.degrees(angle_between(lock_feet(motion, motion, path_is_free=True).rotations, motion.rotations)).max() < 1e-9
    )


def test_a_root_that_drifts_off_its_standing_feet_is_called_back() -> None:
    still = walk(90, speed=0.0)
    still = still.with_pose(np.repeat(still.root[:1], 90, axis=0), np.repeat(still.rotations[:1], 90, axis=0))
    drift = np.linspace(0.0, 0.6, 90)[:, None] * np.array([0.0, 0.0, 1.0])
    drifting = still.with_pose(still.root + drift, still.rotations)
    assert np.abs(lock_feet(drifting, still, path_is_free=True).root - still.root).max() < 0.01
    assert np.abs(lock_feet(drifting, still, path_is_free=False).root - drifting.root)[:, [0, 2]].max() < 1e-12


def test_foot_lock_stops_a_slide() -> None:
    still = walk(60, speed=0.0)
    still = still.with_pose(np.repeat(still.root[:1], 60, axis=0), np.repeat(still.rotations[:1], 60, axis=0))
    slide = np.zeros((60, 3))
    slide[:, 0] = 0.05 * np.sin(np.linspace(0.0, 6.0, 60))
    slid = still.with_pose(still.root + slide, still.rotations)
    locked = lock_feet(slid, still, path_is_free=False)
    contacts = detect_contacts(still)
    for side, column in (("left", 1), ("right", 3)):
        toe = locked.positions()[contacts[:, column], INDEX[f"{side}_foot"]]
        if len(toe):
            assert np.ptp(toe[:, [0, 2]], axis=0).max() < 2e-3
    assert contacts[:, [1, 3]].any()


def test_move_foot_reaches_what_it_is_asked_for() -> None:
    motion = walk(30)
    wish = np.tile([0.02, 0.03, -0.03], (30, 1))
    moved = move_foot(motion, "left", wish)
    way = moved.positions()[:, INDEX["left_ankle"]] - motion.positions()[:, INDEX["left_ankle"]]
    assert np.abs(way - wish).max() < 2e-3
    assert np.degrees(angle_between(moved.rotations, motion.rotations))[:, INDEX["left_foot"]].max() < 1e-9


def test_contact_runs() -> None:
    assert contact_runs(np.array([True, True, False, True])) == [(0, 2), (3, 4)]
    assert contact_runs(np.zeros(3, dtype=np.bool_)) == []
