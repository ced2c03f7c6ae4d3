# SPDX-License-Identifier: GPL-3.0-or-later
"""Ways to write a rotation down: quaternion, six Euler orders, axis and angle, to unit quaternions and back.

A bone's own rotation is a row of four numbers: ``wxyz``, ``(x, y, z, unused)``
for Euler angles, ``(angle, x, y, z)``. Arrays are (T, B, 4); ``modes`` names the mode of each of the B bones.
Order "XYZ" turns about X first.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from . import rotations as rot
from .steps import Progress, Steps

Array = rot.Array
Mask = NDArray[np.bool_]
Modes = tuple[str, ...]

_AXIS_ANGLE: Final = "AXIS_ANGLE"
# Below this angle, radians, a rotation counts as untouched and gets its original numbers back.
_UNTOUCHED: Final = 1e-6
# Below this cosine of the middle angle the outer two turn about the same axis.
_LOCKED: Final = 1e-6
# What it costs to write an angle and axis on the other side than the original's, radians: all but nothing.
_NEGATED: Final = 1e-4
# What it costs when the angle jumps by whole turns that nobody sees, by the size of the jump.
_JUMP: Final = 1e-2
# Bones that are turned in one step.
_BONES: Final = 6


def to_quaternions(own: Array, modes: Modes) -> Array:
    """Unit quaternions (T, B, 4) of rotations in each bone's own mode."""
    quaternions = np.empty_like(own)
    for mode, bones in _by_mode(modes):
        quaternions[:, bones] = to_quaternion(own[:, bones], mode)
    return quaternions


def turned(own: Array, modes: Modes, turns: Array) -> Array:
    """Each bone's own numbers after turning it further, in its own frame, by ``turns`` (T, B, 4).

    Of the many ways to write a rotation the one nearest to the original's is taken; where ``turns`` is the
    identity the original's own numbers come back, also in gimbal lock.
    """
    result = own.copy()
    for mode, bones in _by_mode(modes):
        original = own[:, bones]
        target = rot.multiply(to_quaternion(original, mode), turns[:, bones])
        untouched = rot.angle_between(rot.IDENTITY, turns[:, bones]) < _UNTOUCHED
        written = _followed(target, original, mode, untouched)
        result[:, bones] = np.where(untouched[..., None], original, written)
    return result


def turned_steps(own: Array, modes: Modes, turns: Array) -> Steps[Array]:
    """:func:`turned`, some bones at a time."""
    result = np.empty_like(own)
    for start in range(0, len(modes), _BONES):
        if start:
            yield Progress(start / len(modes))
        some = slice(start, start + _BONES)
        result[:, some] = turned(own[:, some], modes[some], turns[:, some])
    return result


def _by_mode(modes: Modes) -> list[tuple[str, list[int]]]:
    return [(mode, [i for i, other in enumerate(modes) if other == mode]) for mode in dict.fromkeys(modes)]


def to_quaternion(own: Array, mode: str) -> Array:
    """Unit quaternions (..., 4) of rotations (..., 3) or (..., 4) in one mode."""
    if mode == "QUATERNION":
        return rot.normalize(own)
    if mode == _AXIS_ANGLE:
        axis = rot.normalize(own[..., 1:])
        # A zero axis is no rotation to Blender, whatever the angle.
        return rot.from_axis_angle(axis, np.where(np.any(axis != 0.0, axis=-1), own[..., 0], 0.0))
    first, second, third = ("XYZ".index(letter) for letter in mode)
    return rot.multiply(_about(third, own), rot.multiply(_about(second, own), _about(first, own)))


def nearest(target: Array, anchor: Array, mode: str) -> Array:
    """Unit quaternions (..., 4) in a mode's own numbers: of the many ways to write each the one nearest to ``anchor``.

    ``anchor`` is (..., 3) for Euler angles, else (..., 4); a quaternion gets its length too.
    """
    if mode == "QUATERNION":
        return _nearest_quaternion(target, anchor)
    if mode == _AXIS_ANGLE:
        return _nearest_axis_angle(target, anchor)
    near = _near(_euler_candidates(target, anchor, mode), anchor)
    distance = np.abs(near - anchor).sum(axis=-1)
    return np.asarray(np.where((distance[0] <= distance[1])[..., None], near[0], near[1]), dtype=np.float64)


def _about(axis: int, angles: Array) -> Array:
    return rot.from_axis_angle(np.eye(3)[axis], angles[..., axis])


def _followed(target: Array, original: Array, mode: str, untouched: Mask) -> Array:
    """Rotations (T, B, 4) in a mode's own numbers, near the original's and without jumps from frame to frame."""
    if mode == "QUATERNION":
        return _nearest_quaternion(target, original)
    if mode == _AXIS_ANGLE:
        return _follow_axis_angle(_nearest_axis_angle(target, original), untouched)
    return _follow_euler(_euler_candidates(target, original, mode), original)


def _nearest_quaternion(target: Array, anchor: Array) -> Array:
    side = np.sign(np.sum(target * anchor, axis=-1, keepdims=True))
    length = np.linalg.norm(anchor, axis=-1, keepdims=True)
    return np.asarray(target * np.where(side < 0.0, -1.0, 1.0) * np.where(length > 0.0, length, 1.0))


def _nearest_axis_angle(target: Array, anchor: Array) -> Array:
    """Angle and axis, the axis on the anchor's side and the angle on its turn."""
    vector = rot.to_rotation_vector(target)
    angle = np.linalg.norm(vector, axis=-1, keepdims=True)
    own_axis: Array = np.where(np.any(anchor[..., 1:] != 0.0, axis=-1, keepdims=True), anchor[..., 1:], [0.0, 1.0, 0.0])
    axis = np.where(angle > _UNTOUCHED, rot.normalize(vector), rot.normalize(own_axis))
    side = np.where(np.sum(axis * own_axis, axis=-1, keepdims=True) < 0.0, -1.0, 1.0)
    near: Array = _near(angle * side, anchor[..., :1])
    return np.concatenate([near, axis * side], axis=-1, dtype=np.float64)


def _follow_axis_angle(near: Array, untouched: Mask) -> Array:
    """The same angles and axes (T, B, 4), on other frames than ``untouched`` ones negated where they run on better so.

    A strong style turns the axis square to the original's, and there the nearest side flips: between two such frames
    the curves would pass through rotations that nobody meant. Of all ways to choose sides this takes the one that
    strays least in the middles between frames (Viterbi, 1967).
    """
    ways = np.stack([near, -near])
    turns = to_quaternion(near, _AXIS_ANGLE)
    middles = rot.slerp(turns[:-1], turns[1:], 0.5)
    steps = np.empty((2, 2, len(near) - 1, near.shape[1]))
    for before, after in np.ndindex(2, 2):
        halfway = to_quaternion(0.5 * (ways[before, :-1] + ways[after, 1:]), _AXIS_ANGLE)
        jump = np.abs(ways[after, 1:, :, 0] - ways[before, :-1, :, 0])
        steps[before, after] = rot.angle_between(halfway, middles) + _JUMP * jump
    prices = np.stack([np.zeros(untouched.shape), np.where(untouched, np.inf, _NEGATED)])
    best, sources = prices[:, 0], np.empty((len(near), 2, near.shape[1]), dtype=np.intp)
    for frame in range(1, len(near)):
        options = best[:, None] + steps[:, :, frame - 1]
        sources[frame] = options.argmin(axis=0)
        best = options.min(axis=0) + prices[:, frame]
    result, bones = near.copy(), np.arange(near.shape[1])
    way = best.argmin(axis=0)
    for frame in range(len(near) - 1, -1, -1):
        result[frame] = ways[way, frame, bones]
        way = sources[frame][way, bones]
    return result


def _euler_candidates(target: Array, original: Array, mode: str) -> Array:
    """Both sets of angles that give a rotation: (2, T, B, 3)."""
    i, j, k = ("XYZ".index(letter) for letter in mode)
    # For odd orders the same formulas give the negative angles.
    parity = 1.0 if (j - i) % 3 == 1 else -1.0
    m = rot.to_matrix(target)
    cosine = np.hypot(m[..., i, i], m[..., j, i])
    free = _locked_first_angle(target, original, mode) * parity
    locked = cosine < _LOCKED
    found = np.empty((2, *target.shape[:-1], 3))
    for candidate, sign in zip(found, (1.0, -1.0), strict=True):
        candidate[..., i] = np.where(locked, free, np.arctan2(sign * m[..., k, j], sign * m[..., k, k]))
        candidate[..., j] = np.arctan2(-m[..., k, i], np.where(locked, cosine, sign * cosine))
        last = np.arctan2(sign * m[..., j, i], sign * m[..., i, i])
        candidate[..., k] = np.where(locked, original[..., k] * parity, last)
    return found * parity


def _locked_first_angle(target: Array, original: Array, mode: str) -> Array:
    """In gimbal lock: the first angle (T, B) when the last one stays as it was."""
    i, j, k = ("XYZ".index(letter) for letter in mode)
    parity = 1.0 if (j - i) % 3 == 1 else -1.0
    m = rot.to_matrix(rot.multiply(rot.conjugate(_about(k, original)), target))
    return np.asarray(parity * np.arctan2(-m[..., j, k], m[..., j, j]))


def _follow_euler(candidates: Array, original: Array) -> Array:
    """Per frame the candidate nearest to the original, offset as on the frame before: (T, B, 4).

    Without the offset a strong style could hop between two equally near candidates.
    """
    result = original.copy()
    offset = np.zeros(original.shape[1:])[..., :3]
    for frame, angles in enumerate(original[..., :3]):
        near = _near(candidates[:, frame], angles + offset)
        distance = np.abs(near - angles - offset).sum(axis=-1)
        result[frame, :, :3] = np.where((distance[0] <= distance[1])[:, None], near[0], near[1])
        offset = result[frame, :, :3] - angles
    return result


def _near(angles: Array, anchor: Array) -> Array:
    """``angles`` plus the whole turns that bring them nearest to ``anchor``."""
    turn = 2.0 * np.pi
    return np.asarray(angles + turn * np.round((anchor - angles) / turn))
