# SPDX-License-Identifier: GPL-3.0-or-later
"""Editable keys: few of them, where an animator would put them, never further off than a bound.

Every frame of a property goes in (:class:`Samples`), a handful of keys with Bezier handles comes out
(:class:`Keys`). The components of one property share their keys, as Blender's own keying does.
"""

from .curve import Keys
from .fitting import fit_keys
from .landmarks import OriginalKeys, Samples
from .measures import AngleMeasure, DistanceMeasure, Measure
from .settings import EVERY_FRAME, KEY_MODES, SPARSE, KeySettings
from .units import angle_bound, distance_bound, foot_reach

__all__ = [
    "EVERY_FRAME",
    "KEY_MODES",
    "SPARSE",
    "AngleMeasure",
    "DistanceMeasure",
    "KeySettings",
    "Keys",
    "Measure",
    "OriginalKeys",
    "Samples",
    "angle_bound",
    "distance_bound",
    "fit_keys",
    "foot_reach",
]
