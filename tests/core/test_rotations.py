# SPDX-License-Identifier: GPL-3.0-or-later
"""Group laws and round trips of rotations."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from core import rotations as r

_NUMBERS = st.floats(-1.0, 1.0, allow_subnormal=False)
quaternions = (
    hnp.arrays(np.float64, (5, 4), elements=_NUMBERS)
    .filter(lambda q: bool((np.linalg.norm(q, axis=-1) > 0.1).all()))
    .map(r.normalize)
)
vectors = hnp.arrays(np.float64, (5, 3), elements=_NUMBERS)


@given(quaternions, quaternions)
def test_product_is_the_matrix_product(a: r.Array, b: r.Array) -> None:
    assert np.allclose(r.to_matrix(r.multiply(a, b)), r.to_matrix(a) @ r.to_matrix(b), atol=1e-12)


@given(quaternions, vectors)
def test_rotate_is_the_matrix_applied(q: r.Array, v: r.Array) -> None:
    assert np.allclose(r.rotate(q, v), np.einsum("tij,tj->ti", r.to_matrix(q), v), atol=1e-12)


@given(quaternions)
def test_inverse_gives_identity(q: r.Array) -> None:
    assert np.allclose(r.multiply(q, r.conjugate(q)), r.IDENTITY, atol=1e-12)


@given(quaternions)
def test_matrix_and_sixd_round_trips(q: r.Array) -> None:
    assert np.all(r.angle_between(r.from_matrix(r.to_matrix(q)), q) < 1e-7)
    assert np.all(r.angle_between(r.from_sixd(r.to_sixd(q)), q) < 1e-7)


@given(quaternions)
def test_logarithm_and_exponential_are_inverse(q: r.Array) -> None:
    assert np.all(r.angle_between(r.from_rotation_vector(r.to_rotation_vector(q)), q) < 1e-7)


@given(quaternions, st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_powers_add_up(q: r.Array, a: float, b: float) -> None:
    assert np.all(r.angle_between(r.multiply(r.power(q, a), r.power(q, b)), r.power(q, a + b)) < 1e-7)


@given(quaternions)
def test_power_zero_is_the_identity_exactly(q: r.Array) -> None:
    assert np.array_equal(r.power(q, 0.0), np.broadcast_to(r.IDENTITY, q.shape))


@given(vectors.filter(lambda v: bool((np.linalg.norm(v, axis=-1) > 0.1).all())), quaternions)
def test_swing_goes_where_it_should(v: r.Array, q: r.Array) -> None:
    source = r.normalize(v)
    target = r.rotate(q, source)
    assert np.allclose(r.rotate(r.swing(source, target), source), target, atol=1e-6)
    assert np.allclose(r.rotate(r.swing(source, -source), source), -source, atol=1e-6)


def test_slerp_ends_and_middle() -> None:
    a, b = r.IDENTITY[None], r.from_axis_angle(np.array([0.0, 1.0, 0.0]), np.array([1.0]))
    assert np.allclose(r.slerp(a, b, 0.0), a)
    assert np.allclose(r.slerp(a, b, 1.0), b)
    assert np.allclose(r.angle_between(a, r.slerp(a, b, 0.5)), 0.5)


def test_continuous_keeps_rotations_and_removes_jumps() -> None:
    q = r.from_axis_angle(np.array([0.0, 0.0, 1.0]), np.linspace(0.0, 9.0, 50))
    flipped = q * np.where(np.arange(50) % 3 == 0, -1.0, 1.0)[:, None]
    smooth = r.continuous(flipped)
    assert np.all(r.angle_between(smooth, q) < 1e-7)
    assert np.all(np.sum(smooth[1:] * smooth[:-1], axis=-1) > 0.0)
