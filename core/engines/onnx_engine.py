# SPDX-License-Identifier: GPL-3.0-or-later
"""The stylizer on onnxruntime, where the extension brings it: the numbers of the numpy engine in half the time.

The graphs (``scripts/export_onnx.py``) hold no weights; the runtime gets those of the bundle, so both cannot disagree.
"""

from __future__ import annotations

import json
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import EngineError
from . import Features, Float32
from .weights import Bundle, OfBundle

# From 1.29 on, official builds report to their maker over the network unless the process forbids it before they load.
_OLDEST, _TOO_NEW = (1, 18), (1, 29)
# Two halve the wait of a dozen milliseconds; always two, so that the same run gives the same bits on every machine.
_THREADS = 2
_STRIDE = 4
_WEIGHTS = {
    "encode": ("autoencoder.encoder.",),
    "style_gaussian": ("style.",),
    "stylize": ("content.", "generator.", "autoencoder.decoder.", "root."),
    "reconstruct": ("autoencoder.decoder.",),
    "content_code": ("content.",),
}
"""Which tensors each graph is made of, by the beginnings of their names."""

# onnxruntime has no annotations, and is imported where it is needed only.
Runtime = Any
Session = Any


class OnnxNetwork(OfBundle):
    """A ``StyleNetwork`` on onnxruntime's CPU provider."""

    def __init__(self, folder: Path, bundle: Bundle) -> None:
        """Load all graphs, so that whoever asks knows at once whether this network can be used.

        Args:
            folder: holds an ``.onnx`` file for each of ``_WEIGHTS``.
            bundle: the weights.

        Raises:
            EngineError: no usable onnxruntime, or graphs for other weights; one sentence that says which.
        """
        super().__init__(bundle)
        self._bundle = bundle
        self._mean = bundle.tensors["normalization.mean"]
        self._std = bundle.tensors["normalization.std"]
        self._last: tuple[Features, Float32, Float32] | None = None
        graphs = {name: _read(folder / f"{name}.onnx") for name in _WEIGHTS}
        runtime = _import_runtime()
        self.software = f"onnxruntime {runtime.__version__}"
        self._sessions = {name: _session(runtime, name, graph, bundle) for name, graph in graphs.items()}

    def style_gaussian(self, features: Features) -> Float32:
        """See :class:`core.engines.StyleNetwork`."""
        return self._run("style_gaussian", latent=self._encoded(features)[1])

    def stylize(self, features: Features, conditions: Float32) -> Float32:
        """See :class:`core.engines.StyleNetwork`."""
        clip, latent = self._encoded(features)
        given = np.asarray(conditions, dtype=np.float32)
        return self._features(self._run("stylize", clip=clip, latent=latent, conditions=given), len(features))

    def reconstruct(self, features: Features) -> Features:
        """See :class:`core.engines.StyleNetwork`."""
        return self._features(self._run("reconstruct", latent=self._encoded(features)[1]), len(features))[0]

    def content_code(self, features: Features) -> Float32:
        """See :class:`core.engines.StyleNetwork`."""
        return self._run("content_code", latent=self._encoded(features)[1])[0].T

    def _encoded(self, features: Features) -> tuple[Float32, Float32]:
        """The normalised clip and its latent code; kept, because a clip is asked about several times in a row."""
        if self._last is None or not np.array_equal(self._last[0], features):
            clip = self._normalized(features)
            self._last = np.array(features), clip, self._run("encode", clip=clip)
        return self._last[1:]

    def _normalized(self, features: Features) -> Float32:
        """(1, WIDTH, T') with the last frame repeated up to a whole number of latent steps."""
        clip = ((np.asarray(features, dtype=np.float32) - self._mean) / self._std).T
        return np.pad(clip, ((0, 0), (0, -clip.shape[1] % _STRIDE)), mode="edge")[None]

    def _features(self, result: Float32, frames: int) -> Float32:
        """(K, WIDTH, T') of the network to (K, T, WIDTH)."""
        return result.transpose(0, 2, 1)[:, :frames] * self._std + self._mean

    def _run(self, name: str, **inputs: Float32) -> Float32:
        try:
            return self._sessions[name].run(["result"], inputs)[0]
        # onnxruntime's own exceptions have no common base but this one.
        except Exception as error:  # noqa: BLE001
            raise EngineError(f"onnxruntime could not compute ({_first_line(error)}): restart Blender.") from error


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise EngineError("This zip of Panache comes without onnxruntime: get the one for your platform.") from error
    except OSError as error:
        raise EngineError(f"{path.name} cannot be read ({error.strerror}): reinstall Panache.") from error


def _import_runtime() -> Runtime:
    """The module onnxruntime, if it is one that may be used.

    Raises:
        EngineError: it is missing, of an untried version, or does not start.
    """
    try:
        version = metadata.version("onnxruntime")
    except metadata.PackageNotFoundError as error:
        python = "{}.{}".format(*sys.version_info)
        raise EngineError(
            f"Panache brings no onnxruntime for this Blender's Python {python}: use an official Blender to have it."
        ) from error
    if not _OLDEST <= _number(version) < _TOO_NEW:
        raise EngineError(
            f"Another extension brought onnxruntime {version}, which Panache does not use: remove it to have Panache's."
        )
    try:
        import onnxruntime

        # Windows builds offer their events to the system's event tracing, where nobody asked for them.
        onnxruntime.disable_telemetry_events()
    # What a library for another system or Python raises while it loads is anybody's guess; numpy goes on without it.
    except Exception as error:  # noqa: BLE001
        raise EngineError(f"onnxruntime {version} does not start here ({_first_line(error)}).") from error
    return onnxruntime


def _session(runtime: Runtime, name: str, graph: bytes, bundle: Bundle) -> Session:
    """A graph with its weights.

    Raises:
        EngineError: it cannot be loaded, or was made for other features or other network sizes.
    """
    weights = {key: bundle.tensors[key] for key in sorted(bundle.tensors) if key.startswith(_WEIGHTS[name])}
    try:
        session = _load(runtime, graph, weights)
        described = session.get_modelmeta().custom_metadata_map
    except Exception as error:  # noqa: BLE001
        raise EngineError(
            f"{name}.onnx does not fit the weight file or this onnxruntime ({_first_line(error)}): reinstall Panache."
        ) from error
    sizes = {key: list(weight.shape) for key, weight in weights.items()}
    expected = {"layout_signature": bundle.layout_signature, "tensors": json.dumps(sizes)}
    if described != expected:
        raise EngineError(f"{name}.onnx was made for another weight file: reinstall Panache.")
    return session


def _load(runtime: Runtime, graph: bytes, weights: dict[str, Float32]) -> Session:
    """A session on the CPU that leaves the processor to Blender when it has nothing to do."""
    options = runtime.SessionOptions()
    options.intra_op_num_threads = _THREADS
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3  # errors only: a user can do nothing about the rest
    values = [runtime.OrtValue.ortvalue_from_numpy(np.ascontiguousarray(weight)) for weight in weights.values()]
    options.add_external_initializers(list(weights), values)
    return runtime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def _number(version: str) -> tuple[int, int]:
    """Major and minor; zeros for what is no version."""
    parts = version.split(".")
    return (int(parts[0]), int(parts[1])) if len(parts) > 1 and all(part.isdigit() for part in parts[:2]) else (0, 0)


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
