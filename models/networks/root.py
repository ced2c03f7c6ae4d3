# SPDX-License-Identifier: GPL-3.0-or-later
"""Global motion predictor: how fast the root must travel for a pose sequence to make sense."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..config import NetworkConfig
from ..layout import HIDDEN_FROM_ROOT, PLANAR_VELOCITY
from .layers import activate, conv


class RootPredictor(nn.Module):
    """Pose features without planar velocity to planar root velocity (GenMoStyle, section 3.3)."""

    columns: Tensor

    def __init__(self, config: NetworkConfig) -> None:
        """Build with random weights."""
        super().__init__()
        width = config.root_width
        columns = config.layout.columns_without(HIDDEN_FROM_ROOT)
        planar = config.layout.slice(PLANAR_VELOCITY)
        self.register_buffer("columns", torch.tensor(columns), persistent=False)
        self.layers = nn.ModuleList(
            [
                conv(len(columns), width, 5),
                conv(width, width, 5),
                conv(width, width, 5),
                conv(width, planar.stop - planar.start, 1),
            ]
        )

    def forward(self, features: Tensor) -> Tensor:
        """Map normalised features (B, D, T) to the normalised planar velocity (B, 2, T)."""
        x = features.index_select(1, self.columns)
        for layer in self.layers[:-1]:
            x = activate(layer(x))
        return self.layers[-1](x)
