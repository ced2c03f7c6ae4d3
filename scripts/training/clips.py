# SPDX-License-Identifier: GPL-3.0-or-later
"""Crops of training takes, augmented."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from .augmentation import Augmentation, source_frames
from .dataset import FrameBank, Ints
from .sampling import CropSampler
from .settings import AugmentationSettings

_LONGEST_SOURCE = 200


class ClipSource:
    """Draws crops for all stages."""

    def __init__(
        self, sampler: CropSampler, frames: FrameBank, augmentation: Augmentation, settings: AugmentationSettings
    ) -> None:
        """Draw with ``sampler`` from ``frames``."""
        self.sampler = sampler
        self.augmentation = augmentation
        self._frames = frames
        self._settings = settings

    def poses(self, rng: np.random.Generator, count: int) -> Tensor:
        """Clips of all kinds for stages that need no labels, (count, D, T), T drawn anew each time."""
        frames, rate = self.sampler.frames(rng), self.rate(rng)
        rate = rate if source_frames(rate, frames) <= _LONGEST_SOURCE else 1.0
        needed = source_frames(rate, frames)
        loose = self.sampler.draw_loose(rng, round(self._settings.unlabelled * count), needed)
        paired = self.sampler.draw(rng, (count - len(loose) + 1) // 2 * 2, needed)[: count - len(loose)]
        takes = np.concatenate([paired, loose])
        clips = self.crop(takes, self.sampler.offsets(rng, takes, needed), needed)
        return self.mirror(self.augmentation.retimed(clips, rate, frames), self.coins(rng, count))

    def crop(self, takes: Ints, offsets: Ints, frames: int) -> Tensor:
        """(B, D, frames) from each offset on."""
        return self._frames.crop(takes, offsets, frames)

    def rate(self, rng: np.random.Generator) -> float:
        """How fast the clips of a batch are to run: mostly as they did."""
        if rng.random() >= self._settings.retime:
            return 1.0
        return float(np.exp(rng.uniform(np.log(self._settings.slowest), np.log(self._settings.fastest))))

    def coins(self, rng: np.random.Generator, count: int) -> Tensor:
        """Which clips are to be mirrored, (count,)."""
        return torch.from_numpy(rng.random(count) < self._settings.mirror)

    def mirror(self, clips: Tensor, chosen: Tensor) -> Tensor:
        """The chosen ones of (B, D, T) mirrored."""
        return torch.where(chosen.to(clips.device)[:, None, None], self.augmentation.mirrored(clips), clips)
