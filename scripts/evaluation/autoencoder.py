# SPDX-License-Identifier: GPL-3.0-or-later
"""How faithfully the autoencoder alone gives a real clip back."""

from dataclasses import dataclass

import numpy as np

from core.engines import Features
from core.engines.engine import StyleEngine
from core.pipeline import canonical_clip
from core.representation import decode, encode, feature_slice
from core.rotations import angle_between
from core.steps import finish

from .library import Take, read_clip


@dataclass(frozen=True)
class AutoencoderError:
    """Mean over frames and joints: positions by forward kinematics on the canonical skeleton, global rotations."""

    centimetres: float
    degrees: float


def autoencoder_error(engine: StyleEngine, takes: list[Take]) -> AutoencoderError:
    """Mean error on real takes."""
    clips = (encode(canonical_clip(read_clip(take.path)).motion)[0] for take in takes)
    errors = [clip_error(engine, features) for features in clips]
    return AutoencoderError(
        float(np.mean([error.centimetres for error in errors])), float(np.mean([error.degrees for error in errors]))
    )


def clip_error(engine: StyleEngine, features: Features) -> AutoencoderError:
    """Error on one clip (T, WIDTH); the path over the floor is the original's."""
    result = finish(engine.reconstruct(features))
    # The path is not the autoencoder's business: it is predicted afterwards.
    for name in ("root_yaw_velocity", "root_planar_velocity"):
        result[:, feature_slice(name)] = features[:, feature_slice(name)]
    before, after = decode(features), decode(result)
    gaps = np.linalg.norm(after.positions() - before.positions(), axis=-1)
    angles = angle_between(before.rotations, after.rotations)
    return AutoencoderError(100.0 * float(gaps.mean()), float(np.degrees(angles.mean())))
