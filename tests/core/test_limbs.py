# SPDX-License-Identifier: GPL-3.0-or-later
"""Legs that are all but straight: the least that moves in the pose moves no more in the result."""

import numpy as np

from core.limbs import ARMS, LEGS, limb_points, move_limb
from core.motion import Motion
from core.rotations import Array, from_rotation_vector, multiply
from core.skeleton import INDEX, Skeleton

from .characters import walk

FRAMES = 60


def test_a_straight_knee_does_not_flip_between_two_planes() -> None:
    leg, motion = LEGS[0], walk(FRAMES, speed=0.0)
    axis = np.array(leg.flexion)
    pose = np.repeat(motion.rotations[:1], FRAMES, axis=0)
    pose[:] = np.array([1.0, 0.0, 0.0, 0.0])
    # The shin leans aside, and bends by a hair's breadth forwards and backwards.
    hair = 1e-4 * np.sin(np.arange(FRAMES))
    shin = from_rotation_vector(np.stack([hair, np.zeros(FRAMES), np.full(FRAMES, 0.1)], axis=-1))
    for joint in leg.joints[1:]:
        pose[:, INDEX[joint]] = multiply(shin, pose[:, INDEX[joint]])
    straight = motion.with_pose(np.repeat(motion.root[:1], FRAMES, axis=0), pose)
    knees = knees_after(straight, axis)
    assert np.linalg.norm(np.diff(knees, axis=0), axis=-1).max() < 5e-4


def test_a_bent_knee_keeps_its_plane() -> None:
    leg, motion = LEGS[0], walk(FRAMES, speed=0.0)
    pose = np.zeros_like(motion.rotations) + np.array([1.0, 0.0, 0.0, 0.0])
    # Both bones lie in a plane that is turned outwards.
    outwards = from_rotation_vector(np.array([0.0, 0.4, 0.0]))
    for joint, bend in ((leg.joints[0], -0.3), *((name, 0.4) for name in leg.joints[1:])):
        pose[:, INDEX[joint]] = multiply(outwards, from_rotation_vector(np.array([bend, 0.0, 0.0])))
    bent = motion.with_pose(np.repeat(motion.root[:1], FRAMES, axis=0), pose)
    before = limb_points(bent, leg)
    moved = limb_points(move_limb(bent, leg, before[:, 2] + np.array([0.0, 0.05, 0.0]), np.array(leg.flexion)), leg)
    for points in (before, moved):
        normal = np.cross(points[:, 1] - points[:, 0], points[:, 2] - points[:, 0])
        normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
        np.testing.assert_allclose(normal, np.broadcast_to([np.cos(0.4), 0.0, -np.sin(0.4)], normal.shape), atol=0.03)


def knees_after(motion: Motion, axis: Array) -> Array:
    leg = LEGS[0]
    ends = limb_points(motion, leg)[:, 2] + np.array([0.0, 0.02, 0.0])
    return limb_points(move_limb(motion, leg, ends, axis), leg)[:, 1]


def test_a_limb_without_a_second_bone_stays_in_one_piece() -> None:
    """A rig may have no hand, or both joints in one place."""
    arm, motion = ARMS[0], walk(FRAMES, speed=0.0)
    offsets = motion.skeleton.offsets.copy()
    offsets[INDEX[arm.joints[2]]] = 0.0
    short = Motion(motion.times, motion.root, motion.rotations, Skeleton(offsets))
    target = limb_points(short, arm)[:, 2] + np.array([0.0, 0.1, 0.05])
    moved = move_limb(short, arm, target, np.array(arm.flexion))
    assert np.isfinite(moved.rotations).all()
