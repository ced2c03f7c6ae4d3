# SPDX-License-Identifier: GPL-3.0-or-later
"""Editable keys: few of them, where an animator would put them, never further off than a bound.

Every frame of a property goes in (:class:`Samples`), a handful of keys with Bezier handles comes out
(:class:`Keys`). The components of one property share their keys, as Blender's own keying does.
"""

from .curve import Keys
from .fitting import Task, fit_all, fit_all_steps, fit_keys
from .landmarks import Mask, OriginalKeys, Samples
from .measures import AngleMeasure, DistanceMeasure, Measure
from .points import Points
from .retiming import Retimed, retimed
from .settings import EVERY_FRAME, KEY_MODES, SPARSE, KeySettings
from .units import closeness, distance_bound, foot_reach, location_closeness, own_moments, planted_below

__all__ = [
    "EVERY_FRAME",
    "KEY_MODES",
    "SPARSE",
    "AngleMeasure",
    "DistanceMeasure",
    "KeySettings",
    "Keys",
    "Mask",
    "Measure",
    "OriginalKeys",
    "Points",
    "Retimed",
    "Samples",
    "Task",
    "closeness",
    "distance_bound",
    "fit_all",
    "fit_all_steps",
    "fit_keys",
    "foot_reach",
    "location_closeness",
    "own_moments",
    "planted_below",
    "retimed",
]
