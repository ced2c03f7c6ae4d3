# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole f-curves as values: what one copies, compares and writes back."""

from dataclasses import dataclass, field
from typing import Any, Final

import bpy
import numpy as np

from ..compat import Slot, new_fcurve
from ..rig.keying import Rows, read_rows

# Of a curve that was made by nobody: held ends, heard, handles for each key alone.
PLAIN_SETTINGS: Final[dict[str, Any]] = {
    "extrapolation": "CONSTANT",
    "mute": False,
    "auto_smoothing": "NONE",
    "group": "",
}
_PLAIN: Final = ("extrapolation", "mute", "auto_smoothing")
# What says which modifier it is, and what must be set before the rest.
_FIRST: Final = ("mode", "poly_order")
_NOT_SETTINGS: Final = {"rna_type", "type", "is_valid", "control_points", "active", "show_expanded", *_FIRST}


@dataclass(frozen=True)
class Curve:
    """All of an f-curve but its place.

    Attributes:
        rows: keys, every property of each.
        settings: of the curve itself.
        modifiers: type and settings of each.
        samples: (S, 2) of a baked curve, which has no keys; else empty.

    """

    rows: Rows
    settings: dict[str, Any]
    modifiers: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    samples: np.ndarray = field(default_factory=lambda: np.empty((0, 2), dtype=np.float32))

    def equals(self, other: "Curve | None") -> bool:
        """Whether nothing differs, bit for bit."""
        if other is None or self.settings != other.settings or self.modifiers != other.modifiers:
            return False
        same = all(np.array_equal(rows, other.rows[name]) for name, rows in self.rows.items())
        return same and np.array_equal(self.samples, other.samples)


def read_curve(curve: bpy.types.FCurve) -> Curve:
    """A copy of an f-curve."""
    settings = {name: getattr(curve, name) for name in _PLAIN}
    settings["group"] = curve.group.name if curve.group else ""
    samples = np.empty(2 * len(curve.sampled_points), dtype=np.float32)
    curve.sampled_points.foreach_get("co", samples)
    modifiers = [(modifier.type, _settings(modifier)) for modifier in curve.modifiers]
    rows = {name: _thin(column) for name, column in read_rows(curve).items()}
    return Curve(rows, settings, modifiers, samples.reshape(-1, 2))


def write_curve(curve: bpy.types.FCurve, copy: Curve) -> None:
    """Make an f-curve, which is not baked, what the copy is. Keys come last: Blender moves handles at any setting."""
    for name in _PLAIN:
        if getattr(curve, name) != copy.settings[name]:
            setattr(curve, name, copy.settings[name])
    for modifier in list(curve.modifiers):
        curve.modifiers.remove(modifier)
    for kind, settings in copy.modifiers:
        _restore(curve.modifiers.new(kind), settings)
    if len(copy.samples):
        _bake(curve, copy.samples)
    else:
        put_rows(curve, copy.rows)


def copy_curve(curve: bpy.types.FCurve, action: bpy.types.Action, slot: Slot) -> None:
    """Give another action, whose ``slot`` has curves, a copy of one that it lacks."""
    copy = read_curve(curve)
    channel = curve.data_path, curve.array_index
    write_curve(new_fcurve(action, slot, channel, copy.settings["group"] or "Panache"), copy)


def put_rows(curve: bpy.types.FCurve, rows: Rows) -> None:
    """Replace all keys."""
    points, count = curve.keyframe_points, len(rows["co"])
    if len(points) != count:
        points.clear()
        points.add(count)
    for name, column in rows.items():
        points.foreach_set(name, column.ravel())


def _thin(column: np.ndarray) -> np.ndarray:
    """The same column, without memory if all rows are alike: most are, and long clips have many."""
    if not len(column) or (column != column[0]).any():
        return column
    return np.broadcast_to(column[:1].copy(), column.shape)


def _bake(curve: bpy.types.FCurve, samples: np.ndarray) -> None:
    """Blender makes samples of keys only: straight lines through them give the same values back."""
    curve.keyframe_points.clear()
    curve.keyframe_points.add(len(samples))
    curve.keyframe_points.foreach_set("co", samples.ravel())
    curve.keyframe_points.foreach_set("interpolation", np.ones(len(samples), dtype=np.int32))
    curve.convert_to_samples(int(samples[0, 0]), int(samples[-1, 0]) + 1)


def _settings(modifier: bpy.types.FModifier) -> dict[str, Any]:
    found: dict[str, Any] = {name: getattr(modifier, name) for name in _FIRST if hasattr(modifier, name)}
    for prop in modifier.bl_rna.properties:
        if prop.identifier in _NOT_SETTINGS or prop.is_readonly:
            continue
        value = getattr(modifier, prop.identifier)
        found[prop.identifier] = tuple(value) if getattr(prop, "is_array", False) else value
    if modifier.type == "ENVELOPE":
        found["control_points"] = [(point.frame, point.min, point.max) for point in modifier.control_points]
    return found


def _restore(modifier: bpy.types.FModifier, settings: dict[str, Any]) -> None:
    for name, value in settings.items():
        if name == "control_points":
            for frame, _, _ in value:
                modifier.control_points.add(frame)
            # Set one by one, Blender takes the points for modifiers and crashes.
            for side, column in enumerate(("min", "max"), 1):
                modifier.control_points.foreach_set(column, [point[side] for point in value])
        else:
            setattr(modifier, name, value)
