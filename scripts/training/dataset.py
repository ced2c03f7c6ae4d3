# SPDX-License-Identifier: GPL-3.0-or-later
"""The prepared dataset, and its frames as normalised tensors."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.layout import FeatureLayout

Ints = NDArray[np.int64]
Floats = NDArray[np.float32]

SHORTEST_TAKE: Final = 32
"""Frames; shorter takes are left out of training."""

UNLABELLED: Final = -1
"""Style or content of a take of which nobody said what it is."""

_SMALLEST_SCALE: Final = 1e-3


class DatasetError(ValueError):
    """The dataset cannot be used; the message says how to make it anew."""


class Split(IntEnum):
    """Part of the dataset that a take belongs to."""

    TRAIN = 0
    VALIDATION = 1
    TEST = 2


@dataclass(frozen=True)
class MotionDataset:
    """Takes of one skeleton, end to end.

    Attributes:
        features: (N, D), not normalised.
        starts: first row of each take, (K,).
        lengths: rows of each take, (K,).
        content: action of each take, (K,), index into content_names, or UNLABELLED.
        style: style of each take, (K,), index into style_names, or UNLABELLED.
        split: Split of each take, (K,).
        takes: name of each take, (K,).
        offsets: bone offsets in metres, (J, 3).
        parents: parent of each joint, (J,), negative for the root.
        info: fps, licence, source, split_seed.
    """

    features: Floats
    starts: Ints
    lengths: Ints
    content: Ints
    style: Ints
    split: Ints
    takes: tuple[str, ...]
    content_names: tuple[str, ...]
    style_names: tuple[str, ...]
    layout: FeatureLayout
    offsets: Floats
    parents: tuple[int, ...]
    info: dict[str, Any]

    def take(self, index: int) -> Floats:
        """Features of one take, (T, D)."""
        return self.features[self.starts[index] : self.starts[index] + self.lengths[index]]

    def indices(self, split: Split) -> Ints:
        """Takes of one split that are long enough to be used."""
        return np.flatnonzero((self.split == split) & (self.lengths >= SHORTEST_TAKE))


def load_dataset(path: Path) -> MotionDataset:
    """Read what scripts.prepare_data wrote; DatasetError if it is missing or not whole."""
    try:
        with np.load(path, allow_pickle=False) as file:
            data = {name: np.asarray(file[name]) for name in file.files}
        numbers = {name: data[name].astype(np.int64) for name in ("starts", "lengths", "content", "style", "split")}
        texts = {name: tuple(map(str, data[name])) for name in ("takes", "content_names", "style_names")}
        dataset = MotionDataset(
            features=data["features"].astype(np.float32, copy=False),
            starts=numbers["starts"],
            lengths=numbers["lengths"],
            content=numbers["content"],
            style=numbers["style"],
            split=numbers["split"],
            takes=texts["takes"],
            content_names=texts["content_names"],
            style_names=texts["style_names"],
            layout=FeatureLayout.parse(json.loads(str(data["layout"]))),
            offsets=data["offsets"].astype(np.float32),
            parents=tuple(int(parent) for parent in data["parents"]),
            info=json.loads(str(data["info"])),
        )
    except (OSError, KeyError, ValueError) as error:
        raise DatasetError(f"{path} is no dataset ({error}); make it with: python -m scripts.prepare_data") from error
    if dataset.features.shape[1] != dataset.layout.width or not np.isfinite(dataset.features).all():
        raise DatasetError(f"{path} contradicts itself; make it anew with: python -m scripts.prepare_data")
    return dataset


@dataclass(frozen=True)
class Normalization:
    """Mean and scale per feature column, (D,). The scale is shared within a block, so that quiet joints stay quiet."""

    mean: Floats
    std: Floats


def fit_normalization(dataset: MotionDataset) -> Normalization:
    """Statistics of the training takes (GenMoStyle, appendix: standard deviations averaged inside each block)."""
    rows = np.concatenate([dataset.take(int(index)) for index in dataset.indices(Split.TRAIN)])
    std = rows.std(axis=0, dtype=np.float64)
    for name, _ in dataset.layout.fields:
        block = dataset.layout.slice(name)
        std[block] = max(float(std[block].mean()), _SMALLEST_SCALE)
    return Normalization(rows.mean(axis=0, dtype=np.float64).astype(np.float32), std.astype(np.float32))


class FrameBank:
    """All frames of a dataset, normalised, on the device."""

    def __init__(self, dataset: MotionDataset, normalization: Normalization, device: torch.device) -> None:
        """Normalise everything once."""
        self._frames = torch.from_numpy((dataset.features - normalization.mean) / normalization.std).to(device)
        self._starts = dataset.starts
        self._lengths = dataset.lengths

    def crop(self, takes: Ints, offsets: Ints, frames: int) -> Tensor:
        """Cut the frames from each offset on out of each take: (B, D, frames). The last frame of a take is held."""
        rows = self._starts[takes][:, None] + np.minimum(
            offsets[:, None] + np.arange(frames), self._lengths[takes][:, None] - 1
        )
        return self._frames[torch.from_numpy(rows).to(self._frames.device)].transpose(1, 2)

    def whole(self, take: int, multiple: int = 1) -> Tensor:
        """One take from its start, cut to a multiple of frames: (1, D, T)."""
        frames = int(self._lengths[take]) // multiple * multiple
        return self.crop(np.array([take]), np.array([0]), frames)
