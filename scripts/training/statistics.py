# SPDX-License-Identifier: GPL-3.0-or-later
"""What is typical of each (action, style) class: the teacher of how far a style has to go.

Described is a clip by the mean and the log spread over time of each channel. Spreads are compared by their ratio, so
that a style which halves every movement says the same of an action with large movements as of one with small ones.
Beside the classes there is what a style does on the average over all actions, which also holds where no class is known.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from .dataset import UNLABELLED, MotionDataset, Split

SPREAD_FLOOR: Final = 0.05
WINDOWS_PER_TAKE: Final = 6

MOST_SPECIAL: Final = 2.0
"""Spreads from its class beyond which a reference is not followed."""

_LEAST_MOVEMENT: Final = 0.05
"""Added to the spread over time before its logarithm is taken: below it, nothing moves."""
_RIDGE: Final = 0.1

Ints = np.ndarray[tuple[int], np.dtype[np.int64]]


@dataclass(frozen=True)
class Change:
    """What a batch of swaps was meant to do. Classes are numbers of the table; UNLABELLED stands for none.

    Attributes:
        source: clips that were changed, (B, C, T).
        content: their actions, (B,).
        style: how much of each style is in them, (B, styles): a one-hot, or a guess for clips without a label.
        target: the styles they were to take on, (B,).
        reference: clips in those styles, (B, C, T).
        reference_content: their actions, (B,).
        detail: how much of what is special about the reference was asked for, (B, 1).
        relative: whether what is special about the source was to stay, (B, 1).
        average: whether only the average over all actions says what the styles do, (B, 1).
        slack: spreads from the goal that cost nothing, (B, 1).
    """

    source: Tensor
    content: Tensor
    style: Tensor
    target: Tensor
    reference: Tensor
    reference_content: Tensor
    detail: Tensor
    relative: Tensor
    average: Tensor
    slack: Tensor


@dataclass(frozen=True)
class ClassTable:
    """Statistics of describe() for each class.

    Attributes:
        mean: (contents, styles, 2C).
        spread: (contents, styles, 2C).
        known: which classes there are, (contents, styles).
        effect: what each style adds to any action on the average, (styles, 2C).
        usual_spread: of all classes, (2C,).
    """

    mean: Tensor
    spread: Tensor
    known: Tensor
    effect: Tensor
    usual_spread: Tensor

    def distance(self, swap: Tensor, change: Change) -> Tensor:
        """Distance of swaps (B, C, T) from where they should be, in spreads of their class; mean over the batch.

        The goal is the mean of the target class, or the source moved by the difference of both classes, or, where a
        class is missing or nobody named one, the source moved by the difference of the styles' average effects. What
        is special about the reference, in spreads of its own class, moves the goal.
        """
        own = change.style.argmax(dim=1)
        target, content = change.target.clamp(min=0), change.content.clamp(min=0)
        named = (change.content >= 0) & self.known[content, target] & self.known[content, own]
        average = change.average | ~named[:, None]
        before = describe(change.source)
        goal = self.mean[content, target]
        moved = before + goal - self.mean[content, own]
        carried = before + self.effect[target] - change.style @ self.effect
        goal = torch.where(average, carried, torch.where(change.relative, moved, goal))
        spread = torch.where(average, self.usual_spread, self.spread[content, target])
        gap = (describe(swap) - goal) / spread - change.detail * self._special(change)
        gap = gap.sign() * (gap.abs() - change.slack).clamp(min=0.0)
        distance = functional.smooth_l1_loss(gap, torch.zeros_like(gap), reduction="none").mean(dim=1)
        wanted = (change.target >= 0).float()
        return (wanted * distance).sum() / wanted.sum().clamp(min=1.0)

    def _special(self, change: Change) -> Tensor:
        """What sets references apart from their classes, in spreads of these, (B, 2C); 0 without a class."""
        content, target = change.reference_content.clamp(min=0), change.target.clamp(min=0)
        special = (describe(change.reference) - self.mean[content, target]) / self.spread[content, target]
        named = (change.reference_content >= 0) & self.known[content, target]
        return special.clamp(-MOST_SPECIAL, MOST_SPECIAL) * named.float()[:, None]


class ClassStatistics:
    """Class tables for several window lengths: short windows of a long action vary more, and mean something else."""

    def __init__(self, shape: tuple[int, int], windows: Callable[[int], list[tuple[int, int, Tensor]]],
                 lengths: set[int]) -> None:  # fmt: skip
        """Describe windows of every training take.

        Args:
            shape: numbers of contents and of styles.
            windows: of a length, (content, style, clips (N, C, length)) of every labelled take.
            lengths: window lengths to have tables for.

        """
        self._tables = {length: make_table(shape, windows(length)) for length in lengths}

    def table(self, length: int) -> ClassTable:
        """Table of the window length that is nearest."""
        return self._tables[min(self._tables, key=lambda known: abs(known - length))]


def describe(clips: Tensor) -> Tensor:
    """Time mean and log time spread of each channel: (B, C, T) to (B, 2C)."""
    mean = clips.mean(dim=-1)
    # A floor under the variance: the root has no gradient where nothing moves.
    variance = (clips - mean[..., None]).square().mean(dim=-1)
    return torch.cat([mean, ((variance + 1e-6).sqrt() + _LEAST_MOVEMENT).log()], dim=1)


def window_starts(available: int, length: int) -> Ints:
    """Evenly spread first positions of windows."""
    return np.unique(np.linspace(0, max(available - length, 0), WINDOWS_PER_TAKE).astype(np.int64))


def labelled_takes(dataset: MotionDataset) -> Ints:
    """Training takes with a style and an action."""
    takes = dataset.indices(Split.TRAIN)
    return takes[(dataset.style[takes] != UNLABELLED) & (dataset.content[takes] != UNLABELLED)]


@torch.no_grad()
def make_table(shape: tuple[int, int], clips: list[tuple[int, int, Tensor]]) -> ClassTable:
    """Table of (content, style, clips (N, C, T)) of every take."""
    rows: dict[tuple[int, int], list[Tensor]] = {}
    for content, style, windows in clips:
        rows.setdefault((content, style), []).append(describe(windows))
    first = next(iter(rows.values()))[0]
    mean, spread = (torch.zeros(*shape, first.shape[1], device=first.device) for _ in range(2))
    known = torch.zeros(shape, dtype=torch.bool, device=mean.device)
    for key, members in rows.items():
        together = torch.cat(members)
        mean[key], spread[key], known[key] = together.mean(dim=0), together.std(dim=0, correction=0), True
    # The few windows of one take say little about how much takes vary: all classes together say the rest.
    usual = spread[known].square().mean(dim=0).sqrt()
    counts = torch.zeros(shape, device=mean.device)
    for key, members in rows.items():
        counts[key] = len(members)
    trust = (counts / (counts + 3.0))[..., None]
    spread = (trust * spread.square() + (1.0 - trust) * usual.square()).sqrt()
    return ClassTable(mean, spread + SPREAD_FLOOR, known, style_effects(mean, known), usual + SPREAD_FLOOR)


def style_effects(mean: Tensor, known: Tensor) -> Tensor:
    """What each style adds on the average, (styles, F), least squares of mean = action + style over known classes.

    A little ridge decides what the data leave open: the effects are zero on the average.
    """
    contents, styles = known.shape
    places = known.nonzero()
    design = torch.zeros(len(places), contents + styles, dtype=torch.float64, device=mean.device)
    design[torch.arange(len(places)), places[:, 0]] = 1.0
    design[torch.arange(len(places)), contents + places[:, 1]] = 1.0
    ridge = torch.full((contents + styles,), 1e-6, dtype=torch.float64, device=mean.device)
    ridge[contents:] = _RIDGE
    normal = design.T @ design + torch.diag(ridge)
    effects = torch.linalg.solve(normal, design.T @ mean[known].double())
    return effects[contents:].float()
