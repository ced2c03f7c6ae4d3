# SPDX-License-Identifier: GPL-3.0-or-later
"""Numbers that an animator would name, of one clip."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from core.skeleton import INDEX

Floats = NDArray[Any]

FPS: Final = 30.0

NAMES: Final = (
    "trunk lean",
    "left elbow",
    "right elbow",
    "left knee",
    "right knee",
    "left hand height",
    "right hand height",
    "left hand range",
    "right hand range",
    "left foot range",
    "right foot range",
    "stance width",
    "head height",
    "head bob",
    "head forward",
    "hand distance",
    "speed",
    "energy",
)


def measure(joints: Floats, planar_velocity: Floats) -> Floats:
    """Eighteen numbers in metres, seconds and degrees, in the order of NAMES.

    Args:
        joints: positions in the heading's frame, root above the origin, (T, 22, 3) metres.
        planar_velocity: of the root, (T, 2) metres per second.

    """
    at = {name: joints[:, index] for name, index in INDEX.items()}
    trunk = at["neck"] - at["pelvis"]
    values = [
        np.degrees(np.arctan2(trunk[:, 2], trunk[:, 1])).mean(),
        *(_bend(at, side, "shoulder", "elbow", "wrist") for side in ("left", "right")),
        *(_bend(at, side, "hip", "knee", "ankle") for side in ("left", "right")),
        *(at[f"{side}_wrist"][:, 1].mean() for side in ("left", "right")),
        *(_range(at[f"{side}_wrist"]) for side in ("left", "right")),
        *(_range(at[f"{side}_foot"]) for side in ("left", "right")),
        np.abs(at["left_ankle"][:, 0] - at["right_ankle"][:, 0]).mean(),
        at["head"][:, 1].mean(),
        at["head"][:, 1].std(),
        (at["head"] - at["pelvis"])[:, 2].mean(),
        np.linalg.norm(at["left_wrist"] - at["right_wrist"], axis=-1).mean(),
        np.linalg.norm(planar_velocity, axis=-1).mean(),
        np.linalg.norm(np.diff(joints, axis=0) * FPS, axis=-1).mean(),
    ]
    return np.array(values, dtype=np.float64)


def _bend(at: dict[str, Floats], side: str, *chain: str) -> float:
    """Mean angle at the middle joint in degrees, 180 when straight."""
    start, middle, end = (at[f"{side}_{joint}"] for joint in chain)
    a, b = start - middle, end - middle
    cosine = (a * b).sum(-1) / (np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1) + 1e-9)
    return float(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))).mean())


def _range(path: Floats) -> float:
    """Length of the diagonal of the box that holds 90 percent of a path."""
    return float(np.linalg.norm(np.percentile(path, 95, axis=0) - np.percentile(path, 5, axis=0)))
