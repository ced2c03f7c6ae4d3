# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys, and the cubics between them.

A Bezier curve whose handles end at a third and at two thirds of the interval is a plain cubic of time. So a key is a
value with a slope on either side, in units per frame.
"""

from dataclasses import dataclass

import numpy as np

from ..rotations import Array
from .landmarks import Mask


@dataclass(frozen=True)
class Keys:
    """K keys of one property with W components.

    Attributes:
        times: (K,) frames, increasing.
        values: (K, W).
        arriving: (K, W) slopes on the left side, per frame.
        leaving: (K, W) slopes on the right side.
        stepped: (K,) whether the value holds until the next key.
    """

    times: Array
    values: Array
    arriving: Array
    leaving: Array
    stepped: Mask

    @property
    def smooth(self) -> Mask:
        """(K,) keys whose two handles lie on one line."""
        return np.all(self.arriving == self.leaving, axis=-1)

    def handles(self, component: int) -> tuple[Array, Array]:
        """Ends (K, 2) of the Bezier handles left and right of each key, as time and value."""
        widths = np.diff(self.times) / 3.0 if len(self.times) > 1 else np.ones(1)
        left, right = np.append(widths[:1], widths), np.append(widths, widths[-1:])
        left, right = left[: len(self.times)], right[: len(self.times)]
        values = self.values[:, component]
        return (
            np.stack([self.times - left, values - left * self.arriving[:, component]], axis=-1),
            np.stack([self.times + right, values + right * self.leaving[:, component]], axis=-1),
        )

    def at(self, times: Array) -> Array:
        """Values (N, W) of the curve, which holds its ends."""
        if len(self.times) == 1:
            return np.repeat(self.values, len(times), axis=0)
        times = np.clip(times, self.times[0], self.times[-1])
        start = np.clip(np.searchsorted(self.times, times, side="right") - 1, 0, len(self.times) - 2)
        width = np.diff(self.times)[start]
        basis = weights((times - self.times[start]) / width, width)
        ends = np.stack([self.values[start], self.leaving[start], self.values[start + 1], self.arriving[start + 1]])
        smooth = np.einsum("en,enw->nw", basis, ends)
        holds = self.stepped[start] & (times < self.times[start + 1])
        return np.where(holds[:, None], self.values[start], smooth)


def weights(share: Array, width: Array) -> Array:
    """Weights (4, N) of a stretch's first value, first slope, second value and second slope.

    Args:
        share: (N,) how far into the stretch, 0 to 1.
        width: (N,) of the stretch, frames.
    """
    u, v = share, 1.0 - share
    return np.stack([(1.0 + 2.0 * u) * v * v, width * u * v * v, u * u * (3.0 - 2.0 * u), -width * u * u * v])


def derivatives(share: Array, width: Array) -> Array:
    """Derivatives (4, N) of :func:`weights` by time."""
    u, v = share, 1.0 - share
    steep = 6.0 * u * v / width
    return np.stack([-steep, v * (1.0 - 3.0 * u), steep, u * (3.0 * u - 2.0)])
