# SPDX-License-Identifier: GPL-3.0-or-later
"""How faithfully the autoencoder alone gives a real clip back."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from core.pipeline import canonical_clip
from core.representation import decode, encode, feature_slice
from core.rotations import Array, conjugate, multiply
from models.bundle import Bundle
from models.config import STRIDE
from models.networks.autoencoder import MotionAutoencoder
from models.runtime import build_network

from .library import Take, read_clip


@dataclass(frozen=True)
class AutoencoderError:
    """Mean over frames and joints of ``takes`` clips: positions by forward kinematics, and global rotations."""

    centimetres: float
    degrees: float
    takes: int


def autoencoder_error(bundle: Bundle, takes: list[Take]) -> AutoencoderError:
    """Error on real takes, on the canonical skeleton; the path over the floor is the original's."""
    network = build_network(bundle)
    distances: list[float] = []
    angles: list[float] = []
    for take in takes:
        features, start = encode(canonical_clip(read_clip(take.path)).motion)
        result = _round_trip(network.autoencoder, bundle, features)
        # The path is not the autoencoder's business: it is predicted afterwards.
        for name in ("root_yaw_velocity", "root_planar_velocity"):
            result[:, feature_slice(name)] = features[:, feature_slice(name)]
        before, after = decode(features, start), decode(result, start)
        distances.append(float(np.linalg.norm(after.positions() - before.positions(), axis=-1).mean()))
        angles.append(float(_angle(before.rotations, after.rotations).mean()))
    return AutoencoderError(100.0 * float(np.mean(distances)), float(np.degrees(np.mean(angles))), len(takes))


def _round_trip(autoencoder: MotionAutoencoder, bundle: Bundle, features: NDArray[np.float32]) -> NDArray[np.float32]:
    padded = np.pad(features, ((0, -len(features) % STRIDE), (0, 0)), mode="edge")
    clip = torch.from_numpy(((padded - bundle.mean) / bundle.std).T[None].astype(np.float32))
    with torch.inference_mode():
        result = autoencoder.decode(autoencoder.encode(clip))[0].T.numpy()
    return (result[: len(features)] * bundle.std + bundle.mean).astype(np.float32)


def _angle(first: Array, second: Array) -> Array:
    """Angle between rotations (..., 4), radians."""
    return 2.0 * np.arccos(np.clip(np.abs(multiply(conjugate(first), second)[..., 0]), 0.0, 1.0))
