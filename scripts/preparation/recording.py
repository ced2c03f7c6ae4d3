# SPDX-License-Identifier: GPL-3.0-or-later
"""What is prepared: recordings in files, and the takes that come of them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Recording:
    """One clip in one file.

    Attributes:
        source: name of the set.
        path: its file.
        take: what the clip is called in the dataset.
        content: what is done, "" if nobody says.
        style: how it is done, "" if nobody says.
        group: recordings of one group always lie on the same side of the split.
        animation: which clip of the file, for files that hold several.
        fps: frames per second, for files that do not say; 0 for those that do.
        frames: first and last frame that are used; (0, -1) for all.
        span: the part of these frames that is used, as shares.
        split: the side of the split, if that is not drawn.
    """

    source: str
    path: Path
    take: str
    content: str = ""
    style: str = ""
    group: str = ""
    animation: str = ""
    fps: float = 0.0
    frames: tuple[int, int] = (0, -1)
    span: tuple[float, float] = (0.0, 1.0)
    split: int | None = None


@dataclass(frozen=True)
class Take:
    """One recording, encoded: features (T, 266)."""

    recording: Recording
    features: NDArray[np.float32]


@dataclass(frozen=True)
class LeftOut:
    """A clip that is not in the dataset, and why."""

    source: str
    take: str
    reason: str


@dataclass(frozen=True)
class Found:
    """What a folder holds."""

    recordings: tuple[Recording, ...]
    left_out: tuple[LeftOut, ...] = ()
