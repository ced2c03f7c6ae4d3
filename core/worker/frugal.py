# SPDX-License-Identifier: GPL-3.0-or-later
"""A network that makes do with the memory there is: fewer styles at once, then the CPU; and says so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

import numpy as np

from ..engines import Features, Float32, StyleNetwork
from ..errors import EngineError

CPU: Final = "CPU"
# Every library words it in its own way, and most of them in a plain RuntimeError; the last two are oneDNN's.
_SIGNS: Final = (
    *("out of memory", "not enough memory", "can't allocate memory", "alloc_failed", "bad_alloc"),
    *("could not create a primitive", "could not execute a primitive"),
)
_ALL: Final = 1 << 30


class PlacedNetwork(StyleNetwork, Protocol):
    """A network that knows where it runs, and answers at once."""

    @property
    def device(self) -> str:
        """CUDA, MPS or CPU."""
        ...

    @property
    def software(self) -> str:
        """What runs it, with its version, to be shown."""
        ...

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should know of how it was opened."""
        ...

    def style_gaussian(self, features: Features) -> Float32:
        """See ``StyleNetwork``."""
        ...

    def stylize(self, features: Features, conditions: Float32) -> Float32:
        """See ``StyleNetwork``."""
        ...

    def reconstruct(self, features: Features) -> Float32:
        """See ``StyleNetwork``."""
        ...

    def content_code(self, features: Features) -> Float32:
        """See ``StyleNetwork``."""
        ...


class FrugalNetwork:
    """Runs a network on a device, in batches that fit into its memory.

    Attributes:
        network: what runs now; another one after the way to the CPU.
    """

    def __init__(self, opener: Callable[[str], PlacedNetwork], device: str) -> None:
        """Open the network.

        Args:
            opener: gives the network on AUTO, CUDA, MPS or CPU.
            device: which of them to begin with.
        """
        self._opener = opener
        self._batch = _ALL
        self.network = opener(device)
        self._notes = list(self.network.notes)

    def take_notes(self) -> list[str]:
        """Sentences about what was changed since the last time."""
        notes, self._notes = self._notes, []
        return notes

    def warm(self, features: Features) -> None:
        """Run once, so that the first clip does not wait for it; on the CPU if the device turns out not to work.

        Raises:
            RuntimeError: not even the CPU works.
        """
        network = self.network
        conditions = np.zeros((1, network.style_size + len(network.styles)), np.float32)
        try:
            network.stylize(features, conditions)
        except (MemoryError, RuntimeError) as error:
            if network.device == CPU:
                raise
            self._go_to_cpu(f"{network.device} does not work ({first_line(error)})")
            self.network.stylize(features, conditions)

    def stylize(self, features: Features, conditions: Float32) -> Float32:
        """See ``StyleNetwork``; the result does not depend on the batches.

        Raises:
            EngineError: one style at a time on the CPU is still too much.
        """
        if len(conditions) <= self._batch:
            try:
                return self.network.stylize(features, conditions)
            except (MemoryError, RuntimeError) as error:
                self._take_less(len(conditions), error)
        results = np.empty((len(conditions), *features.shape), np.float32)
        done = 0
        while done < len(conditions):
            batch = conditions[done : done + self._batch]
            try:
                results[done : done + len(batch)] = self.network.stylize(features, batch)
            except (MemoryError, RuntimeError) as error:
                self._take_less(len(batch), error)
            else:
                done += len(batch)
        return results

    def style_gaussian(self, features: Features) -> Float32:
        """See ``StyleNetwork`` and :meth:`stylize`."""
        return self._alone(lambda: self.network.style_gaussian(features))

    def reconstruct(self, features: Features) -> Float32:
        """See ``StyleNetwork`` and :meth:`stylize`."""
        return self._alone(lambda: self.network.reconstruct(features))

    def content_code(self, features: Features) -> Float32:
        """See ``StyleNetwork`` and :meth:`stylize`."""
        return self._alone(lambda: self.network.content_code(features))

    def _alone(self, ask: Callable[[], Float32]) -> Float32:
        try:
            return ask()
        except (MemoryError, RuntimeError) as error:
            self._take_less(1, error)
        return ask()

    def _take_less(self, tried: int, error: MemoryError | RuntimeError) -> None:
        """Fewer styles at once, or the CPU; any other error is raised again."""
        if not is_out_of_memory(error):
            raise error
        if tried > 1:
            self._batch = tried // 2
            self._notes.append(
                f"{self.network.device} had too little memory for {tried} styles at once: {self._batch} at a time now."
            )
        elif self.network.device != CPU:
            self._go_to_cpu(f"{self.network.device} had too little memory for this clip")
        else:
            raise EngineError("There is too little memory for this clip: close other programs or use fewer frames.")

    def _go_to_cpu(self, reason: str) -> None:
        self.network = self._opener(CPU)
        self._batch = _ALL
        self._notes += [f"{reason}: the CPU is used instead, which takes longer.", *self.network.notes]


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error of any library says that memory is used up."""
    return isinstance(error, MemoryError) or any(sign in str(error).lower() for sign in _SIGNS)


def first_line(error: BaseException) -> str:
    """The part of an error that fits into a sentence."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
