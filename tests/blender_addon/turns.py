# SPDX-License-Identifier: GPL-3.0-or-later
"""How bones stand and turn at any moment, on whole frames and between them."""

from collections.abc import Callable
from typing import Any

import bpy
import numpy as np


def poses(armature: bpy.types.Object, frames: np.ndarray) -> np.ndarray:
    """Pose matrices (T, B, 4, 4) at any frames."""
    return _at(frames, lambda: [bone.matrix.copy() for bone in armature.pose.bones])


def own_turns(armature: bpy.types.Object, frames: np.ndarray) -> np.ndarray:
    """Rotations (T, B, 4) of all bones against their parents, at any frames."""
    return _at(frames, lambda: [bone.matrix_basis.to_quaternion() for bone in armature.pose.bones])


def _at(frames: np.ndarray, read: Callable[[], list[Any]]) -> np.ndarray:
    found = []
    for frame in frames:
        bpy.context.scene.frame_set(int(np.floor(frame)), subframe=float(frame - np.floor(frame)))
        found.append(read())
    return np.array(found)


def turns_between(armature: bpy.types.Object, frames: np.ndarray) -> np.ndarray:
    """:func:`own_turns` straight between those of whole frames, where curves of a capture say nothing."""
    low, high = own_turns(armature, np.floor(frames + 1e-6)), own_turns(armature, np.ceil(frames - 1e-6))
    high = np.where(np.sum(low * high, axis=-1, keepdims=True) < 0.0, -high, high)
    share = (frames - np.floor(frames + 1e-6))[:, None, None]
    mean = (1.0 - share) * low + share * high
    return mean / np.linalg.norm(mean, axis=-1, keepdims=True)


def angles(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Angles (...) in degrees between unit quaternions."""
    return np.degrees(2.0 * np.arccos(np.clip(np.abs(np.sum(one * other, axis=-1)), 0.0, 1.0)))


def fastest_turn(armature: bpy.types.Object, first: float, last: float) -> float:
    """Degrees by which any bone turns from one frame to the next, at most: what curves may do between them."""
    turns = own_turns(armature, np.arange(first, last + 0.5))
    return float(angles(turns[1:], turns[:-1]).max())
