# SPDX-License-Identifier: GPL-3.0-or-later
"""Which samples become keys: the landmarks, then more where the bound asks for it, then fewer where it allows it."""

import numpy as np

from ..rotations import Array
from .curve import Keys, fit_curve
from .landmarks import Landmarks, Mask, OriginalKeys, Samples, find_landmarks
from .measures import Measure

# Rounds of adding keys one by one, before and after thinning; what is then still off takes more than it needs.
_REFINEMENTS, _REPAIRS = 10, 10
# A second pass finds keys that the repairs of the first have made superfluous.
_PASSES = 2
# Rounds of leaving out keys, at most.
_THINNINGS = 25
# A key is worth trying without while the curve that skips it, not yet fitted anew, is off by so many bounds.
_HOPEFUL = 6.0
# Samples between the first keys.
_SEEDS = 4
# Bounds that a curve may be off between frames where a capture has keys: nobody sees it, and nobody chose them.
_BETWEEN = 4.0
_EMPTY = np.empty(0)


def fit_keys(samples: Samples, measure: Measure, original: OriginalKeys | None = None, moments: Array = _EMPTY) -> Keys:
    """Few keys whose curve is within the bound at all samples (T,), which must be at least two.

    Between whole frames a captured original may be missed by four bounds; an animator's own keys are kept.
    Landmarks have exactly the values of their samples. Cost grows linearly with T.

    Args:
        samples: the property on every frame.
        measure: says how far off a value is.
        original: keys to keep where an animator set them.
        moments: (M,) frames that get keys in any case.
    """
    original = original or OriginalKeys(_EMPTY, np.empty(0, dtype=np.bool_))
    fit = _Fit(samples, measure, find_landmarks(samples, measure, original, moments), captured=original.dense)
    fit.seed()
    fit.refine(_REFINEMENTS)
    for _ in range(_PASSES):
        fit.thin()
        fit.refine(_REPAIRS)
    fit.complete()
    return fit.curve()


class _Fit:
    """One property's samples, and which of them (T,) are keys so far: the landmarks to begin with."""

    def __init__(self, samples: Samples, measure: Measure, marks: Landmarks, *, captured: bool) -> None:
        self._samples = samples
        self._measure = measure
        self._marks = marks
        # What is off (T,) by one bound at each sample; samples that a step overrules cannot be off.
        loose = np.where(captured & ~samples.whole, _BETWEEN, 1.0)
        self._share = np.where(marks.overruled, 0.0, 1.0 / loose)
        self._exact = marks.required.copy()
        self._picked = marks.required.copy()

    def curve(self) -> Keys:
        """The best curve with the present keys."""
        return fit_curve(self._samples, self._picked, self._exact, self._marks)

    def seed(self) -> None:
        """Add keys at even distances in each stretch that breaks the bound: a head start for :meth:`refine`."""
        keys = np.flatnonzero(self._picked)
        broken = np.maximum.reduceat(self._errors(self.curve()), keys) > 1.0
        stretch = np.maximum(np.cumsum(self._picked) - 1, 0)
        count = np.arange(len(stretch)) - keys[stretch]
        self._picked |= broken[stretch] & (count % _SEEDS == 0) & self._samples.whole & self._marks.keyable

    def refine(self, rounds: int) -> None:
        """Add a key in each stretch that breaks the bound, ``rounds`` times at most."""
        for _ in range(rounds):
            errors = self._errors(self.curve())
            if errors.max() <= 1.0:
                break
            self._exact |= self._picked & (errors > 1.0)
            self._picked |= self._worst(errors)

    def complete(self) -> None:
        """Add a key wherever the bound is still broken."""
        while (off := self._marks.keyable & (self._errors(self.curve()) > 1.0)).any():
            self._exact |= off
            self._picked |= off

    def thin(self) -> None:
        """Leave out keys that the curve does not need; here and there the bound may be broken afterwards."""
        needed = self._marks.required.copy()
        for _ in range(_THINNINGS):
            cost = self._cost_of_skipping(needed)
            rows = np.flatnonzero(self._picked)[_lowest(cost) & (cost < _HOPEFUL)]
            if not rows.size:
                break
            self._picked[rows] = False
            left = np.flatnonzero(self._picked)
            broken = np.maximum.reduceat(self._errors(self.curve()), left) > 1.0
            back = rows[broken[np.searchsorted(left, rows) - 1]]
            self._picked[back] = needed[back] = True

    def _errors(self, keys: Keys) -> Array:
        """(T,) distance of a curve from the samples, in multiples of what is allowed there."""
        return self._share * self._measure(keys.at(self._samples.times), self._samples.values)

    def _worst(self, errors: Array) -> Mask:
        """(T,) the worst sample of each stretch between keys, if it breaks the bound."""
        off = np.where(self._picked | ~self._marks.keyable, 0.0, errors)
        stretch = np.cumsum(self._picked)
        # Whole frames first: a key between frames is hard to edit. A little over the bound there is no reason yet.
        score = np.where(self._samples.whole | (off <= 1.0), off, 1.0 + 1e-6 * off)
        order = np.lexsort((score, stretch))
        last = order[np.append(np.flatnonzero(np.diff(stretch[order])), len(order) - 1)]
        worst = np.zeros(len(errors), dtype=np.bool_)
        worst[last[score[last] > 1.0]] = True
        return worst

    def _cost_of_skipping(self, needed: Mask) -> Array:
        """(K,) error of the present curve without each one key, in bounds; infinite for the ``needed``."""
        keys = self.curve()
        rows = np.flatnonzero(self._picked)
        cost = np.full(len(rows), np.inf)
        for parity in (0, 1):
            skipped = ~needed[rows]
            skipped[parity::2] = False
            starts = rows[~skipped]
            worst = np.maximum.reduceat(self._errors(_only(keys, ~skipped)), starts)
            cost[skipped] = worst[np.searchsorted(starts, rows[skipped]) - 1]
        return cost


def _only(keys: Keys, kept: Mask) -> Keys:
    return Keys(keys.times[kept], keys.values[kept], keys.arriving[kept], keys.leaving[kept], keys.stepped[kept])


def _lowest(cost: Array) -> Mask:
    """(K,) keys that cost less than both neighbours."""
    padded = np.concatenate([[np.inf], cost, [np.inf]])
    return (cost <= padded[:-2]) & (cost < padded[2:])
