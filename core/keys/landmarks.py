# SPDX-License-Identifier: GPL-3.0-or-later
"""Where keys must be whatever the bound says, and what the curve may do there."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..rotations import Array
from .measures import Measure

Mask = NDArray[np.bool_]
Indices = NDArray[np.intp]

# In bounds: a property rests while its steps are below the first and it is no further off than the second.
_STILL_STEP, _STILL = 0.01, 0.05
# A corner sticks out of the line between its neighbours by so many bounds, and so much more than they do.
_SHARP, _SHARPER = 1.0, 3.0
# An extreme ends a swing of at least so many bounds, and of this share of the property's largest component's.
_SWING, _SWING_SHARE = 8.0, 0.4
# Frames that an extreme keeps from other keys.
_APART = 3.0
# Median spacing of keys, frames, up to which they were captured or baked: nobody chose their times.
_DENSE = 1.5
# Keys closer than this, frames, would leave single precision no room for their handles.
_TOO_CLOSE = 0.05
# An original key that is no sample moves by at most this, frames.
_NEAR = 0.5


@dataclass(frozen=True)
class Samples:
    """A property's values (T, W) at ``times`` (T,), frames, increasing, some of them fractional."""

    times: Array
    values: Array

    @cached_property
    def slopes(self) -> Array:
        """(T, W) rough slopes per frame, from the samples beside each."""
        return np.asarray(np.gradient(self.values, self.times, axis=0))

    @property
    def whole(self) -> Mask:
        """(T,) samples on whole frames."""
        return np.asarray(self.times == np.round(self.times))


@dataclass(frozen=True)
class OriginalKeys:
    """What the original's curves say about a property.

    Attributes:
        times: (N,) frames of its keys, increasing; empty if it has none.
        stepped: (N,) whether the value holds until the next key.
        loops: whether the curves are played in a circle.
    """

    times: Array
    stepped: Mask
    loops: bool = False

    @cached_property
    def dense(self) -> bool:
        """Whether the keys were captured or baked: then their times are not an animator's choice."""
        return len(self.times) > 2 and float(np.median(np.diff(self.times))) <= _DENSE


@dataclass(frozen=True)
class Landmarks:
    """What the fit must respect, per sample (T,).

    Attributes:
        keyable: may get a key.
        required: gets a key.
        exact: gets a key with the sample's value.
        corner: may have different slopes on its two sides.
        flat_before: arrives without slope.
        flat_after: leaves without slope.
        stepped: holds its value until the next required key.
        loops: the last slope is the first.
    """

    keyable: Mask
    required: Mask
    exact: Mask
    corner: Mask
    flat_before: Mask
    flat_after: Mask
    stepped: Mask
    loops: bool

    @classmethod
    def joined(cls, parts: "Sequence[Landmarks]") -> "Landmarks":
        """Several properties' in a row."""
        names = [field.name for field in fields(cls) if field.name != "loops"]
        masks = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
        return cls(**masks, loops=False)

    def within(self, rows: slice) -> "Landmarks":
        """Those of some of the samples."""
        names = [field.name for field in fields(self) if field.name != "loops"]
        return replace(self, **{name: getattr(self, name)[rows] for name in names})

    @property
    def overruled(self) -> Mask:
        """(T,) samples that are not played because a stepped key holds its value."""
        keys = np.flatnonzero(self.required)
        last = np.maximum(np.searchsorted(keys, np.arange(len(self.required)), side="right") - 1, 0)
        return np.asarray(self.stepped[keys[last]] & ~self.required)


def find_landmarks(
    samples: Samples, measure: Measure, errors: Array, original: OriginalKeys, moments: Array
) -> Landmarks:
    """Ends, a hand-keyed original's keys, ``moments`` (M,) frames, ends of rests, and extremes.

    ``errors`` (T, D, W) are the measure's derivatives at the samples.
    """
    marks = _original_marks(samples, original)
    # Nobody wants new keys between frames; where an animator's are, others may be.
    free = marks.keyable & ~marks.overruled & (samples.whole | (not original.dense))
    required = marks.required.copy()
    required[_nearest(samples.times, moments, samples.whole)] = True
    flat_before, flat_after = _rests(samples.values, measure)
    rests = (flat_before | flat_after) & free
    required = (required & free) | marks.required | rests
    required |= _extremes(samples, np.linalg.norm(errors, axis=1), required) & free
    kinks = _kinks(samples, measure)
    beside = np.maximum(np.roll(kinks, 1), np.roll(kinks, -1))
    sharp = required & (kinks > np.maximum(_SHARP, _SHARPER * beside))
    # Nothing reaches over a step: both its ends are corners.
    keys = np.flatnonzero(required)
    sharp[keys[1:]] |= marks.stepped[keys[:-1]]
    corner = sharp | marks.stepped
    loops = original.loops and _seam_is_smooth(samples, measure, kinks)
    # Beside a rest the curve starts smoothly too, unless the samples do not.
    return Landmarks(
        marks.keyable,
        required,
        marks.required | rests | (required & corner),
        corner,
        flat_before | (flat_after & ~corner),
        flat_after | (flat_before & ~corner),
        marks.stepped,
        loops,
    )


def _original_marks(samples: Samples, original: OriginalKeys) -> Landmarks:
    """Ends and the keys of a hand-keyed original; where those are stepped at an end, the end needs no key."""
    required, stepped, none = (np.zeros(len(samples.times), dtype=np.bool_) for _ in range(3))
    start_holds = end_holds = False
    if not original.dense:
        every = np.ones_like(required)
        required[_nearest(samples.times, original.times, every)] = True
        stepped[_nearest(samples.times, original.times[original.stepped], every)] = True
        start_holds, end_holds = (bool(original.stepped[end]) if original.stepped.size else False for end in (0, -1))
    required[0] |= not (start_holds and required.any())
    required[-1] |= not (end_holds and required.any())
    keyable = _apart(samples, required)
    required &= keyable
    return Landmarks(keyable, required, required, none, none, none, stepped & keyable, loops=False)


def _apart(samples: Samples, required: Mask) -> Mask:
    """(T,) samples that are not too close to a better one: required ones are better, then whole frames."""
    rank = 2 * required + samples.whole
    rank[[0, -1]] = 4
    keyable = np.ones(len(rank), dtype=np.bool_)
    while True:
        rows = np.flatnonzero(keyable)
        close = np.flatnonzero(np.diff(samples.times[rows]) < _TOO_CLOSE)
        if not close.size:
            return keyable
        # Of three in a row the middle one may go first; the outer two may still be too close then.
        first, second = rows[close], rows[close + 1]
        keyable[np.where(rank[first] < rank[second], first, second)] = False


def _nearest(times: Array, wanted: Array, allowed: Mask) -> Indices:
    """The ``allowed`` ones of the samples at ``times`` (T,) that are nearest to the ``wanted`` times (M,)."""
    rows = np.flatnonzero(allowed)
    if len(rows) < 2:
        return rows[:0]
    after = np.clip(np.searchsorted(times[rows], wanted), 1, len(rows) - 1)
    closer = wanted - times[rows[after - 1]] <= times[rows[after]] - wanted
    found = rows[after - closer]
    return np.unique(found[np.abs(times[found] - wanted) <= _NEAR])


def _rests(values: Array, measure: Measure) -> tuple[Mask, Mask]:
    """Last and first samples (T,), (T,) of runs in which nothing moves."""
    edges = np.diff(np.concatenate([[False], measure(values[:-1], values[1:]) < _STILL_STEP, [False]]).astype(np.int8))
    starts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    before, after = np.zeros(len(values), dtype=np.bool_), np.zeros(len(values), dtype=np.bool_)
    for start, end in zip(starts, ends, strict=True):
        run = values[start : end + 1]
        if len(run) > 2 and measure(run, np.broadcast_to(run[0], run.shape)).max() < _STILL:
            after[start] = before[end] = True
    return before, after


def _extremes(samples: Samples, sizes: Array, required: Mask) -> Mask:
    """(T,) where a component that matters turns back, at some distance from the ``required`` keys.

    ``sizes`` (T, W) are bounds per unit of each component.
    """
    columns = list(zip(samples.values.T, sizes.T, strict=True))
    ranges = [_swings(*column, np.array([column[0].argmin(), column[0].argmax()]))[0] for column in columns]
    least = max(_SWING, _SWING_SHARE * max(ranges))
    turns = [_turns(*column, least) for column, own in zip(columns, ranges, strict=True) if own >= least]
    found = np.zeros(len(samples.times), dtype=np.bool_)
    for row in np.unique(np.concatenate([*turns, np.empty(0, dtype=np.intp)])).astype(np.intp):
        around = slice(*np.searchsorted(samples.times, samples.times[row] + [-_APART, _APART]))
        found[row] = not (required[around] | found[around]).any()
    return found


def _turns(column: Array, sizes: Array, least: float) -> Indices:
    """Samples where one component (T,) turns back after a swing of ``least`` bounds, and before another."""
    steps = np.diff(column)
    moving = np.flatnonzero(steps)
    back = moving[1:][np.sign(steps[moving[1:]]) != np.sign(steps[moving[:-1]])]
    turns = np.concatenate([[0], back, [len(column) - 1]])
    while len(turns) > 2:
        swings = _swings(column, sizes, turns)
        padded = np.concatenate([[np.inf], swings, [np.inf]])
        small = np.flatnonzero((swings < least) & (swings <= padded[:-2]) & (swings < padded[2:]))
        if not small.size:
            break
        # A swing that is too small goes with both its ends, and its neighbours become one swing.
        kept = np.ones(len(turns), dtype=np.bool_)
        kept[small] = kept[small + 1] = False
        kept[[0, -1]] = True
        turns = turns[kept]
    return turns[1:-1]


def _swings(column: Array, sizes: Array, turns: Indices) -> Array:
    """How far (N-1,) one component alone moves the property between ``turns`` (N,), in bounds."""
    return np.asarray(np.abs(np.diff(column[turns])) * sizes[turns[:-1]])


def _kinks(samples: Samples, measure: Measure) -> Array:
    """(T,) distance of each sample from the straight line between its neighbours, in bounds; none at the ends."""
    times, values = samples.times, samples.values
    weight = ((times[1:-1] - times[:-2]) / (times[2:] - times[:-2]))[:, None]
    kinks = np.zeros(len(times))
    kinks[1:-1] = measure(values[:-2] * (1.0 - weight) + values[2:] * weight, values[1:-1])
    return kinks


def _seam_is_smooth(samples: Samples, measure: Measure, kinks: Array) -> bool:
    """Whether the end goes on into the start, apart from where the property is then."""
    times, values = samples.times, samples.values
    if len(times) < 4:
        return False
    # One step before the seam and one after it, laid out as three samples.
    around = Samples(
        np.array([times[-2], times[-1], times[-1] + times[1] - times[0]]),
        np.stack([values[-2], values[-1], values[1] - values[0] + values[-1]]),
    )
    kink = _kinks(around, measure)[1]
    return bool(kink <= max(_SHARP, _SHARPER * max(kinks[1], kinks[-2])))
