# SPDX-License-Identifier: GPL-3.0-or-later
"""Many properties end to end: one set of arrays, so that each step of the fit is a few passes over all of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..rotations import Array
from .landmarks import Indices, Landmarks, Mask, Samples

# Components of a value, and of how far it is off, at most.
_WIDTH, _DEPTH = 4, 3


@dataclass(frozen=True)
class Part:
    """One property on its way into a bundle: T samples, and what is known about each.

    Attributes:
        samples: the property.
        marks: what the fit must respect.
        errors: (T, D, W) how far off, in bounds, a small change of each component is.
    """

    samples: Samples
    marks: Landmarks
    errors: Array

    def trimmed(self) -> tuple[slice, "Part"]:
        """The samples from the first required key to the last, and where they are: beyond them values are held."""
        rows = np.flatnonzero(self.marks.required)
        inside = slice(int(rows[0]), int(rows[-1]) + 1)
        samples = Samples(self.samples.times[inside], self.samples.values[inside])
        return inside, Part(samples, self.marks.within(inside), self.errors[inside])


@dataclass(frozen=True)
class Bundle:
    """N samples of P properties. Components come first, so that every pass runs along memory.

    Attributes:
        starts: (P,) first sample of each property.
        last: (N,) last samples of properties.
        times: (N,) frames.
        whole: (N,) samples on whole frames.
        values: (4, N) with zeros where a property has fewer components.
        arriving: (4, N) rough slopes per frame left of each sample.
        leaving: (4, N) the same on the right.
        errors: (3, 4, N) how far off, in bounds, a small change of each component is.
        marks: what the fit must respect.
        tied: (N,) samples whose slopes stay as they are: ends of loops.
    """

    starts: Indices
    last: Mask
    times: Array
    whole: Mask
    values: Array
    arriving: Array
    leaving: Array
    errors: Array
    marks: Landmarks
    tied: Mask

    def __len__(self) -> int:
        return len(self.times)


def bundled(parts: Sequence[Part]) -> Bundle:
    """All ``parts`` in one bundle, in their order."""
    lengths = [len(part.samples.times) for part in parts]
    stops = np.cumsum(lengths)
    starts = (stops - lengths).astype(np.intp)
    ends = np.zeros((2, stops[-1]), dtype=np.bool_)
    ends[0, starts] = ends[1, stops - 1] = True
    slopes = [_slopes(part) for part in parts]
    return Bundle(
        starts,
        ends[1],
        np.concatenate([part.samples.times for part in parts]),
        np.concatenate([part.samples.whole for part in parts]),
        np.concatenate([_wide(part.samples.values) for part in parts], axis=1),
        np.concatenate([_wide(before) for before, _ in slopes], axis=1),
        np.concatenate([_wide(after) for _, after in slopes], axis=1),
        np.concatenate([_deep(part.errors) for part in parts], axis=2),
        Landmarks.joined([part.marks for part in parts]),
        np.repeat([part.marks.loops for part in parts], lengths) & ends.any(axis=0),
    )


def _slopes(part: Part) -> tuple[Array, Array]:
    """Slopes (T, W) left and right of each sample, from the samples beside it."""
    samples, marks = part.samples, part.marks
    if len(samples.times) == 1:
        return np.zeros_like(samples.values), np.zeros_like(samples.values)
    steps = np.diff(samples.values, axis=0) / np.diff(samples.times)[:, None]
    before, after = np.concatenate([steps[:1], steps]), np.concatenate([steps, steps[-1:]])
    if marks.loops:
        before[0] = after[-1] = after[0] = before[-1] = 0.5 * (after[0] + before[-1])
    smooth = np.asarray(np.gradient(samples.values, samples.times, axis=0))
    if marks.loops:
        smooth[[0, -1]] = after[0]
    arriving, leaving = (np.where(marks.corner[:, None], side, smooth) for side in (before, after))
    arriving[marks.flat_before] = 0.0
    leaving[marks.flat_after] = 0.0
    if marks.loops and not (arriving[-1].any() and leaving[0].any()):
        arriving[-1] = leaving[0] = 0.0
    return arriving, leaving


def _wide(values: Array) -> Array:
    return np.pad(values.T, ((0, _WIDTH - values.shape[1]), (0, 0)))


def _deep(errors: Array) -> Array:
    _, depth, width = errors.shape
    return np.pad(errors.transpose(1, 2, 0), ((0, _DEPTH - depth), (0, _WIDTH - width), (0, 0)))
