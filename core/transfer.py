# SPDX-License-Identifier: GPL-3.0-or-later
"""Delta transfer: what the network changed, laid over the original instead of replacing it.

Per joint, ``original @ (reconstruction^-1 @ stylized) ^ amount`` on parent-relative rotations. What the network cannot
reproduce cancels, what it never saw (fingers, fast detail) survives, and amount 0 is the original exactly.
"""

from dataclasses import dataclass

import numpy as np

from .kinematics import to_global, to_local
from .motion import Motion
from .representation import FPS, gaussian_smooth
from .resample import even_times, interpolate, interpolate_rotations_smooth, interpolate_smooth
from .rotations import UP, Array, angle_between, conjugate, continuous, multiply, normalize, power, rotate
from .skeleton import INDEX, JOINTS

# Gaussian sigma in frames at 30 fps. The networks' output trembles a little from frame to frame, which no accuracy
# notices and every animator does; a style changes more slowly.
_CALM = 1.0
# A clip is still where its joints turn by less than this, degrees per second: idling bodies turn theirs by 1 to 7,
# walking ones by 50 and more. And over how many frames that is looked at, and the change averaged there.
_STILL = 9.0
_STILL_SIGMA, _STEADY_SIGMA = 8.0, 45.0

# The model has seen nobody crawl, roll or lie: what it says of them is noise that tears hands and feet off the floor.
# The style fades between these tilts of the pelvis, degrees, and about this many frames before and after: takes that
# it was trained on tilt up to 53 when they bow, who crawls or does push-ups 65 and more.
_UPRIGHT, _LYING = 50.0, 70.0
_FALL_SIGMA = 4.0

_ARM = ("collar", "shoulder", "elbow", "wrist")
_LEG = ("hip", "knee", "ankle", "foot")

PART_JOINTS: dict[str, tuple[str, ...]] = {
    "HEAD": ("neck", "head"),
    "TORSO": ("spine1", "spine2", "spine3"),
    "LEFT_ARM": tuple(f"left_{joint}" for joint in _ARM),
    "RIGHT_ARM": tuple(f"right_{joint}" for joint in _ARM),
    # The pelvis carries the legs: turning it alone would drag planted feet along.
    "LEGS": ("pelvis", *(f"{side}_{joint}" for side in ("left", "right") for joint in _LEG)),
}
PARTS: tuple[str, ...] = tuple(PART_JOINTS)


@dataclass(frozen=True)
class StyleDelta:
    """What separates the stylised clip from the model's reconstruction of the original.

    Attributes:
        times: (N,) seconds, those of the original clip, evenly spaced.
        rotations: (N, 22, 4) parent-relative, reconstruction^-1 @ stylized.
        root: (N, 3) offset of the root in the original's own metres: path on the floor and height.
    """

    times: Array
    rotations: Array
    root: Array


def style_delta(reconstruction: Motion, stylized: Motion, clip: Motion, scale: float) -> StyleDelta:
    """Difference of two clips of the canonical skeleton.

    Args:
        reconstruction: the clip as the model sees it.
        stylized: the same in another style.
        clip: the clip itself, canonical; where it is all but still, the change is all but constant.
        scale: canonical metres per metre of the character.
    """
    inverse = conjugate(to_local(reconstruction.rotations))
    rotations = continuous(multiply(inverse, to_local(stylized.rotations)))
    offset = (stylized.root - reconstruction.root) / scale
    # A body at rest gets the pose of a style, but no movement of its own.
    offset[:, 1:2] = _steady(offset[:, 1:2], clip)
    smooth = normalize(gaussian_smooth(_steady(rotations, clip), _CALM))
    return StyleDelta(clip.times, smooth, gaussian_smooth(offset, _CALM))


def _steady(values: Array, clip: Motion) -> Array:
    """(N, ...) values that hardly change over a second or two where the clip is still; elsewhere as they were."""
    still = _stillness(clip).reshape(-1, *[1] * (values.ndim - 1))
    # Only what was found at rest counts for the rest; the little more is for clips that never are.
    weights = still + 1e-3
    lasting = _blur(weights * values) / _blur(weights)
    return values + still * (lasting - values)


def _stillness(clip: Motion) -> Array:
    """(N,) 1 where the body hardly moves, 0 where it does: mean angular speed of the joints against ``_STILL``."""
    local = to_local(clip.rotations)
    speed = np.degrees(angle_between(local[1:], local[:-1]).mean(axis=-1)) / np.diff(clip.times)
    return 1.0 / (1.0 + (_blur(np.append(speed, speed[-1]), _STILL_SIGMA) / _STILL) ** 4)


def _blur(values: Array, sigma: float = _STEADY_SIGMA) -> Array:
    """Gaussian filter along the first axis, the ends held."""
    margin = int(3 * sigma + 1)
    padded = np.pad(values, [(margin, margin), *[(0, 0)] * (values.ndim - 1)], mode="edge")
    return gaussian_smooth(padded, sigma)[margin:-margin]


def apply_delta(original: Motion, delta: StyleDelta, share: Array, parts: frozenset[str]) -> Motion:
    """The original with a ``share`` (T,) of the change on the joints of ``parts``; without any it is given back.

    Over the floor it is the steps that have their share: a varying share of the way itself would be a detour.
    """
    if not share.any() or not parts:
        return original
    # The model runs at 30 fps: between its frames a change with kinks would shake faster clips.
    change = interpolate_rotations_smooth(delta.rotations, delta.times, original.times)
    weights = part_weights(parts)
    local = multiply(to_local(original.rotations), power(change, share[:, None] * weights))
    offset = interpolate_smooth(delta.root, delta.times, original.times) * weights[INDEX["pelvis"]]
    middle = 0.5 * (share + np.append(share[:1], share[:-1]))[:, None]
    way = np.cumsum(np.diff(offset, axis=0, prepend=0.0) * middle, axis=0)
    offset = np.where(UP > 0.0, offset * share[:, None], way)
    return original.with_pose(original.root + offset, to_global(local))


def upright_share(motion: Motion) -> Array:
    """(T,) 1 where the body is upright, 0 where it lies or is on all fours, smooth in between."""
    height = rotate(motion.rotations[:, 0], np.broadcast_to(UP, motion.root.shape))[:, 1]
    tilt = np.degrees(np.arccos(np.clip(height, -1.0, 1.0)))
    x = np.clip((_LYING - tilt) / (_LYING - _UPRIGHT), 0.0, 1.0)
    share = x * x * (3.0 - 2.0 * x)
    if np.ptp(share) == 0.0:
        return share
    even = even_times(motion.times, FPS)
    smooth = _blur(interpolate(share, motion.times, even), _FALL_SIGMA)
    return np.clip(interpolate_smooth(smooth, even, motion.times), 0.0, 1.0)


def part_weights(parts: frozenset[str]) -> Array:
    """(22,) 1 for the joints that the style may touch, else 0."""
    touched = {joint for part in parts for joint in PART_JOINTS[part]}
    return np.array([float(joint in touched) for joint in JOINTS])
