# SPDX-License-Identifier: GPL-3.0-or-later
"""Stylization on torch: arrays in, arrays out."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from .bundle import Bundle
from .config import STRIDE
from .manifest import FULL_PRECISION
from .stylization import StylizationNetwork

SHORTEST: Final = 8
"""Frames below which there is no motion to speak of."""

Float32 = NDArray[np.float32]


class TorchNetwork:
    """A trained stylizer on torch, as core's port wants it: one window, no randomness.

    Attributes:
        styles: label names, in one-hot order.
        fps: frames per second of all features.
        layout_signature: names the feature layout, to be compared with the encoder's.
        style_size: dimensions of a style code.
        software: what computes, with its version, and where.
        tempo: (S + L,) weights of a condition's pace; None if the bundle does not know them.
        content_range: where the content codes of training lie; None if the bundle does not know it.

    """

    def __init__(self, bundle: Bundle, device: str | None = None, threads: int = 2) -> None:
        """Build the networks of a checked bundle.

        Args:
            bundle: weights.
            device: "cpu", "cuda" or "mps"; None takes CUDA if there is one, else the CPU.
            threads: used during a call and restored after it.

        """
        self.styles = bundle.info.styles
        self.fps = bundle.info.fps
        self.layout_signature = bundle.layout_signature
        self.style_size = bundle.config.style_channels
        self.tempo = bundle.tempo
        self.content_range = bundle.content_range
        self._device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        self.software = f"torch {torch.__version__}, {self._device.type.upper()}"
        self._threads = threads
        self._network = build_network(bundle).to(self._device)
        self._mean = torch.from_numpy(bundle.mean).to(self._device)[:, None]
        self._std = torch.from_numpy(bundle.std).to(self._device)[:, None]

    def style_gaussian(self, features: NDArray[Any]) -> Float32:
        """Style Gaussian (2, S) of a clip (T, D), T at least 8, not normalised: mean and standard deviation.

        Raises:
            ValueError: it is no such clip.

        """
        clip = self._prepare(features)
        with self._session():
            mean, log_variance = self._network.style(self._network.autoencoder.encode(clip))
        return torch.cat([mean, (0.5 * log_variance).exp()]).cpu().numpy()

    def stylize(self, features: NDArray[Any], conditions: NDArray[Any]) -> Float32:
        """Put a clip into other styles.

        Args:
            features: the clip, (T, D), T at least 8, not normalised.
            conditions: (K, S + L) style code and label one-hot.

        Returns:
            (K, T, D), not normalised. All turn as the clip does and travel as their poses demand.

        Raises:
            ValueError: arrays that are no clip or no conditions.

        """
        clip, given = self._prepare(features), self._checked(conditions)
        with self._session():
            content = self._network.content(self._network.autoencoder.encode(clip)).expand(len(given), -1, -1)
            style, label = given[:, : self.style_size], given[:, self.style_size :]
            decoded = self._network.autoencoder.decode(self._network.generator(content, style, label))
            result = self._network.finish(decoded, clip) * self._std + self._mean
        return result[:, :, : len(features)].transpose(1, 2).cpu().numpy()

    def reconstruct(self, features: NDArray[Any]) -> Float32:
        """Send a clip (T, D), as for stylize, through the autoencoder and back; ValueError if it is no clip."""
        clip = self._prepare(features)
        with self._session():
            decoded = self._network.autoencoder.decode(self._network.autoencoder.encode(clip))
            result = decoded * self._std + self._mean
        return result[0, :, : len(features)].T.cpu().numpy()

    def content_code(self, features: NDArray[Any]) -> Float32:
        """What is done in a clip (T, D), as for stylize, (T / 4 rounded up, C); ValueError if it is no clip."""
        clip = self._prepare(features)
        with self._session():
            code = self._network.content(self._network.autoencoder.encode(clip))
        return code[0].T.cpu().numpy()

    def _checked(self, conditions: NDArray[Any]) -> Tensor:
        width = self.style_size + len(self.styles)
        if conditions.ndim != 2 or conditions.shape[1] != width or not np.isfinite(conditions).all():
            raise ValueError(f"Conditions are finite numbers, (styles, {width}), and not {conditions.shape}.")
        return torch.from_numpy(np.array(conditions, dtype=np.float32)).to(self._device)

    def _prepare(self, features: NDArray[Any]) -> Tensor:
        """Normalise a clip and extend it by its last frame to whole latent steps: (1, D, T')."""
        width = self._mean.shape[0]
        if features.ndim != 2 or features.shape[1] != width:
            raise ValueError(f"The clip has shape {features.shape}; features are (frames, {width}).")
        if len(features) < SHORTEST:
            raise ValueError(f"The clip has {len(features)} frames; stylizing needs at least {SHORTEST}.")
        if not np.isfinite(features).all():
            raise ValueError("The clip has values that are not finite.")
        frames = torch.from_numpy(np.array(features.T, dtype=np.float32)).to(self._device)
        return functional.pad(((frames - self._mean) / self._std)[None], (0, -len(features) % STRIDE), mode="replicate")

    @contextmanager
    def _session(self) -> Generator[None]:
        """No gradients, and this engine's number of threads for the time being."""
        before = torch.get_num_threads()
        torch.set_num_threads(self._threads)
        try:
            with torch.inference_mode():
                yield
        finally:
            torch.set_num_threads(before)


def build_network(bundle: Bundle) -> StylizationNetwork:
    """Network with a bundle's weights, ready for inference, on the CPU."""
    network = StylizationNetwork(bundle.config)
    weights = {
        name: torch.from_numpy(np.array(array)) for name, array in bundle.tensors.items() if name not in FULL_PRECISION
    }
    network.load_state_dict(weights, strict=True)
    return network.eval()
