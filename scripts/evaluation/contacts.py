# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether what stood still in the original stands still in the result, and how the limbs get there.

The judge knows nothing of the lock's own contacts: a heel, a toe or a hand is at rest here as long as it stays in a
small ball, wherever that is. All lengths are those of a human of 1.7 m: other characters are scaled by their legs.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.motion import Motion
from core.rotations import Array, conjugate, normalize, rotate
from core.skeleton import INDEX

Mask = NDArray[np.bool_]

_FEET = tuple(f"{side}_{joint}" for side in ("left", "right") for joint in ("ankle", "foot"))
_HANDS = ("left_wrist", "right_wrist")
_REST_SPEED = 0.15  # metres per second
_REST_SECONDS = 0.1
_HELD_SPEED = 0.06  # metres per second: hands that hold something
_HELD_SECONDS = 0.5
_ARM_MOVES = 0.08  # metres that the shoulder moves about a hand that holds something
_EDGE_SECONDS = 0.1
_PER_FRAME = 1.0 / 30.0
_MIN_BEND = np.sin(np.radians(6.0))
# A hinge that is bent by less on the average, 10 degrees, does not show where its axis is.
_SHOWN_BEND = 0.17

# (first bone, second bone, end) of the limbs with a hinge, and the axis of flexion in the T-pose.
_HINGES: tuple[tuple[tuple[str, str, str], tuple[float, float, float]], ...] = tuple(
    ((f"{side}_{a}", f"{side}_{b}", f"{side}_{c}"), axis)
    for side, sign in (("left", 1.0), ("right", -1.0))
    for (a, b, c), axis in (
        (("hip", "knee", "ankle"), (1.0, 0.0, 0.0)),
        (("shoulder", "elbow", "wrist"), (0.0, -sign, 0.0)),
    )
)


@dataclass(frozen=True)
class ContactReport:
    """How well contacts survived.

    Attributes:
        contacts: how many times a heel, a toe or a hand was at rest in the original.
        feet_max: largest error of a resting heel or toe, cm: its height, and its wandering over the floor about the
            mean place of the contact, against the original's own.
        feet_mean: mean of the same.
        hands_max: as ``feet_max``, of hands that hold on to something; 0 without such hands.
        pop: largest speed beyond the original's own within 0.1 s of a contact's start or end, cm per frame at 30 fps.
        flips: frames in which a knee or an elbow bends the wrong way, and in the original does not.
        skate: mean speed of resting heels and toes over the floor, cm per second.
        original_skate: the same of the original.
        sink: how far a heel or toe comes below the lowest place that the original's has, cm.
    """

    contacts: int
    feet_max: float
    feet_mean: float
    hands_max: float
    pop: float
    flips: int
    skate: float
    original_skate: float
    sink: float


def contact_error(original: Motion, result: Motion, floor: Array | None = None) -> ContactReport:
    """Judge a result against its original, at the same times.

    Args:
        original: the clip before.
        result: the clip after, on the same skeleton.
        floor: (T, 3) way that the floor went under a result that stays in place, metres; None for a floor at rest.
    """
    centimetres = 100.0 / original.skeleton.scale
    before = original.positions() * centimetres
    after = (result.positions() + (0.0 if floor is None else floor[:, None])) * centimetres
    feet = [(before[:, INDEX[name]], after[:, INDEX[name]], runs) for name, runs in _foot_runs(original)]
    hands = [(before[:, INDEX[name]], after[:, INDEX[name]], runs) for name, runs in _hand_runs(original)]
    wander = _join(_wander(*one) for one in feet)
    times = original.times
    return ContactReport(
        contacts=sum(len(runs) for _, _, runs in (*feet, *hands)),
        feet_max=float(wander.max(initial=0.0)),
        feet_mean=float(wander.mean()) if wander.size else 0.0,
        hands_max=float(_join(_wander(*one) for one in hands).max(initial=0.0)),
        pop=float(_join(_pops(*one, times) for one in (*feet, *hands)).max(initial=0.0)),
        flips=_flips(original, result),
        skate=_mean(_join(_speeds(b, runs, times) for _, b, runs in feet)),
        original_skate=_mean(_join(_speeds(a, runs, times) for a, _, runs in feet)),
        sink=max((float(a[:, 1].min() - b[:, 1].min()) for a, b, _ in feet), default=0.0),
    )


@dataclass(frozen=True)
class Skate:
    """How heels and toes move over the floor while those of the original rest; NaN if they never do.

    Attributes:
        speed: mean over resting frames, cm per second.
        original_speed: the same of the original.
        slide: mean way per contact, cm.
        original_slide: the same of the original.
    """

    speed: float
    original_speed: float
    slide: float
    original_slide: float


def foot_skate(original: Motion, result: Motion) -> Skate:
    """Judge a result against its original, at the same times."""
    centimetres = 100.0 / original.skeleton.scale
    found: list[float] = []
    for motion in (result, original):
        points = motion.positions() * centimetres
        feet = [(points[:, INDEX[name]], runs) for name, runs in _foot_runs(original)]
        speeds = _join(_speeds(foot, runs, original.times) for foot, runs in feet)
        slides = [_way(foot[start:stop]) for foot, runs in feet for start, stop in runs]
        found += [float(np.mean(values)) if len(values) else float("nan") for values in (speeds, slides)]
    return Skate(found[0], found[2], found[1], found[3])


Runs = list[tuple[int, int]]


def _way(points: Array) -> float:
    """Way over the floor along (T, 3) points."""
    return float(np.linalg.norm(np.diff(points[:, [0, 2]], axis=0), axis=-1).sum())


def _foot_runs(original: Motion) -> Iterator[tuple[str, Runs]]:
    scale = original.skeleton.scale
    positions = original.positions()
    for name in _FEET:
        slow = _speed(positions[:, INDEX[name]], original.times) < _REST_SPEED * scale
        yield name, _runs(slow, original.times, _REST_SECONDS)


def _hand_runs(original: Motion) -> Iterator[tuple[str, Runs]]:
    scale = original.skeleton.scale
    positions = original.positions()
    for name in _HANDS:
        hand, shoulder = (positions[:, INDEX[joint]] for joint in (name, name.replace("wrist", "shoulder")))
        slow = _speed(hand, original.times) < _HELD_SPEED * scale
        held = [
            (start, stop)
            for start, stop in _runs(slow, original.times, _HELD_SECONDS)
            if np.ptp((shoulder - hand)[start:stop], axis=0).max() > _ARM_MOVES * scale
        ]
        yield name, held


def _speed(points: Array, times: Array) -> Array:
    """(T,) speed of (T, 3) points, per second."""
    return np.linalg.norm(np.gradient(points, times, axis=0), axis=-1)


def _runs(mask: Mask, times: Array, seconds: float) -> Runs:
    """First and one-past-last frames of the runs of True that last."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    pairs = ((int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True))
    return [(a, b) for a, b in pairs if times[b - 1] - times[a] >= seconds]


def _wander(before: Array, after: Array, runs: Runs) -> Array:
    """Error of every resting frame: height against the original, place against the mean place of the contact."""
    errors: list[Array] = []
    for start, stop in runs:
        gap = (after - before)[start:stop]
        errors.append(np.linalg.norm(gap - gap.mean(axis=0) * np.array([1.0, 0.0, 1.0]), axis=-1))
    return _join(errors)


def _pops(before: Array, after: Array, runs: Runs, times: Array) -> Array:
    """Excess speed of every frame near a contact's start or end, per frame at 30 fps; edges of the clip are none."""
    excess = (_speed(after, times) - _speed(before, times)) * _PER_FRAME
    edges = [edge for start, stop in runs for edge in (start, stop - 1) if 0 < edge < len(times) - 1]
    return _join(excess[np.abs(times - times[edge]) <= _EDGE_SECONDS] for edge in edges)


def _speeds(points: Array, runs: Runs, times: Array) -> Array:
    speed = _speed(points * np.array([1.0, 0.0, 1.0]), times)
    return _join(speed[start:stop] for start, stop in runs)


def _flips(original: Motion, result: Motion) -> int:
    count = 0
    for joints, anatomical in _HINGES:
        normals = _normals(original, joints).mean(axis=0)
        # The hinge lies as the original's own bends show it; one that is hardly ever bent has that of anatomy: knees
        # that are locked a few degrees beyond straight are not knees that bend backwards.
        axis = normalize(normals) if np.linalg.norm(normals) > _SHOWN_BEND else np.array(anatomical)
        before, after = (_normals(motion, joints) @ axis for motion in (original, result))
        count += int(np.sum((after < -_MIN_BEND) & (before > -_MIN_BEND / 2)))
    return count


def _normals(motion: Motion, joints: tuple[str, str, str]) -> Array:
    """(T, 3) normals of a limb's plane in the frame of its first bone; their lengths are the sines of its bend."""
    first, second, end = (motion.positions()[:, INDEX[joint]] for joint in joints)
    normals = np.cross(normalize(second - first), normalize(end - second))
    return rotate(conjugate(motion.rotations[:, INDEX[joints[0]]]), normals)


def _join(parts: Iterator[Array] | list[Array]) -> Array:
    found = list(parts)
    return np.concatenate(found) if found else np.zeros(0)


def _mean(values: Array) -> float:
    return float(values.mean()) if values.size else 0.0
