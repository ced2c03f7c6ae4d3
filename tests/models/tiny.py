# SPDX-License-Identifier: GPL-3.0-or-later
"""A bundle with random weights and a toy feature layout: nothing here depends on the real one."""

from dataclasses import replace

import numpy as np
import torch

from models.bundle import Bundle, BundleInfo
from models.config import NetworkConfig
from models.layout import FeatureLayout
from models.manifest import MEAN, STD
from models.stylization import StylizationNetwork

LAYOUT = FeatureLayout(
    (("root_yaw_velocity", 1), ("root_planar_velocity", 2), ("root_height", 1), ("rotations", 12), ("contacts", 2))
)
CONFIG = NetworkConfig(
    LAYOUT,
    style_count=3,
    latent_channels=6,
    autoencoder_width=10,
    content_channels=4,
    content_width=8,
    style_channels=5,
    style_width=7,
    generator_width=8,
    generator_blocks=2,
    root_width=9,
)
INFO = BundleInfo(
    fps=30.0,
    styles=("calm", "old", "proud"),
    contents=("walk", "wave"),
    training_data=("nobody's",),
    licence="none",
    split_seed=3,
    held_out_takes=("walk_old_001", "wave_calm_002"),
    git_revision="unknown",
    trainer="{}",
)


def make_network(seed: int = 0, config: NetworkConfig = CONFIG) -> StylizationNetwork:
    torch.manual_seed(seed)
    return StylizationNetwork(config).eval()


def make_bundle(seed: int = 0, styles: tuple[str, ...] = INFO.styles) -> Bundle:
    config = replace(CONFIG, style_count=len(styles))
    tensors = {name: tensor.numpy().copy() for name, tensor in make_network(seed, config).state_dict().items()}
    tensors[MEAN] = np.linspace(-1.0, 1.0, LAYOUT.width, dtype=np.float32)
    tensors[STD] = np.linspace(0.5, 2.0, LAYOUT.width, dtype=np.float32)
    return Bundle(config, replace(INFO, styles=styles), tensors)


def make_clip(frames: int, seed: int = 0) -> np.ndarray:
    """A smooth random clip, (frames, D)."""
    rng = np.random.default_rng(seed)
    phase = np.arange(frames)[:, None] * rng.uniform(0.05, 0.3, LAYOUT.width) + rng.uniform(0, 6, LAYOUT.width)
    return np.sin(phase).astype(np.float32)
