# SPDX-License-Identifier: GPL-3.0-or-later
"""Actions and styles for takes that nobody labelled, found in the motion itself (unsupervised training).

Takes are cut into pieces of a few seconds. Pieces that move alike are one action; what then sets a recording's pieces
apart from the others of their actions is its style, and recordings that are apart in the same way share one. The names
are numbers, and no user ever sees them: the generator is given no label, only style codes.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from .dataset import UNLABELLED, Floats, Ints, MotionDataset, Split, fit_normalization
from .settings import Discovery
from .statistics import describe

_ROUNDS = 50
_TRIES = 4
# Directions of description space in which pieces are compared.
_DIRECTIONS = 24


def discovered(pieces: MotionDataset, discovery: Discovery, seed: int) -> MotionDataset:
    """A dataset of :func:`in_pieces` with found actions and styles in the place of the labels.

    Only training pieces are looked at; the others get the labels of the nearest.
    """
    rng = np.random.default_rng([seed, 0xD15C])
    described = _described(pieces)
    train = np.isin(np.arange(len(pieces.takes)), pieces.indices(Split.TRAIN))
    action = _clusters(_principal(described, train), train, discovery.actions, rng)
    rest = described - _group_means(described, action, train)
    recording = np.unique(pieces.takes, return_inverse=True)[1].astype(np.int64)
    by_recording = _group_means(rest, recording, np.ones_like(train))
    style = _clusters(_principal(by_recording, train), train, discovery.styles, rng)
    return replace(
        pieces,
        content=action,
        style=style,
        content_names=tuple(f"action {number}" for number in range(discovery.actions)),
        style_names=tuple(f"style {number}" for number in range(discovery.styles)),
    )


def in_pieces(dataset: MotionDataset, frames: int) -> MotionDataset:
    """The same takes, those longer than ``frames`` cut evenly; pieces keep their take's name."""
    counts = np.maximum(np.ceil(dataset.lengths / frames).astype(np.int64), 1)
    owner = np.repeat(np.arange(len(counts)), counts)
    number = np.concatenate([np.arange(count) for count in counts])
    edges = [dataset.lengths[owner] * (number + step) // counts[owner] for step in (0, 1)]
    return replace(
        dataset,
        starts=dataset.starts[owner] + edges[0],
        lengths=edges[1] - edges[0],
        content=dataset.content[owner],
        style=dataset.style[owner],
        split=dataset.split[owner],
        takes=tuple(dataset.takes[take] for take in owner),
    )


def _described(dataset: MotionDataset) -> Floats:
    """(K, 2D) description of every piece."""
    scale = fit_normalization(dataset)
    clips = ((dataset.take(take) - scale.mean) / scale.std for take in range(len(dataset.takes)))
    return np.concatenate([describe(torch.from_numpy(clip.T[None])).numpy() for clip in clips])


def _principal(values: Floats, train: NDArray[np.bool_]) -> Floats:
    """(K, P) along the main directions of the training pieces (principal components)."""
    centred = values - values[train].mean(axis=0)
    directions = np.linalg.svd(centred[train], full_matrices=False)[2][:_DIRECTIONS]
    return centred @ directions.T


def _group_means(values: Floats, group: Ints, counted: NDArray[np.bool_]) -> Floats:
    """(K, F) for each row the mean of the counted rows of its group; 0 for a group without any."""
    sums = np.zeros((int(group.max()) + 1, values.shape[1]))
    np.add.at(sums, group[counted], values[counted])
    counts = np.bincount(group[counted], minlength=len(sums))
    return (sums / np.maximum(counts, 1)[:, None])[group].astype(np.float32)


def _clusters(values: Floats, train: NDArray[np.bool_], count: int, rng: np.random.Generator) -> Ints:
    """(K,) numbers of the groups that k-means finds in the training rows, the best of some tries."""
    best, label = np.inf, np.full(len(values), UNLABELLED, dtype=np.int64)
    for _ in range(_TRIES):
        centres = _spread_out(values[train], count, rng)
        for _ in range(_ROUNDS):
            nearest = _distances(values[train], centres).argmin(axis=1)
            moved = np.array([values[train][nearest == k].mean(axis=0) if (nearest == k).any() else centres[k]
                              for k in range(count)])  # fmt: skip
            if np.allclose(moved, centres):
                break
            centres = moved
        total = float(_distances(values[train], centres).min(axis=1).sum())
        if total < best:
            best, label = total, _distances(values, centres).argmin(axis=1)
    return label


def _spread_out(values: Floats, count: int, rng: np.random.Generator) -> Floats:
    """First centres, each far from the ones before (k-means++, Arthur and Vassilvitskii 2007)."""
    centres = values[rng.integers(len(values))][None]
    while len(centres) < count:
        distance = _distances(values, centres).min(axis=1)
        chosen = rng.choice(len(values), p=distance / distance.sum())
        centres = np.concatenate([centres, values[chosen][None]])
    return centres


def _distances(values: Floats, centres: Floats) -> Floats:
    """Squared distances, (K, centres)."""
    return ((values[:, None] - centres[None]) ** 2).sum(axis=-1)
