# SPDX-License-Identifier: GPL-3.0-or-later
"""Poses in the place of latents: GenMoStyle's ablation without a latent space.

What the autoencoder learns is replaced by what needs no learning: four frames are folded into the channels of one
step, so that everything behind it works at the same rate and otherwise stays as it is. No bundle can say this;
see unbundled.py for how such a network is used.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from models.config import STRIDE, NetworkConfig
from models.layout import HIDDEN_FROM_AUTOENCODER, FeatureLayout
from models.networks.autoencoder import MotionAutoencoder
from models.networks.content import ContentEncoder
from models.networks.style import StyleEncoder
from models.stylization import StylizationNetwork


class PoseFolding(MotionAutoencoder):
    """The autoencoder's two ways without anything learned: exact in both directions.

    All columns are folded, contacts too: the generator has to make them, as the decoder would.
    """

    def __init__(self) -> None:
        """Build without layers."""
        nn.Module.__init__(self)
        self.encoder = nn.ModuleList()
        self.decoder = nn.ModuleList()

    def encode(self, features: Tensor) -> Tensor:
        """Fold features (B, D, T), T a multiple of 4, to (B, 4 D, T / 4): the first frame's columns, the second's..."""
        return features.unflatten(-1, (-1, STRIDE)).permute(0, 3, 1, 2).flatten(1, 2)

    def hidden(self, features: Tensor) -> Tensor:
        """The same as encode: there are no layers."""
        return self.encode(features)

    def decode(self, latent: Tensor) -> Tensor:
        """Unfold (B, 4 D, T / 4) to features (B, D, T)."""
        return latent.unflatten(1, (STRIDE, -1)).permute(0, 2, 3, 1).flatten(2)


class PoseSpaceNetwork(StylizationNetwork):
    """The networks with folded poses between them.

    As in latent space, the encoders do not see contacts, which a user's clip may not have.
    """

    def __init__(self, config: NetworkConfig) -> None:
        """Build with random weights; the size of latents is that of folded poses, whatever the config says."""
        super().__init__(replace(config, latent_channels=folded_channels(config.layout)))
        self.autoencoder = PoseFolding()
        self.content = _BlindContentEncoder(self.config)
        self.style = _BlindStyleEncoder(self.config)


class _Blind(nn.Module):
    """An encoder of folded poses, mixed with one of latents, that does not see what is hidden."""

    seen: Tensor

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__(config)
        self.register_buffer("seen", _seen(config.layout), persistent=False)

    def forward(self, latent: Tensor) -> Any:  # noqa: ANN401 - what the encoder beside it gives
        return super().forward(latent * self.seen)


class _BlindContentEncoder(_Blind, ContentEncoder):
    pass


class _BlindStyleEncoder(_Blind, StyleEncoder):
    pass


def folded_channels(layout: FeatureLayout) -> int:
    """Channels of one step of folded poses."""
    return STRIDE * layout.width


def _seen(layout: FeatureLayout) -> Tensor:
    """1 for the channels of folded poses that encoders read and 0 for the others, (4 D, 1)."""
    frame = torch.zeros(layout.width)
    frame[list(layout.columns_without(HIDDEN_FROM_AUTOENCODER))] = 1.0
    return frame.repeat(STRIDE)[:, None]
