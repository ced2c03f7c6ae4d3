# SPDX-License-Identifier: GPL-3.0-or-later
"""Styles by part, several styles at once, and the steps in which it is all done."""

import dataclasses
from collections.abc import Generator
from typing import Any

import numpy as np
import pytest

from core import calibration_pose, canonical, contact_lock, representation, restyling, retarget, transfer
from core.calibration import calibrate
from core.errors import EngineError, InvalidMotionError, PanacheError, UnknownStyleError
from core.matching import match_bones
from core.motion import Motion
from core.pipeline import Clip, StyleSettings, stylize, stylize_steps, vary_steps
from core.retarget import to_motion
from core.rig import RigMotion
from core.rotations import Array, angle_between
from core.steps import Progress, finish
from core.transfer import PART_JOINTS, PARTS

from .characters import BendingEngine, RigStyle, rig, walk

BENT = StyleSettings(style="bent")
LOOSE = dataclasses.replace(BENT, contacts=False)


def clip_of(motion: Motion) -> Clip:
    played = rig(RigStyle(0.6, 0.01), motion)
    return Clip(played, match_bones(played.skeleton))


def joints_of(played: RigMotion) -> Motion:
    return to_motion(played, calibrate(played, match_bones(played.skeleton)))


def weighted(**weights: float) -> tuple[float, ...]:
    return tuple(weights.get(part, 1.0) for part in PARTS)


def bends(clip: Clip, settings: StyleSettings) -> dict[str, float]:
    """Degrees by which the bones of every part are turned in their own channels, the most of all."""
    result = stylize(clip, None, BendingEngine(), settings).motion
    turned = np.degrees(angle_between(result.rotations, clip.motion.rotations)).max(axis=0)
    index = clip.motion.skeleton.index
    return {
        part: max(float(turned[index[clip.bone_map.bones[joint]]]) for joint in joints)
        for part, joints in PART_JOINTS.items()
    }


def test_no_weight_leaves_a_part_as_it_was() -> None:
    clip = clip_of(walk())
    whole, none = bends(clip, LOOSE), bends(clip, dataclasses.replace(LOOSE, weights=weighted(TORSO=0.0)))
    assert whole["TORSO"] > 10.0
    assert none["TORSO"] < 1e-10
    original = joints_of(clip.motion)
    for part in PARTS:
        settings = dataclasses.replace(LOOSE, weights=weighted(**{part: 0.0}))
        result = stylize(clip, None, BendingEngine(), settings).motion
        bones = [clip.motion.skeleton.index[clip.bone_map.bones[joint]] for joint in PART_JOINTS[part]]
        assert angle_between(result.rotations[:, bones], clip.motion.rotations[:, bones]).max() < 1e-12
        moved = np.abs(joints_of(result).root - original.root).max()
        assert (moved < 1e-9) == (part == "LEGS")


def test_full_weight_is_what_it_was_without_weights() -> None:
    clip = clip_of(walk())
    for settings in (BENT, dataclasses.replace(BENT, parts=frozenset({"HEAD", "TORSO"}))):
        ones = dataclasses.replace(settings, weights=weighted())
        plain, weighed = (stylize(clip, None, BendingEngine(), one).motion for one in (settings, ones))
        np.testing.assert_array_equal(plain.rotations, weighed.rotations)
    # What the style may not touch has no weight, whatever it says; what has none need not be forbidden.
    forbidden = dataclasses.replace(BENT, parts=frozenset(PARTS) - {"TORSO"}, weights=weighted(TORSO=0.7))
    left = dataclasses.replace(BENT, weights=weighted(TORSO=0.0))
    results = [stylize(clip, None, BendingEngine(), one).motion.rotations for one in (forbidden, left)]
    np.testing.assert_array_equal(*results)


def test_more_weight_is_more_style() -> None:
    clip = clip_of(walk())
    shares = (0.0, 0.25, 0.5, 0.75, 1.0)
    found = [bends(clip, dataclasses.replace(LOOSE, weights=weighted(TORSO=share)))["TORSO"] for share in shares]
    # A weight is a share of the angle.
    np.testing.assert_allclose(found, np.array(shares) * found[-1], atol=0.1)
    ways = [
        float(np.ptp(joints_of(stylize(clip, None, BendingEngine(), settings).motion).root[:, 2]))
        for settings in (dataclasses.replace(LOOSE, weights=weighted(LEGS=share)) for share in shares)
    ]
    assert np.all(np.diff(ways) < -0.1)


def test_no_weight_at_all_is_the_original_itself() -> None:
    clip = clip_of(walk())
    for cyclic in (False, True):
        shown = dataclasses.replace(clip, cyclic=cyclic)
        settings = dataclasses.replace(BENT, weights=(0.0,) * len(PARTS))
        assert stylize(shown, None, BendingEngine(), settings).motion is clip.motion


@pytest.mark.parametrize(
    ("changes", "error", "says"),
    [
        ({"weights": (1.0,)}, InvalidMotionError, "another version"),
        ({"weights": (2.0,) * len(PARTS)}, InvalidMotionError, "another version"),
        ({"mix": 1.5, "mix_style": "bent"}, InvalidMotionError, "another version"),
        ({"mix": 0.5, "mix_style": "sideways"}, UnknownStyleError, "bent, straight"),
        ({"mix": 0.5, "mix_style": "mine", "mix_code": (1.0, 2.0)}, EngineError, "another model"),
        ({"source": "SAVED"}, EngineError, "another model"),
        ({"source": "SAVED", "code": (1.0, 2.0)}, EngineError, "another model"),
    ],
)
def test_settings_that_cannot_be_used_are_refused(
    changes: dict[str, Any], error: type[PanacheError], says: str
) -> None:
    with pytest.raises(error, match=says):
        stylize(clip_of(walk()), None, BendingEngine(), dataclasses.replace(BENT, **changes))


def test_a_second_style_without_a_share_is_not_looked_at() -> None:
    clip = clip_of(walk())
    settings = dataclasses.replace(BENT, mix_style="sideways")
    results = [stylize(clip, None, BendingEngine(), one).motion.rotations for one in (BENT, settings)]
    np.testing.assert_array_equal(*results)


@pytest.mark.parametrize("cyclic", [False, True])
def test_variations_are_what_each_style_is_alone(cyclic: bool) -> None:
    clip = dataclasses.replace(clip_of(walk()), cyclic=cyclic)
    settings = [BENT, dataclasses.replace(BENT, style="straight"), dataclasses.replace(BENT, source="RANDOM", seed=4)]
    found = finish(vary_steps(clip, None, BendingEngine(), settings))
    for one, varied in zip(settings, found, strict=True):
        alone = stylize(clip, None, BendingEngine(), one).motion
        np.testing.assert_array_equal(varied.motion.rotations, alone.rotations)
        np.testing.assert_array_equal(varied.motion.locations, alone.locations)
    with pytest.raises(ValueError, match="style only"):
        finish(vary_steps(clip, None, BendingEngine(), [BENT, LOOSE]))


def steps_of(steps: Generator[Progress, None, Any]) -> tuple[list[Progress], Any]:
    found: list[Progress] = []
    while True:
        try:
            found.append(next(steps))
        except StopIteration as end:
            return found, end.value


def test_progress_never_goes_back() -> None:
    for settings in (BENT, dataclasses.replace(BENT, root="KEEP"), dataclasses.replace(LOOSE, amount=0.0)):
        found, _ = steps_of(stylize_steps(clip_of(walk(200)), None, BendingEngine(), settings))
        shares = [progress.share for progress in found]
        assert len(found) > 10 and all(progress.what for progress in found)
        assert min(shares) >= 0.0 and max(shares) <= 1.0
        assert all(a <= b + 1e-12 for a, b in zip(shares[:-1], shares[1:], strict=True))


def test_work_can_be_stopped_at_every_step() -> None:
    clip = clip_of(walk(60))
    before = clip.motion.rotations.copy()
    count = len(steps_of(stylize_steps(clip, None, BendingEngine(), BENT))[0])
    for last in range(count):
        steps = stylize_steps(clip, None, BendingEngine(), BENT)
        for _ in range(last + 1):
            next(steps)
        steps.close()
    np.testing.assert_array_equal(clip.motion.rotations, before)


def test_blocks_leave_no_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    clip = clip_of(walk(400))
    results: list[tuple[Array, Array]] = []
    for size in (10**9, 37):
        for module in (canonical, contact_lock, representation, transfer):
            monkeypatch.setattr(module, "JOINT_FRAMES", size)
        for module in (calibration_pose, restyling, retarget):
            monkeypatch.setattr(module, "rig_frames", lambda _bones, size=size: size)
        motion = stylize(clip, None, BendingEngine(), BENT).motion
        results.append((motion.rotations, motion.locations))
    np.testing.assert_allclose(results[0][0], results[1][0], atol=1e-12)
    np.testing.assert_allclose(results[0][1], results[1][1], atol=1e-9)
