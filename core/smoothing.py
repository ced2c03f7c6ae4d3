# SPDX-License-Identifier: GPL-3.0-or-later
"""Soft thresholds, and filters whose ends do not run away."""

import numpy as np

from .representation import gaussian_smooth
from .rotations import Array


def rise(values: Array, low: float, high: float) -> Array:
    """0 up to ``low``, 1 from ``high`` on, smooth between them (smoothstep); falling if ``high`` is below ``low``."""
    x = np.clip((values - low) / (high - low), 0.0, 1.0)
    return np.asarray(x * x * (3.0 - 2.0 * x))


def smooth_held(values: Array, sigma: float) -> Array:
    """Gaussian filter along the first axis, the ends held."""
    margin = int(3 * sigma + 1)
    padded = np.pad(values, [(margin, margin), *[(0, 0)] * (values.ndim - 1)], mode="edge")
    return gaussian_smooth(padded, sigma)[margin:-margin]
