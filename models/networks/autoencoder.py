# SPDX-License-Identifier: GPL-3.0-or-later
"""Motion autoencoder: pose features at 30 fps to a latent at a quarter of the rate, and back."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..config import NetworkConfig
from ..layout import HIDDEN_FROM_AUTOENCODER
from .layers import activate, conv, double_length


class MotionAutoencoder(nn.Module):
    """Convolutional autoencoder (GenMoStyle, arXiv 2401.13505, section 3.1), frozen after its stage."""

    columns: Tensor

    def __init__(self, config: NetworkConfig) -> None:
        """Build with random weights."""
        super().__init__()
        width, latent = config.autoencoder_width, config.latent_channels
        columns = config.layout.columns_without(HIDDEN_FROM_AUTOENCODER)
        self.register_buffer("columns", torch.tensor(columns), persistent=False)
        self.encoder = nn.ModuleList(
            [conv(len(columns), width, 4, 2), conv(width, width, 4, 2), conv(width, width, 3), conv(width, latent, 1)]
        )
        self.decoder = nn.ModuleList(
            [conv(latent, width, 3), conv(width, width, 3), conv(width, width, 3), conv(width, config.layout.width, 1)]
        )

    def encode(self, features: Tensor) -> Tensor:
        """Normalised features (B, D, T), T a multiple of 4, to z (B, latent, T / 4)."""
        return self.encoder[-1](self.hidden(features))

    def hidden(self, features: Tensor) -> Tensor:
        """Encode (B, D, T) up to the last layer, (B, width, T / 4)."""
        x = features.index_select(1, self.columns)
        for layer in self.encoder[:-1]:
            x = activate(layer(x))
        return x

    def decode(self, latent: Tensor) -> Tensor:
        """Decode z (B, latent, T / 4) to normalised features (B, D, T), contacts included."""
        x = double_length(activate(self.decoder[0](latent)))
        x = double_length(activate(self.decoder[1](x)))
        return self.decoder[3](activate(self.decoder[2](x)))
