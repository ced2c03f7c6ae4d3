# SPDX-License-Identifier: GPL-3.0-or-later
"""Posture and dynamics: what lasts of a style, and what moves within it."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.balance import balanced_steps
from core.calibration import calibrate
from core.errors import InvalidMotionError
from core.matching import match_bones
from core.motion import Motion
from core.pipeline import Clip, StyleSettings, stylize, vary_steps
from core.retarget import to_motion
from core.rig import RigMotion
from core.rotations import Array, angle_between, from_rotation_vector, power, to_rotation_vector
from core.skeleton import INDEX, JOINT_COUNT
from core.steps import finish
from core.transfer import StyleDelta

from .characters import BendingEngine, RigStyle, rig, walk

LOOSE = StyleSettings(style="bent", contacts=False)


class NoddingEngine(BendingEngine):
    """Leans forward, and nods twice a second while it does."""

    def leans(self, frames: int) -> Array:
        return 0.4 + 0.3 * np.sin(np.arange(frames) * 0.42)


def change(frames: int = 300, swing: float = 0.2) -> StyleDelta:
    """A lasting turn of 0.5 radian, a swing about it once a second, and a way that the body falls behind."""
    times = np.arange(frames) / 30.0
    turns = np.zeros((frames, JOINT_COUNT, 3))
    turns[..., 0] = 0.5 + swing * np.sin(2.0 * np.pi * times)[:, None]
    root = np.stack([0.02 * np.sin(6.0 * times), -0.1 + 0.03 * np.sin(6.0 * times), -0.3 * times], axis=-1)
    return StyleDelta(times, from_rotation_vector(turns), root)


def balanced(delta: StyleDelta, posture: float, dynamics: float) -> StyleDelta:
    return finish(balanced_steps(delta, posture, dynamics))


def angles(delta: StyleDelta) -> Array:
    return to_rotation_vector(delta.rotations)[:, 5, 0]


def clip_of(motion: Motion) -> Clip:
    played = rig(RigStyle(0.6, 0.01), motion)
    return Clip(played, match_bones(played.skeleton))


def joints_of(played: RigMotion) -> Motion:
    return to_motion(played, calibrate(played, match_bones(played.skeleton)))


def test_both_at_one_is_the_change_itself() -> None:
    delta = change()
    assert balanced(delta, 1.0, 1.0) is delta


@given(st.floats(0.0, 1.5))
@settings(deadline=None, max_examples=10)
def test_both_alike_are_an_amount(share: float) -> None:
    delta = change(60)
    found = balanced(delta, share, share)
    assert angle_between(found.rotations, power(delta.rotations, share)).max() < 1e-7
    np.testing.assert_allclose(found.root, share * delta.root, atol=1e-12)


@pytest.mark.parametrize("frames", [12, 90, 300, 2000])
def test_posture_lasts_and_dynamics_moves(frames: int) -> None:
    delta = change(frames)
    still, moving = angles(balanced(delta, 1.0, 0.0)), angles(balanced(delta, 0.0, 1.0))
    # At the ends half a swing has no other half.
    assert np.ptp(still) < 0.15 * np.ptp(angles(delta))
    if frames > 200:
        assert np.ptp(still[90:-90]) < 0.001
    assert abs(still.mean() - angles(delta).mean()) < 0.02
    assert abs(moving.mean()) < 0.02
    np.testing.assert_allclose(still + moving, angles(delta), atol=1e-9)


def test_each_strength_has_its_own_say() -> None:
    delta = change()
    more = angles(balanced(delta, 1.5, 1.0))
    np.testing.assert_allclose(more.mean(), 1.5 * 0.5, atol=0.01)
    np.testing.assert_allclose(np.ptp(more), np.ptp(angles(delta)), rtol=0.1)
    livelier = angles(balanced(delta, 1.0, 1.5))
    np.testing.assert_allclose(livelier.mean(), 0.5, atol=0.01)
    np.testing.assert_allclose(np.ptp(livelier), 1.5 * np.ptp(angles(delta)), rtol=0.1)


def test_the_way_goes_with_dynamics_and_the_height_is_parted() -> None:
    delta = change()
    still, moving = balanced(delta, 1.0, 0.0).root, balanced(delta, 0.0, 1.0).root
    assert not still[:, [0, 2]].any()
    np.testing.assert_array_equal(moving[:, [0, 2]], delta.root[:, [0, 2]])
    np.testing.assert_allclose(still[:, 1], -0.1, atol=0.01)
    np.testing.assert_allclose(moving[:, 1].mean(), 0.0, atol=0.01)


def test_more_than_half_a_turn_has_no_leap() -> None:
    turns = np.zeros((200, JOINT_COUNT, 3))
    turns[..., 1] = np.linspace(2.8, 3.6, 200)[:, None]
    delta = StyleDelta(np.arange(200) / 30.0, from_rotation_vector(turns), np.zeros((200, 3)))
    steps = np.diff(balanced(delta, 0.9, 0.8).rotations, axis=0)
    assert np.abs(steps).max() < 0.01


def test_a_leaning_nod_keeps_its_lean_or_its_nod() -> None:
    clip = clip_of(walk(240))
    found = {}
    for strengths in ((1.0, 1.0), (1.0, 0.0), (0.0, 1.0), (0.0, 0.0)):
        one = replace(LOOSE, posture=strengths[0], dynamics=strengths[1])
        joints = joints_of(stylize(clip, None, NoddingEngine(), one).motion)
        trunk = joints.positions()[:, INDEX["neck"]] - joints.positions()[:, INDEX["pelvis"]]
        lean = np.degrees(np.arctan2(trunk[:, 2], trunk[:, 1]))[60:-60]
        found[strengths] = float(lean.mean()), float(np.ptp(lean)), float(np.ptp(joints.root[:, 2]))
    original = found[0.0, 0.0]
    assert found[1.0, 0.0][0] == pytest.approx(found[1.0, 1.0][0], abs=2.0)
    assert found[0.0, 1.0][0] == pytest.approx(original[0], abs=2.0)
    assert found[1.0, 0.0][1] < 0.2 * found[1.0, 1.0][1] < 0.5 * found[0.0, 1.0][1]
    assert found[1.0, 0.0][2] == pytest.approx(original[2], abs=0.01)
    assert found[0.0, 1.0][2] == pytest.approx(found[1.0, 1.0][2], abs=0.01)


def test_neither_is_the_original_pose() -> None:
    clip = clip_of(walk(90))
    result = stylize(clip, None, BendingEngine(), replace(LOOSE, posture=0.0, dynamics=0.0)).motion
    np.testing.assert_allclose(angle_between(result.rotations, clip.motion.rotations), 0.0, atol=1e-7)


def test_variations_have_the_strengths_too() -> None:
    clip = clip_of(walk(60))
    wanted = [replace(LOOSE, posture=0.5, dynamics=1.2, source="RANDOM", seed=seed) for seed in (1, 2)]
    for one, found in zip(wanted, finish(vary_steps(clip, None, NoddingEngine(), wanted)), strict=True):
        alone = stylize(clip, None, NoddingEngine(), one).motion
        np.testing.assert_array_equal(found.motion.rotations, alone.rotations)


@pytest.mark.parametrize("strengths", [{"posture": 1.6}, {"dynamics": -0.1}])
def test_strengths_that_cannot_be_are_refused(strengths: dict[str, float]) -> None:
    with pytest.raises(InvalidMotionError, match="another version"):
        stylize(clip_of(walk(60)), None, BendingEngine(), replace(LOOSE, **strengths))
