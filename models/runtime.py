# SPDX-License-Identifier: GPL-3.0-or-later
"""Stylization on torch: arrays in, arrays out, an explicit seed."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from .bundle import Bundle, read_bundle
from .config import STRIDE
from .manifest import MEAN, STD
from .stylization import StyleCue, StylizationNetwork

SHORTEST: Final = 8
"""Frames below which there is no motion to speak of."""

Float32 = NDArray[np.float32]


class TorchEngine:
    """A trained stylizer on CUDA if there is one, else on the CPU.

    Attributes:
        styles: label names.
        fps: frames per second of all features.
        layout_signature: names the feature layout, to be compared with the encoder's.

    """

    def __init__(self, bundle: Bundle, device: str | None = None, threads: int = 2) -> None:
        """Build the networks of a checked bundle; threads are used during a call and restored after it."""
        self.styles = bundle.info.styles
        self.fps = bundle.info.fps
        self.layout_signature = bundle.layout_signature
        self._device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        self._threads = threads
        self._network = build_network(bundle).to(self._device)
        self._mean = torch.from_numpy(bundle.mean).to(self._device)[:, None]
        self._std = torch.from_numpy(bundle.std).to(self._device)[:, None]

    @classmethod
    def from_file(cls, path: str | Path, expected_signature: str | None = None) -> TorchEngine:
        """Read a bundle and build its networks; BundleError if the file cannot be used."""
        return cls(read_bundle(Path(path), expected_signature))

    def stylize(
        self, features: NDArray[Any], *, source: str, style: str | None, reference: NDArray[Any] | None, seed: int
    ) -> tuple[Float32, Float32]:
        """Put a clip into another style.

        Args:
            features: the clip, (T, D), T at least 8, not normalised.
            source: "LABEL" (needs style), "REFERENCE" (needs reference) or "RANDOM".
            style: one of self.styles.
            reference: a clip in the wanted style, (Tr, D), Tr at least 8.
            seed: of the numpy generator that all randomness comes from, at least 0.

        Returns:
            The model's reconstruction of the clip in its own style, and the stylised clip; (T, D) each, not
            normalised. Both turn as the clip does and travel as their poses demand.

        Raises:
            ValueError: unknown source or style, or arrays that are not clips.

        """
        clip = self._prepare(features, "clip")
        other = None if reference is None else self._prepare(reference, "reference")
        with self._session():
            latent = self._network.autoencoder.encode(clip)
            cue = self._cue(source, style, other, seed)
            own = self._network.own_cue(latent)
            cues = StyleCue(torch.cat([own.style, cue.style]), torch.cat([own.label, cue.label]))
            content = self._network.content(latent).expand(2, -1, -1)
            decoded = self._network.autoencoder.decode(self._network.generator(content, cues.style, cues.label))
            result = self._network.finish(decoded, clip) * self._std + self._mean
        reconstruction, stylized = result[:, :, : len(features)].transpose(1, 2).cpu().numpy()
        return reconstruction, stylized

    def reconstruct(self, features: NDArray[Any]) -> Float32:
        """Send a clip (T, D), as for stylize, through the autoencoder and back; ValueError if it is no clip."""
        clip = self._prepare(features, "clip")
        with self._session():
            decoded = self._network.autoencoder.decode(self._network.autoencoder.encode(clip))
            result = decoded * self._std + self._mean
        return result[0, :, : len(features)].T.cpu().numpy()

    def _cue(self, source: str, style: str | None, reference: Tensor | None, seed: int) -> StyleCue:
        if source == "REFERENCE":
            if reference is None:
                raise ValueError("REFERENCE needs a reference motion.")
            return self._network.own_cue(self._network.autoencoder.encode(reference))
        if source not in ("LABEL", "RANDOM"):
            raise ValueError(f"Unknown style source {source}; it is LABEL, REFERENCE or RANDOM.")
        # Order matters: every engine draws the label first (RANDOM only), then the style vector.
        draw = np.random.default_rng(seed)
        label = int(draw.integers(len(self.styles))) if source == "RANDOM" else self._label(style)
        vector = draw.standard_normal(self._network.config.style_channels).astype(np.float32)
        one_hot = functional.one_hot(torch.tensor([label]), len(self.styles)).float()
        return StyleCue(torch.from_numpy(vector)[None].to(self._device), one_hot.to(self._device))

    def _label(self, style: str | None) -> int:
        if style not in self.styles:
            raise ValueError(f"Unknown style {style}; choose one of {', '.join(self.styles)}.")
        return self.styles.index(style)

    def _prepare(self, features: NDArray[Any], what: str) -> Tensor:
        """Normalise a clip and extend it by its last frame to whole latent steps: (1, D, T')."""
        width = self._mean.shape[0]
        if features.ndim != 2 or features.shape[1] != width:
            raise ValueError(f"The {what} has shape {features.shape}; features are (frames, {width}).")
        if len(features) < SHORTEST:
            raise ValueError(f"The {what} has {len(features)} frames; stylizing needs at least {SHORTEST}.")
        if not np.isfinite(features).all():
            raise ValueError(f"The {what} has values that are not finite.")
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
        name: torch.from_numpy(np.array(array)) for name, array in bundle.tensors.items() if name not in (MEAN, STD)
    }
    network.load_state_dict(weights, strict=True)
    return network.eval()
