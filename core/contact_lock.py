# SPDX-License-Identifier: GPL-3.0-or-later
"""Feet and hands that were planted in the original stay planted in the result.

From the first touch of a foot (heel or toe) to its last, the foot moves exactly as the original's did: its whole
movement is carried rigidly over the floor, turned and shifted to where the style would put it on the average. So it
rolls from heel to toe at the original's height, and nothing slides. A hand that holds on to something stays at the
*original's* place if the body stays where it was, because the table or the wall does too: always with a root that is
kept, else where the body is near the original's. If the body has gone elsewhere, a hand is treated as a foot is.

Between contacts the correction glides from one to the next, in place and in speed, most of it in mid-swing, so that
nothing pops; a swinging foot is kept above the ground. Where a planted foot is out of reach, the body comes down a
little before the knee snaps.
"""

from dataclasses import dataclass

import numpy as np

from .blocks import JOINT_FRAMES, in_blocks
from .contact_places import FADE, RUNS_A_STEP, Place, find_places_steps
from .contacts import PLANTED_JOINTS, Contacts, Runs, contact_runs, rate_of_change
from .limbs import ARMS, LEGS, Limb, hinge_axis, limb_points, limb_reach, move_limb
from .motion import Motion, joined
from .representation import FPS
from .resample import even_times, interpolate, interpolate_smooth
from .rotations import (
    ON_FLOOR,
    UP,
    Array,
    conjugate,
    from_rotation_vector,
    multiply,
    rotate,
    to_rotation_vector,
)
from .skeleton import INDEX, JOINTS
from .steps import Progress, Steps, scaled

# A foot moves as the original's for so many seconds around a contact too, but for no more than this share of a swing:
# what has to give gives in the middle of the swing, where nobody sees it.
_EASE, _EASE_SHARE = 0.07, 0.125
# Frames at 30 fps over which the body comes down for a foot that is out of reach, and how far it may, metres.
_DIP_FRAMES = 3
_MAX_DIP = 0.05
# The speed that a foot leaves a contact with is continued for this share of the way to the next. Over all of it, the
# original's speed would lift the foot of a run higher than the style does.
_SPEED_SHARE = 0.5
_TINY = 1e-9


@dataclass(frozen=True)
class _End:
    """Where a limb's end shall be: ``place`` (T, 3) metres, and turns (T, tips, 3) of its tips, rotation vectors."""

    place: Array
    turns: Array


@dataclass(frozen=True)
class _Anchor:
    """A stretch of frames with its corrections (N, C), and their rates of change (C,) at both of its ends."""

    start: int
    stop: int
    values: Array
    rates: tuple[Array, Array]


def lock_contacts_steps(styled: Motion, contacts: Contacts) -> Steps[Motion]:
    """``styled`` with the contacts kept; unchanged where it equals the original."""
    feet: dict[Limb, _End] = {}
    for number, limb in enumerate(LEGS):
        end = yield from scaled(_end_steps(styled, contacts, limb), 0.2 * number, 0.2 * number + 0.2)
        if end is not None:
            yield Progress(0.2 * number + 0.2)
            feet[limb] = _End(_above_ground(styled, contacts, limb, end), end.turns)
    yield Progress(0.4)
    result = _come_down(styled, contacts, {limb: end.place for limb, end in feet.items()})
    for number, (limb, end) in enumerate(feet.items()):
        result = yield from scaled(_bring_steps(result, contacts, limb, end), 0.4 + 0.1 * number, 0.5 + 0.1 * number)
    for number, limb in enumerate(ARMS):
        end = yield from scaled(_end_steps(result, contacts, limb), 0.6 + 0.2 * number, 0.7 + 0.2 * number)
        if end is not None:
            bring = _bring_steps(result, contacts, limb, end)
            result = yield from scaled(bring, 0.7 + 0.2 * number, 0.8 + 0.2 * number)
    return result


def _bring_steps(motion: Motion, contacts: Contacts, limb: Limb, end: _End) -> Steps[Motion]:
    """The limb's end brought to its place, then its tips turned."""
    yield Progress(0.0)
    axis = hinge_axis(contacts.original, limb)
    blocks = in_blocks(
        lambda frames: move_limb(motion.part(frames), limb, end.place[frames], axis), len(motion), JOINT_FRAMES
    )
    moved = joined((yield from scaled(blocks, 0.0, 0.9)))
    rotations = moved.rotations.copy()
    for tip, turns in zip(limb.tips, np.moveaxis(end.turns, 1, 0), strict=True):
        turned = np.linalg.norm(turns, axis=-1) > _TINY
        rotations[turned, INDEX[tip]] = multiply(from_rotation_vector(turns[turned]), rotations[turned, INDEX[tip]])
    return moved.with_pose(moved.root, rotations)


def _end_steps(styled: Motion, contacts: Contacts, limb: Limb) -> Steps[_End | None]:
    """Where the limb's end shall be at all times; None if it is never planted."""
    runs = contact_runs(contacts.touching(limb.tips))
    if not runs:
        return None
    places = yield from scaled(find_places_steps(styled, contacts, limb, runs), 0.0, 0.5)
    eased = _eased(runs, styled.times, contacts.freedom)
    anchors: list[_Anchor] = []
    for number, (run, place) in enumerate(zip(eased, places, strict=True)):
        if number % RUNS_A_STEP == 0:
            yield Progress(0.5 + 0.4 * number / len(runs))
        anchors.append(_anchor(styled, contacts, limb, run, place))
    yield Progress(0.9)
    corrections = _glide(_with_pins(anchors, contacts.freedom), styled.times)
    turns = corrections[:, 3:].reshape(len(styled), -1, 3)
    return _End(limb_points(styled, limb)[:, 2] + corrections[:, :3], turns)


def _eased(runs: Runs, times: Array, freedom: Array) -> Runs:
    """The contacts with a little of the swings before and after them."""
    starts, ends = times[[start for start, _ in runs]], times[[stop - 1 for _, stop in runs]]
    swings = np.concatenate([[starts[0] - times[0]], starts[1:] - ends[:-1], [times[-1] - ends[-1]]])
    ease = np.minimum(_EASE, _EASE_SHARE * swings)
    # Beyond the first and the last contact nothing follows, if it is no pinned frame.
    ease[[0, -1]] = np.where(freedom[[0, -1]] > 0.0, _EASE, ease[[0, -1]])
    first = np.searchsorted(times, starts - ease[:-1] - _TINY)
    beyond = np.searchsorted(times, ends + ease[1:] + _TINY)
    return [(int(start), int(stop)) for start, stop in zip(first, beyond, strict=True)]


def _anchor(styled: Motion, contacts: Contacts, limb: Limb, run: tuple[int, int], place: Place) -> _Anchor:
    """The corrections of the frames of ``run``, (N, 3 + 3 * tips): shift of the limb's end, turns of its tips."""
    start, stop = run
    # One frame more on either side gives the speeds at the contact's ends.
    near = slice(max(start - 1, 0), min(stop + 1, len(styled)))
    before, after = contacts.original.part(near), styled.part(near)
    wanted = place.carry(limb_points(before, limb)[:, 2])
    tips = [INDEX[tip] for tip in limb.tips]
    turns = multiply(multiply(place.turn, before.rotations[:, tips]), conjugate(after.rotations[:, tips]))
    shift = wanted - limb_points(after, limb)[:, 2]
    values = np.concatenate([shift, to_rotation_vector(turns).reshape(len(shift), -1)], axis=-1)
    rates = rate_of_change(values, after.times)
    first, last = start - near.start, stop - near.start
    return _Anchor(start, stop, values[first:last], (rates[first], rates[last - 1]))


def _with_pins(anchors: list[_Anchor], freedom: Array) -> list[_Anchor]:
    """Anchors without any correction for pinned frames that are in no contact."""
    nothing = np.zeros_like(anchors[0].values[0])
    free = [frame for frame in np.flatnonzero(freedom <= 0.0) if not any(a.start <= frame < a.stop for a in anchors)]
    pins = [_Anchor(int(frame), int(frame) + 1, nothing[None], (nothing, nothing)) for frame in free]
    return sorted([*anchors, *pins], key=lambda anchor: anchor.start)


def _glide(anchors: list[_Anchor], times: Array) -> Array:
    """(T, C) corrections: those of the anchors, and between them curves that continue their values and speeds."""
    result = np.zeros((len(times), anchors[0].values.shape[1]))
    for anchor in anchors:
        result[anchor.start : anchor.stop] = anchor.values
    for left, right in zip([None, *anchors], [*anchors, None], strict=True):
        frames = slice(left.stop if left else 0, right.start if right else len(times))
        if frames.start < frames.stop:
            result[frames] = _between(left, right, times, times[frames])
    return result


def _between(left: _Anchor | None, right: _Anchor | None, times: Array, at: Array) -> Array:
    """(N, C) corrections at the times ``at`` that lie between two anchors: one curve if they are near, else two."""
    if left and right and times[right.start] - times[left.stop - 1] <= 2.0 * FADE:
        span = times[right.start] - times[left.stop - 1]
        x = (at - times[left.stop - 1]) / span
        away = _hermite(x, left.values[-1], left.rates[1] * span)
        return away + _hermite(1.0 - x, right.values[0], -right.rates[0] * span)
    total = np.zeros(1)
    if left:
        total = total + _hermite((at - times[left.stop - 1]) / FADE, left.values[-1], left.rates[1] * FADE)
    if right:
        total = total + _hermite((times[right.start] - at) / FADE, right.values[0], -right.rates[0] * FADE)
    return total


def _hermite(x: Array, value: Array, slope: Array) -> Array:
    """(N, C) cubics that leave ``value`` with ``slope`` at x = 0, and are at rest at nothing from x = 1 on.

    What the slope adds is at nothing from ``_SPEED_SHARE`` on.
    """
    early = np.clip(x / _SPEED_SHARE, 0.0, 1.0)[:, None]
    x = np.clip(x, 0.0, 1.0)[:, None]
    return (1.0 - x) ** 2 * (1.0 + 2.0 * x) * value + (1.0 - early) ** 2 * early * _SPEED_SHARE * slope


def _above_ground(styled: Motion, contacts: Contacts, limb: Limb, end: _End) -> Array:
    """(T, 3) the foot's place, raised where heel or toe would come below the original's ground, or its own place."""
    ankle, toe = (INDEX[tip] for tip in limb.tips)
    foot = multiply(from_rotation_vector(end.turns[:, 0]), styled.rotations[:, ankle])
    sole = rotate(foot, np.broadcast_to(styled.skeleton.offsets[toe], end.place.shape))
    lift = np.zeros(len(styled))
    for tip, height in ((ankle, end.place[:, 1]), (toe, (end.place + sole)[:, 1])):
        lift = np.maximum(lift, _ground(contacts, tip) - height)
    return end.place + lift[:, None] * UP


def _ground(contacts: Contacts, tip: int) -> Array:
    """(T,) lowest height that heel or toe may have: where it rests before and after, or less if the original's has."""
    heights, times = contacts.original.positions()[:, tip, 1], contacts.original.times
    planted = contacts.planted[:, PLANTED_JOINTS.index(JOINTS[tip])]
    if not planted.any():
        return np.full(len(heights), -np.inf)
    return np.minimum(heights, interpolate(heights[planted], times[planted], times))


def _come_down(styled: Motion, contacts: Contacts, places: dict[Limb, Array]) -> Motion:
    """Lower the body, smoothly, where a planted foot is further away than the leg reaches."""
    needed = np.zeros(len(styled))
    for limb, place in places.items():
        reach = limb_reach(styled, contacts.original, limb)
        way = place - limb_points(styled, limb)[:, 0]
        flat = np.sum((way * ON_FLOOR) ** 2, axis=-1)
        dip = -way[:, 1] - np.sqrt(np.maximum(reach**2 - flat, 0.0))
        needed = np.maximum(needed, np.where(contacts.touching(limb.tips), dip, 0.0))
    if needed.max(initial=0.0) < _TINY:
        return styled
    dip = _envelope(np.minimum(needed, _MAX_DIP * styled.skeleton.scale), styled.times) * contacts.freedom
    return styled.with_pose(styled.root - dip[:, None] * UP, styled.rotations)


def _envelope(values: Array, times: Array) -> Array:
    """(T,) smooth curve that is nowhere below ``values``."""
    even = even_times(times, FPS)
    # A peak may lie between two frames of the even times.
    near = _highest(values, int(np.ceil(len(times) / len(even))))
    highest = _highest(np.pad(interpolate(near, times, even), _DIP_FRAMES, mode="edge"), _DIP_FRAMES)
    # A mean over the same width of what is nowhere below: each of its terms covers the middle frame.
    weights = np.hanning(2 * _DIP_FRAMES + 3)[1:-1] / (_DIP_FRAMES + 1)
    windows = np.lib.stride_tricks.sliding_window_view(highest, len(weights))
    return interpolate_smooth(windows @ weights, even, times)


def _highest(values: Array, reach: int) -> Array:
    """(T,) the highest of each value and its ``reach`` neighbours on either side."""
    padded = np.pad(values, reach, mode="edge")
    return np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1).max(axis=-1)
