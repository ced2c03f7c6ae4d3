# SPDX-License-Identifier: GPL-3.0-or-later
"""When a foot rests on the floor, and when a foot or a hand is planted on anything."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .motion import Motion
from .resample import interpolate
from .rotations import Array
from .skeleton import CONTACT_JOINTS, INDEX, TOE_HEIGHT

Mask = NDArray[np.bool_]
Runs = list[tuple[int, int]]

# Thresholds for a character with the canonical leg; others are scaled by their leg length.
_MAX_SPEED = 0.35  # metres per second
_MAX_RISE = 0.05  # metres above the joint's own resting height
_LOWEST = 5  # percent of the frames that show where the floor is
_REST_HEIGHT = {"ankle": TOE_HEIGHT + 0.06, "foot": TOE_HEIGHT}

# A foot this slow rests on something, whatever its height: a step, a stool, a rung.
_STILL_SPEED = 0.18
_STILL_SECONDS = 0.09
# Speeds are taken over this time, so that the noise of fast captures does not count as movement.
_SPEED_SECONDS = 1.0 / 30.0
_MIN_SECONDS = 0.05
_MAX_GAP_SECONDS = 0.085

# A hand holds on to something if it stays while its shoulder moves about it, or bears weight if it stays low.
_HAND_SPEED = 0.08
_HOLD_SECONDS = 0.4
_HOLD_SHOULDER = 0.08  # metres
_LOW_HAND = 0.2  # metres above the floor
_LOW_SECONDS = 0.2

# Somebody sits, kneels or lies whose pelvis is below this share of the leg's length.
_SEAT_HEIGHT, _SEAT_SPEED, _SEAT_SECONDS = 0.8, 0.2, 0.3

PLANTED_JOINTS: tuple[str, ...] = (*CONTACT_JOINTS, "left_wrist", "right_wrist")


@dataclass(frozen=True)
class Contacts:
    """What has to stay where it was.

    Attributes:
        original: the clip whose contacts count.
        planted: (T, 6) which of ``PLANTED_JOINTS`` are planted.
        freedom: (T,) 0 where the result is pinned to the original, 1 where the style has its way.
    """

    original: Motion
    planted: Mask
    freedom: Array

    def touching(self, joints: tuple[str, ...]) -> Mask:
        """(T,) whether any of some joints is planted."""
        return np.asarray(self.planted[:, [PLANTED_JOINTS.index(joint) for joint in joints]].any(axis=-1))


def detect_contacts(motion: Motion) -> Mask:
    """(T, 4) contacts of ``CONTACT_JOINTS``: slow, and near the floor of the clip. What the network is told."""
    scale = motion.skeleton.scale
    feet = motion.positions()[:, [INDEX[name] for name in CONTACT_JOINTS]]
    speed = np.linalg.norm(rate_of_change(feet, motion.times), axis=-1)
    rest = scale * np.array([_REST_HEIGHT[name.partition("_")[2]] for name in CONTACT_JOINTS])
    return (speed < _MAX_SPEED * scale) & (feet[..., 1] - floor_height(motion) - rest < _MAX_RISE * scale)


def detect_planted(motion: Motion) -> Mask:
    """(T, 6) which of ``PLANTED_JOINTS`` must stay planted, without flicker.

    Heels and toes count if they are slow near the clip's floor, or all but still at any height. Hands count if they
    stay where they are for a while although the shoulder moves about them, or are still just above the floor: the
    hands of a walk, or of somebody who stands idle, are free.
    """
    scale = motion.skeleton.scale
    positions = motion.positions()[:, [INDEX[name] for name in PLANTED_JOINTS]]
    speed = _steady_speed(positions, motion.times) / scale
    feet = len(CONTACT_JOINTS)
    floor = (speed[:, :feet] < _MAX_SPEED) & (sole_rise(motion) < _MAX_RISE * scale)
    planted = np.zeros(speed.shape, dtype=np.bool_)
    for joint, name in enumerate(PLANTED_JOINTS):
        if joint < feet:
            still = _lasting(speed[:, joint] < _STILL_SPEED, motion.times, _STILL_SECONDS)
            planted[:, joint] = _steadied(floor[:, joint] | still, motion.times)
        else:
            planted[:, joint] = _held(motion, name, speed[:, joint] < _HAND_SPEED)
    return planted


def detect_seated(motion: Motion) -> Mask:
    """(T,) whether the pelvis rests on something: low above the clip's floor, and slow for a while."""
    height = motion.root[:, 1] - floor_height(motion)
    speed = _steady_speed(motion.root[:, None], motion.times)[:, 0]
    slow = (speed < _SEAT_SPEED * motion.skeleton.scale) & (height < _SEAT_HEIGHT * motion.skeleton.leg_length)
    return _lasting(slow, motion.times, _SEAT_SECONDS)


def sole_rise(motion: Motion) -> Array:
    """(T, 4) height of ``CONTACT_JOINTS`` above where they lie when this character's foot is on the floor, metres.

    That is where the lower of both sides lies in its lowest frames: nobody knows how high a rig's ankle is.
    """
    heights = motion.positions()[:, [INDEX[name] for name in CONTACT_JOINTS], 1]
    lowest = np.percentile(heights.reshape(len(motion), 2, 2).min(axis=1), _LOWEST, axis=0)
    return np.asarray(heights - np.tile(lowest, 2))


def floor_height(motion: Motion) -> float:
    """Height of the floor under the clip, metres: a toe's height below its lowest frames.

    A low percentile instead of the minimum, so that one bad frame does not sink the floor.
    """
    scale = motion.skeleton.scale
    toes = motion.positions()[:, [INDEX["left_foot"], INDEX["right_foot"]], 1].min(axis=1)
    return float(np.percentile(toes, _LOWEST)) - TOE_HEIGHT * scale


def contact_moments(planted: Mask, times: Array) -> Array:
    """(M,) seconds, increasing, at which a contact of ``planted`` (T, J) starts or ends; not the clip's own ends."""
    edges = [edge for mask in planted.T for start, stop in contact_runs(mask) for edge in (start, stop - 1)]
    return times[sorted({edge for edge in edges if 0 < edge < len(times) - 1})]


def contact_runs(mask: Mask) -> Runs:
    """First and one-past-last frames of the runs of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def rate_of_change(values: Array, times: Array) -> Array:
    """Central time derivative of ``(T, ...)`` at uneven times, per second."""
    if len(times) < 2:
        return np.zeros_like(values)
    return np.asarray(np.gradient(values, times, axis=0))


def _steady_speed(positions: Array, times: Array) -> Array:
    """(T, J) speed of (T, J, 3) over ``_SPEED_SECONDS``, metres per second."""
    after, before = (np.clip(times + side * 0.5 * _SPEED_SECONDS, times[0], times[-1]) for side in (1.0, -1.0))
    way = interpolate(positions, times, after) - interpolate(positions, times, before)
    return np.linalg.norm(way, axis=-1) / np.maximum(after - before, 1e-9)[:, None]


def _held(motion: Motion, wrist: str, still: Mask) -> Mask:
    """(T,) where a hand that is ``still`` holds on to something or bears weight."""
    scale = motion.skeleton.scale
    positions = motion.positions()
    hand, shoulder = (positions[:, INDEX[joint]] for joint in (wrist, wrist.replace("wrist", "shoulder")))
    low = hand[:, 1] - floor_height(motion) < _LOW_HAND * scale
    held = _lasting(still & low, motion.times, _LOW_SECONDS)
    for start, stop in contact_runs(_lasting(still, motion.times, _HOLD_SECONDS)):
        moved = np.ptp((shoulder - hand)[start:stop], axis=0)
        held[start:stop] |= np.linalg.norm(moved) > _HOLD_SHOULDER * scale
    return held


def _lasting(mask: Mask, times: Array, seconds: float) -> Mask:
    """The runs of ``mask`` that last."""
    kept = np.zeros_like(mask)
    for start, stop in contact_runs(mask):
        kept[start:stop] = times[stop - 1] - times[start] >= seconds - 1e-6
    return kept


def _steadied(mask: Mask, times: Array) -> Mask:
    """``mask`` with short gaps closed, then without short runs."""
    closed = mask.copy()
    for start, stop in contact_runs(~mask):
        inside = start > 0 and stop < len(mask)
        if inside and times[stop] - times[start - 1] <= _MAX_GAP_SECONDS + 1e-6:
            closed[start:stop] = True
    return _lasting(closed, times, min(_MIN_SECONDS, float(times[-1] - times[0])))
