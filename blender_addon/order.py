# SPDX-License-Identifier: GPL-3.0-or-later
"""What the user asks for in one call."""

from dataclasses import dataclass, field
from typing import Final

from .backend import KeySettings, StyleSettings

# Stands for a calibration pose that Panache chooses, where a frame must be a number.
AUTOMATIC: Final = -1


@dataclass(frozen=True)
class Order:
    """All settings of one run.

    Attributes:
        settings: the style, and what it may touch.
        reference: name of the action to take the style from; empty without one.
        keys: where the result has keys.
        calibration_frame: Blender frame on which the rig is calibrated; None for a pose that is chosen by itself.

    """

    settings: StyleSettings
    reference: str = ""
    keys: KeySettings = field(default_factory=KeySettings)
    calibration_frame: int | None = None
