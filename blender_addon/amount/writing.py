# SPDX-License-Identifier: GPL-3.0-or-later
"""Curves of a result at another share: those of the original, those in full, or what lies between."""

from dataclasses import dataclass, replace
from typing import Final

import bpy
import numpy as np

from ..backend import Progress, Steps, TimeWarp, blending, finish
from ..compat import Curves, Place, fcurves, new_fcurve, placed_fcurves, slot_with_handle
from ..rig.keying import ALIGNED, BEZIER, CONSTANT, FIELDS, FREE, Rows
from ..rig.pace import Pace
from .changes import Change
from .curves import PLAIN_SETTINGS, Curve, put_rows, write_curve
from .stretching import stretched

Array = np.ndarray

_LINEAR: Final = 1
# A component that neither version keys gets a curve if it must turn by more than this.
_IDLE: Final = 1e-5
# Differences below this come from rounding.
_ROUNDING: Final = 1e-9
_MOVING: Final = ("co", "handle_left", "handle_right")


@dataclass(frozen=True)
class Target:
    """The curves of a result that is rewritten.

    Attributes:
        action: the result.
        curves: its curves.
        warp: the time that it is brought into; None for the original's.

    """

    action: bpy.types.Action
    curves: dict[Place, bpy.types.FCurve]
    warp: TimeWarp | None = None

    def without(self, place: Place) -> None:
        """Remove a curve, if it is there."""
        curve = self.curves.pop(place, None)
        if curve is not None:
            self._collection(place).remove(curve)

    def with_keys(self, place: Place, group: str) -> bpy.types.FCurve:
        """A curve that can take keys; baked ones cannot and are replaced."""
        curve = self.curves.get(place)
        if curve is not None and len(curve.sampled_points):
            self.without(place)
            curve = None
        if curve is None:
            slot = slot_with_handle(self.action, place[0])
            curve = self.curves[place] = new_fcurve(self.action, slot, place[1:], group)
        return curve

    def _collection(self, place: Place) -> Curves:
        return fcurves(self.action, slot_with_handle(self.action, place[0]))


def target_of(action: bpy.types.Action, warp: TimeWarp | None = None) -> Target:
    """The curves of an action, and the time that they shall be in."""
    return Target(action, placed_fcurves(action), warp)


def write_original(target: Target, changes: list[Change]) -> None:
    """Share 0: the original's curves, bit for bit."""
    for change in changes:
        _write_copies(target, change, change.original)


def write_full(target: Target, changes: list[Change]) -> None:
    """Share 1: the curves as they were computed, bit for bit."""
    finish(write_full_steps(target, changes))


def write_full_steps(target: Target, changes: list[Change]) -> Steps[None]:
    """:func:`write_full` in steps."""
    pace = Pace()
    for number, change in enumerate(changes):
        if pace.is_over:
            yield Progress(number / len(changes), "Writing keys")
            pace.restart()
        _write_copies(target, change, change.full)


def write_blend(target: Target, changes: list[Change], shares: blending.Shares | float, alike: bool = False) -> None:
    """Any share, or one that changes over time; ``alike`` says that only values of keys differ from what is there."""
    blend = [change for change in changes if change.track is not None]
    tracks = [change.track for change in blend]
    if callable(shares):
        tracks = [blending.refined(track, shares) for track in tracks]
    for change in changes:
        if change.track is None:
            _write_copies(target, change, change.full)
    for change, track, keys in zip(blend, tracks, blending.blend_keys(tracks, shares), strict=True):
        blend = _Keys(track, keys)
        if target.warp is None:
            _write_keys(target, change, blend, alike)
        else:
            _write_copies(target, change, _blended_copies(change, blend))


def _write_copies(target: Target, change: Change, copies: dict[int, Curve]) -> None:
    """A property as ``copies`` have it, in the target's time; components without a copy get no curve."""
    for index in {*change.original, *change.full, *range(_width(change))} - copies.keys():
        target.without((change.slot, change.path, index))
    if target.warp is not None:
        copies = stretched(copies, target.warp, change.path)
    write_copies(target, (change.slot, change.path), copies)


def write_copies(target: Target, owner: tuple[int, str], copies: dict[int, Curve]) -> None:
    """Curves of one property, by array index, as they are; ``owner`` is its slot and path."""
    for index, copy in copies.items():
        group = copy.settings["group"] or _group(owner[1])
        write_curve(target.with_keys((*owner, index), group), copy)


@dataclass(frozen=True)
class _Keys:
    """A property's keys, and what they were blended from."""

    track: blending.Track
    keys: blending.BlendedKeys

    def is_still(self, index: int) -> bool:
        """Whether a component that neither version keys needs no keys now either."""
        given = self.track.given
        return bool(np.abs(self.keys.values[:, index] - given.full[given.knots, index]).max(initial=0.0) < _IDLE)


def _write_keys(target: Target, change: Change, blend: _Keys, alike: bool) -> None:
    for index in range(_width(change)):
        place, own = (change.slot, change.path, index), change.full.get(index)
        if own is None and index not in change.original and blend.is_still(index):
            target.without(place)
            continue
        curve = target.with_keys(place, _group(change.path))
        if own is not None and not alike:
            write_curve(curve, own)
        if own is not None and len(own.rows["co"]) == len(blend.keys.times):
            put_rows(curve, _moved_keys(own, blend, index))
        else:
            put_rows(curve, _rows(own, blend, index))
        curve.update()


def _blended_copies(change: Change, blend: _Keys) -> dict[int, Curve]:
    """What :func:`_write_keys` would write, as copies."""
    found: dict[int, Curve] = {}
    for index in range(_width(change)):
        own = change.full.get(index)
        if own is None and index not in change.original and blend.is_still(index):
            continue
        if own is not None and len(own.rows["co"]) == len(blend.keys.times):
            found[index] = replace(own, rows={**own.rows, **_moved_keys(own, blend, index)})
        elif own is not None:
            found[index] = replace(own, rows=_rows(own, blend, index))
        else:
            found[index] = Curve(_rows(own, blend, index), dict(PLAIN_SETTINGS))
    return found


def _moved_keys(own: Curve, blend: _Keys, index: int) -> Rows:
    """The values of the keys of full, all of them; handles move and turn with the curve, where there are any."""
    track, given, keys = blend.track, blend.track.given, blend.keys
    moved = _noticed(keys.values[:, index] - given.full[given.knots, index])
    rows = {"co": own.rows["co"].copy()}
    rows["co"][:, 1] += moved
    if not given.curved.any():
        return rows
    curved = np.concatenate([given.curved[:1], given.curved])
    for side, name in enumerate(("handle_left", "handle_right")):
        handle = rows[name] = own.rows[name].copy()
        turn = keys.slopes[side, :, index] - track.full_slopes[side, :, index]
        handle[:, 1] += moved + np.where(curved[side:][: len(moved)], _noticed(turn * (handle[:, 0] - keys.times)), 0.0)
    return rows


def _rows(own: Curve | None, blend: _Keys, index: int) -> Rows:
    """Keys of one component: those of full, moved, and new ones between them."""
    given, keys = blend.track.given, blend.keys
    values, gaps = keys.values[:, index], np.diff(keys.times) / 3.0
    gaps = np.concatenate([gaps[:1], gaps, gaps[-1:]]) if len(gaps) else np.ones(2)
    rows = {name: np.full(len(values), default) for name, default in FIELDS.items()}
    rows["co"] = np.stack([keys.times, values], axis=1)
    for side, name in enumerate(("left", "right")):
        step = -gaps[:-1] if name == "left" else gaps[1:]
        rows[f"handle_{name}"] = np.stack([keys.times + step, values + step * keys.slopes[side, :, index]], axis=1)
        rows[f"handle_{name}_type"] = np.where(given.smooth, ALIGNED, FREE)
    rows["interpolation"] = np.where(given.held, CONSTANT, np.where(given.curved, BEZIER, _LINEAR))
    return rows if own is None else _like_full(rows, own, blend, index)


def _like_full(rows: Rows, own: Curve, blend: _Keys, index: int) -> Rows:
    """The keys that full has too are as in full, but moved; new ones stay."""
    track, keys = blend.track, blend.keys
    at = np.searchsorted(keys.times, own.rows["co"][:, 0])
    for name, column in own.rows.items():
        if name not in _MOVING:
            rows[name][at] = column
    given = replace(track.given, knots=track.given.knots[at], curved=track.given.curved[at])
    alike = replace(track, given=given, full_slopes=track.full_slopes[:, at])
    some = blending.BlendedKeys(keys.times[at], keys.values[at], keys.slopes[:, at], keys.added[at])
    moved = _moved_keys(own, _Keys(alike, some), index)
    rows["co"][at] = moved["co"]
    new = np.concatenate([[False], track.added, [False]])
    for side, name in enumerate(("handle_left", "handle_right")):
        # Beside a new key the handle must be shorter.
        kept = ~new[at + 2 * side]
        rows[name][at[kept]] = moved.get(name, own.rows[name])[kept]
    return rows


def _noticed(difference: Array) -> Array:
    """Where nothing changes, rounding must not either."""
    return np.where(np.abs(difference) < _ROUNDING, 0.0, difference)


def _width(change: Change) -> int:
    return 0 if change.track is None else change.track.given.full.shape[1]


def _group(path: str) -> str:
    """The bone that a property belongs to."""
    return path.partition('"')[2].partition('"')[0] or "Object Transforms"
