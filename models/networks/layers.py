# SPDX-License-Identifier: GPL-3.0-or-later
"""The few building blocks that all networks share."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..manifest import NORM_EPSILON, SLOPE


def conv(inputs: int, outputs: int, kernel: int, stride: int = 1) -> nn.Conv1d:
    """Convolution over time that repeats the edge frames; length T becomes ceil(T / stride) (kernel 4: T / 2)."""
    padding = (kernel - 1) // 2
    return nn.Conv1d(inputs, outputs, kernel, stride, padding, padding_mode="replicate")


def activate(x: Tensor) -> Tensor:
    """Leaky ReLU."""
    return functional.leaky_relu(x, SLOPE)


def double_length(x: Tensor) -> Tensor:
    """Repeat every time step: (B, C, T) to (B, C, 2T)."""
    return x.repeat_interleave(2, dim=-1)


def instance_norm(x: Tensor) -> Tensor:
    """Remove mean and spread over time, per clip and channel; (B, C, T), biased variance."""
    variance, mean = torch.var_mean(x, dim=-1, keepdim=True, correction=0)
    return (x - mean) * torch.rsqrt(variance + NORM_EPSILON)
