# SPDX-License-Identifier: GPL-3.0-or-later
"""Piecewise cubic curves through a bundle of samples, and least squares in small windows of them."""

from dataclasses import dataclass

import numpy as np

from ..rotations import Array
from .bundle import Bundle
from .curve import derivatives, weights
from .landmarks import Indices, Mask

# Share of bending energy in the fit: decides only where no sample lies between two keys.
_STIFFNESS = 1e-4
# Bending energy of a cubic with unit width: first value, first slope, second value, second slope.
_BENDING: Array = np.array(
    [[12.0, 6.0, -12.0, 6.0], [6.0, 4.0, -6.0, 2.0], [-12.0, -6.0, 12.0, -6.0], [6.0, 2.0, -6.0, 4.0]]
)
_BENDING.setflags(write=False)


@dataclass(frozen=True)
class Knots:
    """K keys of a bundle's properties.

    Attributes:
        rows: (K,) their samples, increasing; first and last sample of each property are among them.
        values: (4, K).
        arriving: (4, K) slopes on the left side, per frame.
        leaving: (4, K) slopes on the right side.
    """

    rows: Indices
    values: Array
    arriving: Array
    leaving: Array

    def __len__(self) -> int:
        return len(self.rows)

    def only(self, kept: Mask) -> "Knots":
        """The ``kept`` keys (K,)."""
        return Knots(self.rows[kept], self.values[:, kept], self.arriving[:, kept], self.leaving[:, kept])

    def ends(self) -> Array:
        """(4, 4, K) first value, first slope, second value, second slope of the stretch after each key."""
        after = np.minimum(np.arange(len(self)) + 1, len(self) - 1)
        return np.stack([self.values, self.leaving, self.values[:, after], self.arriving[:, after]])


def sampled(bundle: Bundle, picked: Mask) -> Knots:
    """Keys at the ``picked`` samples (N,) with just the samples' values and slopes."""
    rows = np.flatnonzero(picked)
    return Knots(rows, bundle.values[:, rows], bundle.arriving[:, rows], bundle.leaving[:, rows])


def with_more(bundle: Bundle, knots: Knots, rows: Indices) -> Knots:
    """The same curve with additional keys at ``rows`` (R,), none of which is a key."""
    stretch = np.searchsorted(knots.rows, rows) - 1
    width = _widths(bundle, knots.rows)[stretch]
    share = (bundle.times[rows] - bundle.times[knots.rows[stretch]]) / width
    ends = knots.ends()[:, :, stretch]
    values = np.einsum("er,ewr->wr", weights(share, width), ends)
    slopes = np.einsum("er,ewr->wr", derivatives(share, width), ends)
    order = np.argsort(np.concatenate([knots.rows, rows]))

    def joined(own: Array, new: Array) -> Array:
        return np.concatenate([own, new], axis=1)[:, order]

    return Knots(
        np.concatenate([knots.rows, rows])[order],
        joined(knots.values, values),
        joined(knots.arriving, slopes),
        joined(knots.leaving, slopes),
    )


def off(bundle: Bundle, knots: Knots) -> Array:
    """(N,) distance of the curve from each sample in bounds, as if angles were small."""
    lengths, basis = _basis(bundle, knots.rows)
    gap = -bundle.values
    for weight, end in zip(basis, knots.ends(), strict=True):
        gap += weight * np.repeat(end, lengths, axis=1)
    return np.asarray(np.sqrt(np.square(np.einsum("dwn,wn->dn", bundle.errors, gap)).sum(axis=0)))


def normal_equations(bundle: Bundle, rows: Indices) -> tuple[Array, Array]:
    """Of each stretch between keys: matrices (4, 4, K) and right sides (4, 4, K), unknowns as in :meth:`Knots.ends`."""
    _, basis = _basis(bundle, rows)
    matrices = np.empty((4, 4, len(rows)))
    for i in range(4):
        for j in range(i, 4):
            matrices[i, j] = matrices[j, i] = np.add.reduceat(basis[i] * basis[j], rows)
    unit = np.ones((4, len(rows)))
    unit[1::2] = _widths(bundle, rows)
    energy = _STIFFNESS * _BENDING[:, :, None] * unit[:, None] * unit
    matrices += np.where(bundle.last[rows], 0.0, energy)
    return matrices, np.add.reduceat(basis[:, None] * bundle.values, rows, axis=2)


def without(bundle: Bundle, knots: Knots, gone: Indices, equations: tuple[Array, Array]) -> Array:
    """What the keys beside each of the ``gone`` ones (G,) should be without it: ends (4, 4, G) of the joint stretch.

    Best in the least squares over the two stretches on either side, which become three, while everything further away
    stays. No two of the ``gone`` are neighbours. ``equations`` are those of all keys.
    """
    kept = np.ones(len(knots), dtype=np.bool_)
    kept[gone] = False
    joint = np.cumsum(kept)[gone] - 1
    matrices, sides = (part[:, :, joint] for part in normal_equations(bundle, knots.rows[kept]))
    left, right = gone - 1, gone + 1
    start = np.stack([knots.values[:, left], knots.leaving[:, left], knots.values[:, right], knots.arriving[:, right]])
    sides = sides - np.einsum("ijg,jwg->iwg", matrices, start)
    ends, marks = knots.ends(), bundle.marks
    for first, key, stretch, own in ((0, left, left - 1, slice(2, 4)), (2, right, right, slice(0, 2))):
        # A corner's two slopes are none of each other's business; before the first and after the last key is nothing.
        bound = np.stack([np.ones(len(gone)), ~marks.corner[knots.rows[key]]]) * ~bundle.last[knots.rows[stretch]]
        block, rest = equations[0][own][:, :, stretch], equations[1][own][:, :, stretch]
        residual = rest - np.einsum("ijg,jwg->iwg", block, ends[:, :, stretch])
        matrices[first : first + 2, first : first + 2] += block[:, own] * bound[:, None] * bound
        sides[first : first + 2] += residual * bound[:, None]
    rows = knots.rows
    free = ~np.stack(
        [
            marks.exact[rows[left]],
            marks.flat_after[rows[left]] | bundle.tied[rows[left]],
            marks.exact[rows[right]],
            marks.flat_before[rows[right]] | bundle.tied[rows[right]],
        ]
    )
    return start + _solved(matrices * free[:, None] * free, sides * free[:, None], ~free)


def replaced(bundle: Bundle, knots: Knots, gone: Indices, ends: Array) -> Knots:
    """The curve without the ``gone`` keys (G,), whose neighbours become ``ends`` (4, 4, G); no neighbour twice."""
    values, arriving, leaving = knots.values.copy(), knots.arriving.copy(), knots.leaving.copy()
    left, right = gone - 1, gone + 1
    values[:, left], leaving[:, left], values[:, right], arriving[:, right] = ends
    for own, other, key, slopes in ((arriving, leaving, left, ends[1]), (leaving, arriving, right, ends[3])):
        smooth = ~bundle.marks.corner[knots.rows[key]]
        own[:, key[smooth]] = other[:, key[smooth]] = slopes[:, smooth]
    kept = np.ones(len(knots), dtype=np.bool_)
    kept[gone] = False
    return Knots(knots.rows, values, arriving, leaving).only(kept)


def _solved(matrices: Array, sides: Array, fixed: Mask) -> Array:
    """Gauss-Jordan on many 4 x 4 systems at once, positive definite apart from unknowns that are ``fixed`` at zero."""
    system = np.concatenate([matrices, sides], axis=1)
    for i in range(4):
        system[i, i] += fixed[i]
        system[i, i + 1 :] /= system[i, i]
        for j in range(4):
            if j != i:
                system[j, i + 1 :] -= system[j, i] * system[i, i + 1 :]
    return system[:, 4:]


def _widths(bundle: Bundle, rows: Indices) -> Array:
    """(K,) frames from each key to the next of its property; 1 for the last."""
    return np.where(bundle.last[rows], 1.0, np.diff(bundle.times[rows], append=0.0))


def _basis(bundle: Bundle, rows: Indices) -> tuple[Indices, Array]:
    """Samples of each stretch (K,), and each sample's weights (4, N) of the stretch's ends."""
    lengths = np.diff(rows, append=len(bundle))
    width = np.repeat(_widths(bundle, rows), lengths)
    return lengths, weights((bundle.times - np.repeat(bundle.times[rows], lengths)) / width, width)
