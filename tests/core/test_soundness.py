# SPDX-License-Identifier: GPL-3.0-or-later
"""What is refused before anything is computed, and what is not."""

import numpy as np
import pytest

from core.errors import InvalidMotionError
from core.rotations import from_axis_angle, to_matrix
from core.soundness import check_bones, check_extent, check_placement, is_loop

TURN = to_matrix(from_axis_angle(np.array([0.6, 0.0, 0.8]), np.array(1.1)))


def scaled(*scale: float) -> np.ndarray:
    """Two frames: as it should be, and scaled."""
    matrices = np.tile(np.eye(4), (2, 1, 1))
    matrices[:, :3, :3] = TURN
    matrices[1, :3, :3] = TURN * scale
    return matrices


@pytest.mark.parametrize("size", [1.0, 0.01, 100.0])
def test_any_size_will_do(size: float) -> None:
    check_placement(scaled(size, size, size), "Rig")
    check_bones(scaled(size, 1.2 * size, 0.7 * size)[:, None], ("hips",))


@pytest.mark.parametrize(
    ("scale", "sentence"),
    [
        ((-1.0, 1.0, 1.0), "mirrored"),
        ((-2.0, -2.0, -2.0), "mirrored"),
        ((0.0, 1.0, 1.0), "to zero"),
        ((1.0, 1.0, 1.01), "unevenly"),
        ((np.nan, 1.0, 1.0), "not numbers"),
    ],
)
def test_placements_that_are_refused(scale: tuple[float, float, float], sentence: str) -> None:
    with pytest.raises(InvalidMotionError, match=f'"Rig".*{sentence}'):
        check_placement(scaled(*scale), "Rig")


def test_a_sheared_placement_is_refused() -> None:
    sheared = scaled(1.0, 1.0, 1.0)
    sheared[1, :3, :3] = np.diag([1.0, 2.0, 1.0]) @ TURN
    with pytest.raises(InvalidMotionError, match="unevenly"):
        check_placement(sheared, "Rig")


@pytest.mark.parametrize(("scale", "sentence"), [((1.0, 0.0, 1.0), "to zero"), ((1.0, -1.0, 1.0), "negative")])
def test_bones_that_are_refused(scale: tuple[float, float, float], sentence: str) -> None:
    both = np.stack([scaled(1.0, 1.0, 1.0), scaled(*scale)], axis=1)
    with pytest.raises(InvalidMotionError, match=f'"knee".*{sentence}'):
        check_bones(both, ("hips", "knee"))


def test_length() -> None:
    check_extent(1200.0, 36_000 * 30, "Walk", "cut it")
    with pytest.raises(InvalidMotionError, match='"Walk" is 69.4 minutes long, and 20 is the most: cut it.'):
        check_extent(100_000 / 24.0, 100_000 * 30, "Walk", "cut it")
    with pytest.raises(InvalidMotionError, match="memory of one run: cut it"):
        check_extent(1200.0, 10**8, "Walk", "cut it")


def test_a_loop_ends_as_it_begins() -> None:
    angles = np.array([0.2, 0.7, 0.2 + 0.0005])
    rotations = from_axis_angle(np.array([1.0, 0.0, 0.0]), angles)[:, None]
    assert is_loop(rotations, np.array([0.9, 1.0, 0.9]))
    assert is_loop(rotations * [[[1.0]], [[1.0]], [[-1.0]]], np.array([0.9, 1.0, 0.9]))
    assert not is_loop(rotations[:2], np.array([0.9, 0.9]))
    assert not is_loop(rotations, np.array([0.9, 1.0, 0.95]))
