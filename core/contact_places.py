# SPDX-License-Identifier: GPL-3.0-or-later
"""Where each contact of the original takes place in the result: one rigid move over the floor per contact."""

from dataclasses import dataclass, replace

import numpy as np

from .contacts import Contacts, Runs
from .limbs import Limb
from .motion import Motion
from .rotations import ON_FLOOR, Array, conjugate, multiply, rotate, yaw_quaternion
from .skeleton import INDEX
from .steps import Progress, Steps

# Up to this distance of the body from the original's, a hand stays where the original's was, metres.
_SAME_PLACE = 0.15
# A correction fades out over this time where no other contact follows, seconds.
FADE = 0.35
# How many contacts are looked at before somebody else may do something.
RUNS_A_STEP = 30
# How far a step may land from where the original's would have led: a share of the step, and metres per second.
_STEP_SHARE, _STEP_SPEED = 1.0, 0.1
_TURN_SHARE, _TURN_SPEED = 0.7, 1.5  # the same for turns, radians per second
_ROUNDS = 40
# Seconds that are added to a contact's length when two of them share what has to give.
_LEAST_WEIGHT = 0.05
_FIXED = 1e9


@dataclass(frozen=True)
class Place:
    """The floor of one contact: the original's point ``source`` (3,) lies at ``target`` (3,), turned by ``yaw``.

    Heights are the original's. ``fixed`` places are the original's own.
    """

    yaw: float
    source: Array
    target: Array
    fixed: bool = False

    @property
    def turn(self) -> Array:
        """(4,) the turn about the vertical."""
        return yaw_quaternion(np.array(self.yaw))

    def carry(self, points: Array) -> Array:
        """Points (..., 3) of the original's floor in the result."""
        return self.target + rotate(self.turn, points - self.source)


def find_places_steps(styled: Motion, contacts: Contacts, limb: Limb, runs: Runs) -> Steps[list[Place]]:
    """The place of each contact: where the style would have it on the average, but no leap from the one before."""
    shares = _shares(styled.times, runs)
    places: list[Place] = []
    for number, (run, share) in enumerate(zip(runs, shares, strict=True)):
        if number % RUNS_A_STEP == 0:
            yield Progress(0.7 * number / len(runs))
        places.append(_fit(styled, contacts, limb, slice(*run), share))
    yield Progress(0.7)
    if len(runs) < 2:
        return places
    times, original = styled.times, contacts.original
    tips = [INDEX[tip] for tip in limb.tips]
    ends, facing = original.positions()[:, tips].mean(axis=1), _yaws(original.rotations[:, tips[0]])
    left, right = np.array([stop - 1 for _, stop in runs[:-1]]), np.array([start for start, _ in runs[1:]])
    seconds = times[right] - times[left]
    weights = np.array([times[stop - 1] - times[start] + _LEAST_WEIGHT for start, stop in runs])
    weights[[place.fixed for place in places]] = _FIXED
    turned = np.abs(_wrapped(facing[right] - facing[left]))
    leaps = np.asarray(_wrapped(np.diff([place.yaw for place in places])))[:, None]
    change = _calm(leaps, _TURN_SHARE * turned + _TURN_SPEED * seconds, weights)
    places = [replace(place, yaw=place.yaw + float(more)) for place, more in zip(places, change[:, 0], strict=True)]
    moved = [
        [place.carry(ends[at]) - ends[at] for place, at in zip(half, frames, strict=True)]
        for half, frames in ((places[:-1], left), (places[1:], right))
    ]
    steps = np.linalg.norm((ends[right] - ends[left]) * ON_FLOOR, axis=-1)
    allowed = _STEP_SHARE * steps + _STEP_SPEED * styled.skeleton.scale * seconds
    gaps = np.asarray(moved[1], dtype=np.float64) - np.asarray(moved[0], dtype=np.float64)
    change = _calm(gaps * ON_FLOOR, allowed, weights)
    return [replace(place, target=place.target + more) for place, more in zip(places, change, strict=True)]


def _shares(times: Array, runs: Runs) -> list[Array]:
    """For each contact the weights (N,) of its frames, which add up to 1.

    The first and the last frame speak for the swings beside them too, which start and end with their corrections.
    """
    shares: list[Array] = []
    lengths = np.gradient(times) if len(times) > 1 else np.ones(1)
    for number, (start, stop) in enumerate(runs):
        weights = lengths[start:stop].copy()
        before = times[start] - times[runs[number - 1][1] - 1] if number > 0 else times[start] - times[0]
        after = times[runs[number + 1][0]] - times[stop - 1] if number + 1 < len(runs) else times[-1] - times[stop - 1]
        weights[0] += 0.5 * min(before, FADE)
        weights[-1] += 0.5 * min(after, FADE)
        shares.append(weights / weights.sum())
    return shares


def _fit(styled: Motion, contacts: Contacts, limb: Limb, run: slice, share: Array) -> Place:
    """The place that the style would choose, or the original's own."""
    before, after = contacts.original.part(run), styled.part(run)
    away = float(np.linalg.norm(((after.root - before.root) * ON_FLOOR).mean(axis=0)))
    stays = not limb.is_leg and away < _SAME_PLACE * styled.skeleton.scale
    if stays or contacts.freedom[run].min() <= 0.0:
        return Place(0.0, np.zeros(3), np.zeros(3), fixed=True)
    tips = [INDEX[tip] for tip in limb.tips]
    change = multiply(after.rotations[:, tips[0]], conjugate(before.rotations[:, tips[0]]))
    change = share @ np.where(change[:, :1] < 0.0, -change, change)
    source, target = (share @ motion.positions()[:, tips].mean(axis=1) for motion in (before, after))
    return Place(2.0 * float(np.arctan2(change[2], change[0])), source, np.where(ON_FLOOR > 0.0, target, source))


def _calm(leaps: Array, allowed: Array, weights: Array) -> Array:
    """(N, C) changes of N things so that their leaps (N - 1, C), from each to the next, are no longer than allowed.

    Neighbours that are too far apart move towards each other again and again, the lighter one further.
    """
    change = np.zeros((len(weights), leaps.shape[1]))
    share = weights[1:] / (weights[1:] + weights[:-1])
    free = (weights < _FIXED)[:, None]
    calm = 0
    for number in range(2 * _ROUNDS):
        pairs = np.arange(number % 2, len(leaps), 2)
        leap = leaps[pairs] + change[pairs + 1] - change[pairs]
        length = np.linalg.norm(leap, axis=-1)
        excess = leap * (np.maximum(length - allowed[pairs], 0.0) / np.maximum(length, 1e-9))[:, None]
        change[pairs] += share[pairs, None] * excess
        change[pairs + 1] -= (1.0 - share[pairs, None]) * excess
        change *= free
        # Once neither the odd nor the even pairs move any more, nothing ever will.
        calm = 0 if excess.any() else calm + 1
        if calm > 1:
            break
    return change


def _yaws(rotations: Array) -> Array:
    """(T,) turn about the vertical that (T, 4) contain, radians."""
    return 2.0 * np.arctan2(rotations[:, 2], rotations[:, 0])


def _wrapped(angles: Array) -> Array:
    return (angles + np.pi) % (2.0 * np.pi) - np.pi
