# SPDX-License-Identifier: GPL-3.0-or-later
"""Generator: content code and style vector to a latent that the autoencoder decodes."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..config import NetworkConfig
from .layers import activate, conv, instance_norm


class StyledBlock(nn.Module):
    """Residual convolution that takes its mean and spread over time from the style (AdaIN, arXiv 1703.06868)."""

    def __init__(self, width: int, condition: int) -> None:
        """Build so that gamma starts near 1 and beta near 0."""
        super().__init__()
        self.conv = conv(width, width, 3)
        self.affine = nn.Linear(condition, 2 * width)
        with torch.no_grad():
            self.affine.bias.copy_(torch.cat([torch.ones(width), torch.zeros(width)]))

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """Map (B, width, T / 4) and (B, condition) to (B, width, T / 4)."""
        gamma, beta = self.affine(condition).unsqueeze(-1).chunk(2, dim=1)
        return x + gamma * instance_norm(activate(self.conv(x))) + beta


class Generator(nn.Module):
    """AdaIN generator conditioned on [style; label one-hot] (GenMoStyle, section 3.2).

    A one-hot of zeros means "no label": references and reconstructions use it.
    """

    def __init__(self, config: NetworkConfig) -> None:
        """Build with random weights."""
        super().__init__()
        width = config.generator_width
        condition = config.style_channels + config.style_count
        self.entry = conv(config.content_channels, width, 3)
        self.blocks = nn.ModuleList([StyledBlock(width, condition) for _ in range(config.generator_blocks)])
        # Instance norm makes what a block adds to the time mean depend on the style alone. Only a layer after it lets a
        # style mean another posture for another action.
        self.mix = conv(width, width, 3)
        self.exit = conv(width, config.latent_channels, 1)

    def forward(self, content: Tensor, style: Tensor, label: Tensor) -> Tensor:
        """Map content (B, content, T / 4), style (B, style) and label (B, labels) to z (B, latent, T / 4)."""
        condition = torch.cat([style, label], dim=-1)
        x = self.entry(content)
        for block in self.blocks:
            x = block(x, condition)
        return self.exit(activate(self.mix(x)))
