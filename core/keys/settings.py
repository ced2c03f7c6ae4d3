# SPDX-License-Identifier: GPL-3.0-or-later
"""What the user may say about keys."""

from dataclasses import dataclass, field

import numpy as np

from ..rotations import Array

SPARSE, EVERY_FRAME = "SPARSE", "EVERY_FRAME"
KEY_MODES: tuple[str, ...] = (SPARSE, EVERY_FRAME)


def _no_frames() -> Array:
    return np.empty(0)


@dataclass(frozen=True)
class KeySettings:
    """How many keys a result gets.

    Attributes:
        mode: SPARSE or EVERY_FRAME.
        angle: how far a sparse rotation may be off, radians; a scale by the same share of its value.
        distance: how far a sparse location may be off, metres on a character of human size.
        moments: (M,) frames where contacts start and end: what moves a foot gets keys there.
    """

    mode: str = SPARSE
    angle: float = float(np.radians(0.25))
    distance: float = 0.002
    moments: Array = field(default_factory=_no_frames)
