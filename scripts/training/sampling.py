# SPDX-License-Identifier: GPL-3.0-or-later
"""Which takes go into a batch."""

from __future__ import annotations

import numpy as np

from .dataset import Ints, MotionDataset, Split


class PairSampler:
    """Draws training takes evenly over (action, style) classes, in neighbouring pairs of different styles."""

    def __init__(self, dataset: MotionDataset, frames: int) -> None:
        """Consider the training takes of at least that many frames; ValueError if fewer than two styles are left."""
        takes = dataset.indices(Split.TRAIN)
        takes = takes[dataset.lengths[takes] >= frames]
        self._by_style: list[list[Ints]] = []
        for style in np.unique(dataset.style[takes]):
            own = takes[dataset.style[takes] == style]
            self._by_style.append([own[dataset.content[own] == content] for content in np.unique(dataset.content[own])])
        if len(self._by_style) < 2:
            raise ValueError(f"Training needs takes of {frames} frames or more in at least two styles.")

    def draw(self, rng: np.random.Generator, count: int) -> Ints:
        """Takes (count,), count even; takes 2i and 2i + 1 differ in style."""
        pairs = [self._draw_pair(rng) for _ in range(count // 2)]
        return np.array(pairs, dtype=np.int64).reshape(-1)

    def _draw_pair(self, rng: np.random.Generator) -> tuple[int, int]:
        first, second = rng.choice(len(self._by_style), size=2, replace=False)
        return self._draw_take(rng, int(first)), self._draw_take(rng, int(second))

    def _draw_take(self, rng: np.random.Generator, style: int) -> int:
        contents = self._by_style[style]
        takes = contents[rng.integers(len(contents))]
        return int(takes[rng.integers(len(takes))])


class CropSampler:
    """Pair samplers for all crop lengths that the dataset can serve."""

    def __init__(self, dataset: MotionDataset, crop_frames: tuple[int, ...]) -> None:
        """Lengths that no two styles have takes of are dropped; the shortest one must work."""
        longest = int(dataset.lengths[dataset.indices(Split.TRAIN)].max(initial=0))
        self._lengths = [frames for frames in crop_frames if frames <= longest] or [min(crop_frames)]
        self._samplers = {frames: PairSampler(dataset, frames) for frames in set(self._lengths)}
        self._take_lengths = dataset.lengths

    def draw(self, rng: np.random.Generator, count: int) -> tuple[Ints, int]:
        """Takes in pairs, and the crop length for all of them."""
        frames = int(rng.choice(self._lengths))
        return self._samplers[frames].draw(rng, count), frames

    def offsets(self, rng: np.random.Generator, takes: Ints, frames: int) -> Ints:
        """One crop start per take, (B,)."""
        return rng.integers(0, self._take_lengths[takes] - frames + 1)
