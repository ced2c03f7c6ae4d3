# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys that play slower or faster, on whole frames if they were on whole frames.

Moving a key to the nearest frame by itself would let bones run ahead of each other by up to half a frame, which is
centimetres at a planted foot. So the curve is warped exactly, and keyed anew near where its keys have gone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..rotation_modes import nearest, to_quaternion
from ..rotations import Array, continuous, normalize
from ..timing import TimeWarp
from .landmarks import Indices, Mask
from .points import BEZIER, CONSTANT, LINEAR, Codes, Points, corners

# Frames closer than this to a whole one lie on it.
_SAME_FRAME = 1e-3
_SAME_TIME = 1e-5
# A curve that is keyed anew may be off by this share of its fastest frame; and by less than anybody sees: radians (or
# parts of a quaternion) of a rotation, share of its extent of all else.
_SHARE, _ANGLE, _EXTENT = 0.01, 3e-4, 5e-4
# Rounds of adding keys, at most.
_ROUNDS = 8
# Between two frames no rotation turns by more: numbers that do are the same turn written in another way.
_JUMPS = {"rotation_euler": 0.75 * np.pi, "rotation_quaternion": 1.0, "rotation_axis_angle": 0.75 * np.pi}


@dataclass(frozen=True)
class Retimed:
    """M keys of one curve in its new time.

    Attributes:
        points: the keys.
        origin: (M,) key of the original that is nearest.
        is_new: (M,) whether the original has no key there.
        is_smooth: (M,) whether both handles lie on one line; None where the handles are the original's, moved.
    """

    points: Points
    origin: Indices
    is_new: Mask
    is_smooth: Mask | None = None


def retimed(curves: Sequence[Points], warp: TimeWarp, name: str) -> list[Retimed]:
    """The curves of one property in a new time; those with keys at the same times keep them at the same times.

    Args:
        curves: its components.
        warp: the new time.
        name: of the property, as in ``rotation_euler``.
    """
    found: dict[int, Retimed] = {}
    groups: dict[bytes, list[int]] = {}
    for number, curve in enumerate(curves):
        groups.setdefault(curve.times.tobytes(), []).append(number)
    for rows in groups.values():
        group = [curves[row] for row in rows]
        found |= zip(rows, _retimed_alike(group, warp, name), strict=True)
    return [found[number] for number in range(len(curves))]


def _retimed_alike(group: list[Points], warp: TimeWarp, name: str) -> list[Retimed]:
    times = group[0].times
    if _is_dense(times):
        return _resampled(group, warp, name)
    whole = bool((np.abs(times - np.round(times)) < _SAME_FRAME).all())
    eased = any((~np.isin(curve.kinds, (CONSTANT, LINEAR, BEZIER))).any() for curve in group)
    if not whole or eased or len(times) == 1:
        return [_moved(curve, warp, whole) for curve in group]
    return _keyed_anew(group, warp, name.startswith("rotation"))


def _is_dense(times: Array) -> bool:
    """Whether there is a key on every frame, as captures have it; more keys between them do no harm."""
    frames = np.arange(np.ceil(times[0] - _SAME_FRAME), np.floor(times[-1] + _SAME_FRAME) + 0.5)
    nearest = np.abs(times[np.clip(np.searchsorted(times, frames - _SAME_FRAME), 0, len(times) - 1)] - frames)
    return len(frames) > 2 and bool((nearest < _SAME_FRAME).all())


def _moved(curve: Points, warp: TimeWarp, whole: bool) -> Retimed:
    """The same keys with the same handles, at their new times."""
    spots = warp.at(curve.times)
    frames = np.round(spots) if whole else spots
    # Of keys that have come together the last one counts.
    kept = np.append(np.diff(frames) > 0.0, True)
    moved = [np.stack([frames + warp.at(ends[:, 0]) - spots, ends[:, 1]], axis=1) for ends in (curve.left, curve.right)]
    co = np.stack([frames, curve.co[:, 1]], axis=1)
    points = Points(co[kept], moved[0][kept], moved[1][kept], curve.kinds[kept])
    return Retimed(points, np.flatnonzero(kept), np.zeros(len(points.co), dtype=np.bool_))


def _resampled(group: list[Points], warp: TimeWarp, name: str) -> list[Retimed]:
    """Keys on every frame again, on a smooth curve through the old ones: straight lines would shake."""
    times, jump = group[0].times, _JUMPS.get(name, np.inf)
    first, last = (float(frame) for frame in _snapped(warp.at(times[[0, -1]])))
    frames = np.concatenate([[first], np.arange(np.floor(first) + 1.0, np.ceil(last)), [last]])
    wanted = np.clip(warp.back(frames), times[0], times[-1])
    values = np.stack([curve.co[:, 1] for curve in group], axis=1)
    if name == "rotation_axis_angle" and len(group) == 4:
        smooth = nearest(_turns_between(times, values, wanted), values[group[0].nearest(wanted)], "AXIS_ANGLE")
    else:
        smooth = _smooth_between(times, _unwound(values, name), wanted, jump)
    stepped = np.array([(curve.kinds == CONSTANT).any() for curve in group])
    smooth[:, stepped] = np.stack([curve.at(wanted) for curve in group], axis=1)[:, stepped]
    steps = np.diff(smooth, axis=0)
    broken = (np.abs(steps) > jump).any(axis=1)
    slopes = np.gradient(smooth, frames, axis=0, edge_order=2 if len(frames) > 2 else 1)
    slopes[np.append(broken, False) | np.append(False, broken)] = 0.0
    found: list[Retimed] = []
    for column, curve in enumerate(group):
        origin = curve.nearest(wanted)
        points = _with_handles(frames, smooth[:, column], (slopes[:, column],) * 2, curve.kinds[origin])
        found.append(Retimed(points, origin, np.zeros(len(frames), dtype=np.bool_)))
    return found


def _unwound(values: Array, name: str) -> Array:
    """The same turns (K, W), written without whole turns or changes of sign from one key to the next."""
    if name == "rotation_quaternion" and values.shape[1] == 4:
        return continuous(values)
    return np.unwrap(values, axis=0) if name == "rotation_euler" else values


def _turns_between(times: Array, values: Array, wanted: Array) -> Array:
    """Unit quaternions (M, 4) between axes and angles (K, 4), whose own curves say nothing where an axis spins."""
    turns = continuous(to_quaternion(values, "AXIS_ANGLE"))
    return normalize(_smooth_between(times, turns, wanted, _JUMPS["rotation_quaternion"]))


def _smooth_between(times: Array, values: Array, wanted: Array, jump: float) -> Array:
    """Values (M, W) of Catmull-Rom curves through keys (K, W); where numbers jump, those of the nearest key."""
    steps = np.diff(values, axis=0)
    broken = (np.abs(steps) > jump).any(axis=1)
    slopes = np.gradient(values, times, axis=0, edge_order=2)
    rates = steps / np.diff(times)[:, None]
    # Beside a jump the curve knows one side only.
    slopes[:-1][broken] = np.concatenate([rates[:1], rates[:-1]])[broken]
    slopes[1:][broken] = np.concatenate([rates[1:], rates[-1:]])[broken]
    row = np.clip(np.searchsorted(times, wanted, side="right") - 1, 0, len(times) - 2)
    length = (times[row + 1] - times[row])[:, None]
    u = (wanted - times[row])[:, None] / length
    leave, arrive = slopes[row] * length, slopes[row + 1] * length
    step = steps[row]
    smooth = values[row] + u * (leave + u * (3.0 * step - 2.0 * leave - arrive + u * (leave + arrive - 2.0 * step)))
    nearest = np.where(u < 0.5, values[row], values[row + 1])
    return np.where(broken[row][:, None], nearest, smooth)


@dataclass(frozen=True)
class _Knots:
    """Where a property gets keys: frames (M,), what of the original is to be seen there, and whether it had one."""

    frames: Array
    sources: Array
    is_new: Mask

    def with_more(self, frames: Array, warp: TimeWarp) -> _Knots:
        """Further keys, on frames without one."""
        every = np.concatenate([self.frames, frames])
        order = np.argsort(every)
        sources = np.concatenate([self.sources, warp.back(frames)])
        is_new = np.concatenate([self.is_new, np.ones(len(frames), dtype=np.bool_)])
        return _Knots(every[order], sources[order], is_new[order])


def _keyed_anew(group: list[Points], warp: TimeWarp, is_rotation: bool) -> list[Retimed]:
    """Keys on whole frames near where the old ones have gone, and as many more as the curves need."""
    turning = np.any([corners(curve) for curve in group], axis=0)
    knots = _first_knots(group, warp, turning)
    whole = np.arange(knots.frames[0] + 1.0, knots.frames[-1] - 0.5)
    exact = np.stack([curve.at(warp.back(whole)) for curve in group], axis=1)
    bound = _bounds(group, is_rotation)
    for _ in range(_ROUNDS):
        keys = _keys_at(group, warp, knots, turning)
        off = np.abs(np.stack([key.points.at(whole) for key in keys], axis=1) - exact) / bound
        rows = _worst(off.max(axis=1, initial=0.0), whole, knots.frames)
        if not rows.size:
            return keys
        knots = knots.with_more(whole[rows], warp)
    return _keys_at(group, warp, knots, turning)


def _first_knots(group: list[Points], warp: TimeWarp, turning: Mask) -> _Knots:
    """The frames nearest to the old keys; on both sides of a corner between frames, so that it does not move."""
    times, spots = group[0].times, _snapped(warp.at(group[0].times))
    near = np.round(spots)
    holds = np.any([curve.kinds == CONSTANT for curve in group], axis=0)
    # The ends, and steps, show the key's own pose, though it may be up to half a frame early or late.
    exact = holds | np.append(True, holds[:-1])
    exact[-1] = True
    split = turning & ~exact & (spots != near)
    beside = np.concatenate([np.floor(spots[split]), np.ceil(spots[split])])
    frames = np.concatenate([near[~split], beside])
    sources = np.concatenate([np.where(exact, times, warp.back(near))[~split], warp.back(beside)])
    # Where keys have come together an exact one wins, and of those the last one.
    rank = np.concatenate([~exact[~split], np.ones(len(beside), dtype=np.bool_)])
    order = np.lexsort((-sources, rank, frames))
    order = order[np.append(True, np.diff(frames[order]) > 0.0)]
    return _Knots(frames[order], np.clip(sources[order], times[0], times[-1]), np.zeros(len(order), dtype=np.bool_))


def _keys_at(group: list[Points], warp: TimeWarp, knots: _Knots, turning: Mask) -> list[Retimed]:
    """Keys that lie on the warped curves and run as they do; a stretch with a corner in it is straight."""
    frames, sources = knots.frames, knots.sources
    bends = group[0].times[turning]
    inside = np.searchsorted(bends, sources[1:] - _SAME_TIME) > np.searchsorted(bends, sources[:-1] + _SAME_TIME)
    middles = warp.back(0.5 * (frames[1:] + frames[:-1]))
    found: list[Retimed] = []
    for curve in group:
        values, pace = curve.at(sources), warp.pace(frames)
        arriving, leaving = (slope * pace for slope in curve.slopes(sources))
        chords = np.diff(values) / np.diff(frames)
        arriving[1:], leaving[:-1] = np.where(inside, chords, arriving[1:]), np.where(inside, chords, leaving[:-1])
        kinds = np.append(curve.kinds_at(middles), curve.kinds[-1])
        points = _with_handles(frames, values, (arriving, leaving), kinds)
        smooth = np.abs(leaving - arriving) <= 1e-3 * np.maximum(np.abs(arriving), np.abs(leaving)) + _SAME_TIME
        found.append(Retimed(points, curve.nearest(sources), knots.is_new, smooth))
    return found


def _bounds(group: list[Points], is_rotation: bool) -> Array:
    """(W,) how far each curve may be off."""
    times = group[0].times
    values = np.stack([curve.at(np.arange(times[0], times[-1] + 0.5)) for curve in group], axis=1)
    fastest = np.abs(np.diff(values, axis=0)).max(axis=0, initial=0.0)
    floor = _ANGLE if is_rotation else _EXTENT * np.ptp(values, axis=0)
    return np.maximum(np.maximum(_SHARE * fastest, floor), 1e-9)


def _worst(off: Array, frames: Array, keyed: Array) -> Indices:
    """Of every stretch between keys the frame that is most off, if it is more than the bound off."""
    free = np.where(np.isin(frames, keyed), 0.0, off)
    stretch = np.searchsorted(keyed, frames)
    order = np.lexsort((free, stretch))
    last = order[np.append(np.diff(stretch[order]) > 0, True)[: len(order)]]
    return np.sort(last[free[last] > 1.0])


def _with_handles(frames: Array, values: Array, slopes: tuple[Array, Array], kinds: Codes) -> Points:
    """Keys whose handles end at a third of the way to the next one, so that the curve is a cubic of time."""
    gaps = np.diff(frames) / 3.0 if len(frames) > 1 else np.ones(1)
    before, after = np.append(gaps[:1], gaps)[: len(frames)], np.append(gaps, gaps[-1:])[: len(frames)]
    left = np.stack([frames - before, values - before * slopes[0]], axis=1)
    right = np.stack([frames + after, values + after * slopes[1]], axis=1)
    return Points(np.stack([frames, values], axis=1), left, right, kinds)


def _snapped(frames: Array) -> Array:
    """Frames that are all but whole ones made whole."""
    near = np.round(frames)
    return np.where(np.abs(frames - near) < _SAME_FRAME, near, frames)
