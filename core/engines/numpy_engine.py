# SPDX-License-Identifier: GPL-3.0-or-later
"""The stylizer's forward pass in plain numpy: Stylize works the moment the zip is installed.

Blender brings numpy but no torch. The networks are a few short convolutions, so this costs little; a test holds it
to the torch engine's numbers. Arrays are (C, T); tensor names and layer order are those of ``models/manifest.py``.
"""

from collections.abc import Generator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..representation import WIDTH, feature_slice
from . import Answer, Features, Float32
from .answers import InPieces, settled
from .weights import Bundle, OfBundle

_SLOPE = 0.2
_NORM_EPSILON = 1e-2
_STRIDE = 4
_PLANAR = feature_slice("root_planar_velocity")
_YAW = feature_slice("root_yaw_velocity")


class NumpyNetwork(OfBundle):
    """A ``StyleNetwork`` without any library but numpy."""

    def __init__(self, bundle: Bundle, in_pieces: bool = False) -> None:
        """Take over the weights.

        Args:
            bundle: the weights.
            in_pieces: answer :meth:`stylize` a piece at a time, for who must draw meanwhile: some builds of numpy
                multiply matrices slowly.

        Raises:
            EngineError: the bundle was trained on other features than this version's.
        """
        super().__init__(bundle)
        self.software = f"numpy {np.__version__}"
        self._in_pieces = in_pieces
        self._last: tuple[Features, Float32, Float32] | None = None
        self._weights = bundle.tensors
        self._mean = bundle.tensors["normalization.mean"][:, None]
        self._std = bundle.tensors["normalization.std"][:, None]

    def style_gaussian(self, features: Features) -> Float32:
        """See :class:`core.engines.StyleNetwork`."""
        x = self._read(features)[1]
        for layer, stride in enumerate((1, 2, 2)):
            x = _activate(self._conv(f"style.layers.{layer}", x, stride))
        mean, log_variance = self._linear("style.head", x.mean(axis=-1)).reshape(2, -1)
        with np.errstate(over="ignore"):
            return np.stack([mean, np.exp(0.5 * log_variance)])

    def stylize(self, features: Features, conditions: Float32) -> Answer:
        """See :class:`core.engines.StyleNetwork`."""
        answer = InPieces(self._stylized(features, conditions))
        return answer if self._in_pieces else settled(answer)

    def _stylized(self, features: Features, conditions: Float32) -> Generator[None, None, Float32]:
        clip, latent = self._read(features)
        yield
        content = self._content(latent)
        results: list[Float32] = []
        for condition in conditions:
            yield
            generated = self._generate(content, condition)
            yield
            decoded = self._decode(generated)
            yield
            results.append(self._finish(decoded, clip))
        return np.stack(results)[:, : len(features)]

    def reconstruct(self, features: Features) -> Features:
        """See :class:`core.engines.StyleNetwork`."""
        decoded = self._decode(self._read(features)[1])
        return (decoded * self._std + self._mean).T[: len(features)]

    def content_code(self, features: Features) -> Float32:
        """See :class:`core.engines.StyleNetwork`."""
        return self._content(self._read(features)[1]).T

    def _read(self, features: Features) -> tuple[Float32, Float32]:
        """The normalised clip and its latent code; kept, because a clip is asked about several times in a row."""
        if self._last is None or not np.array_equal(self._last[0], features):
            clip = self._normalized(features)
            self._last = np.array(features), clip, self._encode(clip)
        return self._last[1:]

    def _normalized(self, features: Features) -> Features:
        """(WIDTH, T') with the last frame repeated up to a whole number of latent steps."""
        clip = (np.asarray(features, dtype=np.float32).T - self._mean) / self._std
        return np.pad(clip, ((0, 0), (0, -clip.shape[1] % _STRIDE)), mode="edge")

    def _encode(self, clip: Features) -> Features:
        x = clip[_columns_without("contacts")]
        for layer, stride in enumerate((2, 2, 1)):
            x = _activate(self._conv(f"autoencoder.encoder.{layer}", x, stride))
        return self._conv("autoencoder.encoder.3", x)

    def _decode(self, latent: Features) -> Features:
        x = latent
        for layer in range(2):
            x = _activate(self._conv(f"autoencoder.decoder.{layer}", x)).repeat(2, axis=-1)
        x = _activate(self._conv("autoencoder.decoder.2", x))
        return self._conv("autoencoder.decoder.3", x)

    def _content(self, latent: Features) -> Features:
        x = _activate(self._conv("content.layers.0", latent))
        return self._conv("content.layers.2", _activate(self._conv("content.layers.1", x)))

    def _generate(self, content: Features, cue: Features) -> Features:
        """AdaIN generator (Guo et al. 2024, section 3.2; Huang and Belongie 2017, equation 8)."""
        x = self._conv("generator.entry", content)
        block = 0
        while f"generator.blocks.{block}.conv.weight" in self._weights:
            name = f"generator.blocks.{block}"
            gamma, beta = np.split(self._linear(f"{name}.affine", cue)[:, None], 2)
            styled = gamma * _instance_norm(_activate(self._conv(f"{name}.conv", x))) + beta
            x = np.asarray(x + styled, dtype=np.float32)
            block += 1
        return self._conv("generator.exit", _activate(self._conv("generator.mix", x)))

    def _finish(self, decoded: Features, clip: Features) -> Features:
        """Keep the clip's turning, predict the planar velocity for the pose, undo the normalisation: (T', WIDTH)."""
        result = decoded.copy()
        result[_YAW] = clip[_YAW]
        x = result[_columns_without("root_planar_velocity", "contacts")]
        for layer in range(3):
            x = _activate(self._conv(f"root.layers.{layer}", x))
        result[_PLANAR] = self._conv("root.layers.3", x)
        return (result * self._std + self._mean).T

    def _conv(self, name: str, x: Features, stride: int = 1) -> Features:
        return _convolve(x, self._weights[f"{name}.weight"], self._weights[f"{name}.bias"], stride)

    def _linear(self, name: str, x: Features) -> Features:
        return self._weights[f"{name}.weight"] @ x + self._weights[f"{name}.bias"]


def _convolve(x: Features, weight: Features, bias: Features, stride: int) -> Features:
    """(C, T) to (O, T / stride), the edge frames repeated."""
    outputs, _, kernel = weight.shape
    pad = (kernel - 1) // 2
    padded = np.pad(x, ((0, 0), (pad, pad)), mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, kernel, axis=1)[:, ::stride]
    # One matrix product over (input channel, tap): (O, C * K) @ (C * K, T').
    columns = windows.transpose(0, 2, 1).reshape(-1, windows.shape[1])
    return np.asarray(weight.reshape(outputs, -1) @ columns + bias[:, None])


def _activate(x: Features) -> Features:
    return np.where(x < 0.0, np.float32(_SLOPE) * x, x)


def _instance_norm(x: Features) -> Features:
    mean, variance = x.mean(axis=-1, keepdims=True), x.var(axis=-1, keepdims=True)
    return np.asarray((x - mean) / np.sqrt(variance + np.float32(_NORM_EPSILON)))


def _columns_without(*names: str) -> NDArray[Any]:
    hidden = np.concatenate([np.arange(WIDTH)[feature_slice(name)] for name in names])
    return np.setdiff1d(np.arange(WIDTH), hidden)
