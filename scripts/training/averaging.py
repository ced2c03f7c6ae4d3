# SPDX-License-Identifier: GPL-3.0-or-later
"""The running mean of weights during training, which is smoother than the last of them."""

from __future__ import annotations

import copy
from typing import cast

import torch
from torch import Tensor, nn


class RunningMean(nn.Module):
    """Exponential moving average of a module's parameters (Polyak and Juditsky 1992), early steps counted evenly."""

    count: Tensor

    def __init__(self, module: nn.Module, memory: float) -> None:
        """Start with the module's weights; ``memory`` is the share of the old, 0 keeps the newest only."""
        super().__init__()
        self.mean = copy.deepcopy(module).requires_grad_(requires_grad=False)
        self.register_buffer("count", torch.zeros(()))
        self._memory = memory

    @torch.no_grad()
    def update(self, module: nn.Module) -> None:
        """Take in the weights of now."""
        self.count += 1.0
        share = 1.0 - min(self._memory, 1.0 - 1.0 / float(self.count))
        for mean, now in zip(self.mean.parameters(), module.parameters(), strict=True):
            mean.lerp_(now, share)

    @torch.no_grad()
    def give(self, module: nn.Module) -> None:
        """Overwrite a module's weights by their mean."""
        if float(self.count) > 0.0:
            module.load_state_dict(cast("dict[str, Tensor]", self.mean.state_dict()))
