# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys of f-curves as arrays: read and written a whole curve at a time."""

from collections.abc import Iterable, Sequence
from typing import Final

import bpy
import numpy as np

from ..backend import Keys, OriginalKeys, Progress, Steps, rotations
from ..compat import Slot, fcurves, new_fcurve
from .pace import Pace
from .seams import split_at, with_outer_handles
from .take import Channel, Take

Array = rotations.Array
Rows = dict[str, np.ndarray]
"""Keys of one curve: each of their properties as an array with one row per key."""

# Numbers of Blender's enums, which foreach_set wants instead of their names.
CONSTANT: Final = 0
_LINEAR: Final = 1
BEZIER: Final = 2
FREE: Final = 0
AUTO: Final = 1
ALIGNED: Final = 3
AUTO_CLAMPED: Final = 4
# What a key has, and what a new one has unless it is said otherwise. Handles come last, when their types are known.
FIELDS: Final = {
    "interpolation": np.int32(BEZIER),
    "easing": np.int32(0),
    "type": np.int32(0),
    "amplitude": np.float32(0.8),
    "back": np.float32(1.70158),
    "period": np.float32(4.1),
    "handle_left_type": np.int32(FREE),
    "handle_right_type": np.int32(FREE),
    "co": np.float32(0.0),
    "handle_left": np.float32(0.0),
    "handle_right": np.float32(0.0),
}
# What says when a curve moves, and how.
_TIMING: Final = ("co", "interpolation")
_POINTS: Final = {"co", "handle_left", "handle_right"}
# Keys closer than this, frames, are at the same time.
_SAME_TIME: Final = 1e-3
# Adds to the keys' ends only, so it is still right for the new keys; every other modifier is in them already.
_KEPT_MODIFIERS: Final = {"CYCLES"}


class Curves:
    """The curves of one slot of an action under construction."""

    def __init__(self, action: bpy.types.Action, slot: Slot) -> None:
        self._action = action
        self._slot = slot
        self._curves = {(curve.data_path, curve.array_index): curve for curve in fcurves(action, slot) or ()}

    def __contains__(self, channel: Channel) -> bool:
        return channel in self._curves

    def write(self, channel: Channel, group: str, rows: Rows) -> None:
        """Put keys in place of those that the channel has between the first and the last of them."""
        before, kept = self._curves.get(channel), None
        if before is not None:
            split_at(before, tuple(rows["co"][[0, -1], 0]))
            old = read_rows(before)
            kept, rows = _outside(old, rows), _with_types(with_outer_handles(rows, old), old)
        curve = self._emptied(channel, group)
        write_rows(curve, _joined(kept, rows) if kept else rows)

    def clear_idle_steps(self, still: dict[str, float], ends: tuple[float, float]) -> Steps[None]:
        """Leave only first and last key to captured channels in which nothing moves, within the ``ends``.

        Captures key every channel on every frame: without this a bone would still have keys everywhere although its
        rotation has few. ``still`` says by how much the values under a data path may differ.
        """
        pace = Pace()
        for number, ((path, _), curve) in enumerate(self._curves.items()):
            if pace.is_over:
                yield Progress(number / len(self._curves), "Writing keys")
                pace.restart()
            if path in still and len(curve.keyframe_points) and original_keys([curve], False, False).dense:
                rows = read_rows(curve)
                points = [rows[name][:, 1] for name in _POINTS]
                inside = rows["co"][0, 0] > ends[0] - _SAME_TIME and rows["co"][-1, 0] < ends[1] + _SAME_TIME
                if inside and np.ptp(points) <= still[path]:
                    curve.keyframe_points.clear()
                    write_rows(curve, {name: column[[0, -1]] for name, column in rows.items()})

    def _emptied(self, channel: Channel, group: str) -> bpy.types.FCurve:
        """The channel's curve without keys, able to play."""
        curve = self._curves.get(channel)
        if curve is None or not len(curve.keyframe_points):
            if curve is not None:
                # Baked samples cannot be cleared, only removed.
                fcurves(self._action, self._slot).remove(curve)
            self._curves[channel] = new_fcurve(self._action, self._slot, channel, group)
            return self._curves[channel]
        curve.keyframe_points.clear()
        for modifier in [entry for entry in curve.modifiers if entry.type not in _KEPT_MODIFIERS]:
            curve.modifiers.remove(modifier)
        curve.mute = False
        if curve.group and curve.group.mute:
            curve.group = None
        return curve


def every_frame(frames: Array, column: Array) -> Rows:
    """Keys on all ``frames`` (T,).

    Linear: Bezier handles would swing past the keys where a foot stops.
    """
    points = np.stack([frames, column], axis=-1)
    rows = _rows(points, points, points)
    for name, number in (
        ("interpolation", _LINEAR),
        ("handle_left_type", AUTO_CLAMPED),
        ("handle_right_type", AUTO_CLAMPED),
    ):
        rows[name][:] = number
    return rows


def fitted(keys: Keys, component: int) -> Rows:
    """One component of a property's fitted keys, with their handles."""
    rows = _rows(np.stack([keys.times, keys.values[:, component]], axis=-1), *keys.handles(component))
    rows["interpolation"][keys.stepped] = CONSTANT
    for side in ("handle_left_type", "handle_right_type"):
        rows[side][keys.smooth] = ALIGNED
    return rows


def original_keys(curves: Sequence[bpy.types.FCurve], loops: bool, blocking: bool) -> OriginalKeys:
    """What the curves of a property's components say together.

    ``blocking``: the whole take is stepped. Otherwise stepped keys that all have one value say nothing: exporters write
    channels in which nothing moves like this.
    """
    filled = [curve for curve in curves if len(curve.keyframe_points)]
    rows = [read_rows(curve, _TIMING) for curve in filled]
    times = np.unique(np.concatenate([np.empty(0), *(own["co"][:, 0] for own in rows)]))
    stepped = np.full(len(times), blocking or any(map(_moves, rows)))
    for curve, own in zip(filled, rows, strict=True):
        last = np.clip(np.searchsorted(own["co"][:, 0], times, side="right") - 1, 0, None)
        stepped &= (own["interpolation"][last] == CONSTANT) & (not curve.modifiers)
    return OriginalKeys(times, stepped, loops)


def is_blocking_steps(take: Take) -> Steps[bool]:
    """Whether most of what moves in a take does so in steps."""
    moving = stepped = 0
    pace = Pace()
    channels = list(take.curves)
    for number, channel in enumerate(channels):
        if channel in take.curves:
            rows = read_rows(take.curves[channel], _TIMING)
            moves = bool(len(rows["co"])) and _moves(rows)
            moving += moves
            stepped += moves and bool((rows["interpolation"] == CONSTANT).all())
        if pace.is_over:
            yield Progress(number / len(channels), "Fitting keys")
            take = take.now()
            pace.restart()
    return stepped > 0.5 * moving


def _moves(rows: Rows) -> bool:
    return bool(np.ptp(rows["co"][:, 1]) > 0.0)


def read_rows(curve: bpy.types.FCurve, names: Iterable[str] = FIELDS) -> Rows:
    """All keys of a curve, or only what the ``names`` say of them."""
    points = curve.keyframe_points
    rows = {}
    for name in names:
        width = 2 if name in _POINTS else 1
        flat = np.empty(width * len(points), dtype=FIELDS[name].dtype)
        points.foreach_get(name, flat)
        rows[name] = flat.reshape(-1, width) if name in _POINTS else flat
    return rows


def write_keys(curve: bpy.types.FCurve, frames: Array, values: Array) -> None:
    """Fill an empty curve with keys on all ``frames`` (T,)."""
    write_rows(curve, every_frame(frames, values))


def write_rows(curve: bpy.types.FCurve, rows: Rows) -> None:
    """Fill an empty curve."""
    points = curve.keyframe_points
    points.add(len(rows["co"]))
    for name, default in FIELDS.items():
        points.foreach_set(name, rows[name].astype(default.dtype).ravel())
    curve.update()


def _rows(points: Array, left: Array, right: Array) -> Rows:
    rows = {name: np.full(len(points), default) for name, default in FIELDS.items()}
    return rows | {"co": points, "handle_left": left, "handle_right": right}


def _with_types(new: Rows, old: Rows) -> Rows:
    """New keys where old ones were are of their kind: breakdowns, extremes and so on."""
    times = old["co"][:, 0]
    if not len(times):
        return new
    wanted = new["co"][:, 0]
    after = np.minimum(np.searchsorted(times, wanted), len(times) - 1)
    before = np.maximum(after - 1, 0)
    nearest = np.where(wanted - times[before] < times[after] - wanted, before, after)
    same = np.abs(times[nearest] - wanted) <= _SAME_TIME
    return new | {"type": np.where(same, old["type"][nearest], new["type"])}


def _outside(rows: Rows, new: Rows) -> Rows:
    """The keys before the first new one and after the last."""
    times = rows["co"][:, 0]
    first, last = new["co"][[0, -1], 0]
    kept = (times < first - _SAME_TIME) | (times > last + _SAME_TIME)
    return {name: column[kept] for name, column in rows.items()}


def _joined(kept: Rows, new: Rows) -> Rows:
    order = np.argsort(np.concatenate([kept["co"][:, 0], new["co"][:, 0]]), kind="stable")
    return {name: np.concatenate([kept[name], new[name]])[order] for name in FIELDS}
