# SPDX-License-Identifier: GPL-3.0-or-later
"""Delta transfer: what the network changed, laid over the original instead of replacing it.

Per joint, ``original @ (reconstruction^-1 @ stylized) ^ amount`` on parent-relative rotations. What the network cannot
reproduce cancels, what it never saw (fingers, fast detail) survives, and amount 0 is the original exactly.
"""

from dataclasses import dataclass

import numpy as np

from .kinematics import to_global, to_local
from .motion import Motion
from .representation import gaussian_smooth
from .resample import interpolate_rotations_smooth, interpolate_smooth
from .rotations import Array, conjugate, continuous, multiply, normalize, power
from .skeleton import INDEX, JOINTS

# Gaussian sigma in frames at 30 fps. The networks' output trembles a little from frame to frame, which no accuracy
# notices and every animator does; a style changes more slowly.
_CALM = 1.0

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


def style_delta(reconstruction: Motion, stylized: Motion, times: Array, scale: float) -> StyleDelta:
    """Difference of two clips of the canonical skeleton; ``scale`` is canonical metres per metre of the character."""
    inverse = conjugate(to_local(reconstruction.rotations))
    rotations = continuous(multiply(inverse, to_local(stylized.rotations)))
    offset = (stylized.root - reconstruction.root) / scale
    smooth = normalize(gaussian_smooth(rotations, _CALM))
    return StyleDelta(times, smooth, gaussian_smooth(offset, _CALM))


def apply_delta(original: Motion, delta: StyleDelta, amount: float, parts: frozenset[str]) -> Motion:
    """The original with ``amount`` of the change on the joints of ``parts``; amount 0 gives it back."""
    # The model runs at 30 fps: between its frames a change with kinks would shake faster clips.
    change = interpolate_rotations_smooth(delta.rotations, delta.times, original.times)
    weights = amount * part_weights(parts)
    local = multiply(to_local(original.rotations), power(change, np.broadcast_to(weights, change.shape[:-1])))
    offset = interpolate_smooth(delta.root, delta.times, original.times) * weights[INDEX["pelvis"]]
    return original.with_pose(original.root + offset, to_global(local))


def part_weights(parts: frozenset[str]) -> Array:
    """(22,) 1 for the joints that the style may touch, else 0."""
    touched = {joint for part in parts for joint in PART_JOINTS[part]}
    return np.array([float(joint in touched) for joint in JOINTS])
