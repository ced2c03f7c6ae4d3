# SPDX-License-Identifier: GPL-3.0-or-later
"""What is typical of each (action, style) class: the teacher of how far a style has to go."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from .dataset import MotionDataset, Split

SPREAD_FLOOR: Final = 0.05
WINDOWS_PER_TAKE: Final = 6

MOST_SPECIAL: Final = 2.0
"""Spreads from its class beyond which a reference is not followed."""


@dataclass(frozen=True)
class Change:
    """What a batch of swaps was meant to do.

    Attributes:
        source: clips that were changed, (B, C, T).
        content: their actions, (B,).
        style: their styles, (B,).
        target: the styles they were to take on, (B,).
        reference: clips in those styles, (B, C, T).
        reference_content: their actions, (B,).
        detail: how much of what is special about the reference was asked for, (B, 1).
        relative: whether what is special about the source was to stay, (B, 1).

    """

    source: Tensor
    content: Tensor
    style: Tensor
    target: Tensor
    reference: Tensor
    reference_content: Tensor
    detail: Tensor
    relative: Tensor


@dataclass(frozen=True)
class ClassTable:
    """Mean and spread of describe() for each class, (contents, styles, 2C), and which classes there are."""

    mean: Tensor
    spread: Tensor
    known: Tensor

    def distance(self, swap: Tensor, change: Change) -> Tensor:
        """Distance of swaps (B, C, T) from their target class, in spreads of that class.

        Some are measured from the source's own description plus the difference of the two classes instead; and what
        is special about the reference, in spreads of its own class, moves the goal.
        """
        goal = self.mean[change.content, change.target]
        moved = describe(change.source) + goal - self.mean[change.content, change.style]
        place = change.reference_content, change.target
        special = (describe(change.reference) - self.mean[place]) / self.spread[place]
        gap = (describe(swap) - torch.where(change.relative, moved, goal)) / self.spread[change.content, change.target]
        gap = gap - change.detail * special.clamp(-MOST_SPECIAL, MOST_SPECIAL)
        distance = functional.smooth_l1_loss(gap, torch.zeros_like(gap), reduction="none").mean(dim=1)
        # A class that training has no take of (an action that one style lacks) says nothing.
        known = (self.known[change.content, change.target] & self.known[change.content, change.style]).float()
        return (known * distance).sum() / known.sum().clamp(min=1.0)


class ClassStatistics:
    """Class tables for several window lengths: short windows of a long action vary more, and mean something else."""

    def __init__(self, dataset: MotionDataset, windows: Callable[[int, int], Tensor], lengths: set[int]) -> None:
        """Describe windows of every training take.

        Args:
            dataset: takes and their classes.
            windows: of (take, length), a few clips (N, C, length) of that take, or shorter if the take is.
            lengths: window lengths to have tables for.

        """
        self._tables = {length: _make_table(dataset, windows, length) for length in lengths}

    def table(self, length: int) -> ClassTable:
        """Table of the window length that is nearest."""
        return self._tables[min(self._tables, key=lambda known: abs(known - length))]


def describe(clips: Tensor) -> Tensor:
    """Time mean and twice the time spread of each channel: (B, C, T) to (B, 2C)."""
    mean = clips.mean(dim=-1)
    # A floor under the variance: the root has no gradient where nothing moves.
    variance = (clips - mean[..., None]).square().mean(dim=-1)
    return torch.cat([mean, 2.0 * (variance + 1e-6).sqrt()], dim=1)


def window_starts(available: int, length: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Evenly spread first positions of windows."""
    return np.unique(np.linspace(0, available - length, WINDOWS_PER_TAKE).astype(np.int64))


@torch.no_grad()
def _make_table(dataset: MotionDataset, windows: Callable[[int, int], Tensor], length: int) -> ClassTable:
    takes = dataset.indices(Split.TRAIN)
    described = [describe(windows(int(take), length)) for take in takes]
    shape = (len(dataset.content_names), len(dataset.style_names))
    mean, spread = (torch.zeros(*shape, described[0].shape[1], device=described[0].device) for _ in range(2))
    known = torch.zeros(shape, dtype=torch.bool, device=mean.device)
    for content, style in np.ndindex(*shape):
        members = np.flatnonzero((dataset.content[takes] == content) & (dataset.style[takes] == style))
        if len(members):
            rows = torch.cat([described[i] for i in members])
            mean[content, style] = rows.mean(dim=0)
            spread[content, style] = rows.std(dim=0, correction=0)
            known[content, style] = True
    return ClassTable(mean, spread + SPREAD_FLOOR, known)
