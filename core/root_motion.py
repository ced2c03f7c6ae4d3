# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the body goes: the original path, the one that the style predicts, or none; and at which height."""

import numpy as np

from .contacts import Contacts, Mask, detect_seated, rate_of_change
from .limbs import LEGS, limb_points
from .motion import Motion
from .representation import FPS, gaussian_smooth
from .resample import even_times, interpolate, interpolate_smooth
from .rotations import ON_FLOOR, UP, Array
from .skeleton import CONTACT_JOINTS, INDEX

KEEP, PREDICTED, IN_PLACE = "KEEP", "PREDICTED", "IN_PLACE"
ROOT_MODES: tuple[str, ...] = (KEEP, PREDICTED, IN_PLACE)

# Frames of smoothing that part the travelled path from the sway about it: half a step.
_PATH_SIGMA = 10.0
# Smoothing of the vertical settling, and of the root's velocity correction, frames at 30 fps.
_SETTLE_SIGMA = 6.0
_SLIP_SIGMA = 3.0


def follow_path(styled: Motion, original: Motion) -> Motion:
    """The stylised clip on the original's path over the floor, exactly; its height stays."""
    return styled.with_pose(np.where(ON_FLOOR > 0, original.root, styled.root), styled.rotations)


def stay_in_place(motion: Motion) -> Motion:
    """The clip without its travelled path; sway and height stay. Feet that were planted now slide back under it."""
    return motion.with_pose(motion.root - travelled_path(motion), motion.rotations)


def travelled_path(motion: Motion) -> Array:
    """(T, 3) smooth way over the floor since the first frame, metres; its height is 0."""
    path = smooth_path(motion.root, motion.times, _PATH_SIGMA)
    return np.asarray((path - path[:1]) * ON_FLOOR)


def close_path(motion: Motion) -> Motion:
    """The clip with its last place over the floor on its first; the way that is left is spread over its time."""
    share = (motion.times - motion.times[0]) / (motion.times[-1] - motion.times[0])
    left = (motion.root[-1] - motion.root[0]) * ON_FLOOR
    return motion.with_pose(motion.root - share[:, None] * left, motion.rotations)


def settle(styled: Motion, contacts: Contacts) -> Motion:
    """Raise or lower the whole body so that planted feet are at the original's height on the average over time.

    Of somebody who sits, the seat counts and the feet do not.
    """
    gaps = [(limb_points(contacts.original, leg) - limb_points(styled, leg))[:, 2, 1] for leg in LEGS]
    gaps.append((contacts.original.root - styled.root)[:, 1])
    touching = _or_seat(np.stack([contacts.touching(leg.tips) for leg in LEGS], axis=-1), contacts.original)
    lift = _while_planted(np.stack(gaps, axis=-1)[..., None], touching, styled.times, _SETTLE_SIGMA)
    return styled.with_pose(styled.root + lift * contacts.freedom[:, None] * UP, styled.rotations)


def follow_feet(styled: Motion, contacts: Contacts) -> Motion:
    """Let the root travel as the planted heels and toes demand, so that little is left for the legs to bend away.

    The predicted velocity is never exactly that of the stepping feet, and over a long stand the difference adds up.
    """
    # The pelvis, which is the first joint, goes last as in the mask.
    joints = [*(INDEX[name] for name in CONTACT_JOINTS), 0]
    slip = rate_of_change((contacts.original.positions() - styled.positions())[:, joints], styled.times)
    planted = _or_seat(contacts.planted[:, : len(CONTACT_JOINTS)], contacts.original)
    # Where both feet are off the floor, the error of the steps before and after still holds.
    velocity = _while_planted(slip, planted, styled.times, _SLIP_SIGMA)
    steps = 0.5 * (velocity[1:] + velocity[:-1]) * np.diff(styled.times)[:, None]
    path = np.concatenate([np.zeros((1, 3)), np.cumsum(steps, axis=0)]) * ON_FLOOR
    return styled.with_pose(styled.root + path, styled.rotations)


def _or_seat(feet: Mask, original: Motion) -> Mask:
    """(T, J + 1) contacts of feet (T, J) while nobody sits, and the seat's."""
    seated = detect_seated(original)[:, None]
    return np.concatenate([feet & ~seated, seated], axis=-1)


def _while_planted(values: Array, planted: Mask, times: Array, sigma: float) -> Array:
    """(T, C) mean of (T, J, C) over the planted joints, carried on where there are none, smooth; 0 without any."""
    resting = planted.any(axis=-1)
    if not resting.any():
        return np.zeros((len(times), values.shape[-1]))
    total = np.where(planted[..., None], values, 0.0)[resting].sum(axis=1)
    mean = total / planted[resting].sum(axis=-1)[:, None]
    return smooth_path(interpolate(mean, times[resting], times), times, sigma)


def smooth_path(values: Array, times: Array, sigma: float) -> Array:
    """(T, C) values at any times, smoothed over ``sigma`` frames at 30 fps."""
    even = even_times(times, FPS)
    return interpolate_smooth(gaussian_smooth(interpolate(values, times, even), sigma), even, times)
