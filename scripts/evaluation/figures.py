# SPDX-License-Identifier: GPL-3.0-or-later
"""Values with their 95 % intervals: over cases by the bootstrap, or over whole repeats by Student's t."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.rotations import Array

_RESAMPLES: Final = 1000
_Z: Final = 1.96
# Two-sided 95 % quantiles of Student's t for 1, 2, ... degrees of freedom; beyond them the normal's.
_T: Final = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
    2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045,
)  # fmt: skip


@dataclass(frozen=True)
class Figure:
    """A value with its 95 % interval, and of how many cases it is; 0 where it was not measured."""

    value: float
    low: float
    high: float
    n: int = 0

    def __str__(self) -> str:
        """Value and interval, two places."""
        return self.text(2)

    def text(self, places: int) -> str:
        """Value and interval, or a dash without any case."""
        if not np.isfinite(self.value):
            return "-"
        # Adding 0 takes the sign from a zero that was rounded.
        value, low, high = (f"{round(number, places) + 0.0:.{places}f}" for number in (self.value, self.low, self.high))
        return f"{value} ({low} to {high})" if self.low < 0.0 else f"{value} ({low}-{high})"


NOTHING: Final = Figure(float("nan"), float("nan"), float("nan"))


def share(hits: Sequence[bool]) -> Figure:
    """Share of hits with Wilson's interval."""
    if not hits:
        return NOTHING
    n, p = len(hits), float(np.mean(hits))
    middle = (p + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
    reach = _Z * (p * (1 - p) / n + _Z**2 / (4 * n**2)) ** 0.5 / (1 + _Z**2 / n)
    return Figure(p, max(0.0, min(middle - reach, p)), min(1.0, max(middle + reach, p)), n)


def median(values: Sequence[float]) -> Figure:
    """Median of the finite values with its bootstrap interval."""
    return _bootstrapped(values, lambda rows: np.median(rows, axis=-1))


def mean(values: Sequence[float]) -> Figure:
    """Mean of the finite values with its bootstrap interval."""
    return _bootstrapped(values, lambda rows: np.mean(rows, axis=-1))


def ratio(above: Sequence[float], below: Sequence[float]) -> Figure:
    """Ratio of the means of paired values (N,), with its bootstrap interval over the pairs."""
    pairs = np.stack([np.asarray(above, dtype=np.float64), np.asarray(below, dtype=np.float64)])
    pairs = pairs[:, np.isfinite(pairs).all(axis=0)]
    if not pairs.shape[1] or pairs[1].mean() == 0.0:
        return NOTHING
    means = pairs[:, _resampled(pairs.shape[1])].mean(axis=-1)
    low, high = np.percentile(means[0] / np.maximum(means[1], 1e-12), [2.5, 97.5])
    return Figure(float(pairs[0].mean() / pairs[1].mean()), float(low), float(high), pairs.shape[1])


def around(value: float, resampled: Sequence[float], n: int) -> Figure:
    """A value that is at least 0, and whose resampled values are biased: their spread alone makes the interval."""
    reach = _Z * float(np.std(resampled, ddof=1)) if len(resampled) > 1 else 0.0
    return Figure(value, max(value - reach, 0.0), value + reach, n)


def repeated(figures: Sequence[Figure]) -> Figure:
    """One figure of the same figure in several repeats: their mean, with the interval of that mean."""
    measured = [figure for figure in figures if np.isfinite(figure.value)]
    if len(measured) < 2:
        return measured[0] if measured else NOTHING
    values = np.array([figure.value for figure in measured])
    freedom = len(values) - 1
    quantile = _T[freedom - 1] if freedom <= len(_T) else _Z
    reach = quantile * float(values.std(ddof=1)) / len(values) ** 0.5
    value = float(values.mean())
    return Figure(value, value - reach, value + reach, sum(figure.n for figure in measured))


def _bootstrapped(values: Sequence[float], statistic: Callable[[Array], Array]) -> Figure:
    sample = np.asarray(values, dtype=np.float64)
    sample = sample[np.isfinite(sample)]
    if not sample.size:
        return NOTHING
    low, high = np.percentile(statistic(sample[_resampled(len(sample))]), [2.5, 97.5])
    return Figure(float(statistic(sample)), float(low), float(high), len(sample))


def _resampled(count: int) -> NDArray[np.int64]:
    return np.random.default_rng(0).integers(count, size=(_RESAMPLES, count))
