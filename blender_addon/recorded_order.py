# SPDX-License-Identifier: GPL-3.0-or-later
"""An order as plain values that an action can keep, and back."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from .backend import KeySettings, StyleSettings
from .order import AUTOMATIC, Order


def order_fields(order: Order) -> dict[str, Any]:
    """What a custom property can hold of an order; moments of keys belong to the clip, not to the order."""
    kept = {field.name: getattr(order.settings, field.name) for field in fields(order.settings)}
    kept["parts"] = ",".join(sorted(order.settings.parts))
    # Blender has no empty arrays.
    found = {name: list(value) if isinstance(value, tuple) else value for name, value in kept.items() if value != ()}
    return found | {
        "reference": order.reference,
        "keys": order.keys.mode,
        "key_angle": order.keys.angle,
        "key_distance": order.keys.distance,
        "calibration_frame": AUTOMATIC if order.calibration_frame is None else order.calibration_frame,
    }


def order_from(stored: Mapping[str, Any]) -> Order:
    """The order again; what an older record does not say has its default."""
    own: dict[str, Any] = {}
    for field in fields(StyleSettings):
        if field.name in stored:
            value = stored[field.name]
            # Arrays of custom properties have a type of their own.
            own[field.name] = value if isinstance(value, str | bool | int | float) else tuple(value)
    own["parts"] = frozenset(part for part in str(stored["parts"]).split(",") if part)
    frame = int(stored["calibration_frame"])
    keys = KeySettings(stored["keys"], stored["key_angle"], stored["key_distance"])
    return Order(StyleSettings(**own), stored["reference"], keys, None if frame == AUTOMATIC else frame)
