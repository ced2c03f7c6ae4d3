# SPDX-License-Identifier: GPL-3.0-or-later
"""A network that remembers, so that what it said can be judged apart from what the rig shows."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.engines import Features
from core.representation import split
from models.bundle import Bundle
from models.runtime import Float32, TorchNetwork

from ..distances import contact_f1

# The network's contacts are numbers about 0 and 1.
_TOUCHES = 0.5


@dataclass(frozen=True)
class Testimony:
    """One window: the clip (T, WIDTH) and what the network made of it, (K, T, WIDTH), its reconstruction first."""

    features: Features
    answers: Features


class Witness(TorchNetwork):
    """The torch network, and what it was asked since the last :meth:`forget`."""

    def __init__(self, bundle: Bundle, threads: int) -> None:
        """Build the networks of a checked bundle on the CPU."""
        super().__init__(bundle, "cpu", threads)
        self.heard: list[Testimony] = []

    def forget(self) -> None:
        """Begin anew."""
        self.heard = []

    def stylize(self, features: NDArray[Any], conditions: NDArray[Any]) -> Float32:
        """As the torch network does."""
        answers = super().stylize(features, conditions)
        self.heard.append(Testimony(np.asarray(features, dtype=np.float32), answers))
        return answers

    def contact_f1(self) -> float:
        """Of the contacts that the network predicted for the last style it was asked for, against the clip's own."""
        truth, found = (
            np.concatenate([split(clip)["contacts"] > _TOUCHES for clip in clips])
            for clips in ([said.features for said in self.heard], [said.answers[-1] for said in self.heard])
        )
        return contact_f1(truth, found)
