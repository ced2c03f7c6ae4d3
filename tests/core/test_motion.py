# SPDX-License-Identifier: GPL-3.0-or-later
"""Kinematics, features, resampling, contacts: identities and invariances."""

import numpy as np
import pytest

from core import representation as rep
from core.canonical import to_canonical
from core.contacts import detect_contacts, floor_height
from core.errors import ClipTooShortError
from core.kinematics import to_global, to_local
from core.motion import Motion
from core.resample import even_times, resample
from core.rotations import angle_between, multiply, rotate, yaw_quaternion
from core.skeleton import CANONICAL, INDEX, PARENTS, TOE_HEIGHT, Skeleton

from .characters import walk


def turned(motion: Motion, yaw: float, move: tuple[float, float, float]) -> Motion:
    """The whole clip somewhere else in the world."""
    turn = yaw_quaternion(np.array(yaw))
    return motion.with_pose(rotate(turn, motion.root) + np.array(move), multiply(turn, motion.rotations))


def test_local_and_global_are_inverse() -> None:
    motion = walk()
    assert np.all(angle_between(to_global(to_local(motion.rotations)), motion.rotations) < 1e-7)


def test_bones_keep_their_length() -> None:
    positions = walk().positions()
    for joint, parent in enumerate(PARENTS):
        if parent >= 0:
            length = np.linalg.norm(positions[:, joint] - positions[:, parent], axis=-1)
            assert np.allclose(length, np.linalg.norm(CANONICAL.offsets[joint]))


def test_features_round_trip() -> None:
    motion = turned(walk(), 1.2, (3.0, 0.0, -2.0))
    features, start = rep.encode(motion)
    back = rep.decode(features, start)
    assert features.shape == (len(motion), rep.WIDTH)
    assert np.abs(back.root - motion.root).max() < 1e-5
    assert np.degrees(angle_between(back.rotations, motion.rotations)).max() < 1e-3


def test_features_ignore_where_and_which_way() -> None:
    here, _ = rep.encode(walk())
    there, _ = rep.encode(turned(walk(), -2.0, (5.0, 0.0, 1.0)))
    assert np.abs(here - there).max() < 1e-4


def test_split_and_join_are_inverse() -> None:
    features, _ = rep.encode(walk())
    assert np.array_equal(rep.join(rep.split(features)), features)
    with pytest.raises(KeyError):
        rep.feature_slice("fingers")


@pytest.mark.parametrize("fps", [24.0, 25.0, 59.94, 120.0])
def test_resampling_there_and_back(fps: float) -> None:
    motion = walk()
    there = resample(motion, even_times(motion.times, fps))
    back = resample(there, motion.times)
    # The last step may end between two frames, where the pose is held.
    assert np.degrees(angle_between(back.rotations, motion.rotations))[:-2].max() < 1.5
    assert np.abs(back.root - motion.root)[:-2].max() < 2e-3


def test_resampling_to_the_same_times_changes_nothing() -> None:
    motion = walk()
    times = even_times(motion.times, 30.0)
    assert len(times) == len(motion)
    assert np.abs(resample(motion, times).rotations - motion.rotations).max() < 1e-12


def test_canonical_clip_forgets_size_and_floor() -> None:
    small = walk()
    big = Motion(small.times, small.root * 7.0 + np.array([0.0, 40.0, 0.0]), small.rotations,
                 Skeleton(small.skeleton.offsets * 7.0))  # fmt: skip
    a, b = to_canonical(small), to_canonical(big)
    assert np.isclose(b.scale * 7.0, a.scale)
    assert np.abs(a.motion.positions() - b.motion.positions()).max() < 1e-9
    assert abs(floor_height(a.motion)) < 1e-9


def test_short_clips_are_refused_with_a_sentence() -> None:
    with pytest.raises(ClipTooShortError, match="at least 5 frames"):
        to_canonical(walk(4))


def test_short_clips_are_held_at_both_ends() -> None:
    motion = walk(7)
    longer = to_canonical(motion).motion
    assert len(longer) >= 30
    assert longer.times[0] < motion.times[0]
    assert longer.times[-1] > motion.times[-1]
    assert np.ptp(longer.root[:5], axis=0).max() < 1e-12
    assert np.ptp(longer.root[-5:], axis=0).max() < 1e-12


def test_standing_feet_are_in_contact_and_swinging_feet_are_not() -> None:
    still = walk(60, speed=0.0)
    frozen = still.with_pose(np.repeat(still.root[:1], 60, axis=0), np.repeat(still.rotations[:1], 60, axis=0))
    toes = frozen.positions()[:, [INDEX["left_foot"], INDEX["right_foot"]], 1].min()
    low = frozen.with_pose(frozen.root - np.array([0.0, toes - TOE_HEIGHT, 0.0]), frozen.rotations)
    assert detect_contacts(low)[:, 1].any() or detect_contacts(low)[:, 3].any()
    flying = walk(60, speed=6.0)
    assert not detect_contacts(flying).all(axis=1).any()
