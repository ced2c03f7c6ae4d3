# SPDX-License-Identifier: GPL-3.0-or-later
"""Distances between motions, and between sets of them, as GenMoStyle's evaluation defines them; and what it lacks.

Guo et al., ICLR 2024, section 4: style and content FID, geodesic distance, diversity.
"""

from itertools import combinations

import numpy as np

from core.contacts import Mask
from core.motion import Motion
from core.representation import heading
from core.resample import even_times, interpolate
from core.root_motion import travelled_path
from core.rotations import ON_FLOOR, Array, angle_between, conjugate, multiply, yaw_quaternion

# Jerk is taken at no more than this rate: at 120 frames per second it is the noise of the capture alone.
_JERK_FPS = 30.0


def frechet(first: Array, second: Array) -> float:
    """Squared Frechet distance of the Gaussians that fit two sets of features (N, F) and (M, F), N and M at least 2.

    |m1 - m2|^2 + Tr(C1 + C2 - 2 (C1^1/2 C2 C1^1/2)^1/2)  (Dowson and Landau, 1982).
    """
    means = [features.mean(axis=0) for features in (first, second)]
    covariances = [np.atleast_2d(np.cov(features, rowvar=False)) for features in (first, second)]
    values, vectors = np.linalg.eigh(covariances[0])
    root = (vectors * np.sqrt(np.clip(values, 0.0, None))) @ vectors.T
    cross = np.sqrt(np.clip(np.linalg.eigvalsh(root @ covariances[1] @ root), 0.0, None)).sum()
    gap = means[0] - means[1]
    return max(float(gap @ gap + np.trace(covariances[0]) + np.trace(covariances[1]) - 2.0 * cross), 0.0)


def geodesic(first: Motion, second: Motion) -> float:
    """Mean angle (radians) between the global rotations of two clips of the same times, each seen from its heading."""
    turned = [multiply(conjugate(yaw_quaternion(heading(m)))[:, None], m.rotations) for m in (first, second)]
    return float(angle_between(*turned).mean())


def diversity(features: Array, pairs: int, rng: np.random.Generator) -> float:
    """Mean distance of ``pairs`` random pairs among samples (N, F), N at least 2."""
    chosen = [rng.choice(len(features), 2, replace=False) for _ in range(pairs)]
    return float(np.mean([float(np.linalg.norm(features[a] - features[b])) for a, b in chosen]))


def mean_distance(features: Array) -> float:
    """Mean distance of all pairs among samples (N, F), N at least 2: what :func:`diversity` is on the average."""
    return float(np.mean([float(np.linalg.norm(a - b)) for a, b in combinations(features, 2)]))


def jerk(points: Array, times: Array) -> float:
    """Mean length of the third time derivative of (T, J, 3) points, metres per second cubed; T at least 4."""
    fps = min(_JERK_FPS, 1.0 / float(np.median(np.diff(times))))
    even = interpolate(points, times, even_times(times, fps))
    return float(np.linalg.norm(np.diff(even, n=3, axis=0), axis=-1).mean()) * fps**3


def path_length(motion: Motion) -> float:
    """Metres that the pelvis travels over the floor, without its sway."""
    return float(np.linalg.norm(np.diff(travelled_path(motion), axis=0), axis=-1).sum())


def path_error(first: Motion, second: Motion) -> float:
    """Mean distance over the floor between the pelvises of two clips of the same times, metres."""
    return float(np.linalg.norm((first.root - second.root) * ON_FLOOR, axis=-1).mean())


def contact_f1(truth: Mask, found: Mask) -> float:
    """F1 of contacts (T, J) against the true ones; NaN if there are none in either."""
    both, either = int((truth & found).sum()), int(truth.sum()) + int(found.sum())
    return 2.0 * both / either if either else float("nan")
