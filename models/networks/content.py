# SPDX-License-Identifier: GPL-3.0-or-later
"""Content encoder: what is done, without how."""

from __future__ import annotations

from torch import Tensor, nn

from ..config import NetworkConfig
from .layers import activate, conv


class ContentEncoder(nn.Module):
    """Latent to content code at the same rate.

    The paper normalises each instance over time here. That throws away every constant part of a pose, raised arms for
    one, so style is kept out by a narrow code and by an adversary in training instead.
    """

    def __init__(self, config: NetworkConfig) -> None:
        """Build with random weights."""
        super().__init__()
        width = config.content_width
        self.layers = nn.ModuleList(
            [conv(config.latent_channels, width, 3), conv(width, width, 3), conv(width, config.content_channels, 1)]
        )

    def forward(self, latent: Tensor) -> Tensor:
        """Map z (B, latent, T / 4) to the content code (B, content, T / 4)."""
        x = activate(self.layers[0](latent))
        return self.layers[2](activate(self.layers[1](x)))
