# SPDX-License-Identifier: GPL-3.0-or-later
"""What separates a result in full from its original: read once, and kept while the slider moves."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import bpy
import numpy as np

from ..backend import Progress, Steps, blending, finish
from ..compat import Place, placed_fcurves
from ..record import KEY, changed_paths, original_of
from ..rig.keying import ALIGNED, AUTO, AUTO_CLAMPED, BEZIER, CONSTANT, read_rows
from ..rig.pace import Pace
from ..rig.take import TRANSFORMS, SetupError, has_effect
from .companion import full_of
from .curves import Curve, read_curve

Array = np.ndarray

_WIDTHS: Final = {"rotation_quaternion": 4, "rotation_axis_angle": 4}
_MODES: Final = {"rotation_quaternion": "QUATERNION", "rotation_axis_angle": "AXIS_ANGLE"}
_PASSING: Final = (ALIGNED, AUTO, AUTO_CLAMPED)
# Frames: stretches between keys that are shorter are looked at between frames too.
_SHORT: Final = 3.0
# Curves may be off from what they shall be by so many radians, or this share of how far full is from the original.
_ANGLE: Final = np.radians(0.25)
_SHARE: Final = 0.01
# Amounts at which a blended curve is looked at, to see whether the keys of full are enough.
_PROBES: Final = (0.5, 1.5)
# Near no rotation the axis may turn about on its way, at any of them.
_MORE_PROBES: Final = (0.25, 0.75, 1.25)
# Samples that are remembered, at most: of some dozen short clips, or of one long one.
_MOST: Final = 500_000


@dataclass(frozen=True)
class Change:
    """One property whose curves are not the same in both actions.

    Attributes:
        slot: handle of its slot.
        path: its data path.
        original: the original's curves by array index.
        full: the companion's curves likewise.
        track: how to blend them; None for a property that is no transform: it is what it is in full.

    """

    slot: int
    path: str
    original: dict[int, Curve]
    full: dict[int, Curve]
    track: blending.Track | None


class Cache:
    """The changes of the latest few results. They hold nothing of Blender's."""

    def __init__(self) -> None:
        self._found: dict[tuple[int, int], list[Change]] = {}
        self._doubtful: set[tuple[int, int]] = set()

    def changes(self, action: bpy.types.Action) -> list[Change]:
        """As :func:`read_changes`, unless they are known."""
        key = _key(action)
        if key not in self._found:
            self._keep(key, read_changes(action))
        return self._found[key]

    def fill_steps(self, action: bpy.types.Action) -> Steps[None]:
        """Get to know the changes of a new result, which nobody but its maker can change yet, in steps."""
        known = set(str(action[KEY]["changed"]).split("\n"))
        self._keep(_key(action), (yield from _change_steps(action, known)))

    def _keep(self, key: tuple[int, int], changes: list[Change]) -> None:
        """The latest ones stay; of long clips fewer."""
        self._found.pop(key, None)
        self._doubtful.discard(key)
        self._found[key] = changes
        while len(self._found) > 1 and sum(map(_size, self._found.values())) > _MOST:
            del self._found[next(iter(self._found))]

    def is_current(self, action: bpy.types.Action) -> bool:
        """Whether the changes are known, and nothing was heard of the original since."""
        key = _key(action)
        return key in self._found and key not in self._doubtful

    def doubt(self, actions: Iterable[bpy.types.Action]) -> None:
        """Some actions were updated, which is not to say that they were edited: they may just be played again."""
        numbers = {action.session_uid for action in actions}
        self._doubtful |= {key for key in self._found if not numbers.isdisjoint(key)}

    def trust(self, action: bpy.types.Action) -> None:
        """The original was found to be the same."""
        self._doubtful.discard(_key(action))

    def drop(self, action: bpy.types.Action) -> None:
        """The original has changed."""
        self._found.pop(_key(action), None)

    def clear(self) -> None:
        """Forget all: Blender has read other data, or read them again."""
        self._found.clear()
        self._doubtful.clear()


CACHE: Final = Cache()


def _size(changes: list[Change]) -> int:
    return sum(len(change.track.given.times) for change in changes if change.track is not None)


def _key(action: bpy.types.Action) -> tuple[int, int]:
    """Numbers of original and companion in this session."""
    owners = (action[KEY].get("original"), full_of(action))
    return owners[0].session_uid if owners[0] else 0, owners[1].session_uid if owners[1] else 0


def read_changes(action: bpy.types.Action) -> list[Change]:
    """All properties in which a result's companion differs from the original.

    Raises:
        SetupError: one of the two is gone.

    """
    original, _ = original_of(action)
    full = full_of(action)
    if full is None:
        raise SetupError(f'"{action.name}" does not remember its full style: press Re-apply once.')
    return finish(_change_steps(action, changed_paths(original, full)))


def _change_steps(action: bpy.types.Action, paths: set[str]) -> Steps[list[Change]]:
    record, owners = action[KEY], (original_of(action)[0], full_of(action))
    sides = [_by_property(placed_fcurves(owner), paths) for owner in owners]
    unsaid = Unsaid(json.loads(record.get("modes") or "{}"), json.loads(record.get("unkeyed") or "{}"))
    found: list[Change] = []
    pace, places = Pace(), dict.fromkeys((*sides[1], *sides[0]))
    for place in places:
        if pace.is_over:
            yield Progress(len(found) / len(places), "Writing keys")
            # Curves that others have removed must not be touched any more.
            sides = [_by_property(placed_fcurves(owner), paths) for owner in owners]
            pace.restart()
        pair = Pair(sides[0].get(place, {}), sides[1].get(place, {}))
        before, after = ({i: read_curve(curve) for i, curve in own.items()} for own in (pair.original, pair.full))
        found.append(Change(*place, before, after, _track(place[1], pair, after, unsaid)))
    return found


def _by_property(
    curves: dict[Place, bpy.types.FCurve], paths: set[str]
) -> dict[tuple[int, str], dict[int, bpy.types.FCurve]]:
    found: dict[tuple[int, str], dict[int, bpy.types.FCurve]] = {}
    for (slot, path, index), curve in curves.items():
        if path in paths:
            found.setdefault((slot, path), {})[index] = curve
    return found


@dataclass(frozen=True)
class Pair:
    """The curves of one property by array index, in both actions."""

    original: dict[int, bpy.types.FCurve]
    full: dict[int, bpy.types.FCurve]


@dataclass(frozen=True)
class Unsaid:
    """What the curves do not say, see ``unkeyed.py``."""

    modes: dict[str, str]
    values: dict[str, list[float]]

    def value(self, path: str, index: int) -> float:
        """What a component without keys is."""
        if path in self.values:
            return self.values[path][index]
        return float(path.endswith("scale") or (path.endswith("rotation_quaternion") and index == 0))


def _track(path: str, pair: Pair, full: dict[int, Curve], unsaid: Unsaid) -> blending.Track | None:
    """How to blend a property; None if there is nothing to blend."""
    bone, _, name = path.rpartition(".")
    times = np.unique(np.concatenate([np.empty(0), *(curve.rows["co"][:, 0] for curve in full.values())]))
    if name not in TRANSFORMS or not times.size:
        return None
    mode = _MODES.get(name, unsaid.modes.get(bone, "XYZ") if name == "rotation_euler" else blending.PLAIN)
    kinds = _kinds(times, full)
    samples = _sample_times(times, kinds)
    before, after = (
        np.stack([_sampled(own.get(i), samples, unsaid.value(path, i)) for i in range(_WIDTHS.get(name, 3))], axis=1)
        for own in (pair.original, pair.full)
    )
    bound = _ANGLE if mode else _SHARE * float(np.abs(after - before).max()) + 1e-6
    given = blending.Property(
        mode, samples, before, after, np.searchsorted(samples, times), kinds.smooth, kinds.curved, kinds.held, bound
    )
    track = blending.prepare(given)
    for share in _PROBES if mode != "AXIS_ANGLE" else (*_PROBES, *_MORE_PROBES):
        track = blending.refined(track, share)
    return track


@dataclass(frozen=True)
class Kinds:
    """What the keys (K,) of a property are like."""

    smooth: Array
    curved: Array
    held: Array


def _kinds(times: Array, curves: dict[int, Curve]) -> Kinds:
    smooth, curved, held = (np.full(len(times), start) for start in (False, False, True))
    for curve in curves.values():
        rows, at = curve.rows, np.searchsorted(times, curve.rows["co"][:, 0])
        passing = [np.isin(rows[f"handle_{side}_type"], _PASSING) for side in ("left", "right")]
        smooth[at] |= passing[0] & passing[1]
        curved[at] |= rows["interpolation"] == BEZIER
        held[at] &= rows["interpolation"] == CONSTANT
    return Kinds(smooth, curved, held)


def _sample_times(times: Array, kinds: Kinds) -> Array:
    """Keys, whole frames between the first and the last of them, and thirds of short curved stretches."""
    gaps = np.diff(times)
    short = kinds.curved[:-1] & (gaps < _SHORT)
    starts, gaps = times[:-1][short], gaps[short]
    whole = np.arange(np.ceil(times[0]), np.floor(times[-1]) + 0.5)
    found = np.concatenate([times, whole, starts + gaps / 3.0, starts + 2.0 * gaps / 3.0])
    # As Blender keeps them, so that keys are found again.
    return np.unique(found.astype(np.float32)).astype(np.float64)


def _sampled(curve: bpy.types.FCurve | None, times: Array, otherwise: float) -> Array:
    """(N,) what a curve plays."""
    if curve is None or not has_effect(curve):
        return np.full(len(times), otherwise)
    keys = read_rows(curve, ("co",))["co"]
    if not curve.modifiers and len(keys) == len(times) and np.array_equal(keys[:, 0], times):
        return keys[:, 1].astype(np.float64)
    return np.array([curve.evaluate(time) for time in times.tolist()])
