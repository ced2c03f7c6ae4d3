# SPDX-License-Identifier: GPL-3.0-or-later
"""Stage 2: classifiers of latents that later steer the stylizer. They are not shipped and never judge a result."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from models.config import STRIDE
from models.networks.layers import activate, conv

from .dataset import Split
from .latents import LatentBank
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
        dataset, latent = workspace.dataset, workspace.network.config.latent_channels
        self._workspace = workspace
        self.bank = LatentBank(workspace)
        self.style = LatentClassifier(latent, len(dataset.style_names)).to(workspace.device)
        self.content = LatentClassifier(latent, len(dataset.content_names)).to(workspace.device)
        self.settings = workspace.settings.auxiliaries
        self.modules = nn.ModuleDict({"style": self.style, "content": self.content})
        self.optimizers = {"classifiers": torch.optim.AdamW(self.modules.parameters(), weight_decay=1e-2)}

    def step(self, rng: np.random.Generator) -> Mapping[str, Tensor]:
        """One batch of crops."""
        takes, frames = self._workspace.sampler.draw(rng, self.settings.batch)
        steps = int(min(frames // STRIDE, self.bank.steps[takes].min()))
        latents = self.bank.crop(takes, self.bank.offsets(rng, takes, steps), steps)
        noise = NOISE * torch.randn(latents.shape).to(latents.device)
        dataset = self._workspace.dataset
        losses = {
            "style": self._loss(self.style, latents + noise, dataset.style[takes]),
            "content": self._loss(self.content, latents + noise, dataset.content[takes]),
        }
        descend(losses["style"] + losses["content"], self.optimizers["classifiers"])
        return losses

    def _loss(self, classifier: LatentClassifier, latents: Tensor, labels: object) -> Tensor:
        return functional.cross_entropy(classifier(latents), self._workspace.labels(labels))

    @torch.no_grad()
    def summary(self) -> str:
        """Accuracy on whole validation takes."""
        dataset, encode = self._workspace.dataset, self._workspace.network.autoencoder.encode
        takes = dataset.indices(Split.VALIDATION)
        latents = [encode(self._workspace.frames.whole(int(take), STRIDE)) for take in takes]
        style = [int(self.style(latent).argmax()) for latent in latents]
        content = [int(self.content(latent).argmax()) for latent in latents]
        right = (np.mean(dataset.style[takes] == style), np.mean(dataset.content[takes] == content))
        return f"style {right[0]:.3f}, content {right[1]:.3f} right on validation takes"
