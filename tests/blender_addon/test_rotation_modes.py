# SPDX-License-Identifier: GPL-3.0-or-later
"""Rotation modes against Blender's own mathutils, and as identities."""

from collections.abc import Callable
from types import ModuleType

import mathutils
import numpy as np
import pytest

from .rigs import MODES

Addon = Callable[[str], ModuleType]


def blender_quaternion(row: np.ndarray, mode: str) -> np.ndarray:
    if mode == "QUATERNION":
        return np.array(mathutils.Quaternion(row).normalized())
    if mode == "AXIS_ANGLE":
        return np.array(mathutils.Quaternion(row[1:], row[0]))
    return np.array(mathutils.Euler(row[:3], mode).to_quaternion())


@pytest.fixture
def own() -> np.ndarray:
    """60 frames of 8 bones, one per mode."""
    return np.random.default_rng(3).uniform(-3.0, 3.0, (60, len(MODES), 4))


@pytest.fixture
def turns() -> np.ndarray:
    rows = np.random.default_rng(4).normal(size=(60, len(MODES), 4))
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


def test_as_mathutils(addon: Addon, own: np.ndarray) -> None:
    quaternions = addon("rig.rotation_modes").to_quaternions(own, MODES)
    for bone, mode in enumerate(MODES):
        for frame in range(len(own)):
            dot = quaternions[frame, bone] @ blender_quaternion(own[frame, bone], mode)
            assert abs(dot) == pytest.approx(1.0, abs=1e-6)


def test_turning_composes(addon: Addon, own: np.ndarray, turns: np.ndarray) -> None:
    modes, rot = addon("rig.rotation_modes"), addon("backend").rotations
    result = modes.turned(own, MODES, turns)
    wanted = rot.multiply(modes.to_quaternions(own, MODES), turns)
    assert rot.angle_between(wanted, modes.to_quaternions(result, MODES)).max() < 1e-7


@pytest.mark.parametrize("middle", [0.3, np.pi / 2, -np.pi / 2, np.pi / 2 - 1e-9, 2.0])
def test_no_turn_gives_the_own_numbers_back(addon: Addon, own: np.ndarray, middle: float) -> None:
    own[..., 1] = middle
    own[..., 0] *= 5.0
    identity = np.zeros_like(own)
    identity[..., 0] = -1.0
    assert np.array_equal(addon("rig.rotation_modes").turned(own, MODES, identity), own)


@pytest.mark.parametrize("middle", [np.pi / 2, -np.pi / 2])
def test_gimbal_lock_still_turns_right(addon: Addon, own: np.ndarray, middle: float) -> None:
    """A turn about the first axis stays in the lock: the middle angle is a quarter turn before and after."""
    modes, rot = addon("rig.rotation_modes"), addon("backend").rotations
    for mode in MODES[1:7]:
        first, second = "XYZ".index(mode[0]), "XYZ".index(mode[1])
        row = own[:, :1].copy()
        row[..., second] = middle
        turn = rot.from_axis_angle(np.eye(3)[first], np.full(row.shape[:-1], 0.2))
        wanted = rot.multiply(modes.to_quaternions(row, (mode,)), turn)
        found = modes.to_quaternions(modes.turned(row, (mode,), turn), (mode,))
        assert rot.angle_between(wanted, found).max() < 1e-5


def test_smooth_turns_give_smooth_numbers(addon: Addon) -> None:
    modes, rot = addon("rig.rotation_modes"), addon("backend").rotations
    time = np.linspace(0.0, 1.0, 200)[:, None]
    own = np.stack([0.4 * np.sin(5.0 * time + k) for k in range(4)], axis=-1).repeat(len(MODES), axis=1)
    own[:, [0, -1], 0] += 1.0
    turns = rot.from_axis_angle(np.array([0.6, 0.0, 0.8]), np.sin(4.0 * time).repeat(len(MODES), axis=1))
    assert np.abs(np.diff(modes.turned(own, MODES, turns), axis=0)).max() < 0.5
