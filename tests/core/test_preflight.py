# SPDX-License-Identifier: GPL-3.0-or-later
"""Preflight figures on characters with known defects."""

from dataclasses import replace

import numpy as np
import pytest

from core.engines import Features
from core.errors import ClipTooShortError, InvalidMotionError
from core.matching import match_bones
from core.out_of_range import KNOWN_DEGREES, UNKNOWN_DEGREES
from core.pipeline import Clip
from core.preflight import preflight, spread_frames
from core.representation import JOINT_COUNT, MIN_FRAMES, feature_slice, split
from core.rig import RigMotion
from core.rotations import from_axis_angle, from_sixd, multiply, to_sixd
from core.steps import Progress, Steps

from .characters import BendingEngine, RigStyle, rig, walk


class ForgetfulEngine(BendingEngine):
    """Knows the first half of a clip; turns all joints of the rest."""

    def __init__(self, degrees: float) -> None:
        super().__init__()
        self.turn = from_axis_angle(np.array([0.0, 0.0, 1.0]), np.array(np.radians(degrees)))

    def reconstruct(self, features: Features) -> Steps[Features]:
        yield Progress(0.0)
        half, rotations = len(features) // 2, feature_slice("rotations")
        known = features.copy()
        joints = from_sixd(split(features)["rotations"].reshape(len(features), JOINT_COUNT, -1))
        known[half:, rotations] = to_sixd(multiply(self.turn, joints)).reshape(len(features), -1)[half:]
        return known


def clip_of(motion: RigMotion) -> Clip:
    return Clip(motion, match_bones(motion.skeleton))


def test_a_clean_rig_is_matched_and_comes_back_exactly() -> None:
    found = preflight(clip_of(rig(RigStyle(rolls=1.0, size=0.01), walk(90))), BendingEngine())
    assert (found.matched, found.confidence, found.frames) == (22, 1.0, 90)
    assert found.seconds == pytest.approx(89 / 30)
    assert found.round_trip_degrees < 1e-3
    assert found.round_trip_centimetres < 1e-3
    assert (found.outside, found.warnings) == (0.0, ())


def test_sheared_bones_show_in_the_round_trip() -> None:
    # Unequal scale on a parent of turned bones shears them, which no rotation can give back.
    motion = rig(RigStyle(), walk(60))
    scales = motion.scales.copy()
    scales[:, motion.skeleton.index["mixamorig:Spine"]] = (1.0, 1.6, 1.0)
    found = preflight(clip_of(replace(motion, scales=scales)), BendingEngine())
    assert found.round_trip_degrees > 0.1
    assert any("bone map" in warning for warning in found.warnings)


def test_an_unsure_map_is_said_to_be_one() -> None:
    motion = rig(RigStyle(), walk(60))
    found = preflight(Clip(motion, replace(match_bones(motion.skeleton), confidence=0.6)), BendingEngine())
    assert found.confidence == 0.6
    assert any("guesses" in warning for warning in found.warnings)


@pytest.mark.parametrize(("degrees", "share"), [(KNOWN_DEGREES - 1, 0.0), (UNKNOWN_DEGREES + 1, 0.65)])
def test_unknown_frames_are_counted(degrees: float, share: float) -> None:
    found = preflight(clip_of(rig(RigStyle(), walk(90))), ForgetfulEngine(degrees))
    # What is known counts less than half a second before it ends.
    assert found.outside == pytest.approx(share, abs=0.05)
    assert len(found.warnings) == int(share > 0)


def test_holes_between_windows_are_not_bridged() -> None:
    motion = rig(RigStyle(), walk(300))
    whole = [preflight(clip_of(cut(motion, rows)), ForgetfulEngine(40.0)) for rows in (np.r_[:60], np.r_[:60, 240:300])]
    # Each window is judged by itself, so half of each is unknown; together they would share one half.
    assert whole[0].outside == pytest.approx(whole[1].outside) == pytest.approx(0.73, abs=0.1)
    assert whole[1].seconds == pytest.approx(299 / 30)


def cut(motion: RigMotion, rows: np.ndarray) -> RigMotion:
    return replace(
        motion, times=motion.times[rows], rotations=motion.rotations[rows], locations=motion.locations[rows],
        scales=motion.scales[rows], placement=motion.placement[rows],
    )  # fmt: skip


@pytest.mark.parametrize("fps", [24.0, 30.0, 60.0, 120.0])
@pytest.mark.parametrize("length", [20, 299, 5_000, 100_000])
def test_frames_to_read_are_few_and_reach_both_ends(fps: float, length: int) -> None:
    frames = spread_frames(1.0, float(length), fps)
    assert frames[0] == 1.0
    assert length - 5 <= frames[-1] <= length
    assert len(frames) <= 10.0 * max(fps, 30.0) / max(round(fps / 30), 1) + 6
    assert np.all(frames == np.round(frames))
    assert np.all(np.diff(frames) > 0)


@pytest.mark.parametrize("fps", [30.0, 120.0])
def test_the_shortest_clip_is_judged(fps: float) -> None:
    found = preflight(clip_of(rig(RigStyle(), walk(MIN_FRAMES, fps=fps))), BendingEngine())
    assert (found.frames, found.outside) == (MIN_FRAMES, 0.0)
    assert len(spread_frames(1.0, float(MIN_FRAMES), fps)) == MIN_FRAMES


@pytest.mark.parametrize("fps", [1.0, 2.0, 8.0])
def test_long_clips_of_few_frames_are_judged(fps: float) -> None:
    """A window of two seconds would hold fewer frames than make a clip."""
    motion = rig(RigStyle(), walk(90, fps=fps))
    rows = spread_frames(0.0, 89.0, fps).astype(int)
    assert len(rows) < 90
    assert preflight(clip_of(cut(motion, rows)), BendingEngine()).outside == 0.0


def test_what_cannot_be_stylized_is_refused() -> None:
    with pytest.raises(ClipTooShortError, match="choose"):
        preflight(clip_of(rig(RigStyle(), walk(MIN_FRAMES - 1))), BendingEngine())
    motion = rig(RigStyle(), walk(30))
    broken = motion.rotations.copy()
    broken[3, 5] = np.nan
    with pytest.raises(InvalidMotionError, match="numbers"):
        preflight(clip_of(replace(motion, rotations=broken)), BendingEngine())
