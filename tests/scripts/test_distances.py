# SPDX-License-Identifier: GPL-3.0-or-later
import numpy as np
import pytest

from core.motion import Motion
from core.rotations import from_axis_angle, multiply, yaw_quaternion
from core.skeleton import CANONICAL, INDEX, JOINT_COUNT
from scripts.evaluation.contacts import foot_skate
from scripts.evaluation.distances import (
    contact_f1,
    diversity,
    frechet,
    geodesic,
    jerk,
    mean_distance,
    path_error,
    path_length,
)

FPS = 30.0


def still(frames: int = 60) -> Motion:
    rotations = np.zeros((frames, JOINT_COUNT, 4))
    rotations[..., 0] = 1.0
    return Motion(np.arange(frames) / FPS, np.tile([0.0, 0.9, 0.0], (frames, 1)), rotations, CANONICAL)


def turned(motion: Motion, joint: str, degrees: float) -> Motion:
    rotations = motion.rotations.copy()
    rotations[:, INDEX[joint]] = from_axis_angle(np.array([0.0, 0.0, 1.0]), np.radians(degrees))
    return motion.with_pose(motion.root, rotations)


def sliding(motion: Motion, metres_per_second: float) -> Motion:
    way = np.zeros_like(motion.root)
    way[:, 2] = metres_per_second * motion.times
    return motion.with_pose(motion.root + way, motion.rotations)


def gaussian(mean: list[float], covariance: np.ndarray, count: int = 400) -> np.ndarray:
    """Samples whose mean and covariance are exactly these."""
    rng = np.random.default_rng(0)
    samples = rng.normal(size=(count, len(mean)))
    samples -= samples.mean(axis=0)
    white = samples @ np.linalg.inv(np.linalg.cholesky(np.cov(samples, rowvar=False))).T
    return white @ np.linalg.cholesky(covariance).T + np.array(mean)


class TestFrechet:
    def test_of_a_set_and_itself_is_zero(self) -> None:
        features = gaussian([1.0, 2.0, 3.0], np.diag([1.0, 4.0, 9.0]))
        assert frechet(features, features) == pytest.approx(0.0, abs=1e-9)

    def test_of_a_shifted_set_is_the_squared_shift(self) -> None:
        features = gaussian([0.0, 0.0], np.array([[2.0, 0.5], [0.5, 1.0]]))
        assert frechet(features, features + np.array([3.0, 4.0])) == pytest.approx(25.0)

    def test_of_aligned_gaussians_is_that_of_their_deviations(self) -> None:
        first, second = gaussian([0.0, 1.0], np.diag([1.0, 9.0])), gaussian([2.0, 1.0], np.diag([4.0, 1.0]))
        # |m|^2 = 4; (1 - 2)^2 + (3 - 1)^2 = 5.
        assert frechet(first, second) == pytest.approx(9.0)

    def test_of_correlated_gaussians_has_the_closed_form_of_two_dimensions(self) -> None:
        one, two = np.array([[2.0, 0.6], [0.6, 1.0]]), np.array([[1.0, -0.3], [-0.3, 0.5]])
        product = one @ two
        # The trace of the root of a 2 x 2 matrix with positive eigenvalues is sqrt(trace + 2 sqrt(det)).
        root = np.sqrt(np.trace(product) + 2.0 * np.sqrt(np.linalg.det(product)))
        expected = np.trace(one) + np.trace(two) - 2.0 * root
        assert frechet(gaussian([0.0, 0.0], one), gaussian([0.0, 0.0], two)) == pytest.approx(expected)

    def test_fewer_samples_than_dimensions_are_no_error(self) -> None:
        rng = np.random.default_rng(1)
        first, second = rng.normal(size=(5, 40)), rng.normal(size=(5, 40))
        assert np.isfinite(frechet(first, second))
        assert frechet(first, second) == pytest.approx(frechet(second, first))


class TestGeodesic:
    def test_is_the_angle_of_the_joint_over_all_joints(self) -> None:
        bent = turned(still(), "head", 44.0)
        assert geodesic(still(), bent) == pytest.approx(np.radians(44.0) / JOINT_COUNT)

    def test_is_blind_to_where_the_body_faces(self) -> None:
        motion = turned(still(), "head", 20.0)
        about = yaw_quaternion(np.array(2.0))
        away = motion.with_pose(motion.root, multiply(about, motion.rotations))
        assert geodesic(motion, away) == pytest.approx(0.0, abs=1e-6)


class TestDiversity:
    def test_of_two_points_is_their_distance(self) -> None:
        features = np.array([[0.0, 0.0], [3.0, 4.0]])
        assert diversity(features, 10, np.random.default_rng(0)) == pytest.approx(5.0)
        assert mean_distance(features) == pytest.approx(5.0)

    def test_of_the_corners_of_a_triangle_is_the_mean_of_its_sides(self) -> None:
        corners = np.array([[0.0, 0.0], [3.0, 0.0], [0.0, 4.0]])
        assert mean_distance(corners) == pytest.approx(4.0)
        assert diversity(corners, 4000, np.random.default_rng(0)) == pytest.approx(4.0, abs=0.05)

    def test_of_equal_samples_is_zero(self) -> None:
        assert diversity(np.ones((30, 8)), 10, np.random.default_rng(0)) == 0.0


class TestJerk:
    def test_of_a_cubic_is_its_third_derivative(self) -> None:
        times = np.arange(40) / FPS
        points = np.zeros((40, 2, 3))
        points[..., 1] = (2.0 * times**3)[:, None]
        assert jerk(points, times) == pytest.approx(12.0)

    def test_of_an_even_acceleration_is_none(self) -> None:
        times = np.arange(40) / FPS
        assert jerk(np.tile((times**2)[:, None, None], (1, 2, 3)), times) == pytest.approx(0.0, abs=1e-6)

    def test_noise_above_the_rate_of_the_network_does_not_count(self) -> None:
        times = np.arange(161) / 120.0
        points = np.zeros((161, 1, 3))
        points[1::4, 0, 0] = 0.01
        assert jerk(points, times) == pytest.approx(0.0, abs=1e-9)


class TestPaths:
    def test_a_straight_way_is_as_long_as_it_is(self) -> None:
        assert path_length(sliding(still(), 1.5)) == pytest.approx(1.5 * 59 / FPS, rel=1e-3)

    def test_height_does_not_count(self) -> None:
        motion = still()
        higher = motion.with_pose(motion.root + np.array([0.3, 5.0, 0.4]), motion.rotations)
        assert path_error(motion, higher) == pytest.approx(0.5)
        assert path_length(higher) == pytest.approx(0.0, abs=1e-9)


class TestContacts:
    def test_f1_of_known_masks(self) -> None:
        truth = np.array([[True, True, True, False, False]]).T
        found = np.array([[True, True, False, True, False]]).T
        # Precision and recall are both two of three.
        assert contact_f1(truth, found) == pytest.approx(2.0 / 3.0)
        assert contact_f1(truth, truth) == 1.0
        assert contact_f1(truth, np.zeros_like(truth)) == 0.0

    def test_without_any_contact_there_is_nothing_to_say(self) -> None:
        assert np.isnan(contact_f1(np.zeros((4, 2), np.bool_), np.zeros((4, 2), np.bool_)))

    def test_skate_is_the_speed_over_the_floor_while_the_original_rests(self) -> None:
        skate = foot_skate(still(), sliding(still(), 0.1))
        assert (skate.original_speed, skate.original_slide) == pytest.approx((0.0, 0.0), abs=1e-9)
        assert skate.speed == pytest.approx(10.0)
        assert skate.slide == pytest.approx(10.0 * 59 / FPS)

    def test_without_a_resting_foot_there_is_nothing_to_say(self) -> None:
        gliding = sliding(still(), 2.0)
        assert np.isnan(foot_skate(gliding, gliding).speed)
