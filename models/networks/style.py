# SPDX-License-Identifier: GPL-3.0-or-later
"""Probabilistic style encoder: how it is done, as a Gaussian."""

from __future__ import annotations

from torch import Tensor, nn

from ..config import NetworkConfig
from .layers import activate, conv


class StyleEncoder(nn.Module):
    """Latent of any length to one Gaussian (GenMoStyle, section 3.2). Sees no label: a user's reference has none."""

    def __init__(self, config: NetworkConfig) -> None:
        """Build with random weights."""
        super().__init__()
        width = config.style_width
        self.layers = nn.ModuleList(
            [conv(config.latent_channels, width, 3), conv(width, width, 3, 2), conv(width, width, 3, 2)]
        )
        self.head = nn.Linear(width, 2 * config.style_channels)

    def forward(self, latent: Tensor) -> tuple[Tensor, Tensor]:
        """Map z (B, latent, T / 4) to mean and log variance, (B, style) each."""
        x = latent
        for layer in self.layers:
            x = activate(layer(x))
        mean, log_variance = self.head(x.mean(dim=-1)).chunk(2, dim=-1)
        return mean, log_variance
