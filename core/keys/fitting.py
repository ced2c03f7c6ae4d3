# SPDX-License-Identifier: GPL-3.0-or-later
"""Which samples become keys: many at first, then ever fewer as long as the bound holds."""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ..rotations import Array
from ..steps import Progress, Steps, finish, scaled
from .bundle import Bundle, Part, bundled
from .curve import Keys
from .knots import Knots, normal_equations, off, replaced, sampled, with_more, without
from .landmarks import Indices, Mask, OriginalKeys, Samples, find_landmarks
from .measures import Measure

# Samples between the first keys.
_SEEDS = 4
# Rounds of leaving out keys, at most; a round that gets rid of less than this share of them is the last.
_ROUNDS, _WORTHWHILE = 40, 0.02
# Keys may move by one sample so many times: every third of them at once, and some others become superfluous by that.
_MOVES = 2
_TURNS = 3
# Bounds that a curve may be off between frames where a capture has keys: nobody sees it, and nobody chose them.
_BETWEEN = 4.0
# The fit takes angles for small; so much of the bound is left for that.
_LIMIT = 0.998
# Samples that are fitted at once: few enough to stay near the processor, and to be done within a step.
_CHUNK = 12_000
_EMPTY = np.empty(0)


@dataclass(frozen=True)
class Task:
    """A property to be fitted.

    Attributes:
        samples: the property on every frame, T of them, at least two.
        measure: says how far off a value is.
        original: keys to keep where an animator set them.
        moments: (M,) frames that get keys in any case.
        closeness: (T,) how many times closer than the bound the curve must stay.
    """

    samples: Samples
    measure: Measure
    original: OriginalKeys
    moments: Array
    closeness: Array


def fit_keys(samples: Samples, measure: Measure, original: OriginalKeys | None = None, moments: Array = _EMPTY) -> Keys:
    """:func:`fit_all` for one property."""
    original = original or OriginalKeys(_EMPTY, np.empty(0, dtype=np.bool_))
    return fit_all([Task(samples, measure, original, moments, np.ones(len(samples.times)))])[0]


def fit_all(tasks: Sequence[Task]) -> list[Keys]:
    """Few keys for each property, whose curve is within the bound at all samples.

    Between whole frames a captured original may be missed by four bounds; an animator's own keys are kept with exactly
    the values of their samples. Cost grows linearly with the number of samples.
    """
    return finish(fit_all_steps(tasks))


def fit_all_steps(tasks: Sequence[Task]) -> Steps[list[Keys]]:
    """:func:`fit_all` in steps."""
    found: list[Keys] = []
    for chunk in _chunks(tasks):
        begin, end = len(found) / len(tasks), (len(found) + len(chunk)) / len(tasks)
        found += yield from scaled(_chunk_steps(chunk), begin, end)
    return found


def _chunk_steps(tasks: Sequence[Task]) -> Steps[list[Keys]]:
    """The keys; how many steps that takes nobody knows before, but some for each task."""
    fitting, taken = _fit_chunk(tasks), 0
    while True:
        try:
            next(fitting)
        except StopIteration as end:
            return end.value
        yield Progress(taken / (taken + len(tasks)), "Fitting keys")
        taken += 1


def _chunks(tasks: Sequence[Task]) -> Iterator[Sequence[Task]]:
    lengths = np.cumsum([len(task.samples.times) for task in tasks])
    number = lengths // _CHUNK
    for own in np.unique(number):
        rows = np.flatnonzero(number == own)
        yield tasks[rows[0] : rows[-1] + 1]


def _fit_chunk(tasks: Sequence[Task]) -> Generator[None, None, list[Keys]]:
    """The keys; between steps nothing is given out."""
    trimmed: list[tuple[slice, Part]] = []
    for task in tasks:
        trimmed.append(_part(task).trimmed())
        yield
    bundle = bundled([part for _, part in trimmed])
    yield
    knots = yield from _thinned(bundle, _seeded(bundle), _ROUNDS)
    for move in range(_MOVES):
        for turn in range(_TURNS):
            knots = _moved(bundle, knots, 1 - 2 * (move % 2), turn)
            yield
            knots = _thinner(bundle, knots)
            yield
    knots = yield from _thinned(bundle, knots, _ROUNDS)
    while True:
        keys = _separate(tasks, bundle, knots)
        yield
        broken: list[Mask] = []
        for task, own, (place, part) in zip(tasks, keys, trimmed, strict=True):
            broken.append((_errors(task, own)[place] > 1.0) & part.marks.keyable & ~part.marks.overruled)
            yield
        everywhere = np.concatenate(broken)
        if not everywhere.any():
            return keys
        knots = _repaired(bundle, knots, everywhere)


def _part(task: Task) -> Part:
    errors = task.measure.derivatives(task.samples.values)
    marks = find_landmarks(task.samples, task.measure, errors, task.original, task.moments)
    share = np.where(marks.overruled, 0.0, _share(task))
    return Part(task.samples, marks, errors * share[:, None, None])


def _share(task: Task) -> Array:
    """(T,) what is off by one bound at each sample."""
    return task.closeness / np.where(task.original.dense & ~task.samples.whole, _BETWEEN, 1.0)


def _errors(task: Task, keys: Keys) -> Array:
    """(T,) distance of a curve from the samples, in multiples of what is allowed there."""
    return _share(task) * task.measure(keys.at(task.samples.times), task.samples.values)


def _seeded(bundle: Bundle) -> Knots:
    """Keys at even distances, and all of them where that is not enough."""
    marks = bundle.marks
    allowed = marks.keyable & ~marks.overruled
    whole = allowed & bundle.whole
    picked = marks.required | (whole & (np.cumsum(whole) % _SEEDS == 0))
    # Whole frames first: a key between frames is hard to edit.
    for more in (whole, allowed):
        broken = np.maximum.reduceat(off(bundle, sampled(bundle, picked)), np.flatnonzero(picked)) > _LIMIT
        picked = picked | (broken[np.cumsum(picked) - 1] & more)
    return sampled(bundle, picked)


def _thinned(bundle: Bundle, knots: Knots, rounds: int) -> Generator[None, None, Knots]:
    """Without the keys that the curve does not need."""
    for _ in range(rounds):
        count = len(knots)
        yield
        knots = _thinner(bundle, knots)
        if count - len(knots) <= _WORTHWHILE * count:
            break
    return knots


def _thinner(bundle: Bundle, knots: Knots) -> Knots:
    """Without those keys that are most superfluous far and wide."""
    equations = normal_equations(bundle, knots.rows)
    cost, ends = np.full(len(knots), np.inf), np.zeros((4, 4, len(knots)))
    number = np.arange(len(knots))
    for parity in (0, 1):
        gone = number[~bundle.marks.required[knots.rows] & (number % 2 == parity)]
        ends[:, :, gone] = without(bundle, knots, gone, equations)
        # Windows of every fourth key have no key inside in common.
        for part in (gone[gone % 4 == parity], gone[gone % 4 != parity]):
            cost[part] = _costs(bundle, knots, part, ends[:, :, part])
    # Keys between frames are hard to edit: they go first.
    chosen = _lowest(np.where(cost <= _LIMIT, cost - ~bundle.whole[knots.rows], np.inf))
    return replaced(bundle, knots, chosen, ends[:, :, chosen])


def _costs(bundle: Bundle, knots: Knots, gone: Indices, ends: Array) -> Array:
    """(G,) how far off the curve is around each of the ``gone`` keys when ``ends`` (4, 4, G) replace its neighbours."""
    stretches = np.maximum.reduceat(off(bundle, replaced(bundle, knots, gone, ends)), knots.rows)
    around = np.clip(gone + np.array([[-2], [-1], [0], [1]]), 0, len(knots) - 1)
    return np.asarray(stretches[around].max(axis=0))


def _lowest(cost: Array) -> Indices:
    """Numbers of keys whose finite cost is less than that of the three on either side, whose windows they share."""
    lowest, count = np.isfinite(cost), len(cost)
    padded = np.pad(cost, 3, constant_values=np.inf)
    for step in (1, 2, 3):
        lowest &= cost <= padded[3 - step : 3 - step + count]
        lowest &= cost < padded[3 + step : 3 + step + count]
    return np.flatnonzero(lowest)


def _moved(bundle: Bundle, knots: Knots, step: int, turn: int) -> Knots:
    """Every third key moved to the next frame (``step`` 1) or the one before (-1) if the bound allows it."""
    marks = bundle.marks
    places = np.flatnonzero(marks.keyable & ~marks.overruled & (bundle.whole | marks.required))
    old = knots.rows[~marks.required[knots.rows] & (np.arange(len(knots)) % _TURNS == turn)]
    new = places[np.searchsorted(places, old, side="right" if step > 0 else "left") - (step < 0)]
    free = ~np.isin(new, knots.rows) & (np.diff(new, prepend=-1) > 0)
    old, new = old[free], new[free]
    # A new key on the curve changes nothing; then either it or the old one goes. Windows have no key in common.
    both = with_more(bundle, knots, new)
    gone = np.searchsorted(both.rows, old)
    ends = without(bundle, both, gone, normal_equations(bundle, both.rows))
    fine = _costs(bundle, both, gone, ends) <= _LIMIT
    moved = replaced(bundle, both, gone[fine], ends[:, :, fine])
    return moved.only(~np.isin(moved.rows, new[~fine]))


def _repaired(bundle: Bundle, knots: Knots, broken: Mask) -> Knots:
    """With keys wherever the bound is ``broken`` (N,)."""
    present = np.zeros(len(bundle), dtype=np.bool_)
    present[knots.rows] = True
    knots = with_more(bundle, knots, np.flatnonzero(broken & ~present))
    wrong = broken[knots.rows]
    knots.values[:, wrong] = bundle.values[:, knots.rows[wrong]]
    return knots


def _separate(tasks: Sequence[Task], bundle: Bundle, knots: Knots) -> list[Keys]:
    """The properties' own keys."""
    found = []
    bounds = np.searchsorted(knots.rows, np.append(bundle.starts, len(bundle)))
    for task, start, stop in zip(tasks, bounds[:-1], bounds[1:], strict=True):
        width = task.samples.values.shape[1]
        rows = knots.rows[start:stop]
        values, arriving, leaving = (
            np.ascontiguousarray(part[:width, start:stop].T) for part in (knots.values, knots.arriving, knots.leaving)
        )
        # Left of the first key and right of the last there is no curve: their handles go on straight.
        arriving[0], leaving[-1] = leaving[0], arriving[-1]
        found.append(Keys(bundle.times[rows], values, arriving, leaving, bundle.marks.stepped[rows]))
    return found
