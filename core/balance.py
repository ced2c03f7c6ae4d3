# SPDX-License-Identifier: GPL-3.0-or-later
"""Posture and dynamics of a style, each with a strength of its own.

Posture is what lasts: the change of each joint, as a rotation vector, and of the body's height, in the mean over a
second or so, which is a cycle of steps or two: the stoop, the spread of the arms, how deep the knees are. Dynamics is
all that moves about it: swings, bounces, sways. The way over the floor goes with dynamics, because it is the stepping
legs that carry the body.
"""

from dataclasses import replace

import numpy as np

from .blocks import JOINT_FRAMES, in_blocks
from .rotations import UP, Array, continuous, from_rotation_vector, to_rotation_vector
from .steps import Progress, Steps, scaled
from .transfer import StyleDelta

# Gaussian sigma, frames at 30 fps: 0.7 % of what swings once in two seconds is taken for posture, of walking less.
_LASTING_SIGMA = 30.0
_TINY = 1e-9


def balanced_steps(delta: StyleDelta, posture: float, dynamics: float) -> Steps[StyleDelta]:
    """The change with other strengths of what lasts and of what moves; both at 1 give it back as it is.

    Both at x are the change to the power of x.

    Args:
        delta: N frames at 30 fps.
        posture: 0 to 1.5.
        dynamics: 0 to 1.5.
    """
    if posture == dynamics == 1.0:
        return delta
    turns = _rotation_vectors(delta.rotations)
    flat = np.concatenate([turns.reshape(len(turns), -1), delta.root[:, 1:2]], axis=-1)
    lasting = yield from scaled(_lasting_steps(flat), 0.0, 0.8)
    yield Progress(0.8)
    balanced = posture * lasting + dynamics * (flat - lasting)
    root = np.where(UP > 0.0, balanced[:, -1:], dynamics * delta.root)
    return replace(delta, rotations=from_rotation_vector(balanced[:, :-1].reshape(turns.shape)), root=root)


def _rotation_vectors(rotations: Array) -> Array:
    """(N, J, 3) of (N, J, 4), without the leap at half a turn: what goes on beyond it is a longer vector."""
    track = continuous(rotations)
    track = np.where(track[:1, :, :1] < 0.0, -track, track)
    vectors, beyond = to_rotation_vector(track), track[..., :1] < 0.0
    angle = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.where(beyond & (angle > 0.0), vectors * (1.0 - 2.0 * np.pi / np.maximum(angle, _TINY)), vectors)


def _lasting_steps(values: Array) -> Steps[Array]:
    """Gaussian mean of (N, C); beyond the ends the clip is mirrored, so that a short one's is its mean."""
    reach = int(3.0 * _LASTING_SIGMA)
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / _LASTING_SIGMA) ** 2)
    weights /= weights.sum()
    padded = np.pad(values, ((reach, reach), (0, 0)), mode="symmetric")

    def mean(frames: slice) -> Array:
        near = padded[frames.start : frames.stop + 2 * reach]
        return np.asarray(np.lib.stride_tricks.sliding_window_view(near, 2 * reach + 1, axis=0) @ weights)

    return np.concatenate((yield from in_blocks(mean, len(values), JOINT_FRAMES // 4)))
