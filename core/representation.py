# SPDX-License-Identifier: GPL-3.0-or-later
"""The feature vector of one frame: its only owner.

After GenMoStyle (Guo et al., ICLR 2024, section 3.1): everything is seen from the body's own heading, so a
turn of the world about the vertical leaves the features unchanged. Rotations are global with the heading
removed, which keeps twist and does not accumulate error down the limbs. Velocities are per second. Contacts are
1 where a foot joint rests on the floor.
"""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .blocks import JOINT_FRAMES, in_blocks
from .contacts import detect_contacts
from .motion import Motion
from .rotations import ON_FLOOR, Array, conjugate, from_sixd, multiply, rotate, to_sixd, yaw_quaternion
from .skeleton import CANONICAL, CONTACT_JOINTS, INDEX, JOINT_COUNT
from .steps import Progress, Steps, finish, scaled

FPS = 30.0
# Frames that a clip must have, at its own rate.
MIN_FRAMES = 5

FEATURES: tuple[tuple[str, int], ...] = (
    ("root_yaw_velocity", 1),
    ("root_planar_velocity", 2),
    ("root_height", 1),
    ("positions", 3 * (JOINT_COUNT - 1)),
    ("rotations", 6 * JOINT_COUNT),
    ("velocities", 3 * (JOINT_COUNT - 1)),
    ("contacts", len(CONTACT_JOINTS)),
)
WIDTH = sum(width for _, width in FEATURES)
SIGNATURE = json.dumps([list(item) for item in FEATURES])

# Frames of smoothing of the heading (Gaussian sigma): less than the paper's 10, which blurs quick turns.
_HEADING_SIGMA = 5.0

Float32 = NDArray[np.float32]


def feature_slice(name: str) -> slice:
    """Columns of one named feature."""
    start = 0
    for feature, width in FEATURES:
        if feature == name:
            return slice(start, start + width)
        start += width
    raise KeyError(name)


def split(features: NDArray[np.floating[Any]]) -> dict[str, Array]:
    """Features ``(..., WIDTH)`` as a dict of named parts."""
    return {name: np.asarray(features[..., feature_slice(name)], dtype=np.float64) for name, _ in FEATURES}


def join(parts: dict[str, Array]) -> Float32:
    """Inverse of :func:`split`, as float32 for the engine."""
    return np.concatenate([parts[name] for name, _ in FEATURES], axis=-1).astype(np.float32)


@dataclass(frozen=True)
class RootStart:
    """Where a clip begins: what the features of a frame cannot know. ``yaw`` radians, ``position`` (2,) metres x, z."""

    yaw: float = 0.0
    position: tuple[float, float] = (0.0, 0.0)


def encode(motion: Motion) -> tuple[Float32, RootStart]:
    """All of :func:`encode_steps` at once."""
    return finish(encode_steps(motion))


def encode_steps(motion: Motion) -> Steps[tuple[Float32, RootStart]]:
    """Features (T, WIDTH) of a clip with the canonical skeleton at 30 fps."""
    yaw = heading(motion)
    yield Progress(0.2)
    contacts = detect_contacts(motion).astype(np.float64)
    yield Progress(0.3)
    away, turning = conjugate(yaw_quaternion(yaw)), forward_difference(yaw[:, None])

    def encoded(frames: slice) -> Float32:
        # Velocities look at the frame after.
        part, count = motion.part(slice(frames.start, frames.stop + 1)), frames.stop - frames.start
        back = away[frames.start : frames.stop + 1]
        planar = part.root * ON_FLOOR
        local = rotate(back[:, None], part.positions() - planar[:, None])[:, 1:]
        parts = {
            "root_yaw_velocity": turning[frames],
            "root_planar_velocity": rotate(back, forward_difference(planar))[:count, [0, 2]],
            "root_height": part.root[:count, 1:2],
            "positions": flatten(local[:count]),
            "rotations": flatten(to_sixd(multiply(back[:count, None], part.rotations[:count]))),
            "velocities": flatten(forward_difference(local)[:count]),
            "contacts": contacts[frames],
        }
        return join(parts)

    features = np.concatenate((yield from scaled(in_blocks(encoded, len(motion), JOINT_FRAMES), 0.3, 1.0)))
    return features, RootStart(float(yaw[0]), (float(motion.root[0, 0]), float(motion.root[0, 2])))


def decode(features: NDArray[np.floating[Any]], start: RootStart | None = None) -> Motion:
    """All of :func:`decode_steps` at once."""
    return finish(decode_steps(features, start))


def decode_steps(features: NDArray[np.floating[Any]], start: RootStart | None = None) -> Steps[Motion]:
    """Clip of the canonical skeleton at 30 fps from features (T, WIDTH); rotations decide, not positions."""
    start = start or RootStart()
    velocity, height, sixd = (
        features[:, feature_slice(name)] for name in ("root_planar_velocity", "root_height", "rotations")
    )
    yaw = start.yaw + integrate(_exact(features[:, feature_slice("root_yaw_velocity")]))[:, 0]
    back = yaw_quaternion(yaw)
    over_floor = np.zeros((len(yaw), 3))
    over_floor[:, [0, 2]] = velocity
    root = integrate(rotate(back, over_floor)) + np.array([start.position[0], 0.0, start.position[1]])
    root[:, 1] = height[:, 0]

    def turned(frames: slice) -> Array:
        return multiply(back[frames, None], from_sixd(_exact(sixd[frames]).reshape(-1, JOINT_COUNT, 6)))

    rotations = np.concatenate((yield from in_blocks(turned, len(yaw), JOINT_FRAMES)))
    return Motion(np.arange(len(yaw)) / FPS, root, rotations, CANONICAL)


def heading(motion: Motion) -> Array:
    """(T,) unwrapped yaw of the body, radians: across hips and shoulders, smoothed over time."""
    p = motion.positions()
    hips, shoulders = (p[:, INDEX[f"left_{j}"]] - p[:, INDEX[f"right_{j}"]] for j in ("hip", "shoulder"))
    across = hips + shoulders
    # forward = across x up, whose yaw from +Z is atan2(x, z).
    yaw = np.unwrap(np.arctan2(-across[:, 2], across[:, 0]))
    return gaussian_smooth(yaw, _HEADING_SIGMA)


def forward_difference(values: Array) -> Array:
    """Change per second to the next frame ``(T, ...)``; the last frame repeats the one before."""
    if len(values) < 2:
        return np.zeros_like(values)
    steps = np.diff(values, axis=0) * FPS
    return np.concatenate([steps, steps[-1:]])


def integrate(rates: Array) -> Array:
    """Inverse of :func:`forward_difference` up to the start, which is zero."""
    return np.concatenate([np.zeros_like(rates[:1]), np.cumsum(rates[:-1], axis=0)]) / FPS


def gaussian_smooth(values: Array, sigma: float) -> Array:
    """Gaussian filter along the first axis; ends are extended by point reflection, which keeps their slope."""
    reach = min(int(3 * sigma + 0.5), len(values) - 1)
    if reach < 1:
        return values
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    head = 2 * values[:1] - values[reach:0:-1]
    tail = 2 * values[-1:] - values[-2 : -reach - 2 : -1]
    padded = np.concatenate([head, values, tail])
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1, axis=0)
    return np.asarray(windows @ (kernel / kernel.sum()))


def _exact(values: NDArray[np.floating[Any]]) -> Array:
    return np.asarray(values, dtype=np.float64)


def flatten(values: Array) -> Array:
    """(T, J, n) to (T, J * n)."""
    return values.reshape(len(values), -1)
