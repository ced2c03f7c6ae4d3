# SPDX-License-Identifier: GPL-3.0-or-later
"""Classifiers of joint positions that watch over training. Neither the stylizer nor its auxiliaries ever see them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from .dataset import MotionDataset, Split
from .sampling import CropSampler

STEPS: Final = 1500
WIDTH: Final = 96
NOISE: Final = 0.02
CROPS: Final = (40, 64, 96)


class Judge(nn.Module):
    """Strided convolutions over joint positions, their velocity and the root's, a mean over time, a linear layer."""

    def __init__(self, inputs: int, classes: int) -> None:
        """Build with random weights."""
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv1d(inputs, WIDTH, 5, 2, 2),
            nn.ReLU(),
            nn.Dropout(0.2),
            nn.Conv1d(WIDTH, WIDTH, 5, 2, 2),
            nn.ReLU(),
            nn.Conv1d(WIDTH, WIDTH, 5, 2, 2),
            nn.ReLU(),
        )
        self.head = nn.Linear(WIDTH, classes)

    def forward(self, clip: Tensor) -> Tensor:
        """Map (B, C, T) to logits."""
        return self.head(self.layers(clip).mean(dim=-1))


@dataclass(frozen=True)
class Judges:
    """A style judge and a content judge."""

    style: Judge
    content: Judge

    @torch.no_grad()
    def judge(self, clip: Tensor) -> tuple[int, int]:
        """Classes of one clip from judge_view."""
        return int(self.style(clip).argmax()), int(self.content(clip).argmax())


def judge_view(joints: Tensor, planar_velocity: Tensor) -> Tensor:
    """What judges see of clips: joints (B, T, J, 3) and root velocity (B, T, 2) as (B, C, T - 1)."""
    positions = joints.flatten(2)
    speed = 3.0 * (positions[:, 1:] - positions[:, :-1])
    return torch.cat([positions[:, 1:], speed, 0.3 * planar_velocity[:, 1:]], dim=-1).transpose(1, 2)


def open_judges(path: Path, dataset: MotionDataset, views: dict[int, Tensor]) -> Judges:
    """Load judges trained earlier, or train them on the training takes (views by take, (1, C, T))."""
    inputs = next(iter(views.values())).shape[1]
    judges = Judges(Judge(inputs, len(dataset.style_names)), Judge(inputs, len(dataset.content_names)))
    modules = nn.ModuleDict({"style": judges.style, "content": judges.content})
    if path.exists():
        modules.load_state_dict(torch.load(path, weights_only=True))
    else:
        _train(modules, dataset, views)
        path.parent.mkdir(parents=True, exist_ok=True)
        torch.save(modules.state_dict(), path)
    modules.eval()
    return judges


def _train(modules: nn.ModuleDict, dataset: MotionDataset, views: dict[int, Tensor]) -> None:
    torch.manual_seed(7)
    rng = np.random.default_rng(7)
    sampler = CropSampler(dataset, CROPS)
    optimizer = torch.optim.AdamW(modules.parameters(), lr=1e-3, weight_decay=1e-2)
    for _ in range(STEPS):
        takes, frames = sampler.draw(rng, 64)
        starts = sampler.offsets(rng, takes, frames)
        crops = [views[int(t)][0, :, s : s + frames - 1] for t, s in zip(takes, starts, strict=True)]
        batch = torch.stack(crops)
        batch = batch + NOISE * torch.randn(batch.shape)
        loss = functional.cross_entropy(modules["style"](batch), torch.from_numpy(dataset.style[takes]))
        loss = loss + functional.cross_entropy(modules["content"](batch), torch.from_numpy(dataset.content[takes]))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def accuracy(judges: Judges, dataset: MotionDataset, views: dict[int, Tensor], split: Split) -> tuple[float, float]:
    """Share of real takes of a split whose style and content are judged right."""
    takes = [int(take) for take in dataset.indices(split)]
    verdicts = np.array([judges.judge(views[take]) for take in takes])
    right = verdicts == np.stack([dataset.style[takes], dataset.content[takes]], axis=1)
    return float(right[:, 0].mean()), float(right[:, 1].mean())
