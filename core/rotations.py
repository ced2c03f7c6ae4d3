# SPDX-License-Identifier: GPL-3.0-or-later
"""Rotations: quaternions ``wxyz``, 3x3 matrices, 6D, Euler angles; batched over leading dimensions.

The 6D form is the first matrix column followed by the second (Zhou et al., CVPR 2019, section 4.2).
Products read like matrix products: ``multiply(a, b)`` applies b first. Angles are radians.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

# float64 in practice; numpy's own annotations widen it to "some float" at every other step.
Array = NDArray[np.floating[Any]]

IDENTITY: Array = np.array([1.0, 0.0, 0.0, 0.0])
IDENTITY.setflags(write=False)

UP: Array = np.array([0.0, 1.0, 0.0])
UP.setflags(write=False)

# Times a vector (..., 3): its part along the floor.
ON_FLOOR: Array = 1.0 - UP
ON_FLOOR.setflags(write=False)

# Below this sine the axis of a rotation carries no information any more.
_TINY = 1e-12


def normalize(vector: Array) -> Array:
    """Scale ``(..., n)`` to unit length; a zero vector stays zero."""
    size = length(vector)[..., None]
    return np.asarray(vector / np.where(size > _TINY, size, 1.0))


def length(vector: Array) -> Array:
    """Lengths ``(...)`` of ``(..., n)``, n at least 1: numpy's own digits, in a fifth of its time for small n."""
    square = vector[..., 0] * vector[..., 0]
    for column in range(1, vector.shape[-1]):
        square = square + vector[..., column] * vector[..., column]
    return np.sqrt(square)


def multiply(a: Array, b: Array) -> Array:
    """Hamilton product of ``(..., 4)`` with ``(..., 4)``."""
    aw, ax, ay, az = a[..., 0], a[..., 1], a[..., 2], a[..., 3]
    bw, bx, by, bz = b[..., 0], b[..., 1], b[..., 2], b[..., 3]
    w = aw * bw - ax * bx - ay * by - az * bz
    # Filling costs half of what stacking does, and every stage lives on products.
    result = np.empty((*w.shape, 4), dtype=w.dtype)
    result[..., 0] = w
    result[..., 1] = aw * bx + ax * bw + ay * bz - az * by
    result[..., 2] = aw * by - ax * bz + ay * bw + az * bx
    result[..., 3] = aw * bz + ax * by - ay * bx + az * bw
    return result


def conjugate(q: Array) -> Array:
    """Inverse of unit quaternions ``(..., 4)``."""
    return np.asarray(q * np.array([1.0, -1.0, -1.0, -1.0]))


def cross(a: Array, b: Array) -> Array:
    """Vector product of ``(..., 3)`` with ``(..., 3)``: numpy's own digits, in a third of its time."""
    ax, ay, az = a[..., 0], a[..., 1], a[..., 2]
    bx, by, bz = b[..., 0], b[..., 1], b[..., 2]
    x = ay * bz - az * by
    result = np.empty((*x.shape, 3), dtype=x.dtype)
    result[..., 0] = x
    result[..., 1] = az * bx - ax * bz
    result[..., 2] = ax * by - ay * bx
    return result


def rotate(q: Array, v: Array) -> Array:
    """Rotate vectors ``(..., 3)`` by ``(..., 4)``."""
    axis, w = q[..., 1:], q[..., :1]
    t = 2.0 * cross(axis, v)
    return np.asarray(v + w * t + cross(axis, t))


def from_axis_angle(axis: Array, angle: Array) -> Array:
    """Unit axes ``(..., 3)`` and angles ``(...)`` to quaternions."""
    half = 0.5 * np.asarray(angle)[..., None]
    return np.concatenate([np.cos(half), np.sin(half) * axis], axis=-1)


def to_rotation_vector(q: Array) -> Array:
    """Logarithm: axis times angle ``(..., 3)``, angle at most pi."""
    q = np.where(q[..., :1] < 0.0, -q, q)
    sine = length(q[..., 1:])[..., None]
    angle = 2.0 * np.arctan2(sine, q[..., :1])
    # For small angles angle / sine tends to 2 / w, which is exact to second order.
    factor = np.where(sine > _TINY, angle / np.where(sine > _TINY, sine, 1.0), 2.0)
    return np.asarray(q[..., 1:] * factor)


def from_rotation_vector(v: Array) -> Array:
    """Exponential, inverse of :func:`to_rotation_vector`."""
    angle = length(v)[..., None]
    half = 0.5 * angle
    # sinc keeps the small-angle limit without a branch: sin(half) / angle = sinc(half / pi) / 2.
    return np.concatenate([np.cos(half), 0.5 * np.sinc(half / np.pi) * v], axis=-1)


def power(q: Array, exponent: Array | float) -> Array:
    """``q ** exponent`` along the shorter arc; exponent 0 is the identity exactly."""
    return from_rotation_vector(to_rotation_vector(q) * np.asarray(exponent)[..., None])


def slerp(a: Array, b: Array, weight: Array | float) -> Array:
    """Shorter-arc interpolation; weight 0 gives a, 1 gives b."""
    return multiply(a, power(multiply(conjugate(a), b), weight))


def angle_between(a: Array, b: Array) -> Array:
    """Geodesic distance in radians ``(...)``."""
    return length(to_rotation_vector(multiply(conjugate(a), b)))


def swing(source: Array, target: Array) -> Array:
    """Smallest rotation that takes unit vectors ``(..., 3)`` to unit vectors ``(..., 3)``.

    For opposite vectors, where the axis is free, the half turn is about the axis nearest to +Y.
    """
    w = 1.0 + np.sum(source * target, axis=-1, keepdims=True)
    xyz = cross(source, target)
    up = np.broadcast_to(np.array([0.0, 1.0, 0.0]), xyz.shape)
    side = np.broadcast_to(np.array([1.0, 0.0, 0.0]), xyz.shape)
    free = np.where(np.abs(source[..., 1:2]) > 0.9, side, up)
    free = normalize(free - source * np.sum(free * source, axis=-1, keepdims=True))
    opposite = w < 1e-9
    return normalize(np.concatenate([np.where(opposite, 0.0, w), np.where(opposite, free, xyz)], axis=-1))


def to_matrix(q: Array) -> Array:
    """Quaternions ``(..., 4)`` to matrices ``(..., 3, 3)``."""
    columns = rotate(q[..., None, :], np.eye(3))
    return np.ascontiguousarray(np.swapaxes(columns, -1, -2))


def from_matrix(m: Array) -> Array:
    """Rotation matrices ``(..., 3, 3)`` to quaternions with w >= 0 (Shepperd's method)."""
    xx, yy, zz = m[..., 0, 0], m[..., 1, 1], m[..., 2, 2]
    squares = (1 + xx + yy + zz, 1 + xx - yy - zz, 1 - xx + yy - zz, 1 - xx - yy + zz)
    wx, wy, wz = m[..., 2, 1] - m[..., 1, 2], m[..., 0, 2] - m[..., 2, 0], m[..., 1, 0] - m[..., 0, 1]
    xy, xz, yz = m[..., 1, 0] + m[..., 0, 1], m[..., 0, 2] + m[..., 2, 0], m[..., 2, 1] + m[..., 1, 2]
    # Times four: row k is q_k * q. The one of the largest component stays away from zero.
    rows = ((squares[0], wx, wy, wz), (wx, squares[1], xy, xz), (wy, xy, squares[2], yz), (wz, xz, yz, squares[3]))
    best = np.argmax(np.stack(squares, -1), axis=-1)
    q = np.empty((*xx.shape, 4), dtype=np.result_type(m.dtype, np.float64))
    for column in range(4):
        q[..., column] = np.choose(best, [row[column] for row in rows])
    q = normalize(0.25 * q)
    return np.where(q[..., :1] < 0.0, -q, q)


def from_frame(primary: Array, secondary: Array) -> Array:
    """Rotation whose first column is ``primary`` and whose second lies towards ``secondary``; ``(..., 3)`` each."""
    x = normalize(primary)
    z = normalize(cross(x, secondary))
    return from_matrix(np.stack([x, cross(z, x), z], axis=-1))


def to_sixd(q: Array) -> Array:
    """Quaternions to 6D ``(..., 6)``: first, then second matrix column."""
    m = to_matrix(q)
    return np.concatenate([m[..., :, 0], m[..., :, 1]], axis=-1)


def from_sixd(d: Array) -> Array:
    """6D ``(..., 6)`` to quaternions by Gram-Schmidt (Zhou et al. 2019, eq. 15)."""
    return from_frame(d[..., :3], d[..., 3:])


def yaw_quaternion(yaw: Array) -> Array:
    """Rotation about +Y by ``(...)`` radians."""
    return from_axis_angle(np.array([0.0, 1.0, 0.0]), np.asarray(yaw))


def continuous(q: Array) -> Array:
    """Flip signs along the first axis so that neighbouring frames never jump to the other cover."""
    dots = np.sum(q[1:] * q[:-1], axis=-1)
    signs = np.cumprod(np.where(dots < 0.0, -1.0, 1.0), axis=0)
    return np.concatenate([q[:1], q[1:] * signs[..., None]], axis=0)
