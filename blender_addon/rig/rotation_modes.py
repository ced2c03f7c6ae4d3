# SPDX-License-Identifier: GPL-3.0-or-later
"""Blender's rotation modes, and the properties in which they keep a bone's own rotation.

A bone's own rotation is a row of four numbers in the order of Blender's property, see ``core/rotation_modes.py``.
"""

from typing import Final

from ..backend import Modes, to_quaternions, turned, turned_steps

__all__ = ["PROPERTY", "Modes", "property_of", "to_quaternions", "turned", "turned_steps"]

PROPERTY: Final = {"QUATERNION": "rotation_quaternion", "AXIS_ANGLE": "rotation_axis_angle"}
_EULER: Final = "rotation_euler"


def property_of(mode: str) -> tuple[str, int]:
    """Name and width of the property that a rotation mode uses."""
    return (PROPERTY[mode], 4) if mode in PROPERTY else (_EULER, 3)
