# SPDX-License-Identifier: GPL-3.0-or-later
"""What core needs of a motion model: arrays in, arrays out, an explicit seed. Adapters live beside this file."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Features = NDArray[np.float32]


class StyleEngine(Protocol):
    """A trained stylizer, whatever it runs on.

    All engines give the same numbers for the same arguments: their randomness comes from
    ``numpy.random.default_rng(seed)`` alone.
    """

    @property
    def styles(self) -> tuple[str, ...]:
        """Names of the style labels."""
        ...

    @property
    def fps(self) -> float:
        """Frame rate of all features, per second."""
        ...

    @property
    def layout_signature(self) -> str:
        """The feature layout the model was trained on; compare with ``representation.SIGNATURE``."""
        ...

    def stylize(
        self, features: Features, *, source: str, style: str | None, reference: Features | None, seed: int
    ) -> tuple[Features, Features]:
        """The model's own reconstruction of a clip, and the clip in another style.

        Args:
            features: (T, WIDTH) of the clip.
            source: LABEL (needs ``style``), REFERENCE (needs ``reference``) or RANDOM.
            style: a name out of ``styles``.
            reference: (R, WIDTH), a clip in the wanted style.
            seed: of everything random.

        Returns:
            Two (T, WIDTH) arrays; in both, the planar root velocity is the one predicted for the pose.

        Raises:
            ValueError: an argument the model cannot use.
        """
        ...

    def reconstruct(self, features: Features) -> Features:
        """A clip through the model's autoencoder and back: it returns what it knows, and bends what it does not.

        Cheap, unlike :meth:`stylize`, and without randomness.

        Args:
            features: (T, WIDTH) of the clip.

        Returns:
            (T, WIDTH).
        """
        ...
