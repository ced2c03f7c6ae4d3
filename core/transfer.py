# SPDX-License-Identifier: GPL-3.0-or-later
"""Delta transfer: what the network changed, laid over the original instead of replacing it.

Per joint, ``original @ (reconstruction^-1 @ stylized) ^ amount`` on parent-relative rotations. What the network cannot
reproduce cancels, what it never saw (fingers, fast detail) survives, and amount 0 is the original exactly.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from .blocks import JOINT_FRAMES, in_blocks
from .canonical import CanonicalClip
from .kinematics import to_global, to_local
from .motion import Motion
from .representation import FPS, gaussian_smooth
from .resample import even_times, interpolate, interpolate_smooth
from .rotations import UP, Array, angle_between, conjugate, continuous, multiply, normalize, power, rotate
from .skeleton import INDEX, JOINTS
from .smoothing import rise, smooth_held
from .steps import Progress, Steps, finish, scaled

# The networks' output trembles, most of all at the rate of their latent steps, 7.5 Hz, which no accuracy notices and
# every animator does. What a Gaussian of this sigma, frames at 30 fps, takes away is filtered again, so many times in
# all: that leaves 0.97 of what moves at 2 Hz, 0.84 at 3 Hz, and 0.02 at 7.5 Hz.
_CALM, _CALM_ROUNDS = 2.0, 3
# A clip is still where its joints turn by less than this, degrees per second: idling bodies turn theirs by 1 to 7,
# walking ones by 50 and more. And over how many frames that is looked at, and the change averaged there.
_STILL = 9.0
_STILL_SIGMA, _STEADY_SIGMA = 8.0, 45.0
_BAND = 256  # frames that are averaged at once
# Only what was found at rest counts for the rest; the little more is for clips that never are.
_NEVER_STILL = 1e-3

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


@dataclass(frozen=True)
class Reconstruction:
    """What changes are measured against: the clip as the model sees it. Made once, whatever the number of styles.

    Attributes:
        clip: the clip itself; where it is all but still, changes are all but constant.
        root: (N, 3) of the clip in its own style, as the model gives it back.
        inverse: (N, 22, 4) inverse of its parent-relative rotations.
        still: (N, 1) 1 where the clip is still, 0 where it moves.
        mean_still: (N, 1) the same, averaged as the changes are.
    """

    clip: CanonicalClip
    root: Array
    inverse: Array
    still: Array
    mean_still: Array

    def delta_steps(self, stylized: Motion) -> Steps[StyleDelta]:
        """What separates the clip in another style, of the canonical skeleton, from the reconstruction."""

        def changed(frames: slice) -> Array:
            return multiply(self.inverse[frames], to_local(stylized.rotations[frames]))

        blocks = yield from scaled(in_blocks(changed, len(stylized), JOINT_FRAMES), 0.0, 0.2)
        rotations = continuous(np.concatenate(blocks))
        offset = (stylized.root - self.root) / self.clip.scale
        # A body at rest gets the pose of a style, but no movement of its own.
        offset[:, 1:2] = yield from scaled(self._steady_steps(offset[:, 1:2]), 0.2, 0.3)
        flat = rotations.reshape(len(rotations), -1)
        rotations = (yield from scaled(self._steady_steps(flat), 0.3, 0.8)).reshape(rotations.shape)
        smooth = yield from scaled(_calmed_steps(rotations), 0.8, 1.0)
        offset = finish(_calmed_steps(offset))
        return StyleDelta(self.clip.motion.times, normalize(smooth), offset)

    def _steady_steps(self, values: Array) -> Steps[Array]:
        """(N, C) values that hardly change over a second or two where the clip is still; elsewhere as they were."""
        lasting = (yield from _steadied_steps((self.still + _NEVER_STILL) * values)) / self.mean_still
        return values + self.still * (lasting - values)


def reconstruction_steps(seen: Motion, clip: CanonicalClip) -> Steps[Reconstruction]:
    """What changes of a clip are measured against; ``seen`` is how the model gives it back in its own style."""

    def inverse(frames: slice) -> Array:
        return conjugate(to_local(seen.rotations[frames]))

    inverses = yield from scaled(in_blocks(inverse, len(seen), JOINT_FRAMES), 0.0, 0.3)
    still = (yield from scaled(_stillness_steps(clip.motion), 0.3, 0.7))[:, None]
    mean_still = yield from scaled(_steadied_steps(still + _NEVER_STILL), 0.7, 1.0)
    return Reconstruction(clip, seen.root, np.concatenate(inverses), still, mean_still)


def _calmed_steps(values: Array) -> Steps[Array]:
    """(N, ...) values without what trembles."""
    calm, rest = np.zeros_like(values), values
    for number in range(_CALM_ROUNDS):
        yield Progress(number / _CALM_ROUNDS)
        found = gaussian_smooth(rest, _CALM)
        calm, rest = calm + found, rest - found
    return calm


def _steadied_steps(values: Array) -> Steps[Array]:
    """Gaussian mean of (N, C) over a second or two, the ends held."""
    reach = int(3 * _STEADY_SIGMA + 0.5)
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / _STEADY_SIGMA) ** 2)
    weights /= weights.sum()
    padded = np.pad(values, ((reach, reach), (0, 0)), mode="edge")
    # Row i of the band has the weights from column i on: one matrix product for all frames of a block.
    band = np.lib.stride_tricks.sliding_window_view(np.pad(weights, _BAND - 1), _BAND + 2 * reach)
    band = np.ascontiguousarray(band[::-1])

    def mean(frames: slice) -> Array:
        count = frames.stop - frames.start
        return band[:count, : count + 2 * reach] @ padded[frames.start : frames.stop + 2 * reach]

    return np.concatenate((yield from in_blocks(mean, len(values), _BAND)))


def _stillness_steps(clip: Motion) -> Steps[Array]:
    """(N,) 1 where the body hardly moves, 0 where it does: mean angular speed of the joints against ``_STILL``."""

    def turned(frames: slice) -> Array:
        local = to_local(clip.rotations[frames.start : frames.stop + 1])
        return angle_between(local[1:], local[:-1]).mean(axis=-1)

    angles = np.concatenate((yield from in_blocks(turned, len(clip) - 1, JOINT_FRAMES)))
    speed = np.degrees(angles) / np.diff(clip.times)
    return 1.0 / (1.0 + (smooth_held(np.append(speed, speed[-1]), _STILL_SIGMA) / _STILL) ** 4)


def apply_delta_steps(original: Motion, delta: StyleDelta, share: Array, weights: Array) -> Steps[Motion]:
    """The original with a share of the change; without any it is given back.

    Over the floor it is the steps that have their share: a varying share of the way itself would be a detour.

    Args:
        original: T frames.
        delta: the change.
        share: (T,) of the change at every frame.
        weights: (22,) of the change on every joint, of :func:`part_weights`; the root's way goes with the pelvis.
    """
    if not share.any() or not weights.any():
        return original
    # The model runs at 30 fps: between its frames a change with kinks would shake faster clips.
    change = continuous(delta.rotations)
    yield Progress(0.2)

    def turned(frames: slice) -> Array:
        part = normalize(interpolate_smooth(change, delta.times, original.times[frames]))
        part = power(part, share[frames, None] * weights)
        return to_global(multiply(to_local(original.rotations[frames]), part))

    rotations = yield from scaled(in_blocks(turned, len(original), JOINT_FRAMES), 0.2, 1.0)
    offset = interpolate_smooth(delta.root, delta.times, original.times) * weights[INDEX["pelvis"]]
    middle = 0.5 * (share + np.append(share[:1], share[:-1]))[:, None]
    way = np.cumsum(np.diff(offset, axis=0, prepend=0.0) * middle, axis=0)
    offset = np.where(UP > 0.0, offset * share[:, None], way)
    return original.with_pose(original.root + offset, np.concatenate(rotations))


def upright_share(motion: Motion) -> Array:
    """(T,) 1 where the body is upright, 0 where it lies or is on all fours, smooth in between."""
    height = rotate(motion.rotations[:, 0], np.broadcast_to(UP, motion.root.shape))[:, 1]
    tilt = np.degrees(np.arccos(np.clip(height, -1.0, 1.0)))
    share = rise(tilt, _LYING, _UPRIGHT)
    if np.ptp(share) == 0.0:
        return share
    even = even_times(motion.times, FPS)
    smooth = smooth_held(interpolate(share, motion.times, even), _FALL_SIGMA)
    return np.clip(interpolate_smooth(smooth, even, motion.times), 0.0, 1.0)


def part_weights(shares: Mapping[str, float]) -> Array:
    """(22,) how much of the style every joint takes, of how much every one of ``PARTS`` does."""
    by_joint = {joint: share for part, share in shares.items() for joint in PART_JOINTS[part]}
    return np.array([by_joint[joint] for joint in JOINTS])
