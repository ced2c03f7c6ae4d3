# SPDX-License-Identifier: GPL-3.0-or-later
"""One body for the network: every character's motion on the canonical skeleton, at one size and one frame rate."""

from dataclasses import dataclass, replace

import numpy as np

from .blocks import JOINT_FRAMES, in_blocks
from .contacts import floor_height
from .errors import ClipTooShortError
from .motion import Motion, joined
from .representation import FPS, MIN_FRAMES
from .resample import even_times, resample
from .rotations import Array
from .skeleton import CANONICAL
from .steps import Steps, finish

# The network has seen no clips shorter than this, seconds: shorter ones are held at both ends.
_MIN_SECONDS = 1.0


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
    """All of :func:`to_canonical_steps` at once."""
    return finish(to_canonical_steps(motion))


def to_canonical_steps(motion: Motion) -> Steps[CanonicalClip]:
    """Resample to 30 fps, scale by leg length, put on the canonical skeleton and on the floor.

    A short clip is longer afterwards: its first and last poses are held, and its times begin before the clip's.

    Raises:
        ClipTooShortError: fewer than ``MIN_FRAMES`` frames.
    """
    check_length(motion)
    scale = CANONICAL.leg_length / motion.skeleton.leg_length
    times = _long_enough(even_times(motion.times, FPS))
    found = yield from in_blocks(lambda frames: resample(motion, times[frames]), len(times), JOINT_FRAMES)
    even = joined(found)
    body = Motion(even.times, even.root * scale, even.rotations, CANONICAL)
    # Other proportions put other feet on the floor: it is found again on the new body.
    floor = np.array([0.0, floor_height(body), 0.0])
    return CanonicalClip(replace(body, root=body.root - floor), scale)


def check_length(motion: Motion) -> None:
    """Refuse what is too short to be a movement.

    Raises:
        ClipTooShortError: fewer than ``MIN_FRAMES`` frames.
    """
    if len(motion) < MIN_FRAMES:
        raise ClipTooShortError(f"The clip has {len(motion)} frames: choose an action of at least {MIN_FRAMES} frames.")


def _long_enough(times: Array) -> Array:
    """Even times with as many more before and after as the network needs."""
    lacking = int(np.ceil(max(_MIN_SECONDS * FPS - len(times), 0.0) / 2.0))
    return times[0] + np.arange(-lacking, len(times) + lacking) / FPS
