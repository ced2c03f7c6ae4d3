# SPDX-License-Identifier: GPL-3.0-or-later
"""One body for the network: every character's motion on the canonical skeleton, at one size and one frame rate."""

from dataclasses import dataclass, replace

import numpy as np

from .contacts import floor_height
from .errors import ClipTooShortError
from .motion import Motion
from .representation import FPS, MIN_FRAMES
from .resample import even_times, resample
from .skeleton import CANONICAL


@dataclass(frozen=True)
class CanonicalClip:
    """A clip as the network sees it.

    Attributes:
        motion: canonical skeleton, 30 fps, floor at height 0.
        scale: canonical metres per metre of the character.
    """

    motion: Motion
    scale: float


def to_canonical(motion: Motion) -> CanonicalClip:
    """Resample to 30 fps, scale by leg length, put on the canonical skeleton and on the floor.

    Raises:
        ClipTooShortError: fewer than ``MIN_FRAMES`` frames at 30 fps.
    """
    scale = CANONICAL.leg_length / motion.skeleton.leg_length
    even = resample(motion, even_times(motion.times, FPS))
    if len(even) < MIN_FRAMES:
        raise ClipTooShortError(
            f"The clip has {len(even)} frames at {FPS:.0f} fps: choose an action of at least {MIN_FRAMES} frames."
        )
    body = Motion(even.times, even.root * scale, even.rotations, CANONICAL)
    # Other proportions put other feet on the floor: it is found again on the new body.
    floor = np.array([0.0, floor_height(body), 0.0])
    return CanonicalClip(replace(body, root=body.root - floor), scale)
