# SPDX-License-Identifier: GPL-3.0-or-later
"""How far the frames of a clip lie outside of what the model knows, so that the style fades out where it would guess.

Two witnesses: the autoencoder, which bends poses that it never saw, and the content encoder, whose code of a movement
that training had nothing like lies far from all of training's. Either is enough.
"""

from dataclasses import dataclass

import numpy as np

from .engines import FadeBounds, Features
from .engines.engine import StyleEngine
from .representation import split
from .rotations import Array, angle_between, from_sixd
from .skeleton import JOINT_COUNT
from .smoothing import rise, smooth_held
from .steps import Steps, finish, scaled

KNOWN_DEGREES, UNKNOWN_DEGREES = 18.0, 28.0
"""Mean angle over the joints by which the autoencoder bends a frame: to here all is well, from there on it guesses.

This, and what follows, is for weights that do not bring bounds of their own, see ``scripts/training/fading.py``. It was
read off the first ones: of 36,543 frames of the 275 takes that they were not trained on, the worst is bent by 16.0
degrees and one in a hundred by more than 8.0; random swings of all joints by 0.3 radian and more by 27 to 140, a body
on its head by 124. ``python -m scripts.evaluation.known_motion`` prints the table.
"""

KNOWN_DISTANCE, UNKNOWN_DISTANCE = 2.5, 4.0
"""The same of the content code's distance, whose root mean square over training is 1.

Of the same takes one frame in a hundred lies beyond 1.8 and the worst at 3.2; the smallest of those swings lie at 4.0
in the middle. All in all the takes lose 0.02 % of their style, the swings and the body on its head all of it.
"""

# Frames at 30 fps. What lasts for a frame is a glitch of the capture, and no reason to give up the style; where the
# model is lost every other moment the style shall not come and go; and it goes in about half a second.
_GLITCH_SIGMA, _REACH, _FADE_SIGMA = 2.0, 15, 5.0


@dataclass(frozen=True)
class Witnesses:
    """What is known of each frame of a clip.

    Attributes:
        bend: (T,) degrees by which the autoencoder bends it.
        distance: (T,) of its content code from training's; None if the model does not know.
        bounds: how much of either is too much for this model; None if it does not say so.
    """

    bend: Array
    distance: Array | None
    bounds: FadeBounds | None = None

    def fades(self) -> list[Array]:
        """(T,) of each witness: from 0, the model knows the frame, to 1, it would guess."""
        bounds = self.bounds
        bend = bounds.bend if bounds else (KNOWN_DEGREES, UNKNOWN_DEGREES)
        distance = bounds.distance if bounds else (KNOWN_DISTANCE, UNKNOWN_DISTANCE)
        found = [(self.bend, bend)] + ([] if self.distance is None else [(self.distance, distance)])
        return [rise(without_glitches(values), *between) for values, between in found]


def out_of_range(features: Features, engine: StyleEngine) -> Array:
    """All of :func:`out_of_range_steps` at once."""
    return finish(out_of_range_steps(features, engine))


def out_of_range_steps(features: Features, engine: StyleEngine) -> Steps[Array]:
    """(T,) 0 where the model knows what it sees, 1 where it would guess, smooth in time, of a clip (T, WIDTH)."""
    return score((yield from witnesses_steps(features, engine)))


def witnesses_steps(features: Features, engine: StyleEngine) -> Steps[Witnesses]:
    """Ask the autoencoder and the content encoder about a clip (T, WIDTH)."""
    known = yield from scaled(engine.reconstruct(features), 0.0, 0.5)
    distance = yield from scaled(engine.content_distance(features), 0.5, 1.0)
    away = None if distance is None else distance.astype(np.float64)
    return Witnesses(_bent(features, known), away, engine.fade_bounds)


def without_glitches(values: Array) -> Array:
    """What a witness says of each frame (T,), as it is judged: what lasts for a frame is no reason to fade."""
    return smooth_held(values, _GLITCH_SIGMA)


def bend(features: Features, engine: StyleEngine) -> Array:
    """(T,) degrees by which the autoencoder bends each frame of a clip (T, WIDTH), mean over the joints."""
    return _bent(features, finish(engine.reconstruct(features)))


def _bent(features: Features, known: Features) -> Array:
    # The heading, which is no matter of style, is not part of the rotations.
    here, there = (
        from_sixd(split(clip)["rotations"].reshape(len(clip), JOINT_COUNT, -1)) for clip in (features, known)
    )
    return np.degrees(angle_between(there, here)).mean(axis=-1)


def score(found: Witnesses) -> Array:
    """(T,) from 0, known, to 1, smooth in time; exactly 0 a second and more away from all that is unknown."""
    known = np.prod([1.0 - fade for fade in found.fades()], axis=0)
    if known.min() == 1.0:
        return np.zeros(len(known))
    padded = np.pad(1.0 - known, _REACH, mode="edge")
    worst = np.lib.stride_tricks.sliding_window_view(padded, 2 * _REACH + 1).max(axis=-1)
    return np.clip(smooth_held(worst, _FADE_SIGMA), 0.0, 1.0)
