# SPDX-License-Identifier: GPL-3.0-or-later
"""Clips that repeat still repeat afterwards."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.calibration import calibrate
from core.cycles import Cycle
from core.kinematics import to_global, to_local
from core.matching import match_bones
from core.motion import Motion
from core.pipeline import Clip, StyleSettings, stylize
from core.retarget import to_motion
from core.rotations import Array, angle_between, conjugate, multiply, power, rotate, to_rotation_vector, yaw_quaternion
from core.skeleton import JOINTS
from scripts.bvh import read_bvh
from scripts.evaluation.contacts import contact_error

from .characters import BendingEngine, RigStyle, rig, walk

BENT = StyleSettings(style="bent")
# walk() takes 0.9 steps of both feet a second: at 27 fps, 30 frames later all is as it was.
FPS, PERIOD = 27.0, 30


class DriftingEngine(BendingEngine):
    """An engine that is no more periodic than a network: it leans further and further."""

    def leans(self, frames: int) -> Array:
        return np.linspace(0.3, 0.5, frames)


def cycle(turn: float = 0.0, rounds: int = 1) -> Motion:
    """One or more cycles of the made-up walk, on an arc if it turns (radians per cycle)."""
    motion = walk(PERIOD * rounds + 1, FPS)
    yaw = yaw_quaternion(turn * np.arange(len(motion)) / PERIOD)
    ways = rotate(yaw, np.array([[0.0, 0.0, 1.1 / FPS]]))
    path = np.concatenate([np.zeros((1, 3)), np.cumsum(0.5 * (ways[1:] + ways[:-1]), axis=0)])
    sway = rotate(yaw, motion.root * np.array([1.0, 1.0, 0.0]))
    return motion.with_pose(path + sway, multiply(yaw[:, None], motion.rotations))


def real_cycle() -> Motion:
    """A step pair of the real walk, its small rest closed evenly."""
    clip = read_bvh(Path(__file__).parents[1] / "data/walk_normal.bvh")
    motion = to_motion(clip, calibrate(clip, match_bones(clip.skeleton))).part(slice(20, 100))
    poses = to_local(motion.rotations)[:, 1:]
    length = 25 + int(np.argmin([angle_between(poses[0], poses[n]).mean() for n in range(25, 45)]))
    motion = motion.part(slice(0, length + 1))
    change = multiply(motion.rotations[-1, 0], conjugate(motion.rotations[0, 0]))
    local, wanted = to_local(motion.rotations), to_local(motion.rotations)[0]
    wanted[0] = multiply(yaw_quaternion(2.0 * np.arctan2(change[2], change[0])), wanted[0])
    share = np.linspace(0.0, 1.0, len(motion))
    rest = multiply(conjugate(local[-1]), wanted)
    root = motion.root - share[:, None] * (motion.root[-1] - motion.root[0]) * np.array([0.0, 1.0, 0.0])
    return motion.with_pose(root, to_global(multiply(local, power(rest, np.tile(share[:, None], len(JOINTS))))))


def stylized(motion: Motion, engine: BendingEngine, **changes: object) -> Motion:
    played = rig(RigStyle(0.5, 0.01), motion)
    bones = match_bones(played.skeleton)
    result = stylize(Clip(played, bones, cyclic=True), None, engine, dataclasses.replace(BENT, **changes)).motion
    return to_motion(result, calibrate(played, bones))


def seam(motion: Motion) -> tuple[float, float, float]:
    """How far the last pose is from the first: radians, metres of height, and radians per frame of speed."""
    change = multiply(motion.rotations[-1, 0], conjugate(motion.rotations[0, 0]))
    turn = yaw_quaternion(2.0 * np.arctan2(change[2], change[0]))
    local = to_local(motion.rotations)
    speeds = [to_rotation_vector(multiply(conjugate(local[a]), local[b]))[1:] for a, b in ((0, 1), (-2, -1))]
    return (
        float(angle_between(motion.rotations[-1], multiply(turn, motion.rotations[0])).max()),
        abs(float(motion.root[-1, 1] - motion.root[0, 1])),
        float(np.linalg.norm(speeds[1] - speeds[0], axis=-1).max()),
    )


@pytest.mark.parametrize("root", ["KEEP", "PREDICTED", "IN_PLACE"])
@pytest.mark.parametrize("turn", [0.0, 0.8])
@pytest.mark.parametrize("rounds", [1, 4], ids=["short", "longer than what is added"])
@pytest.mark.parametrize("engine", [BendingEngine(), DriftingEngine()], ids=["periodic", "drifting"])
def test_cycles_stay_closed(root: str, turn: float, engine: BendingEngine, rounds: int) -> None:
    original = cycle(turn, rounds)
    assert seam(original)[0] < 1e-9
    result = stylized(original, engine, root=root)
    angle, height, speed = seam(result)
    assert angle < 1e-4
    assert height < 1e-4
    # Two samples of a curve differ by its curvature, which the original's own seam shows.
    assert speed < seam(original)[2] + 0.02
    assert angle_between(result.rotations, original.rotations).max() > 0.2
    if root == "IN_PLACE":
        assert np.abs(result.root[-1] - result.root[0]).max() < 1e-4
    if root == "KEEP":
        assert np.abs(result.root - original.root)[:, [0, 2]].max() < 1e-6


def test_contacts_hold_across_the_seam() -> None:
    original = real_cycle()
    assert seam(original)[0] < 1e-6
    result = stylized(original, DriftingEngine(), root="KEEP")
    report = contact_error(Cycle(original).repeated(), Cycle(result).repeated())
    assert report.contacts > 8
    assert report.feet_max < 0.5
    assert report.flips == 0


@pytest.mark.parametrize("pins", [{"pin_start": True}, {"pin_end": True}])
def test_a_pinned_cycle_is_pinned_at_both_ends(pins: dict[str, bool]) -> None:
    original = cycle()
    result = stylized(original, DriftingEngine(), **pins)
    for frame in (0, -1):
        assert angle_between(result.rotations[frame], original.rotations[frame]).max() < 1e-6
        assert np.abs(result.root[frame] - original.root[frame]).max() < 1e-6


@settings(max_examples=15)
@given(turn=st.floats(-1.5, 1.5), rounds=st.integers(1, 3), first=st.integers(0, 40), last=st.integers(5, 60))
def test_repetitions_go_on_where_the_clip_ends(turn: float, rounds: int, first: int, last: int) -> None:
    whole = cycle(turn, rounds)
    part = Cycle(whole.part(slice(0, rounds * PERIOD + 1)))
    repeated = part.repeated()
    assert np.all(np.diff(repeated.times) > 0.0)
    assert np.array_equal(repeated.root[part.middle], whole.root)
    assert np.array_equal(repeated.rotations[part.middle], whole.rotations)
    # A longer clip of the same walk says what comes next.
    more = cycle(turn, rounds + 2)
    after = slice(part.middle.stop - 1 + min(first, last), min(part.middle.stop - 1 + last + 1, len(repeated)))
    steps = np.arange(after.start, after.stop) - part.middle.start
    assert np.abs(repeated.root[after] - more.root[steps]).max() < 1e-9
    assert angle_between(repeated.rotations[after], more.rotations[steps]).max() < 1e-6


def test_what_did_not_change_is_closed_to_itself() -> None:
    part = Cycle(cycle(0.5))
    same = part.close(part.repeated(), part.repeated())
    assert np.array_equal(same.root, part.motion.root)
    assert angle_between(same.rotations, part.motion.rotations).max() < 1e-7
