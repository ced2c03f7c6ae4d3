# SPDX-License-Identifier: GPL-3.0-or-later
"""The five networks as one module, and the one way to put them together."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from .config import NetworkConfig
from .layout import PLANAR_VELOCITY, YAW_VELOCITY
from .networks.autoencoder import MotionAutoencoder
from .networks.content import ContentEncoder
from .networks.generator import Generator
from .networks.root import RootPredictor
from .networks.style import StyleEncoder


@dataclass(frozen=True)
class StyleCue:
    """What a generator call is conditioned on: style vector (B, style) and label one-hot (B, labels)."""

    style: Tensor
    label: Tensor


class StylizationNetwork(nn.Module):
    """Autoencoder, content and style encoders, generator and root predictor. Features are normalised, (B, D, T)."""

    def __init__(self, config: NetworkConfig) -> None:
        """Build with random weights."""
        super().__init__()
        self.config = config
        self.autoencoder = MotionAutoencoder(config)
        self.content = ContentEncoder(config)
        self.style = StyleEncoder(config)
        self.generator = Generator(config)
        self.root = RootPredictor(config)

    def no_label(self, batch: int) -> Tensor:
        """Label one-hot that says nothing, (batch, labels)."""
        return torch.zeros(batch, self.config.style_count, device=self.generator.exit.weight.device)

    def own_cue(self, latent: Tensor) -> StyleCue:
        """Take the style of the clip itself: the mean of its Gaussian, without a label."""
        return StyleCue(self.style(latent)[0], self.no_label(latent.shape[0]))

    def finish(self, decoded: Tensor, source: Tensor) -> Tensor:
        """Keep the source's turning and replace the planar velocity by the one that the pose calls for.

        Args:
            decoded: features from the decoder, (B, D, T).
            source: features of the clip that is being stylised, (1 or B, D, T).

        """
        yaw = self.config.layout.slice(YAW_VELOCITY)
        planar = self.config.layout.slice(PLANAR_VELOCITY)
        result = decoded.clone()
        result[:, yaw] = source[:, yaw]
        result[:, planar] = self.root(result)
        return result
