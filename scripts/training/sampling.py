# SPDX-License-Identifier: GPL-3.0-or-later
"""Which takes go into a batch."""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np

from .dataset import UNLABELLED, Ints, MotionDataset, Split

_EVENNESS: Final = 0.5
"""Power of the amount by which styles are drawn: 0 draws them evenly, 1 by their amount."""
_RELATED: Final = 0.8
"""Share of the pairs whose second style also has the first one's action: only there is it known how it should look."""


class PairSampler:
    """Draws labelled training takes in neighbouring pairs of different styles.

    Styles are drawn by the root of how much there is of each: evenly, a few takes would be learned by heart; by their
    amount, they would not be learned at all. Within a style all actions are drawn evenly. The second style of most
    pairs has been seen in the first one's action: datasets that were recorded apart have few actions in common.
    """

    def __init__(self, dataset: MotionDataset, frames: int) -> None:
        """Consider the training takes of at least that many frames; ValueError if fewer than two styles are left."""
        takes = dataset.indices(Split.TRAIN)
        takes = takes[(dataset.lengths[takes] >= frames) & (dataset.style[takes] != UNLABELLED)]
        self._by_style: list[list[Ints]] = []
        amounts: list[float] = []
        self._style = dataset.style
        self._place: dict[int, int] = {}
        for style in np.unique(dataset.style[takes]):
            self._place[int(style)] = len(self._by_style)
            own = takes[dataset.style[takes] == style]
            self._by_style.append([own[dataset.content[own] == content] for content in np.unique(dataset.content[own])])
            amounts.append(float(dataset.lengths[own].sum()) ** _EVENNESS)
        if len(self._by_style) < 2:
            raise ValueError(f"Training needs takes of {frames} frames or more in at least two styles.")
        self._weights = np.array(amounts) / sum(amounts)
        self._content = dataset.content
        performed = [set(dataset.content[np.concatenate(own)].tolist()) - {UNLABELLED} for own in self._by_style]
        self._performing = {
            action: np.array([action in actions for actions in performed]) for action in set().union(*performed)
        }

    def draw(self, rng: np.random.Generator, count: int) -> Ints:
        """Takes (count,), count even; takes 2i and 2i + 1 differ in style."""
        pairs = [self._draw_pair(rng) for _ in range(count // 2)]
        return np.array(pairs, dtype=np.int64).reshape(-1)

    def draw_alike(self, rng: np.random.Generator, takes: Ints) -> Ints:
        """For each take another one in the same style, of any action, (B,)."""
        return np.array([self._draw_take(rng, self._place[int(self._style[take])]) for take in takes], dtype=np.int64)

    def _draw_pair(self, rng: np.random.Generator) -> tuple[int, int]:
        first = int(rng.choice(len(self._by_style), p=self._weights))
        take = self._draw_take(rng, first)
        chances = np.where(np.arange(len(self._weights)) == first, 0.0, self._weights)
        performing = chances * self._performing.get(int(self._content[take]), 0.0)
        if performing.any() and rng.random() < _RELATED:
            chances = performing
        second = int(rng.choice(len(self._by_style), p=chances / chances.sum()))
        return take, self._draw_take(rng, second)

    def _draw_take(self, rng: np.random.Generator, style: int) -> int:
        contents = self._by_style[style]
        takes = contents[rng.integers(len(contents))]
        return int(takes[rng.integers(len(takes))])


class LooseSampler:
    """Draws training takes that have no style label, by the root of how long each is."""

    def __init__(self, dataset: MotionDataset, frames: int) -> None:
        """Consider the takes of at least that many frames."""
        takes = dataset.indices(Split.TRAIN)
        self._takes = takes[(dataset.lengths[takes] >= frames) & (dataset.style[takes] == UNLABELLED)]
        weights = dataset.lengths[self._takes].astype(np.float64) ** _EVENNESS
        self._weights = weights / weights.sum() if len(weights) else weights

    def __len__(self) -> int:
        """Number of takes to draw from."""
        return len(self._takes)

    def draw(self, rng: np.random.Generator, count: int) -> Ints:
        """Takes (count,)."""
        return rng.choice(self._takes, size=count, p=self._weights)


class CropSampler:
    """Takes and crop lengths, for any number of frames that a crop needs."""

    def __init__(self, dataset: MotionDataset, crop_frames: tuple[int, ...]) -> None:
        """Lengths that no two styles have takes of are dropped; the shortest one must work."""
        labelled = dataset.indices(Split.TRAIN)
        labelled = labelled[dataset.style[labelled] != UNLABELLED]
        styles = dataset.style[labelled]
        longest_of = sorted(int(dataset.lengths[labelled][styles == style].max()) for style in np.unique(styles))
        # A pair needs two styles.
        longest = longest_of[-2] if len(longest_of) > 1 else 0
        self._lengths = [frames for frames in crop_frames if frames <= longest] or [min(crop_frames)]
        self._longest = longest
        self._take_lengths = dataset.lengths
        self._pairs = cache(lambda frames: PairSampler(dataset, frames))
        self._loose = cache(lambda frames: LooseSampler(dataset, frames))

    def frames(self, rng: np.random.Generator) -> int:
        """A crop length."""
        return int(rng.choice(self._lengths))

    def draw(self, rng: np.random.Generator, count: int, frames: int) -> Ints:
        """Labelled takes in pairs, long enough for the frames, or the longest there are."""
        return self._pairs(min(frames, self._longest)).draw(rng, count)

    def draw_alike(self, rng: np.random.Generator, takes: Ints, frames: int) -> Ints:
        """For each labelled take another one in the same style, of any action, (B,)."""
        return self._pairs(min(frames, self._longest)).draw_alike(rng, takes)

    def draw_loose(self, rng: np.random.Generator, count: int, frames: int) -> Ints:
        """Takes without a label; none if there are none of that length."""
        sampler = self._loose(frames)
        return sampler.draw(rng, count) if len(sampler) else np.zeros(0, dtype=np.int64)

    def offsets(self, rng: np.random.Generator, takes: Ints, frames: int) -> Ints:
        """One crop start per take, (B,)."""
        return rng.integers(0, np.maximum(self._take_lengths[takes] - frames, 0) + 1)
