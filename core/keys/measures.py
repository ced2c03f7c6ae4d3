# SPDX-License-Identifier: GPL-3.0-or-later
"""How far one pose of a property is from another, in multiples of what is allowed."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..rotations import Array, angle_between

Measure = Callable[[Array, Array], Array]
"""Error (N,) between two sets of values (N, W); 1 is the bound."""


@dataclass(frozen=True)
class AngleMeasure:
    """Angle between rotations.

    Attributes:
        to_quaternions: own numbers (N, W) of a rotation mode to unit quaternions (N, 4).
        bound: radians.
    """

    to_quaternions: Callable[[Array], Array]
    bound: float

    def __call__(self, a: Array, b: Array) -> Array:
        """Multiples (N,) of the bound."""
        return angle_between(self.to_quaternions(a), self.to_quaternions(b)) / self.bound


@dataclass(frozen=True)
class DistanceMeasure:
    """Length of the difference; the bound has the values' own unit."""

    bound: float

    def __call__(self, a: Array, b: Array) -> Array:
        """Multiples (N,) of the bound."""
        return np.asarray(np.linalg.norm(a - b, axis=-1) / self.bound)
