# SPDX-License-Identifier: GPL-3.0-or-later
"""Diagonal Gaussians of styles, and the learned one of each label."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from models.networks.generator import StyledBlock
from models.stylization import StylizationNetwork


@dataclass(frozen=True)
class Gaussian:
    """Diagonal Gaussians, (B, style) each."""

    mean: Tensor
    log_variance: Tensor

    def __getitem__(self, rows: Tensor) -> Gaussian:
        """Choose rows."""
        return Gaussian(self.mean[rows], self.log_variance[rows])

    def detach(self) -> Gaussian:
        """Stop gradients."""
        return Gaussian(self.mean.detach(), self.log_variance.detach())

    def sample(self) -> Tensor:
        """One draw of each; noise comes from the CPU's generator so that every device sees the same."""
        noise = torch.randn(self.mean.shape).to(self.mean.device)
        return self.mean + (0.5 * self.log_variance).exp() * noise

    def divergence(self, other: Gaussian) -> Tensor:
        """KL(self || other), mean over everything."""
        gap = (self.mean - other.mean).square() / other.log_variance.exp()
        ratio = self.log_variance - other.log_variance
        return 0.5 * (gap + ratio.exp() - ratio - 1.0).mean()

    def to_standard(self) -> Tensor:
        """KL(self || N(0, I)), mean over everything."""
        return self.divergence(Gaussian(torch.zeros_like(self.mean), torch.zeros_like(self.mean)))


class LabelPrior(nn.Module):
    """A Gaussian for each label: its own mean, one spread for all.

    The paper draws the style of a label from N(0, I), which is far from where the encoder puts any clip. The generator
    sees styles only through linear layers, so this prior can be folded into them (see fold_prior) and N(0, I) is what
    is drawn from in the end after all.
    """

    def __init__(self, labels: int, channels: int) -> None:
        """Start at N(0, I)."""
        super().__init__()
        self.mean = nn.Parameter(torch.zeros(labels, channels))
        self.log_variance = nn.Parameter(torch.zeros(channels))

    def forward(self, label: Tensor) -> Gaussian:
        """Gaussians of label numbers (B,)."""
        return Gaussian(self.mean[label], self.log_variance.expand(len(label), -1))


@torch.no_grad()
def fold_prior(network: StylizationNetwork, prior: LabelPrior) -> None:
    """Change coordinates of the style space so that N(0, I) with a one-hot means a draw from that label's prior.

    References, which come without a label, give the same results as before.
    """
    scale = (0.5 * prior.log_variance).exp()
    head = network.style.head.state_dict()
    mean_weight, _ = head["weight"].chunk(2)
    mean_bias, log_bias = head["bias"].chunk(2)
    mean_weight /= scale[:, None]
    mean_bias /= scale
    log_bias -= prior.log_variance
    for block in network.generator.blocks:
        fold_block(block, prior.mean, scale)


def fold_block(block: nn.Module, mean: Tensor, scale: Tensor) -> None:
    """Let the label's columns of a block's linear layer bring the label's mean, and the style's columns the scale."""
    if not isinstance(block, StyledBlock):
        raise TypeError("The generator has a block without a style.")
    by_style, by_label = block.affine.state_dict()["weight"].split([len(scale), len(mean)], dim=1)
    by_label += by_style @ mean.T
    by_style *= scale
