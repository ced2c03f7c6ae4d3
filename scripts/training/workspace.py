# SPDX-License-Identifier: GPL-3.0-or-later
"""What every stage works with: the data as tensors, the network, and the maths between them."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import torch

from models.config import NetworkConfig
from models.stylization import StylizationNetwork

from .dataset import FrameBank, MotionDataset, Normalization, fit_normalization
from .kinematics import PoseKinematics
from .sampling import CropSampler
from .settings import Settings


@dataclass(frozen=True)
class Workspace:
    """Shared by all stages. The network is the one thing in it that changes."""

    settings: Settings
    dataset: MotionDataset
    normalization: Normalization
    frames: FrameBank
    kinematics: PoseKinematics
    sampler: CropSampler
    network: StylizationNetwork
    device: torch.device

    def labels(self, values: object) -> torch.Tensor:
        """Class numbers as a tensor on the device."""
        return torch.as_tensor(values, dtype=torch.int64, device=self.device)


def open_workspace(dataset: MotionDataset, settings: Settings, device: torch.device) -> Workspace:
    """Build a network with seeded random weights beside the dataset."""
    torch.manual_seed(settings.seed)
    config = NetworkConfig(dataset.layout, len(dataset.style_names), **asdict(settings.network))
    normalization = fit_normalization(dataset)
    return Workspace(
        settings=settings,
        dataset=dataset,
        normalization=normalization,
        frames=FrameBank(dataset, normalization, device),
        kinematics=PoseKinematics(dataset, normalization, device),
        sampler=CropSampler(dataset, settings.crop_frames),
        network=StylizationNetwork(config).to(device),
        device=device,
    )
