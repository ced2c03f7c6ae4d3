# SPDX-License-Identifier: GPL-3.0-or-later
"""What core needs of a motion model: arrays in, arrays out. Adapters live beside this file.

An adapter runs networks, nothing else. What a user asks for (a label, a reference, a mixture, a seed) and clips that
are longer than a window are the business of :class:`core.engines.engine.StyleEngine`, which drives any adapter.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]
Features = NDArray[np.float32]

LABEL, REFERENCE, RANDOM, SAVED = "LABEL", "REFERENCE", "RANDOM", "SAVED"
SOURCES: tuple[str, ...] = (LABEL, REFERENCE, RANDOM, SAVED)
"""Where a style comes from."""


@runtime_checkable
class Pending(Protocol):
    """An answer that is still computed somewhere else."""

    def result(self) -> Float32 | None:
        """The answer, or None while it is not there yet; never waits.

        Raises:
            EngineError: there will be none; the message says what to do.
        """
        ...


Answer = Float32 | Pending


class FadeBounds(Protocol):
    """From which value, up to where all is well, to which, where the model guesses; see :mod:`core.out_of_range`."""

    @property
    def bend(self) -> tuple[float, float]:
        """Of the degrees by which the autoencoder bends a frame."""
        ...

    @property
    def distance(self) -> tuple[float, float]:
        """Of the distance of its content code from training's."""
        ...


class ContentRange(Protocol):
    """Where the content codes of training lie: ``whitening @ (code - mean)`` has mean 0 and covariance 1 there."""

    @property
    def mean(self) -> Float32:
        """(C,)."""
        ...

    @property
    def whitening(self) -> Float32:
        """(C, C)."""
        ...

    @property
    def bounds(self) -> FadeBounds | None:
        """Between which values the style of this model fades out; None if it does not say so."""
        ...


class StyleNetwork(Protocol):
    """A trained stylizer, whatever it runs on: one window at a time, no randomness.

    All networks give the same numbers, up to rounding, for the same weights and arguments.
    """

    @property
    def styles(self) -> tuple[str, ...]:
        """Names of the L style labels, in one-hot order; L may be 0."""
        ...

    @property
    def fps(self) -> float:
        """Frame rate of all features, per second."""
        ...

    @property
    def layout_signature(self) -> str:
        """The feature layout the model was trained on; compare with ``representation.SIGNATURE``."""
        ...

    @property
    def style_size(self) -> int:
        """S, dimensions of the style code."""
        ...

    @property
    def software(self) -> str:
        """What computes, with its version, and where: the same one gives the same numbers to the last digit."""
        ...

    @property
    def tempo(self) -> Float32 | None:
        """(S + L,): a target condition moves exp((target - own) @ tempo) times as fast; None if nobody knows.

        Or (2, S + L): of bodies in one place, and of those that travel.
        """
        ...

    @property
    def content_range(self) -> ContentRange | None:
        """Where the content codes of training lie; None if nobody knows."""
        ...

    def style_gaussian(self, features: Features) -> Answer:
        """How a clip (T, WIDTH) is done: (2, S) mean and standard deviation of its own style Gaussian."""
        ...

    def stylize(self, features: Features, conditions: Float32) -> Answer:
        """One clip in several styles.

        Args:
            features: (T, WIDTH) of the clip.
            conditions: (K, S + L) style code and label one-hot; zeros for "no label".

        Returns:
            (K, T, WIDTH); the planar root velocity is the one predicted for the pose, the turning the clip's own.
        """
        ...

    def reconstruct(self, features: Features) -> Answer:
        """A clip (T, WIDTH) through the model's autoencoder and back: what it knows comes back, the rest is bent."""
        ...

    def content_code(self, features: Features) -> Answer:
        """What is done in a clip (T, WIDTH), however it is done: (T / 4 rounded up, C)."""
        ...


@dataclass(frozen=True)
class Cue:
    """One style that is asked for.

    Attributes:
        source: one of ``SOURCES``.
        style: a label, for LABEL.
        reference: (R, WIDTH) of a clip in the wanted style, for REFERENCE.
        code: (S,) style code, for SAVED.
        seed: of everything random, at least 0.
        drawn: for REFERENCE: draw from the reference's style Gaussian instead of taking its mean.
        mix: another style to go towards.
        share: how far, 0 (not at all) to 1 (all the way).
    """

    source: str
    style: str = ""
    reference: Features | None = None
    code: Float32 | None = None
    seed: int = 0
    drawn: bool = False
    mix: Cue | None = None
    share: float = 0.0
