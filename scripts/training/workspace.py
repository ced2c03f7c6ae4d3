# SPDX-License-Identifier: GPL-3.0-or-later
"""What every stage works with: the data as tensors, the network, and the maths between them."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

import numpy as np
import torch

from models.config import NetworkConfig
from models.stylization import StylizationNetwork

from .augmentation import Augmentation
from .clips import ClipSource
from .dataset import FrameBank, Ints, MotionDataset, Normalization, Split, fit_normalization
from .discovery import discovered, in_pieces
from .kinematics import PoseKinematics
from .pose_space import PoseSpaceNetwork
from .sampling import CropSampler
from .settings import Settings, SettingsError
from .statistics import labelled_takes


@dataclass(frozen=True)
class Names:
    """What the styles of takes are called by people, which unsupervised training does not look at.

    Attributes:
        styles: label names, in one-hot order.
        of_take: label of each take, (K,), or UNLABELLED.
    """

    styles: tuple[str, ...]
    of_take: Ints


@dataclass(frozen=True)
class Workspace:
    """Shared by all stages. The network is the one thing in it that changes."""

    settings: Settings
    dataset: MotionDataset
    normalization: Normalization
    frames: FrameBank
    kinematics: PoseKinematics
    clips: ClipSource
    network: StylizationNetwork
    device: torch.device
    names: Names

    def labels(self, values: object) -> torch.Tensor:
        """Class numbers as a tensor on the device."""
        return torch.as_tensor(values, dtype=torch.int64, device=self.device)


def open_workspace(dataset: MotionDataset, settings: Settings, device: torch.device) -> Workspace:
    """Build a network with seeded random weights beside the dataset."""
    supervised = settings.swaps.supervised
    if supervised and len(labelled_takes(dataset)) == 0:
        raise SettingsError("No take has both a style and an action: set supervised = false in [swaps].")
    dataset = dataset if supervised else in_pieces(dataset, settings.discovery.frames)
    names = Names(dataset.style_names, dataset.style)
    dataset = dataset if supervised else discovered(dataset, settings.discovery, settings.seed)
    torch.manual_seed(settings.seed)
    config = NetworkConfig(dataset.layout, len(names.styles), **asdict(settings.network))
    normalization = fit_normalization(dataset)
    frames = FrameBank(dataset, normalization, device)
    augmentation = Augmentation(dataset, normalization, device)
    sampler = CropSampler(dataset, settings.crop_frames)
    return Workspace(
        settings=settings,
        dataset=dataset,
        normalization=normalization,
        frames=frames,
        kinematics=PoseKinematics(dataset, normalization, device),
        clips=ClipSource(sampler, frames, augmentation, settings.augmentation),
        network=(PoseSpaceNetwork if settings.method.pose_space else StylizationNetwork)(config).to(device),
        device=device,
        names=names,
    )


def without_left_out(workspace: Workspace) -> Workspace:
    """The same network and frames without the takes of the actions that are to be left out."""
    dataset, settings = workspace.dataset, workspace.settings
    if unknown := set(settings.left_out) - set(dataset.content_names):
        raise SettingsError(f"No take shows {', '.join(sorted(unknown))}: correct left_out.")
    numbers = [dataset.content_names.index(name) for name in settings.left_out]
    dataset = replace(dataset, split=np.where(np.isin(dataset.content, numbers), Split.VALIDATION, dataset.split))
    sampler = CropSampler(dataset, settings.crop_frames)
    clips = ClipSource(sampler, workspace.frames, workspace.clips.augmentation, settings.augmentation)
    return replace(workspace, dataset=dataset, clips=clips)
