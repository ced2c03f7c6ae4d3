# SPDX-License-Identifier: GPL-3.0-or-later
"""A weight bundle: all tensors of a trained stylizer and everything needed to use them, in one safetensors file.

Standard library and numpy only. Whoever builds a network from a bundle may rely on all names, shapes and values being
right, since reading checks them first.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Final, cast

import numpy as np
from numpy.typing import NDArray

from .config import NetworkConfig
from .manifest import (
    FULL_PRECISION,
    MEAN,
    RANGE_BEND,
    RANGE_DISTANCE,
    RANGE_MEAN,
    RANGE_WHITENING,
    STD,
    TEMPO,
    optional_groups,
    tensor_shapes,
)
from .tensorfile import TensorFileError, read_metadata, read_tensors, save_tensors

FORMAT_VERSION: Final = "panache-stylizer-1"
"""Changes whenever an older reader would get a newer file wrong."""

Float32 = NDArray[np.float32]


class BundleError(ValueError):
    """A weight file cannot be used; the message is one sentence that says what to do."""


@dataclass(frozen=True)
class BundleInfo:
    """What a bundle says about itself.

    Attributes:
        fps: frames per second that the networks were trained at.
        styles: label names, in one-hot order; none where styles come from references and by chance alone.
        contents: names of the actions that training saw.
        training_data: names of the data sets.
        licence: licence of the weights, in words.
        split_seed: seed that parted the takes into training, validation and test.
        held_out_takes: names of the takes that training never saw.
        git_revision: revision of the trainer.
        trainer: the trainer's settings, as JSON.
    """

    fps: float
    styles: tuple[str, ...]
    contents: tuple[str, ...]
    training_data: tuple[str, ...]
    licence: str
    split_seed: int
    held_out_takes: tuple[str, ...]
    git_revision: str
    trainer: str


@dataclass(frozen=True)
class FadeBounds:
    """Between which values the networks begin to guess, rising from above 0.

    Attributes:
        bend: mean angle over the joints, in degrees, by which the autoencoder bends a frame.
        distance: of its content code, whose root mean square over training is 1.
    """

    bend: tuple[float, float]
    distance: tuple[float, float]


@dataclass(frozen=True)
class ContentRange:
    """Where the content codes of training lie: ``whitening @ (code - mean)`` has mean 0 and covariance 1 there.

    Attributes:
        mean: (C,).
        whitening: (C, C).
        bounds: from where on these networks guess; None in bundles that do not say it.
    """

    mean: Float32
    whitening: Float32
    bounds: FadeBounds | None = None


@dataclass(frozen=True)
class Bundle:
    """A checked bundle: sizes, description, and tensors by the names of the manifest."""

    config: NetworkConfig
    info: BundleInfo
    tensors: Mapping[str, Float32]

    @property
    def layout_signature(self) -> str:
        """Text that names the feature layout; compare it with the encoder's."""
        return self.config.layout.signature

    @property
    def mean(self) -> Float32:
        """Mean of every feature column, (D,)."""
        return self.tensors[MEAN]

    @property
    def std(self) -> Float32:
        """Scale of every feature column, (D,), positive."""
        return self.tensors[STD]

    @property
    def tempo(self) -> Float32 | None:
        """(S + L,) or (2, S + L) weights of a condition's pace, see the manifest; None in bundles without them."""
        return self.tensors.get(TEMPO)

    @property
    def content_range(self) -> ContentRange | None:
        """Where the content codes of training lie; None in bundles that do not know it."""
        if RANGE_MEAN not in self.tensors:
            return None
        return ContentRange(self.tensors[RANGE_MEAN], self.tensors[RANGE_WHITENING], self._bounds())

    def _bounds(self) -> FadeBounds | None:
        if RANGE_BEND not in self.tensors:
            return None
        bend, distance = (self.tensors[name].tolist() for name in (RANGE_BEND, RANGE_DISTANCE))
        return FadeBounds((bend[0], bend[1]), (distance[0], distance[1]))


def write_bundle(path: Path, bundle: Bundle) -> None:
    """Write with network weights in half precision; BundleError for what could not be read again."""
    _check_tensors(path, bundle.config, bundle.tensors)
    # What is no network's stays in full precision: it costs nothing and spares every frame a rounding error.
    with np.errstate(over="ignore"):  # what overflows is reported below, by name
        tensors = {
            name: array.astype(np.float32 if name in FULL_PRECISION else np.float16)
            for name, array in bundle.tensors.items()
        }
    _check_finite(path, tensors)
    metadata = {
        "format_version": FORMAT_VERSION,
        "network": bundle.config.to_json(),
        "layout_signature": bundle.layout_signature,
        **{name: json.dumps(value) for name, value in asdict(bundle.info).items()},
    }
    save_tensors(path, tensors, metadata)


def read_bundle(path: Path, expected_signature: str | None = None) -> Bundle:
    """Read and check a bundle; float32 tensors.

    Args:
        path: the weight file.
        expected_signature: layout signature of the encoder that will feed the networks; None accepts any.

    Raises:
        BundleError: missing or truncated file, other format version, other layout, missing, unexpected or misshapen
            tensors, values that are not finite. Nothing is built before all of this is known.

    """
    with _explained(path):
        stored, metadata = read_tensors(path.read_bytes())
    _check_version(path, metadata)
    config, info = _parse(path, metadata)
    if expected_signature is not None and config.layout.signature != expected_signature:
        raise BundleError(f"The weights in {path.name} expect other motion features; use the file of this version.")
    tensors = {name: array.astype(np.float32) for name, array in stored.items()}
    _check_tensors(path, config, tensors)
    return Bundle(config, info, tensors)


def read_info(path: Path) -> BundleInfo:
    """What a bundle says of itself, without its tensors; BundleError if it says nothing that is understood."""
    with _explained(path):
        metadata = read_metadata(path)
    _check_version(path, metadata)
    return _parse(path, metadata)[1]


@contextmanager
def _explained(path: Path) -> Generator[None]:
    """Turn what is wrong with a file into a sentence."""
    try:
        yield
    except OSError as error:
        raise BundleError(f"The weight file {path} cannot be read ({error.strerror}); reinstall Panache.") from error
    except TensorFileError as error:
        raise BundleError(f"The weight file {path.name} {error}; copy it again or reinstall Panache.") from error


def _check_version(path: Path, metadata: Mapping[str, str]) -> None:
    version = metadata.get("format_version")
    if version is None:
        raise BundleError(f"{path.name} holds no Panache weights; choose a file that Panache's trainer wrote.")
    if version != FORMAT_VERSION:
        raise BundleError(
            f"The weight file {path.name} has format {version} but this version of Panache reads {FORMAT_VERSION}; "
            "update Panache or use the file that came with it."
        )


def _parse(path: Path, metadata: Mapping[str, str]) -> tuple[NetworkConfig, BundleInfo]:
    try:
        config = NetworkConfig.from_json(metadata["network"])
        info = _parse_info({field.name: json.loads(metadata[field.name]) for field in fields(BundleInfo)})
    except (KeyError, ValueError, TypeError) as error:
        raise BundleError(f"The description inside {path.name} is damaged ({error}); reinstall Panache.") from error
    if config.layout.signature != metadata.get("layout_signature") or config.style_count != len(info.styles):
        raise BundleError(f"The description inside {path.name} contradicts itself; reinstall Panache.")
    return config, info


def _parse_info(values: dict[str, Any]) -> BundleInfo:
    info = BundleInfo(
        fps=float(values["fps"]),
        styles=_texts(values["styles"]),
        contents=_texts(values["contents"]),
        training_data=_texts(values["training_data"]),
        licence=str(values["licence"]),
        split_seed=int(values["split_seed"]),
        held_out_takes=_texts(values["held_out_takes"]),
        git_revision=str(values["git_revision"]),
        trainer=str(values["trainer"]),
    )
    if not (np.isfinite(info.fps) and info.fps > 0) or len(set(info.styles)) != len(info.styles):
        raise ValueError("frame rate or style names")
    return info


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in cast("list[Any]", value)):
        raise ValueError("a list of names was expected")
    return tuple(cast("list[str]", value))


def _check_tensors(path: Path, config: NetworkConfig, tensors: Mapping[str, NDArray[Any]]) -> None:
    expected = tensor_shapes(config)
    for group in optional_groups(config):
        given = group.keys() & tensors.keys()
        if given and (not given <= expected.keys() or all(tensors[name].shape == group[name] for name in given)):
            expected |= group
    missing, unexpected = sorted(set(expected) - set(tensors)), sorted(set(tensors) - set(expected))
    if missing or unexpected:
        names = ", ".join([f"missing {name}" for name in missing] + [f"unexpected {name}" for name in unexpected])
        raise BundleError(f"The tensors in {path.name} are not this network's ({names}); reinstall Panache.")
    for name, shape in expected.items():
        if tensors[name].shape != shape:
            raise BundleError(
                f"{name} in {path.name} has shape {tensors[name].shape} instead of {shape}; reinstall Panache."
            )
    _check_finite(path, tensors)
    if not (tensors[STD] > 0).all():
        raise BundleError(f"The scales in {path.name} are not all positive; reinstall Panache.")
    for name in {RANGE_BEND, RANGE_DISTANCE} & tensors.keys():
        if not 0.0 < tensors[name][0] < tensors[name][1]:
            raise BundleError(f"{name} in {path.name} does not rise from above 0; reinstall Panache or train again.")


def _check_finite(path: Path, tensors: Mapping[str, NDArray[Any]]) -> None:
    for name, array in tensors.items():
        if not np.isfinite(array).all():
            raise BundleError(f"{name} in {path.name} is not finite everywhere; reinstall Panache or train again.")
