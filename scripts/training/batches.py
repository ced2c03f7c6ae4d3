# SPDX-License-Identifier: GPL-3.0-or-later
"""Batches of the stylizer: pairs of clips in different styles, two crops of each, augmented."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from models.config import STRIDE

from .augmentation import source_frames
from .clips import ClipSource
from .dataset import UNLABELLED, Ints, Split
from .pose_space import PoseFolding, folded_channels
from .statistics import ClassStatistics, labelled_takes, window_starts
from .workspace import Workspace


@dataclass(frozen=True)
class Batch:
    """Two crops a and b of each clip: latents and poses. Clips 2i and 2i + 1 differ in style and are partners.

    Latents are what losses measure clips by, see :meth:`BatchSource.encode`. Actions are numbers of
    :meth:`BatchSource.shape`, where mirrored ones are actions of their own; UNLABELLED styles and actions are those
    that nobody named.
    """

    a: Tensor
    b: Tensor
    features_a: Tensor
    features_b: Tensor
    style: Tensor
    content: Tensor

    @property
    def partner(self) -> Tensor:
        """Index of the partner of each clip, (B,)."""
        return torch.arange(len(self.style), device=self.style.device) ^ 1


class BatchSource:
    """Draws batches, and the windows that class statistics are made of."""

    def __init__(self, workspace: Workspace) -> None:
        """Draw from the workspace's clips; an autoencoder that is trained first must be finished."""
        self._workspace = workspace
        self._yardstick = PoseFolding() if workspace.settings.method.end_to_end else workspace.network.autoencoder
        self._clips: ClipSource = workspace.clips
        self._settings = workspace.settings.augmentation
        self._contents = len(workspace.dataset.content_names)

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers of actions, mirrored ones included and one at least, and of styles."""
        return max(2 * self._contents, 1), len(self._workspace.dataset.style_names)

    @property
    def channels(self) -> int:
        """Number of channels of the latents."""
        config = self._workspace.network.config
        return folded_channels(config.layout) if self._workspace.settings.method.end_to_end else config.latent_channels

    @torch.no_grad()
    def encode(self, features: Tensor) -> Tensor:
        """Latents of clips (B, D, T): the autoencoder's, or folded poses if that still changes."""
        return self._yardstick.encode(features)

    def draw(self, rng: np.random.Generator, count: int) -> Batch:
        """One batch of ``count`` clips; all crops of it are equally long."""
        dataset, sampler = self._workspace.dataset, self._clips.sampler
        frames = sampler.frames(rng)
        takes = sampler.draw(rng, count, frames)
        frames = int(min(frames, dataset.lengths[takes].min())) // STRIDE * STRIDE
        a, b = self._crop(rng, takes, frames), self._crop(rng, takes, frames)
        style, content = dataset.style[takes].copy(), dataset.content[takes].copy()
        self._join(rng, takes, (a, b), content)
        self._loosen(rng, (a, b), style, content)
        mirrored = self._clips.coins(rng, count)
        content = np.where((content != UNLABELLED) & mirrored.numpy(), content + self._contents, content)
        a, b = self._clips.mirror(a, mirrored), self._clips.mirror(b, mirrored)
        latents = self.encode(torch.cat([a, b]))
        labels = self._workspace.labels
        return Batch(latents[:count], latents[count:], a, b, labels(style), labels(content))

    def statistics(self, lengths: set[int]) -> tuple[ClassStatistics, ClassStatistics]:
        """Statistics of latents and of poses, by window lengths in latent steps."""
        return (
            ClassStatistics(self.shape, lambda length: self._windows(length, latent=True), lengths),
            ClassStatistics(self.shape, lambda length: self._windows(length, latent=False), lengths),
        )

    def _crop(self, rng: np.random.Generator, takes: Ints, frames: int) -> Tensor:
        return self._clips.crop(takes, self._clips.sampler.offsets(rng, takes, frames), frames)

    def _join(self, rng: np.random.Generator, takes: Ints, crops: tuple[Tensor, Tensor], content: Ints) -> None:
        """Give some clips the legs of another action in their style; what they do has no name then."""
        chosen = np.flatnonzero((rng.random(len(takes)) < self._settings.join) & (content != UNLABELLED))
        if len(chosen) == 0:
            return
        frames = crops[0].shape[-1]
        others = self._clips.sampler.draw_alike(rng, takes[chosen], frames)
        rows = torch.from_numpy(chosen).to(crops[0].device)
        for crop in crops:
            crop[rows] = self._clips.augmentation.joined(crop[rows], self._crop(rng, others, frames))
        content[chosen] = np.where(
            self._workspace.dataset.content[others] == content[chosen], content[chosen], UNLABELLED
        )

    def _loosen(self, rng: np.random.Generator, crops: tuple[Tensor, Tensor], style: Ints, content: Ints) -> None:
        """Put clips without a label in the place of some: their partners keep theirs."""
        count, frames = len(style), crops[0].shape[-1]
        rate = self._clips.rate(rng)
        needed = source_frames(rate, frames)
        pairs = rng.permutation(count // 2)[: round(self._settings.unlabelled * count / 2)]
        takes = self._clips.sampler.draw_loose(rng, len(pairs), needed)
        if len(takes) == 0:
            return
        rows = torch.from_numpy(2 * pairs).to(crops[0].device)
        for crop in crops:
            crop[rows] = self._clips.augmentation.retimed(self._crop(rng, takes, needed), rate, frames)
        style[2 * pairs] = content[2 * pairs] = UNLABELLED

    def _windows(self, length: int, *, latent: bool) -> list[tuple[int, int, Tensor]]:
        """(action, style, windows (N, C, length)) of every labelled training take, as it is and mirrored."""
        dataset, found = self._workspace.dataset, list[tuple[int, int, Tensor]]()
        for take in labelled_takes(dataset):
            frames = min(length * STRIDE, int(dataset.lengths[take]) // STRIDE * STRIDE)
            starts = window_starts(int(dataset.lengths[take]), frames)
            plain = self._clips.crop(np.full(len(starts), take), starts, frames)
            both = torch.cat([plain, self._clips.augmentation.mirrored(plain)])
            parts = (self.encode(both) if latent else both).chunk(2)
            content, style = int(dataset.content[take]), int(dataset.style[take])
            found += [(content + number * self._contents, style, part) for number, part in enumerate(parts)]
        return found

    def takes(self, split: Split) -> Iterator[tuple[int, Tensor]]:
        """Every take of a split with its features, (1, D, T)."""
        for take in self._workspace.dataset.indices(split):
            yield int(take), self._workspace.frames.whole(int(take), STRIDE)


def one_hot(labels: Tensor, count: int) -> Tensor:
    """(B, count); all zero for UNLABELLED."""
    return functional.one_hot(labels.clamp(min=0), count).float() * (labels >= 0).float()[:, None]


def named_mean(values: Tensor, labels: Tensor) -> Tensor:
    """Mean of (B,) values over the clips that have a label; 0 without any."""
    named = (labels >= 0).float()
    return (values * named).sum() / named.sum().clamp(min=1.0)
