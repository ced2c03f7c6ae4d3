# SPDX-License-Identifier: GPL-3.0-or-later
"""Between two versions of the same curves: any share of a change, on few keys, without computing the change again.

A property is known in its *original* form and in *full*, both at the same times. A share of the change turns each
rotation along the arc from the one to the other, and moves all else along the straight line; above 1 it goes on beyond
full. Keys are those of full: both versions are brought onto them once (:func:`prepare`), then another share costs a few
passes over the keys.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from .rotation_modes import nearest, to_quaternion
from .rotations import Array, angle_between, conjugate, from_rotation_vector, multiply, to_rotation_vector
from .slopes import Indices, Layout, Mask, fitted_slopes

Shares = Callable[[Array], Array]
"""Share of the change at moments (M,), frames."""

# Mode of a property that is no rotation: its components have nothing to do with each other.
PLAIN = ""
# Slopes come from the change over so many frames.
_MOMENT = 1e-3
# A share that changes by more than this within that time jumps: its slope says nothing.
_JUMP = 1e-2
# Keys closer than this to a whole frame lie on it.
_SAME_FRAME = 1e-3
# Rounds of halving stretches in which the curve is off, at most.
_ROUNDS = 8


@dataclass(frozen=True)
class Property:
    """One property of one bone in both versions; N samples, K keys, W components.

    Attributes:
        mode: rotation mode, or ``PLAIN``.
        times: (N,) frames, increasing; the keys are among them.
        original: (N, W) in the property's own numbers.
        full: (N, W) likewise.
        knots: (K,) which samples are keys of full.
        smooth: (K,) keys through which the curve passes without a corner.
        curved: (K,) keys after which the curve is a Bezier curve; elsewhere slopes do not count.
        held: (K,) keys whose value stays until the next one.
        bound: how far off a curve may be, radians or the property's own unit.
    """

    mode: str
    times: Array
    original: Array
    full: Array
    knots: Indices
    smooth: Mask
    curved: Mask
    held: Mask
    bound: float


@dataclass(frozen=True)
class Track:
    """A property that is ready to be blended.

    Attributes:
        given: the property, its original in the numbers that are nearest to full's.
        original_slopes: (2, K, W) per frame, left and right of each key.
        full_slopes: (2, K, W) likewise.
        added: (K,) keys that full itself does not have.
    """

    given: Property
    original_slopes: Array
    full_slopes: Array
    added: Mask


@dataclass(frozen=True)
class BlendedKeys:
    """Keys of one property at some share.

    Attributes:
        times: (K,) frames.
        values: (K, W).
        slopes: (2, K, W) per frame, left and right of each key.
        added: (K,) keys that full itself does not have.
    """

    times: Array
    values: Array
    slopes: Array
    added: Mask


def prepare(given: Property) -> Track:
    """Bring both versions onto the keys of full."""
    if given.mode != PLAIN:
        quaternions = to_quaternion(given.original, given.mode)
        given = replace(given, original=_own(quaternions, given.full, given.mode, given.original))
    both = np.concatenate([given.original, given.full], axis=1)
    slopes = np.split(fitted_slopes(given.times, both, Layout(given.knots, given.smooth, given.curved)), 2, axis=2)
    return Track(given, slopes[0], slopes[1], np.zeros(len(given.knots), dtype=np.bool_))


def blended(mode: str, original: Array, full: Array, share: Array | float, anchor: Array | None = None) -> Array:
    """(M, W) values with a ``share`` (M,) of the change; of the ways to write a rotation the one near ``anchor``."""
    share = np.asarray(share, dtype=np.float64)[..., None]
    guess = original + share * (full - original)
    if mode == PLAIN:
        return np.asarray(guess)
    before, after = to_quaternion(original, mode), to_quaternion(full, mode)
    turn = to_rotation_vector(multiply(conjugate(before), after))
    return _own(multiply(before, from_rotation_vector(share * turn)), guess if anchor is None else anchor, mode, full)


def framewise(track: Track, shares: Array | float) -> Array:
    """(N, W) what the property shall be at every sample, at ``shares`` (N,)."""
    given = track.given
    return blended(given.mode, given.original, given.full, shares)


def blend_keys(tracks: Sequence[Track], shares: Shares | float) -> list[BlendedKeys]:
    """Keys of all ``tracks`` at one share, or at shares that change over time."""
    found: dict[int, BlendedKeys] = {}
    for mode in dict.fromkeys(track.given.mode for track in tracks):
        for width in (3, 4, 1, 2):
            rows = [
                i for i, own in enumerate(tracks) if own.given.mode == mode and own.given.original.shape[1] == width
            ]
            if rows:
                found |= zip(rows, _blend_alike([tracks[i] for i in rows], shares), strict=True)
    return [found[i] for i in range(len(tracks))]


def refined(track: Track, shares: Shares | float) -> Track:
    """With as many more keys, on samples, as the curve needs to stay within the bound of what it shall be."""
    given = track.given
    if len(given.knots) == len(given.times):
        return track
    wanted = framewise(track, _at(shares, given.times))
    # A key between frames is hard to edit.
    whole = np.abs(given.times - np.round(given.times)) < _SAME_FRAME
    for _ in range(_ROUNDS):
        keys = blend_keys([track], shares)[0]
        off = distance(given.mode, curve_at(track, keys), wanted) / given.bound
        rows = _worst(np.where(whole, off, 0.0), given.knots, given.held)
        if not rows.size:
            break
        track = with_knots(track, rows)
        given = track.given
    return track


def with_knots(track: Track, rows: Indices) -> Track:
    """With keys at further samples; both versions keep their shape."""
    given = track.given
    rows = np.setdiff1d(rows, given.knots)
    rows = rows[(rows > given.knots[0]) & (rows < given.knots[-1])]
    if not rows.size:
        return track
    before = np.searchsorted(given.knots, rows, side="right") - 1
    order = np.argsort(np.concatenate([given.knots, rows]), kind="stable")
    knots = np.concatenate([given.knots, rows])[order]
    more = {
        name: np.concatenate([column, new])[order]
        for name, column, new in (
            ("smooth", given.smooth, given.curved[before]),
            ("curved", given.curved, given.curved[before]),
            ("held", given.held, given.held[before]),
        )
    }
    slopes = [
        np.concatenate([old, np.repeat(_slopes_between(given, values, old, rows)[None], 2, axis=0)], axis=1)[:, order]
        for values, old in ((given.original, track.original_slopes), (given.full, track.full_slopes))
    ]
    added = np.concatenate([track.added, np.ones(len(rows), dtype=np.bool_)])[order]
    return Track(replace(given, knots=knots, **more), slopes[0], slopes[1], added)


def curve_at(track: Track, keys: BlendedKeys) -> Array:
    """(N, W) values of the curve through ``keys`` at every sample of the track; held before and after them."""
    given = track.given
    after = np.clip(np.searchsorted(keys.times, given.times, side="right"), 1, max(len(keys.times) - 1, 1))
    before = after - 1
    if len(keys.times) == 1:
        return np.repeat(keys.values, len(given.times), axis=0)
    length = keys.times[after] - keys.times[before]
    x = np.clip((given.times - keys.times[before]) / length, 0.0, 1.0)[:, None]
    start, end = keys.values[before], keys.values[after]
    leave, arrive = (keys.slopes[side, rows] * length[:, None] for side, rows in ((1, before), (0, after)))
    cubic = start + x * (
        leave + x * (3 * (end - start) - 2 * leave - arrive + x * (2 * (start - end) + leave + arrive))
    )
    line = start + x * (end - start)
    held = np.where(x < 1.0, start, end)
    curved, stays = (column[before][:, None] for column in (given.curved, given.held))
    return np.asarray(np.where(stays, held, np.where(curved, cubic, line)))


def distance(mode: str, one: Array, other: Array) -> Array:
    """(M,) how far values (M, W) are apart: radians for rotations, else the length of the difference."""
    if mode == PLAIN:
        return np.linalg.norm(one - other, axis=-1)
    return angle_between(to_quaternion(one, mode), to_quaternion(other, mode))


def _own(target: Array, anchor: Array, mode: str, like: Array) -> Array:
    """Unit quaternions in the property's own numbers near ``anchor``; a quaternion is as long as ``like``."""
    if mode == "QUATERNION":
        side = np.where(np.sum(target * anchor, axis=-1, keepdims=True) < 0.0, -1.0, 1.0)
        return np.asarray(target * side * np.linalg.norm(like, axis=-1, keepdims=True))
    return nearest(target, anchor, mode)


def _at(shares: Shares | float, times: Array) -> Array:
    return shares(times) if callable(shares) else np.full(len(times), shares)


def _blend_alike(tracks: Sequence[Track], shares: Shares | float) -> list[BlendedKeys]:
    """Properties of one mode and width, as if they were one."""
    mode, given = tracks[0].given.mode, [track.given for track in tracks]
    times = np.concatenate([own.times[own.knots] for own in given])
    original, full = (np.concatenate([getattr(own, name)[own.knots] for own in given]) for name in ("original", "full"))
    share = _at(shares, times)
    cuts = np.cumsum([len(own.knots) for own in given])[:-1]
    values = np.concatenate([_without_jumps(own, mode) for own in np.split(blended(mode, original, full, share), cuts)])
    slopes = np.zeros((2, *values.shape))
    if any(own.curved.any() for own in given):
        for side, rates in enumerate(_rates(shares, times, share)):
            then = [
                at + _MOMENT * np.concatenate([getattr(track, name)[side] for track in tracks])
                for at, name in ((original, "original_slopes"), (full, "full_slopes"))
            ]
            later = blended(mode, then[0], then[1], share + _MOMENT * rates, values)
            slopes[side] = (later - values) / _MOMENT
    parts = zip(tracks, *(np.split(column, cuts) for column in (times, values)), np.split(slopes, cuts, 1), strict=True)
    return [BlendedKeys(when, own, slope, track.added) for track, when, own, slope in parts]


def _without_jumps(values: Array, mode: str) -> Array:
    """Euler angles (K, 3) of one property, written another way from where near gimbal lock they would jump."""
    if mode in (PLAIN, "QUATERNION", "AXIS_ANGLE") or not (np.abs(np.diff(values, axis=0)) > 0.5 * np.pi).any():
        return values
    middle, turn = "XYZ".index(mode[1]), 2.0 * np.pi
    other = values + np.pi
    other[:, middle] = np.pi - values[:, middle]
    result = values.copy()
    for row in range(1, len(values)):
        last = result[row - 1]
        ways = [way + turn * np.round((last - way) / turn) for way in (values[row], other[row])]
        result[row] = min(ways, key=lambda way, last=last: float(np.abs(way - last).sum()))
    return result


def _rates(shares: Shares | float, times: Array, share: Array) -> tuple[Array, Array]:
    """How fast the share changes, per frame, left and right of ``times``."""
    if not callable(shares):
        return np.zeros_like(times), np.zeros_like(times)
    steps = share - shares(times - _MOMENT), shares(times + _MOMENT) - share
    before, after = (np.where(np.abs(step) > _JUMP, 0.0, step / _MOMENT) for step in steps)
    return before, after


def _worst(off: Array, knots: Indices, held: Mask) -> Indices:
    """In each stretch between keys, the sample that is most off, if it is more than the bound off."""
    inside = np.array(off)
    inside[knots] = 0.0
    stretch = np.clip(np.searchsorted(knots, np.arange(len(off)), side="right") - 1, 0, len(knots) - 1)
    inside[held[stretch]] = 0.0
    order = np.lexsort((inside, stretch))
    last = order[np.append(np.diff(stretch[order]) > 0, True)]
    return np.sort(last[inside[last] > 1.0])


def _slopes_between(given: Property, values: Array, slopes: Array, rows: Indices) -> Array:
    """(R, W) slopes of a curve at samples between its keys."""
    before = np.searchsorted(given.knots, rows, side="right") - 1
    start, end = given.knots[before], given.knots[before + 1]
    length = (given.times[end] - given.times[start])[:, None]
    x = (given.times[rows] - given.times[start])[:, None] / length
    line = (values[end] - values[start]) / length
    leave, arrive = slopes[1, before], slopes[0, before + 1]
    cubic = 6 * x * (1 - x) * line + (1 - x) * (1 - 3 * x) * leave + x * (3 * x - 2) * arrive
    return np.asarray(np.where(given.curved[before][:, None], cubic, line))
