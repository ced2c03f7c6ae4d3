# SPDX-License-Identifier: GPL-3.0-or-later
"""Sparse keys: always within the bound, few where few are enough, and where an animator put them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core import rotations
from core.keys import (
    AngleMeasure,
    DistanceMeasure,
    Keys,
    KeySettings,
    OriginalKeys,
    Samples,
    Task,
    closeness,
    distance_bound,
    fit_all,
    fit_keys,
    foot_reach,
    location_closeness,
    own_moments,
    planted_below,
)
from core.rig import RigMotion, RigSkeleton

Array = rotations.Array
BOUND = 0.01
NEAR = DistanceMeasure(BOUND)
QUARTER = AngleMeasure(rotations.normalize, float(np.radians(0.25)))


def frames(count: int) -> Array:
    return np.arange(count, dtype=np.float64) + 1.0


def column(values: Array) -> Array:
    return np.asarray(values, dtype=np.float64)[:, None]


def fit(values: Array, **how: object) -> Keys:
    return fit_keys(Samples(frames(len(values)), column(values)), NEAR, **how)


def hand_keys(times: list[float], stepped: bool = False, loops: bool = False) -> OriginalKeys:
    return OriginalKeys(np.array(times), np.full(len(times), stepped), loops)


def rotating(seed: int, times: Array, noise: float) -> Array:
    """Smooth swings about a wandering axis, shaken by ``noise`` radians: unit quaternions (T, 4)."""
    rng = np.random.default_rng(seed)
    speeds, phases = rng.uniform(0.05, 0.5, (3, 3)), rng.uniform(0.0, 6.0, (3, 3))
    vector = (rng.normal(0.0, 0.4, (3, 3)) * np.sin(times[:, None, None] * speeds + phases)).sum(axis=1)
    return rotations.continuous(rotations.from_rotation_vector(vector + rng.normal(0.0, noise, vector.shape)))


@settings(deadline=None, max_examples=40)
@given(
    seed=st.integers(0, 10**6),
    count=st.integers(2, 160),
    noise=st.sampled_from([0.0, 1e-3, 1e-2, 0.1]),
    between=st.floats(0.0, 1.0),
    original=st.lists(st.integers(1, 160), max_size=8, unique=True),
)
def test_the_bound_holds_on_every_frame_and_between(
    seed: int, count: int, noise: float, between: float, original: list[int]
) -> None:
    rng = np.random.default_rng(seed)
    extra = rng.uniform(1.0, count, int(between * count))
    times = np.unique(np.concatenate([frames(count), extra]))
    samples = Samples(times, rotating(seed, times, noise))
    keys = fit_keys(samples, QUARTER, hand_keys(sorted(map(float, original))), np.array([3.0, 9.5]))
    # Samples that are almost on top of each other cannot both be keys, so one of them may be off a little.
    apart = np.diff(times, prepend=-1.0, append=1e3)
    single = np.minimum(apart[:-1], apart[1:]) > 0.05
    assert QUARTER(keys.at(times), samples.values)[single].max(initial=0.0) <= 1.0
    assert set(keys.times) <= set(times)
    assert np.diff(keys.times).min(initial=1.0) >= 0.05 or count == 2
    assert (keys.times[0], keys.times[-1]) == (times[0], times[-1])
    missing = {float(time) for time in original if time <= count and single[np.searchsorted(times, time)]}
    assert QUARTER(keys.at(times)[[0, -1]], samples.values[[0, -1]]).max() < 1e-6
    if not hand_keys(sorted(map(float, original))).dense:
        assert missing <= set(keys.times)


def test_of_three_samples_that_crowd_a_whole_frame_only_that_gets_a_key() -> None:
    times = np.sort(np.concatenate([frames(20), [9.97, 9.985]]))
    samples = Samples(times, rotating(0, times, 0.1))
    keys = fit_keys(samples, QUARTER, hand_keys([1.0, 7.0, 20.0]))
    assert np.diff(keys.times).min() >= 0.05
    assert not {9.97, 9.985} & set(keys.times)


def test_a_line_and_a_cubic_need_two_keys() -> None:
    t = np.linspace(-1.0, 1.0, 200)
    assert len(fit(0.3 * t).times) == 2
    # Without a turn inside: extremes are keys of their own.
    assert len(fit(0.5 * t**3 + 0.4 * t).times) == 2


def test_a_sine_gets_its_extremes_and_little_else() -> None:
    t = frames(201)
    keys = fit(np.sin((t - 1.0) / 200.0 * 4.0 * np.pi))
    assert {26.0, 76.0, 126.0, 176.0} <= set(keys.times)
    assert len(keys.times) <= 12
    assert keys.smooth.all()


@pytest.mark.parametrize("noise", [0.0, 0.001])
def test_no_more_keys_than_a_third_of_a_smooth_motions_frames(noise: float) -> None:
    times = frames(600)
    keys = fit_keys(Samples(times, rotating(4, times, noise)), QUARTER)
    assert len(keys.times) < 0.33 * len(times)


def test_rests_stay_flat_and_nothing_overshoots_them() -> None:
    t = np.linspace(0.0, 1.0, 20)
    rise = t * t * (3.0 - 2.0 * t)
    values = np.concatenate([np.zeros(30), rise, np.ones(30), 1.0 - t, np.zeros(30)])
    keys = fit(values)
    fine = np.linspace(1.0, len(values), 5000)
    curve = keys.at(fine)[:, 0]
    rest = (fine <= 30.0) | ((fine >= 51.0) & (fine <= 80.0)) | (fine >= 100.0)
    level = np.where((fine >= 50.0) & (fine <= 81.0), 1.0, 0.0)
    assert np.abs(curve - level)[rest].max() < 1e-12
    assert curve.min() > -BOUND
    assert curve.max() < 1.0 + BOUND
    # Where a straight move stops dead the handles are broken, not bent.
    assert not keys.smooth[keys.times == 100.0].any()


def test_a_hard_stop_keeps_its_corner() -> None:
    values = np.abs(frames(101) - 51.0) * 0.05
    keys = fit(values, moments=np.array([51.0]))
    assert list(keys.times) == [1.0, 51.0, 101.0]
    assert list(keys.smooth) == [True, False, True]


def test_keys_of_a_hand_keyed_original_are_kept_and_dense_ones_are_not() -> None:
    t = frames(120)
    values = np.sin(t / 9.0)
    hand = hand_keys([1.0, 7.0, 33.0, 34.0, 80.0, 119.0])
    kept = fit(values, original=hand)
    assert set(hand.times) <= set(kept.times)
    exact = np.searchsorted(kept.times, hand.times)
    assert kept.values[exact, 0] == pytest.approx(values[hand.times.astype(int) - 1], abs=0.0)
    dense = fit(values, original=hand_keys(list(t)))
    assert len(dense.times) < 40


def test_keys_between_frames_are_kept() -> None:
    times = np.sort(np.append(frames(40), [10.4, 22.75]))
    samples = Samples(times, column(np.sin(times / 6.0)))
    keys = fit_keys(samples, NEAR, hand_keys([1.0, 10.4, 22.75, 40.0]))
    assert {10.4, 22.75} <= set(keys.times)
    assert all(time == round(time) for time in set(keys.times) - {10.4, 22.75})


def test_between_frames_a_capture_may_be_missed_by_a_little_more() -> None:
    rng = np.random.default_rng(3)
    times = np.arange(1.0, 61.0, 0.5)
    values = column(np.sin(times / 9.0) + rng.uniform(-2.0, 2.0, len(times)) * BOUND * (times % 1.0 != 0.0))
    captured = fit_keys(Samples(times, values), NEAR, hand_keys(list(times)))
    off = NEAR(captured.at(times), values)
    assert off[times % 1.0 == 0.0].max() <= 1.0
    assert 1.0 < off.max() <= 4.0
    assert all(time == round(time) for time in set(captured.times) - {60.5})
    assert len(captured.times) < 25


def test_moments_get_keys() -> None:
    keys = fit(np.sin(frames(90) / 12.0), moments=np.array([13.0, 14.2, 60.0, 500.0]))
    assert {13.0, 14.0, 60.0} <= set(keys.times)


def test_a_stepped_original_stays_stepped() -> None:
    times = [1.0, 12.0, 20.0, 41.0]
    values = np.sin(frames(50) / 5.0)
    keys = fit(values, original=hand_keys(times, stepped=True), moments=np.array([15.0]))
    assert list(keys.times) == times
    assert keys.stepped.all()
    assert keys.at(np.array([11.9, 12.0, 19.5, 49.0]))[:, 0] == pytest.approx(values[[0, 11, 11, 40]])


def test_steps_and_curves_mix() -> None:
    original = OriginalKeys(np.array([1.0, 20.0, 30.0, 60.0]), np.array([False, True, False, False]))
    values = np.sin(frames(60) / 8.0)
    keys = fit(values, original=original)
    held = (keys.times > 20.0) & (keys.times < 30.0)
    assert not held.any()
    assert list(keys.times[keys.stepped]) == [20.0]
    outside = (frames(60) <= 20.0) | (frames(60) >= 30.0)
    assert NEAR(keys.at(frames(60)), column(values))[outside].max() <= 1.0


@pytest.mark.parametrize("cycles", [1, 3])
def test_a_loop_stays_a_loop(cycles: int) -> None:
    t = frames(61)
    values = 0.5 * np.sin((t - 1.0) / 60.0 * 2.0 * np.pi * cycles + 0.7)
    keys = fit(values, original=hand_keys(list(t), loops=True))
    assert keys.values[0, 0] == pytest.approx(keys.values[-1, 0], abs=1e-12)
    assert keys.leaving[0, 0] == pytest.approx(keys.arriving[-1, 0], abs=1e-12)
    slope = np.pi * cycles / 60.0 * np.cos(0.7)
    assert keys.leaving[0, 0] == pytest.approx(slope, rel=0.1)


def test_a_path_that_ends_elsewhere_loops_with_its_speed() -> None:
    t = frames(61)
    values = 0.02 * t + 0.1 * np.sin((t - 1.0) / 60.0 * 2.0 * np.pi)
    keys = fit(values, original=hand_keys(list(t), loops=True))
    assert keys.leaving[0, 0] == pytest.approx(keys.arriving[-1, 0], abs=1e-12)


def test_a_seam_with_a_kink_is_not_smoothed() -> None:
    values = np.abs(np.sin((frames(41) - 1.0) / 40.0 * np.pi))
    keys = fit(values, original=hand_keys(list(frames(41)), loops=True))
    assert keys.leaving[0, 0] > 0.05
    assert keys.arriving[-1, 0] < -0.05


def test_two_samples_are_two_keys() -> None:
    keys = fit(np.array([0.0, 1.0]))
    assert list(keys.times) == [1.0, 2.0]


def test_handles_are_the_curve() -> None:
    t = frames(80)
    keys = fit(np.sin(t / 7.0) + 0.3 * np.cos(t / 3.0))
    left, right = keys.handles(0)
    u = np.linspace(0.0, 1.0, 11)[:, None]
    for i in range(len(keys.times) - 1):
        a, d = (np.array([keys.times[k], keys.values[k, 0]]) for k in (i, i + 1))
        b, c = right[i], left[i + 1]
        bezier = (1 - u) ** 3 * a + 3 * u * (1 - u) ** 2 * b + 3 * u * u * (1 - u) * c + u**3 * d
        assert keys.at(bezier[:, 0])[:, 0] == pytest.approx(bezier[:, 1], abs=1e-12)


def test_cost_grows_with_the_length_and_the_result_does_not_depend_on_it() -> None:
    times = frames(4000)
    values = rotating(2, times, 1e-3)
    keys = fit_keys(Samples(times, values), QUARTER)
    assert QUARTER(keys.at(times), values).max() <= 1.0
    short = fit_keys(Samples(times[:400], values[:400]), QUARTER)
    assert len(keys.times) / 4000 == pytest.approx(len(short.times) / 400, abs=0.05)


def test_distances_are_metres_on_a_character_of_human_size() -> None:
    rest = np.array([[0.0, 0.0, 0.0], [0.3, 0.0, 1.7]])
    keys = KeySettings()
    assert distance_bound(keys, rest, 1.0) == pytest.approx(0.002)
    # A rig in centimetres on an object scaled to metres is as big; without that scale it is in other units.
    assert distance_bound(keys, 100.0 * rest, 0.01) == pytest.approx(0.2)
    assert distance_bound(keys, 100.0 * rest, 1.0) == pytest.approx(0.2)


def test_a_leg_may_turn_less_than_an_arm() -> None:
    rest = np.tile(np.eye(4), (4, 1, 1))
    rest[:, :3, 3] = [[0, 0, 1], [0, 0, 0.9], [0, 0, 0.5], [0.2, 0, 1.4]]
    legs = RigSkeleton(("hips", "thigh", "foot", "arm"), (-1, 0, 1, 0), rest, np.full(4, 0.1))
    reach = foot_reach(legs, ["foot"])
    assert reach == pytest.approx([0.5, 0.4, 0.1, 0.0])
    keys = KeySettings()
    planted = np.array([True, False])
    # A fraction of a millimetre per bone, of which a leg has several.
    close = closeness(keys, 0.001, float(reach[0]), planted)
    assert 0.1 * keys.angle < keys.angle / close[0] < 0.001 / 0.5
    assert close[1] == 1.0
    assert closeness(keys, 0.001, float(reach[0]), None) == pytest.approx(close[0])
    for free in (float(reach[3]), None):
        assert set(closeness(keys, 0.002, free, planted)) == {1.0}
    assert location_closeness(planted)[0] > location_closeness(planted)[1] == 1.0


def sliding_foot(speeds: Array) -> RigMotion:
    """Hips above a foot and a head, carried along at ``speeds`` (T,), metres per second, at 30 frames a second."""
    rest = np.tile(np.eye(4), (3, 1, 1))
    rest[:, 1, 3] = [1.0, 0.1, 1.7]
    skeleton = RigSkeleton(("hips", "foot", "head"), (-1, 0, 0), rest, np.full(3, 0.1))
    locations = np.zeros((len(speeds), 3, 3))
    locations[:, 0, 0] = np.cumsum(speeds) / 30.0
    still = np.tile(np.eye(4)[:1], (len(speeds), 3, 1))
    placement = np.tile(np.eye(4), (len(speeds), 1, 1))
    return RigMotion(skeleton, np.arange(len(speeds)) / 30.0, still, locations, np.ones_like(locations), placement)


def test_only_what_carries_a_planted_foot_is_held_close_and_only_then() -> None:
    motion = sliding_foot(np.repeat([1.5, 0.02, 1.5], 20))
    planted = planted_below(motion, ["foot"])
    assert not planted[:, 2].any()
    assert np.array_equal(planted[:, 0], planted[:, 1])
    runs = np.flatnonzero(planted[:, 1])
    assert runs[0] == pytest.approx(20, abs=2)
    assert runs[-1] == pytest.approx(39, abs=2)
    assert planted[runs[0] : runs[-1], 1].all()
    moments = np.array([5.0, 20.0, 30.0, 39.5])
    assert list(own_moments(moments, np.arange(60.0), planted[:, 1])) == [20.0, 39.5]


def test_the_curve_is_closer_where_it_must_be() -> None:
    times = frames(200)
    values = rotating(9, times, 1e-3)
    close = np.where((times > 60.0) & (times < 100.0), 5.0, 1.0)
    original = OriginalKeys(np.empty(0), np.empty(0, dtype=np.bool_))
    keys = fit_all([Task(Samples(times, values), QUARTER, original, np.empty(0), close)])[0]
    off = QUARTER(keys.at(times), values)
    assert (off * close).max() <= 1.0
    assert off[close == 1.0].max() > 0.5


def test_properties_do_not_know_of_each_other() -> None:
    times, tasks = frames(90), []
    original = OriginalKeys(times, np.zeros(90, dtype=np.bool_), loops=True)
    for seed in range(5):
        tasks.append(Task(Samples(times, rotating(seed, times, 1e-3)), QUARTER, original, np.empty(0), np.ones(90)))
    tasks.append(
        Task(Samples(times, column(np.sin(times / 9.0))), NEAR, hand_keys([1.0, 33.0, 90.0]), times[4:5], times)
    )
    for task, keys in zip(tasks, fit_all(tasks), strict=True):
        # When to stop leaving out keys is said of all together.
        alone = fit_all([task])[0]
        assert len(keys.times) == pytest.approx(len(alone.times), abs=3)
        assert keys.values.shape == (len(keys.times), task.samples.values.shape[1])
        assert (task.closeness * task.measure(keys.at(times), task.samples.values)).max() <= 1.0
