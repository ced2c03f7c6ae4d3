# SPDX-License-Identifier: GPL-3.0-or-later
"""Stage 4: the root predictor."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from models.config import STRIDE
from models.layout import PLANAR_VELOCITY, YAW_VELOCITY

from .dataset import Split
from .loop import Stage, descend
from .workspace import Workspace

NOISE: Final = 0.3


class RootStage(Stage):
    """Predict the planar velocity from real poses, noisy ones, ones that the networks made, and held ones.

    Nobody stands still in the data for long. Without held poses a motionless clip would be sent walking.
    """

    name = "root"

    def __init__(self, workspace: Workspace) -> None:
        """Take the network's root predictor; everything else is frozen."""
        self._workspace = workspace
        self._network = workspace.network
        self._planar = workspace.dataset.layout.slice(PLANAR_VELOCITY)
        self._yaw = workspace.dataset.layout.slice(YAW_VELOCITY)
        self.settings = workspace.settings.root
        self.modules = nn.ModuleDict({"root": self._network.root})
        self.optimizers = {"root": torch.optim.AdamW(self._network.root.parameters(), weight_decay=1e-4)}

    def step(self, rng: np.random.Generator) -> Mapping[str, Tensor]:
        """One batch of crops of every kind, held ones fewer."""
        features = self._workspace.clips.poses(rng, self.settings.batch)
        held = self._held(features[::4])
        poses = [features, self._disturbed(features), self._remade(features), held, self._remade(held)]
        truth = [features, features, features, held, held]
        velocity = torch.cat(truth)[:, self._planar]
        loss = functional.smooth_l1_loss(self._network.root(torch.cat(poses)), velocity)
        descend(loss, self.optimizers["root"])
        return {"velocity": loss}

    def _held(self, features: Tensor) -> Tensor:
        """Freeze each clip at its first frame; nothing moves, so that all velocities are zero."""
        held = features.narrow(2, 0, 1).repeat(1, 1, features.shape[2])
        zero = self._workspace.kinematics.normalized_zero()
        for name in (YAW_VELOCITY, PLANAR_VELOCITY, "velocities"):
            columns = self._workspace.dataset.layout.slice(name)
            held[:, columns] = zero[columns]
        return held

    def _disturbed(self, features: Tensor) -> Tensor:
        """Add noise of a random strength to each clip (GenMoStyle, section 3.3)."""
        strength = NOISE * torch.rand(len(features), 1, 1)
        return features + (strength * torch.randn(features.shape)).to(features.device)

    @torch.no_grad()
    def _remade(self, features: Tensor) -> Tensor:
        """Half of the clips autoencoded, half generated from their own codes."""
        network = self._network
        latent = network.autoencoder.encode(features)
        cue = network.own_cue(latent)
        generated = network.generator(network.content(latent), cue.style, cue.label)
        half = len(latent) // 2
        poses = network.autoencoder.decode(torch.cat([latent[:half], generated[half:]]))
        poses[:, self._yaw] = features[:, self._yaw]
        return poses

    @torch.no_grad()
    def summary(self) -> str:
        """Mean error of the velocity on real validation takes."""
        errors: list[Tensor] = []
        std = torch.from_numpy(self._workspace.normalization.std[self._planar]).to(self._workspace.device)
        for take in self._workspace.dataset.indices(Split.VALIDATION):
            features = self._workspace.frames.whole(int(take), STRIDE)
            gap = (self._network.root(features) - features[:, self._planar]) * std[:, None]
            errors.append(gap.norm(dim=1).flatten())
        return f"velocity off by {float(torch.cat(errors).mean()):.3f} m/s on validation takes"
