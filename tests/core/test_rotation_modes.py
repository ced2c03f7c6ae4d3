# SPDX-License-Identifier: GPL-3.0-or-later
"""Axes and angles: their numbers run on from frame to frame, whatever a style does to the axis."""

import numpy as np
import pytest

from core.keys.points import LINEAR, Points
from core.keys.retiming import retimed
from core.rotation_modes import to_quaternion, turned
from core.rotations import Array, angle_between, from_axis_angle, from_rotation_vector, multiply, slerp
from core.timing import TimeWarp

MODE = "AXIS_ANGLE"
FRAMES = np.arange(40.0)


def swinging() -> Array:
    """(T, 1, 4) numbers of a bone that swings about X by up to half a radian."""
    own = np.zeros((len(FRAMES), 1, 4))
    own[:, 0, 0], own[:, 0, 1] = 0.5 * np.sin(FRAMES / 6.0) + 0.05, 1.0
    return own


def about_z(degrees: float) -> Array:
    """(T, 1, 4) turns that grow and shrink about Z."""
    angle = np.radians(degrees) * np.sin(FRAMES / 9.0)
    return from_axis_angle(np.array([0.0, 0.0, 1.0]), angle)[:, None]


def points(values: Array) -> list[Points]:
    """A key on every frame, for each column (T,)."""
    kinds = np.full(len(FRAMES), LINEAR)
    found = []
    for column in values.T:
        co = np.stack([FRAMES, column], axis=1)
        found.append(Points(co, co.copy(), co.copy(), kinds))
    return found


@pytest.mark.parametrize("degrees", [5.0, 60.0, 170.0])
def test_between_two_frames_there_is_no_rotation_that_nobody_meant(degrees: float) -> None:
    own, turns = swinging(), about_z(degrees)
    result = turned(own, (MODE,), turns)
    wanted = multiply(to_quaternion(own, MODE), turns)
    assert angle_between(to_quaternion(result, MODE), wanted).max() < 1e-6
    middle = to_quaternion(0.5 * (result[1:] + result[:-1]), MODE)
    steps = angle_between(wanted[1:], wanted[:-1])
    off = angle_between(middle, slerp(wanted[:-1], wanted[1:], np.full(steps.shape, 0.5)))
    assert (off < 0.5 * steps + 1e-6).all()


def test_frames_that_are_not_turned_keep_their_numbers_and_the_rest_runs_on_from_them() -> None:
    own, turns = swinging(), about_z(60.0)
    idle = slice(15, 18)
    turns[idle] = [1.0, 0.0, 0.0, 0.0]
    result = turned(own, (MODE,), turns)
    assert np.array_equal(result[idle], own[idle])
    assert angle_between(to_quaternion(result, MODE), multiply(to_quaternion(own, MODE), turns)).max() < 1e-6


def test_an_original_that_changes_sides_does_not_make_the_result_do_so() -> None:
    own = swinging()
    own[20:] *= -1.0
    result = turned(own, (MODE,), about_z(30.0))
    assert np.sum(result[1:, 0, 1:] * result[:-1, 0, 1:], axis=-1).min() > 0.0


def test_whole_turns_of_the_original_are_kept() -> None:
    own = swinging()
    own[..., 0] += 4.0 * np.pi
    assert np.abs(turned(own, (MODE,), about_z(5.0)) - own)[..., 0].max() < 1.0


def test_a_result_in_another_time_turns_as_it_did() -> None:
    own = turned(swinging(), (MODE,), about_z(60.0))[:, 0]
    last = FRAMES[-1]
    warp = TimeWarp(np.array([0.0, last]), np.array([0.0, 1.5 * last]))
    found = retimed(points(own), warp, "rotation_axis_angle")
    slow = to_quaternion(np.stack([each.points.co[:, 1] for each in found], axis=1), MODE)
    sources = warp.back(found[0].points.times)
    before = np.minimum(sources.astype(int), len(FRAMES) - 2)
    turns = to_quaternion(own, MODE)
    exact = slerp(turns[before], turns[before + 1], sources - before)
    assert len(slow) > 1.4 * len(FRAMES)
    assert angle_between(slow, exact).max() < 0.15 * angle_between(turns[1:], turns[:-1]).max()


def test_a_turn_of_nothing_gives_the_original_back() -> None:
    own = swinging()
    own[::3] *= -1.0
    assert np.array_equal(turned(own, (MODE,), np.broadcast_to(from_rotation_vector(np.zeros(3)), own.shape)), own)
