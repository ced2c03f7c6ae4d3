# SPDX-License-Identifier: GPL-3.0-or-later
"""Stage 2: classifiers of latents that later steer the stylizer. They are not shipped and never judge a result."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from models.networks.layers import activate, conv

from .batches import BatchSource, named_mean
from .dataset import UNLABELLED, Split
from .loop import Stage, descend
from .workspace import Workspace

WIDTH: Final = 128
NOISE: Final = 0.3


class LatentClassifier(nn.Module):
    """Three convolutions, a mean over time, one linear layer."""

    def __init__(self, inputs: int, classes: int) -> None:
        """Build with random weights."""
        super().__init__()
        self.layers = nn.ModuleList([conv(inputs, WIDTH, 3), conv(WIDTH, WIDTH, 3, 2), conv(WIDTH, WIDTH, 3)])
        self.head = nn.Linear(WIDTH, classes)

    def features(self, latent: Tensor) -> Tensor:
        """Map (B, C, T) to (B, WIDTH)."""
        for layer in self.layers:
            latent = activate(layer(latent))
        return latent.mean(dim=-1)

    def forward(self, latent: Tensor) -> Tensor:
        """Map (B, C, T) to logits, (B, classes)."""
        return self.head(self.features(latent))


class AuxiliaryStage(Stage):
    """Train a style and a content classifier on noisy latents of training takes."""

    name = "auxiliaries"

    def __init__(self, workspace: Workspace) -> None:
        """Build both classifiers."""
        self._workspace = workspace
        self.batches = BatchSource(workspace)
        latent, (contents, styles) = self.batches.channels, self.batches.shape
        self.style = LatentClassifier(latent, styles).to(workspace.device)
        self.content = LatentClassifier(latent, contents).to(workspace.device)
        self.settings = workspace.settings.auxiliaries
        self.modules = nn.ModuleDict({"style": self.style, "content": self.content})
        self.optimizers = {"classifiers": torch.optim.AdamW(self.modules.parameters(), weight_decay=1e-2)}

    def step(self, rng: np.random.Generator) -> Mapping[str, Tensor]:
        """One batch of crops."""
        batch = self.batches.draw(rng, self.settings.batch)
        noise = NOISE * torch.randn(batch.a.shape).to(batch.a.device)
        losses = {
            "style": labelled_loss(self.style(batch.a + noise), batch.style),
            "content": labelled_loss(self.content(batch.a + noise), batch.content),
        }
        descend(losses["style"] + losses["content"], self.optimizers["classifiers"])
        return losses

    @torch.no_grad()
    def summary(self) -> str:
        """Accuracy on whole validation takes."""
        dataset = self._workspace.dataset
        right: dict[str, list[bool]] = {"style": [], "content": []}
        for take, features in self.batches.takes(Split.VALIDATION):
            latent = self.batches.encode(features)
            for name, classifier, truth in (
                ("style", self.style, dataset.style[take]),
                ("content", self.content, dataset.content[take]),
            ):
                if truth != UNLABELLED:
                    right[name].append(int(classifier(latent).argmax()) == truth)
        return ", ".join(f"{name} {np.mean(found):.3f}" for name, found in right.items()) + " right on validation takes"


def labelled_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy over the clips that have a label; 0 without any."""
    return named_mean(functional.cross_entropy(logits, labels.clamp(min=0), reduction="none"), labels)
