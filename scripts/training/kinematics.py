# SPDX-License-Identifier: GPL-3.0-or-later
"""Differentiable joint positions from normalised features."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from .dataset import MotionDataset, Normalization


class PoseKinematics:
    """Forward kinematics in the heading's frame, the root above the origin."""

    def __init__(self, dataset: MotionDataset, normalization: Normalization, device: torch.device) -> None:
        """Precompute which bones add up to each joint."""
        self._rotations = dataset.layout.slice("rotations")
        self._height = dataset.layout.slice("root_height")
        self._mean = torch.from_numpy(normalization.mean).to(device)[:, None]
        self._std = torch.from_numpy(normalization.std).to(device)[:, None]
        self._offsets = torch.from_numpy(dataset.offsets).to(device)
        self._parents = torch.tensor([max(parent, 0) for parent in dataset.parents], device=device)
        self._chains = _chains(dataset.parents).to(device)

    def raw(self, features: Tensor) -> Tensor:
        """Undo the normalisation, (B, D, T)."""
        return features * self._std + self._mean

    def normalized_zero(self) -> Tensor:
        """What 0 becomes in each column, (D, 1)."""
        return -self._mean / self._std

    def matrices(self, features: Tensor) -> Tensor:
        """Global rotations with the heading removed, (B, T, J, 3, 3), by Gram-Schmidt (Zhou et al. 2019, eq. 15)."""
        sixd = (features[:, self._rotations] * self._std[self._rotations] + self._mean[self._rotations]).transpose(1, 2)
        first, second = sixd.unflatten(-1, (-1, 6)).split(3, dim=-1)
        x = functional.normalize(first, dim=-1)
        y = functional.normalize(second - (x * second).sum(-1, keepdim=True) * x, dim=-1)
        return torch.stack([x, y, torch.linalg.cross(x, y, dim=-1)], dim=-1)

    def joints(self, features: Tensor) -> Tensor:
        """Joint positions in metres, (B, T, J, 3)."""
        return self.place(features, self.matrices(features))

    def place(self, features: Tensor, matrices: Tensor) -> Tensor:
        """Joint positions for rotations that were worked out before, (B, T, J, 3)."""
        bones = torch.einsum("btjmn,jn->btjm", matrices[:, :, self._parents], self._offsets)
        positions = torch.einsum("ij,btjm->btim", self._chains, bones)
        height = features[:, self._height] * self._std[self._height] + self._mean[self._height]
        return positions + functional.pad(height.transpose(1, 2), (1, 1))[:, :, None]


def _chains(parents: tuple[int, ...]) -> Tensor:
    """Row i is 1 for the bones between the root and joint i, (J, J)."""
    chains = torch.eye(len(parents))
    for joint, parent in enumerate(parents):
        if parent < 0:
            chains[joint] = 0.0
        else:
            chains[joint] += chains[parent]
    return chains


def angles_between(a: Tensor, b: Tensor) -> Tensor:
    """Geodesic distance of rotation matrices (..., 3, 3), in degrees.

    By the chord, which unlike the arc cosine of the trace keeps its precision near zero.
    """
    chord = torch.linalg.matrix_norm(a - b) / (2.0 * 2.0**0.5)
    return torch.rad2deg(2.0 * torch.asin(chord.clamp(max=1.0)))
