# SPDX-License-Identifier: GPL-3.0-or-later
"""Piecewise cubic curves through samples, with the slopes that fit best.

A Bezier curve whose handles end at a third and at two thirds of the interval is a plain cubic of time. So a key is a
value with a slope on either side, in units per frame, and the fit is linear least squares.
"""

from dataclasses import dataclass

import numpy as np

from ..rotations import Array
from .landmarks import Indices, Landmarks, Mask, Samples

# Share of bending energy in the fit: decides only where no sample lies between two keys.
_STIFFNESS = 1e-4
# The system's conditioning does not depend on its size.
_ROUNDS = 8
# Bending energy of a cubic with unit width: values and slopes at its ends.
_BENDING: Array = np.array(
    [[12.0, 6.0, -12.0, 6.0], [6.0, 4.0, -6.0, 2.0], [-12.0, -6.0, 12.0, -6.0], [6.0, 2.0, -6.0, 4.0]]
)
_BENDING.setflags(write=False)


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
        basis = _basis(times, self.times, start)
        ends = (self.values[start], self.leaving[start], self.values[start + 1], self.arriving[start + 1])
        smooth = sum(basis[:, i, None] * end for i, end in enumerate(ends))
        holds = self.stepped[start] & (times < self.times[start + 1])
        return np.where(holds[:, None], self.values[start], smooth)


def fit_curve(samples: Samples, picked: Mask, exact: Mask, marks: Landmarks) -> Keys:
    """The curve with keys at the ``picked`` samples (T,) that is nearest to all samples.

    Args:
        samples: T of them.
        picked: (T,) which are keys, at least one.
        exact: (T,) which keys have the sample's value; the others may have one nearby that fits better.
        marks: where slopes are free or zero.
    """
    rows = np.flatnonzero(picked)
    times, values, stepped = samples.times[rows], samples.values[rows], marks.stepped[rows]
    if len(rows) == 1:
        return Keys(times, values, np.zeros_like(values), np.zeros_like(values), stepped)
    arriving, leaving, slopes_free = _slope_numbers(rows, marks)
    count, keys = len(rows), np.arange(len(rows))
    free = np.concatenate([~exact[rows], slopes_free])
    start = np.zeros((len(free), values.shape[1]))
    start[:count] = values
    slopes = samples.slopes[rows]
    start[count + arriving] = start[count + leaving] = slopes
    start[count:][~slopes_free] = 0.0
    ends = np.stack([keys[:-1], count + leaving[:-1], keys[1:], count + arriving[1:]])
    found = _solve(*_equations(samples, rows), ends, free, start)
    # Left of the first key and right of the last there is no curve: their handles go on straight.
    return Keys(times, found[:count], found[count + arriving], found[count + leaving], stepped)


def _slope_numbers(rows: Indices, marks: Landmarks) -> tuple[Indices, Indices, Mask]:
    """Numbers (K,) of the slopes left and right of each key, and which slopes are not held at zero."""
    split = marks.corner[rows]
    leaving = np.arange(len(rows)) + np.cumsum(split)
    arriving = leaving - split
    free = np.ones(leaving[-1] + 1, dtype=np.bool_)
    free[leaving[marks.flat_after[rows]]] = False
    free[arriving[marks.flat_before[rows]]] = False
    if marks.loops:
        arriving[-1] = leaving[-1] = arriving[0] = leaving[0]
    return arriving, leaving, free


def _equations(samples: Samples, rows: Indices) -> tuple[Array, Array]:
    """Normal equations of each stretch between keys: matrices (K-1, 4, 4) and right sides (K-1, 4, W)."""
    inside = slice(rows[0], rows[-1])
    stretch = np.repeat(np.arange(len(rows) - 1), np.diff(rows))
    times = samples.times[rows]
    basis = _basis(samples.times[inside], times, stretch)
    first = rows[:-1] - rows[0]
    matrices = np.add.reduceat(basis[:, :, None] * basis[:, None, :], first)
    sides = np.add.reduceat(basis[:, :, None] * samples.values[inside, None, :], first)
    unit = np.ones((len(rows) - 1, 4))
    unit[:, 1::2] = np.diff(times)[:, None]
    return matrices + _STIFFNESS * _BENDING * unit[:, :, None] * unit[:, None, :], sides


def _solve(matrices: Array, sides: Array, ends: Indices, free: Mask, start: Array) -> Array:
    """The ``free`` ones of the unknowns (U, W), from ``start``, by conjugate gradients (Hestenes and Stiefel 1952).

    It takes the same few passes over the keys whatever is tied to what, where a direct solver would loop over keys.
    ``ends`` (4, K-1) numbers the unknowns of each stretch.
    """
    sums, each = _meetings(ends, len(free)), ends.T
    diagonal = _gathered(np.diagonal(matrices, axis1=1, axis2=2)[..., None], sums)
    scale = np.where(free[:, None] & (diagonal > 0.0), 1.0 / np.where(diagonal > 0.0, diagonal, 1.0), 0.0)
    found = start.copy()
    residual = _gathered(sides - matrices @ found.take(each, axis=0), sums)
    direction = scale * residual
    energy = _dots(residual, direction)
    for _ in range(_ROUNDS):
        image = _gathered(matrices @ direction.take(each, axis=0), sums)
        step = _ratio(energy, _dots(direction, image))
        found += step * direction
        residual -= step * image
        wanted = scale * residual
        before, energy = energy, _dots(residual, wanted)
        direction = wanted + _ratio(energy, before) * direction
    return found


def _meetings(ends: Indices, count: int) -> tuple[Indices, Indices]:
    """For each unknown (U,) where the stretches that begin and end with it have it, or one past all of them."""
    places = np.arange(ends.size).reshape(-1, 4).T
    begins, stops = (np.full(count, ends.size) for _ in range(2))
    begins[ends[:2]], stops[ends[2:]] = places[:2], places[2:]
    return begins, stops


def _gathered(parts: Array, sums: tuple[Indices, Indices]) -> Array:
    """Sums (U, W) of what the stretches say (K-1, 4, W) about each unknown."""
    rows = np.concatenate([parts.reshape(-1, parts.shape[-1]), np.zeros((1, parts.shape[-1]))])
    return rows.take(sums[0], axis=0) + rows.take(sums[1], axis=0)


def _dots(a: Array, b: Array) -> Array:
    return np.asarray(np.einsum("uw,uw->w", a, b))


def _ratio(a: Array, b: Array) -> Array:
    return np.where(b > 0.0, a / np.where(b > 0.0, b, 1.0), 0.0)


def _basis(times: Array, keys: Array, stretch: Indices) -> Array:
    """Weights (N, 4) of first value, first slope, second value and second slope at ``times`` (N,)."""
    width = np.diff(keys)[stretch]
    u = (times - keys[stretch]) / width
    v = 1.0 - u
    return np.stack([(1.0 + 2.0 * u) * v * v, width * u * v * v, u * u * (3.0 - 2.0 * u), -width * u * u * v], axis=-1)
