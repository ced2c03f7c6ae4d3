# SPDX-License-Identifier: GPL-3.0-or-later
"""Blending two versions of a property: what holds for any share, in every way to write a rotation."""

import numpy as np
import pytest

from core import rotations as rot
from core.blending import (
    PLAIN,
    Property,
    Track,
    blend_keys,
    blended,
    curve_at,
    distance,
    framewise,
    prepare,
    refined,
    with_knots,
)
from core.rotation_modes import nearest, to_quaternion, turned
from core.slopes import Layout, fitted_slopes

MODES = ("QUATERNION", "XYZ", "XZY", "YXZ", "YZX", "ZXY", "ZYX")
FRAMES, GAP = 121, 6


def smooth_rotations(rng: np.random.Generator, size: float) -> np.ndarray:
    """Unit quaternions (FRAMES, 4) of a slow, smooth turn to and fro."""
    x = np.linspace(0.0, 6.0, FRAMES)[:, None]
    vector = sum(rng.normal(0.0, size, 3) * np.sin((k + 1) * x + rng.uniform(0.0, 6.0, 3)) for k in range(3))
    return rot.continuous(rot.from_rotation_vector(np.asarray(vector)))


def versions(mode: str, change: float = 0.2) -> tuple[np.ndarray, np.ndarray]:
    """The original and the full version of a rotation, as an animator's keys would write them."""
    rng = np.random.default_rng(MODES.index(mode) if mode in MODES else 9)
    original, turn = smooth_rotations(rng, 0.25), smooth_rotations(rng, change)
    if mode == PLAIN:
        return original[:, 1:], original[:, 1:] + turn[:, 1:]
    rest = np.zeros((FRAMES, 1, 4))
    rest[..., 0] = mode == "QUATERNION"
    own = turned(rest, (mode,), original[:, None])
    full = turned(own, (mode,), turn[:, None])
    width = 4 if mode == "QUATERNION" else 3
    return own[:, 0, :width], full[:, 0, :width]


def track(mode: str, change: float = 0.2) -> Track:
    original, full = versions(mode, change)
    knots = np.arange(0, FRAMES, GAP)
    yes = np.ones(len(knots), dtype=np.bool_)
    times = np.arange(FRAMES, dtype=np.float64)
    return prepare(Property(mode, times, original, full, knots, yes, yes, ~yes, float(np.radians(0.25))))


@pytest.mark.parametrize("mode", [*MODES, PLAIN])
def test_the_ends_are_the_two_versions(mode: str) -> None:
    original, full = versions(mode)
    assert distance(mode, blended(mode, original, full, 0.0), original).max() < 1e-7
    assert distance(mode, blended(mode, original, full, 1.0), full).max() < 1e-7


@pytest.mark.parametrize("mode", MODES)
def test_shares_are_shares_of_one_arc(mode: str) -> None:
    original, full = versions(mode)
    whole = distance(mode, original, full)
    for share in (0.25, 0.5, 1.0, 1.5):
        between = blended(mode, original, full, share)
        assert np.allclose(distance(mode, original, between), share * whole, atol=1e-7)
        assert np.allclose(distance(mode, between, full), abs(1.0 - share) * whole, atol=1e-7)


@pytest.mark.parametrize("mode", [*MODES, PLAIN])
def test_blending_blends_is_blending(mode: str) -> None:
    original, full = versions(mode)
    half = blended(mode, original, full, 0.5)
    assert distance(mode, blended(mode, original, half, 0.5), blended(mode, original, full, 0.25)).max() < 1e-7


@pytest.mark.parametrize("mode", MODES)
def test_numbers_do_not_jump(mode: str) -> None:
    own = track(mode)
    for share in (0.1, 0.5, 0.9, 1.5):
        steps = np.abs(np.diff(framewise(own, share), axis=0)).max()
        assert steps < 0.5


def test_full_on_another_turn_is_reached_without_a_detour() -> None:
    original, full = versions("XYZ")
    far = full + np.array([0.0, 0.0, 2.0 * np.pi])
    knots, yes = np.arange(FRAMES), np.zeros(FRAMES, dtype=np.bool_)
    own = prepare(Property("XYZ", np.arange(FRAMES) * 1.0, original, far, knots, yes, yes, yes, 0.01))
    half = framewise(own, 0.5)
    assert np.abs(half - far).max() < 1.0
    assert distance("XYZ", half, blended("XYZ", original, full, 0.5)).max() < 1e-7


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0, 1.5])
@pytest.mark.parametrize("mode", [*MODES, PLAIN])
def test_few_keys_follow_the_blend(mode: str, share: float) -> None:
    own = refined(track(mode), share)
    keys = blend_keys([own], share)[0]
    assert np.degrees(distance(mode, curve_at(own, keys), framewise(own, share)).max()) < 0.26
    assert len(keys.times) < FRAMES / 2


@pytest.mark.parametrize("mode", ["QUATERNION", "ZXY", PLAIN])
def test_a_share_that_changes_is_followed(mode: str) -> None:
    own = track(mode)

    def shares(times: np.ndarray) -> np.ndarray:
        return 0.6 + 0.6 * np.sin(times / 9.0)

    fine = refined(own, shares)
    keys = blend_keys([fine], shares)[0]
    wanted = framewise(fine, shares(fine.given.times))
    assert np.degrees(distance(mode, curve_at(fine, keys), wanted).max()) < 0.26


def test_a_share_that_jumps_gets_keys_beside_the_jump() -> None:
    own = track("QUATERNION", 0.4)

    def shares(times: np.ndarray) -> np.ndarray:
        return np.where(times < 50.0, 0.0, 1.0)

    fine = refined(own, shares)
    times = fine.given.times[fine.given.knots]
    assert {49.0, 50.0} <= set(times)
    keys = blend_keys([fine], shares)[0]
    wanted = framewise(fine, shares(fine.given.times))
    assert np.degrees(distance("QUATERNION", curve_at(fine, keys), wanted).max()) < 0.26


def test_held_keys_stay_held() -> None:
    own = track("XYZ")
    held = np.ones(len(own.given.knots), dtype=np.bool_)
    stepped = prepare(Property(**{**vars(own.given), "curved": ~held, "held": held}))
    keys = blend_keys([stepped], 0.5)[0]
    curve = curve_at(stepped, keys)
    assert np.array_equal(curve[1:GAP], np.repeat(curve[:1], GAP - 1, axis=0))
    assert len(refined(stepped, 0.5).given.knots) == len(held)


def test_more_keys_do_not_change_either_version() -> None:
    own = track(PLAIN)
    more = with_knots(own, np.array([3, 4, 40]))
    for share in (0.0, 1.0):
        before, after = (curve_at(one, blend_keys([one], share)[0]) for one in (own, more))
        assert np.abs(before - after).max() < 2e-3
    assert more.added.sum() == 3


def test_properties_are_blended_together_as_alone() -> None:
    tracks = [track("XYZ"), track(PLAIN), track("QUATERNION"), track("XYZ", 0.1)]
    for one, keys in zip(tracks, blend_keys(tracks, 0.4), strict=True):
        alone = blend_keys([one], 0.4)[0]
        assert np.array_equal(keys.values, alone.values) and np.array_equal(keys.slopes, alone.slopes)


def test_slopes_of_a_cubic_are_found() -> None:
    times = np.linspace(0.0, 30.0, 61)
    values = np.stack([0.01 * times**3 - 0.2 * times**2, np.sin(0.0 * times) + 2.0 * times], axis=1)
    knots = np.array([0, 20, 40, 60])
    yes = np.ones(4, dtype=np.bool_)
    wanted = np.stack([0.03 * times**2 - 0.4 * times, np.full(61, 2.0)], axis=1)[knots]
    for smooth in (yes, ~yes):
        found = fitted_slopes(times, values, Layout(knots, smooth, yes))
        assert np.abs(found - wanted).max() < 1e-2


@pytest.mark.parametrize("mode", [*MODES, "AXIS_ANGLE"])
def test_the_nearest_numbers_write_the_same_rotation(mode: str) -> None:
    rng = np.random.default_rng(5)
    target = rot.normalize(rng.normal(size=(50, 4)))
    anchor = rng.uniform(-6.0, 6.0, (50, 4 if mode in ("QUATERNION", "AXIS_ANGLE") else 3))
    found = nearest(target, anchor, mode)
    assert rot.angle_between(to_quaternion(found, mode), target).max() < 1e-6
    assert np.abs(nearest(target, found, mode) - found).max() < 1e-6


@pytest.mark.parametrize("mode", MODES[1:])
def test_keys_through_gimbal_lock_do_not_jump(mode: str) -> None:
    rng = np.random.default_rng(3)
    original = np.stack([np.sin(np.arange(FRAMES) / 9.0 + shift) * 0.3 for shift in range(3)], axis=1)
    original[:, "XYZ".index(mode[1])] += 1.45
    turn = smooth_rotations(rng, 0.4)
    own = np.zeros((FRAMES, 1, 4))
    own[:, 0, :3] = original
    full = turned(own, (mode,), turn[:, None])[:, 0, :3]
    knots, yes = np.arange(FRAMES), np.ones(FRAMES, dtype=np.bool_)
    given = prepare(Property(mode, np.arange(FRAMES) * 1.0, original, full, knots, yes, ~yes, ~yes, 0.01))
    for share in (0.2, 0.5, 0.8):
        keys = blend_keys([given], share)[0]
        assert np.abs(np.diff(keys.values, axis=0)).max() < np.pi
        assert distance(mode, keys.values, framewise(given, share)).max() < 1e-6
