# SPDX-License-Identifier: GPL-3.0-or-later
"""How far one pose of a property is from another, in multiples of what is allowed."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ..rotations import Array, angle_between, conjugate, multiply

# Own numbers are changed by this to see what it does.
_TINY = 1e-5


class Measure(Protocol):
    """What is off, and by how much."""

    def __call__(self, a: Array, b: Array) -> Array:
        """Error (N,) between two sets of values (N, W); 1 is the bound."""
        ...

    def derivatives(self, values: Array) -> Array:
        """(N, D, W): times a small change (N, W) of the values it gives a vector (N, D) as long as the error."""
        ...


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

    def derivatives(self, values: Array) -> Array:
        """(N, 3, W) rotation vectors per unit of each of the values, in bounds."""
        count, width = values.shape
        changed = np.repeat(values[None], width + 1, axis=0)
        changed[np.arange(width), :, np.arange(width)] += _TINY
        turned = self.to_quaternions(changed.reshape(-1, width)).reshape(width + 1, count, 4)
        turns = multiply(conjugate(turned[-1]), turned[:-1])[..., 1:]
        return np.asarray(turns.transpose(1, 2, 0)) * (2.0 / (_TINY * self.bound))


@dataclass(frozen=True)
class DistanceMeasure:
    """Length of the difference; the bound has the values' own unit."""

    bound: float

    def __call__(self, a: Array, b: Array) -> Array:
        """Multiples (N,) of the bound."""
        return np.asarray(np.linalg.norm(a - b, axis=-1) / self.bound)

    def derivatives(self, values: Array) -> Array:
        """(N, W, W)."""
        return np.repeat(np.eye(values.shape[1])[None] / self.bound, len(values), axis=0)
