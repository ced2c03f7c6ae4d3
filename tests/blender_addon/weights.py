# SPDX-License-Identifier: GPL-3.0-or-later
"""A weight file with untrained but harmless networks: its styles are small random changes of the pose."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from core.representation import FEATURES, WIDTH, feature_slice
from models.bundle import Bundle, BundleInfo, write_bundle
from models.config import NetworkConfig
from models.layout import FeatureLayout
from models.manifest import MEAN, STD, TEMPO, tensor_shapes

STYLES = ("active", "elderly", "exhausted", "normal")


def write_test_weights(path: Path, rates: Sequence[float] = (), styles: tuple[str, ...] = STYLES) -> Path:
    """Write the file and return its path.

    Args:
        path: of the file.
        rates: how much faster each style moves, if it shall be known.
        styles: labels; none for weights that know styles by reference and by chance only.
    """
    rng = np.random.default_rng(0)
    small = dict.fromkeys(
        ("latent_channels", "autoencoder_width", "content_channels", "content_width", "style_channels"), 8
    ) | dict.fromkeys(("style_width", "generator_width", "root_width"), 8)
    config = NetworkConfig(FeatureLayout(FEATURES), len(styles), **small)
    tensors = {name: rng.normal(0.0, 0.3, shape).astype(np.float32) for name, shape in tensor_shapes(config).items()}
    mean = np.zeros(WIDTH, dtype=np.float32)
    mean[feature_slice("root_height")] = 0.9
    # The identity in 6D, so that decoded rotations stay far from a degenerate pair of columns.
    rotations = mean[feature_slice("rotations")].reshape(-1, 6)
    rotations[:, 0] = rotations[:, 4] = 1.0
    mean[feature_slice("rotations")] = rotations.ravel()
    if rates:
        tensors[TEMPO] = np.append(np.zeros(config.style_channels), np.log(rates)).astype(np.float32)
    tensors[MEAN], tensors[STD] = mean, np.full(WIDTH, 0.1, dtype=np.float32)
    info = BundleInfo(30.0, styles, ("walk",), ("none",), "CC0-1.0", 0, (), "test", "{}")
    write_bundle(path, Bundle(config, info, tensors))
    return path
