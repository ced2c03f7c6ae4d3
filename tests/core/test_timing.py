# SPDX-License-Identifier: GPL-3.0-or-later
"""Slower and faster: where frames go, and what becomes of curves and keys."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.keys.points import BEZIER, CONSTANT, LINEAR, Points
from core.keys.retiming import Retimed, retimed
from core.timing import TimeWarp, changing_warp, even_warp

RATES = st.floats(0.36, 2.8)
ENDS = st.tuples(st.integers(-50, 50), st.integers(8, 400)).map(lambda pair: (float(pair[0]), float(sum(pair))))


@given(ENDS, RATES)
def test_a_warp_and_its_inverse(ends: tuple[float, float], rate: float) -> None:
    warp = even_warp(ends, rate)
    frames = np.linspace(ends[0] - 20.0, ends[1] + 20.0, 77)
    np.testing.assert_allclose(warp.back(warp.at(frames)), frames, atol=1e-9)
    first, last = warp.at(np.array(ends))
    assert first == ends[0]
    assert last == np.round(last)
    assert abs(last - (first + (ends[1] - ends[0]) / rate)) <= 0.5 + 1e-9
    np.testing.assert_allclose(warp.pace(frames), (ends[1] - ends[0]) / (last - first))


def test_ends_between_frames_are_scaled_exactly_and_rate_one_is_nothing() -> None:
    np.testing.assert_allclose(even_warp((0.5, 20.0), 0.7).at(np.array([20.0])), 0.5 + 19.5 / 0.7)
    assert even_warp((3.0, 50.0), 1.0).is_idle
    assert even_warp((3.0, 50.0), 1.0 + 1e-4).is_idle
    assert not even_warp((3.0, 50.0), 1.1).is_idle


@given(ENDS, RATES)
def test_rates_that_do_not_change_make_an_even_warp(ends: tuple[float, float], rate: float) -> None:
    warp = changing_warp(ends, lambda frames: np.full(len(frames), rate))
    even = even_warp(ends, rate)
    frames = np.linspace(*ends, 50)
    np.testing.assert_allclose(warp.at(frames), even.at(frames), atol=1e-6)


def test_rates_that_change_are_those_of_the_results_frames() -> None:
    def rates(frames: np.ndarray) -> np.ndarray:
        return np.exp(-0.5 * np.clip((frames - 10.0) / 60.0, 0.0, 1.0))

    warp = changing_warp((10.0, 110.0), rates)
    shown = np.arange(10.5, warp.shown[-1] - 1.0)
    assert warp.shown[-1] == np.round(warp.shown[-1]) and warp.source[-1] == 110.0
    assert (np.diff(warp.source) > 0.0).all() and (np.diff(warp.shown) > 0.0).all()
    # The last frame is brought onto a whole one, for which all rates give way alike.
    np.testing.assert_allclose(warp.pace(shown) / rates(shown), 1.0, atol=0.01)


def wave(times: np.ndarray, seed: int, kind: int = BEZIER) -> Points:
    """A curve through the keys of a smooth wave, with its slopes."""
    rng = np.random.default_rng(seed)
    speed, phase, size = rng.uniform(0.1, 0.4), rng.uniform(0.0, 6.0), rng.uniform(0.1, 0.8)
    values, slopes = size * np.sin(speed * times + phase), size * speed * np.cos(speed * times + phase)
    gaps = np.diff(times, prepend=times[0] - 3.0, append=times[-1] + 3.0) / 3.0
    left = np.stack([times - gaps[:-1], values - gaps[:-1] * slopes], axis=1)
    right = np.stack([times + gaps[1:], values + gaps[1:] * slopes], axis=1)
    return Points(np.stack([times, values], axis=1), left, right, np.full(len(times), kind, dtype=np.int32))


def deviation(before: Points, after: Retimed, warp: TimeWarp) -> float:
    frames = np.arange(np.ceil(after.points.times[0]), after.points.times[-1] + 0.5)
    return float(np.abs(after.points.at(frames) - before.at(warp.back(frames))).max())


@settings(deadline=None)
@given(st.integers(0, 10_000), RATES)
def test_sparse_keys_stay_whole_few_and_on_the_curve(seed: int, rate: float) -> None:
    rng = np.random.default_rng(seed)
    times = 1.0 + np.cumsum(rng.integers(3, 12, 24)).astype(float)
    warp = even_warp((times[0], times[-1]), rate)
    curves = [wave(times, seed + i) for i in range(3)]
    found = retimed(curves, warp, "rotation_euler")
    for curve, key in zip(curves, found, strict=True):
        np.testing.assert_array_equal(key.points.times, np.round(key.points.times))
        np.testing.assert_array_equal(key.points.times, found[0].points.times)
        np.testing.assert_array_equal(key.points.co[[0, -1], 1], curve.co[[0, -1], 1])
        fastest = np.abs(np.diff(curve.at(np.arange(times[0], times[-1] + 0.5)))).max()
        assert deviation(curve, key, warp) <= max(0.01 * fastest, 3e-4) * (1.0 + 1e-6)
    assert len(found[0].points.times) <= 4 * len(times)


@pytest.mark.parametrize("rate", [0.5, 0.77, 1.3, 2.0])
def test_captures_have_a_key_on_every_frame_again(rate: float) -> None:
    times = np.arange(1.0, 120.0)
    warp = even_warp((1.0, 119.0), rate)
    curves = [wave(times, seed, LINEAR) for seed in range(3)]
    for curve, key in zip(curves, retimed(curves, warp, "rotation_euler"), strict=True):
        np.testing.assert_array_equal(np.diff(key.points.times), 1.0)
        assert key.points.times[-1] == warp.at(np.array([119.0]))[0]
        np.testing.assert_array_equal(key.points.co[[0, -1], 1], curve.co[[0, -1], 1])


def test_captures_come_back_smooth() -> None:
    """Straight lines between the frames of a capture would shake when they are looked at more slowly."""
    times = np.arange(0.0, 200.0)
    curve = wave(times, 4, LINEAR)
    warp = even_warp((0.0, 199.0), 0.7)
    key = retimed([curve], warp, "location")[0]
    exact = wave(warp.back(key.points.times), 4, LINEAR).co[:, 1]
    straight = np.interp(warp.back(key.points.times), times, curve.co[:, 1])
    assert np.abs(key.points.co[:, 1] - exact).max() < 0.3 * np.abs(straight - exact).max()


def test_jumps_of_a_capture_between_two_ways_to_write_a_turn_stay_jumps() -> None:
    times = np.arange(0.0, 60.0)
    curve = wave(times, 4, LINEAR)
    curve.co[30:, 1] += 2.0 * np.pi
    values = retimed([curve], even_warp((0.0, 59.0), 0.6), "rotation_euler")[0].points.co[:, 1]
    np.testing.assert_array_less(np.abs(np.remainder(values + np.pi, 2.0 * np.pi) - np.pi), 1.0)


def test_steps_and_corners() -> None:
    times = np.array([0.0, 10.0, 21.0, 33.0, 40.0])
    values = np.array([0.0, 1.0, 1.0, -1.0, 0.5])
    co = np.stack([times, values], axis=1)
    handles = np.array([[1.0, 0.0]])
    warp = even_warp((0.0, 40.0), 0.87)
    held = retimed([Points(co, co - handles, co + handles, np.zeros(5, dtype=np.int32))], warp, "location")[0]
    np.testing.assert_array_equal(held.points.times, np.round(warp.at(times)))
    np.testing.assert_array_equal(held.points.co[:, 1], values)
    assert (held.points.kinds == CONSTANT).all()
    line = Points(co, co - handles, co + handles, np.ones(5, dtype=np.int32))
    found = retimed([line], warp, "location")[0]
    assert (np.diff(found.points.times) > 0.0).all() and len(found.points.times) > 5
    assert deviation(line, found, warp) < 1e-9


def test_keys_between_frames_and_easings_move_with_their_handles() -> None:
    rng = np.random.default_rng(1)
    times = np.cumsum(rng.uniform(3.0, 9.0, 12))
    warp = even_warp((float(times[0]), float(times[-1])), 1.4)
    curve = wave(times, 3)
    found = retimed([curve], warp, "location")[0]
    np.testing.assert_allclose(found.points.times, warp.at(times))
    frames = np.linspace(times[0], times[-1], 300)
    np.testing.assert_allclose(found.points.at(warp.at(frames)), curve.at(frames), atol=1e-9)
    eased = wave(np.round(times), 3, 9)
    frames = retimed([eased], even_warp((float(eased.times[0]), float(eased.times[-1])), 0.8), "location")[0].points
    assert (frames.kinds == 9).all() and np.array_equal(frames.times, np.round(frames.times))


def test_a_loop_stays_closed() -> None:
    times = np.arange(0.0, 49.0, 6.0)
    values, slopes = np.sin(2 * np.pi * times / 48.0), 2 * np.pi / 48.0 * np.cos(2 * np.pi * times / 48.0)
    co = np.stack([times, values], axis=1)
    way = np.stack([np.full(len(times), 2.0), 2.0 * slopes], axis=1)
    for rate in (0.55, 0.9, 1.7):
        warp = even_warp((0.0, 48.0), rate)
        curve = Points(co, co - way, co + way, np.full(9, BEZIER, dtype=np.int32))
        points = retimed([curve], warp, "location")[0].points
        assert points.co[0, 1] == pytest.approx(points.co[-1, 1], abs=1e-12)
        leave, arrive = points.right[0] - points.co[0], points.co[-1] - points.left[-1]
        assert leave[1] / leave[0] == pytest.approx(arrive[1] / arrive[0])
