# SPDX-License-Identifier: GPL-3.0-or-later
"""Latents of all training takes, from the frozen autoencoder."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from models.config import STRIDE

from .dataset import Ints, Split
from .workspace import Workspace


class LatentBank:
    """z of every training take at all four ways to cut time into steps, from the frozen autoencoder."""

    @torch.no_grad()
    def __init__(self, workspace: Workspace) -> None:
        """Encode everything once: tens of seconds on a CPU."""
        dataset = workspace.dataset
        self._workspace = workspace
        self._starts = np.full(len(dataset.starts), -1)
        self.steps = np.zeros(len(dataset.starts), dtype=np.int64)
        pieces: list[Tensor] = []
        total = 0
        for take in dataset.indices(Split.TRAIN):
            latent = self._encode(int(take))
            self._starts[take], self.steps[take] = total, latent.shape[1]
            total += latent.shape[1]
            pieces.append(latent)
        self._latents = torch.cat(pieces, dim=1)

    def _encode(self, take: int) -> Tensor:
        """Encode one take from its first four frames on: (4, T / 4, latent)."""
        frames = (int(self._workspace.dataset.lengths[take]) - STRIDE + 1) // STRIDE * STRIDE
        crops = self._workspace.frames.crop(np.full(STRIDE, take), np.arange(STRIDE), frames)
        return self._workspace.network.autoencoder.encode(crops).transpose(1, 2)

    def crop(self, takes: Ints, offsets: Ints, steps: int) -> Tensor:
        """Latents of the crops that start at these frames: (B, latent, steps)."""
        rows = (self._starts[takes] + offsets // STRIDE)[:, None] + np.arange(steps)
        phases = np.broadcast_to((offsets % STRIDE)[:, None], rows.shape)
        return self._latents[torch.from_numpy(phases.copy()), torch.from_numpy(rows)].transpose(1, 2)

    def offsets(self, rng: np.random.Generator, takes: Ints, steps: int) -> Ints:
        """First frame of a crop for each take, such that the crop fits at every phase."""
        return rng.integers(0, STRIDE * (self.steps[takes] - steps + 1))
