# SPDX-License-Identifier: GPL-3.0-or-later
"""What engines that compute in this process read off a weight bundle, whoever read it from a file."""

from collections.abc import Mapping
from typing import Protocol

from ..errors import EngineError
from ..representation import SIGNATURE
from . import ContentRange, Features


class BundleInfo(Protocol):
    """The part of a bundle's description that the engine reads."""

    @property
    def fps(self) -> float:
        """Frames per second of the features."""
        ...

    @property
    def styles(self) -> tuple[str, ...]:
        """Style labels in one-hot order."""
        ...


class Bundle(Protocol):
    """A checked weight bundle, wherever it was read from."""

    @property
    def info(self) -> BundleInfo:
        """Description."""
        ...

    @property
    def layout_signature(self) -> str:
        """Feature layout of the training."""
        ...

    @property
    def content_range(self) -> ContentRange | None:
        """Where the content codes of training lie; None if it does not know."""
        ...

    @property
    def tensors(self) -> Mapping[str, Features]:
        """Weights by name."""
        ...


class OfBundle:
    """What a :class:`core.engines.StyleNetwork` says of itself, from its bundle."""

    def __init__(self, bundle: Bundle) -> None:
        """Look at the bundle.

        Raises:
            EngineError: it was trained on other features than this version's.
        """
        if bundle.layout_signature != SIGNATURE:
            raise EngineError("The weight file expects other motion features: install the one of this version.")
        self.styles = bundle.info.styles
        self.fps = bundle.info.fps
        self.layout_signature = bundle.layout_signature
        self.style_size = len(bundle.tensors["style.head.bias"]) // 2
        self.tempo = bundle.tensors.get("tempo")
        self.content_range = bundle.content_range
