# SPDX-License-Identifier: GPL-3.0-or-later
"""From where on a set of weights guesses: the bounds between which its style fades out, see ``core/out_of_range.py``.

They are read off what the weights themselves make of two kinds of clips. Clips that nobody performs, small random
swings of all joints, are to lose their style: half of their frames exceed the upper bound. Takes of training's kind,
which training did not see, are to keep theirs: 97 of 100 of their frames lie below the lower bound, which pushes both
up where a model cannot tell the two kinds apart. Why no more: of takes as different as those of a motion library, some
are as far from all others as nonsense is. The ratio of the bounds is the one that had been chosen by eye, for degrees
and for distances, before there was a rule.

For the first weights, of seven styles, this gives 18.5 to 29.6 degrees and distances of 2.4 to 3.9, and no take loses
what matters (0.02 % in all). Weights that know CMU's motion library, too, take 15 to 24 degrees and 1.7 to 2.7: takes
lose 3 % of their style, swings all of it, of which bounds of 2.5 to 4 would have left a tenth.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

import numpy as np

from core.canonical import to_canonical
from core.engines import Features
from core.engines.engine import StyleEngine
from core.kinematics import to_global
from core.motion import Motion
from core.out_of_range import without_glitches, witnesses_steps
from core.representation import FPS, encode
from core.rotations import Array, from_rotation_vector
from core.skeleton import CANONICAL, JOINT_COUNT
from core.steps import finish
from models.bundle import Bundle, FadeBounds
from models.manifest import RANGE_BEND, RANGE_DISTANCE
from models.runtime import TorchNetwork

from .dataset import MotionDataset, Split

SMALL: Final = 0.3
"""Radians: the smallest swings of all joints that nobody performs."""

_FRAMES: Final = 300
_SWINGS: Final = 8
_KEPT: Final = 0.97
_RATIO: Final = 1.6
# So many takes stand for all of them.
_TAKES: Final = 300


def with_bounds(bundle: Bundle, dataset: MotionDataset, threads: int = 1) -> Bundle:
    """The bundle with bounds that are fitted to validation takes; to training takes where there are none.

    Raises:
        ValueError: weights that do not know where the content of their training lies, or no takes.
    """
    takes = next((own for own in map(dataset.indices, (Split.VALIDATION, Split.TRAIN)) if len(own)), [])
    some = np.random.default_rng(0).permutation(takes)[:_TAKES]
    clips = (dataset.take(int(take)) for take in some)
    bounds = fit_bounds(StyleEngine(TorchNetwork(bundle, threads=threads)), clips)
    found = {RANGE_BEND: bounds.bend, RANGE_DISTANCE: bounds.distance}
    added = {name: np.array(values, dtype=np.float32) for name, values in found.items()}
    return replace(bundle, tensors={**bundle.tensors, **added})


def fit_bounds(engine: StyleEngine, takes: Iterable[Features]) -> FadeBounds:
    """The bounds of an engine that knows where its training's content lies.

    Args:
        engine: that drives the weights.
        takes: clips (T, WIDTH) like those that it was trained on, and none of them.

    Raises:
        ValueError: no takes, or weights that do not know their range.
    """
    nonsense = (encode(to_canonical(swings(SMALL, seed)).motion)[0] for seed in range(_SWINGS))
    (bends, distances), (wild_bends, wild_distances) = (_witnessed(engine, clips) for clips in (takes, nonsense))
    return FadeBounds(_between(bends, wild_bends), _between(distances, wild_distances))


def swings(size: float, seed: int = 0) -> Motion:
    """Ten seconds in which every joint swings by up to ``size`` radians about each axis, at a pace of its own."""
    rng, times = np.random.default_rng(seed), np.arange(_FRAMES) / FPS
    root = np.tile([0.0, 0.9, 0.0], (_FRAMES, 1))
    rates, phases = rng.uniform(0.2, 1.0, (JOINT_COUNT, 3)), rng.uniform(0.0, 2.0 * np.pi, (JOINT_COUNT, 3))
    angles = size * np.sin(2.0 * np.pi * rates * times[:, None, None] + phases)
    return Motion(times, root, to_global(from_rotation_vector(angles)), CANONICAL)


def _between(known: Array, nonsense: Array) -> tuple[float, float]:
    """Bounds from what a witness says of takes (N,) and of nonsense (M,)."""
    low = max(float(np.quantile(known, _KEPT)), float(np.median(nonsense)) / _RATIO)
    return low, _RATIO * low


def _witnessed(engine: StyleEngine, clips: Iterable[Features]) -> tuple[Array, Array]:
    """What both witnesses say of all frames of the clips, as it is judged."""
    found = list(_judged(engine, clips))
    if not found:
        raise ValueError("Bounds of the fade are fitted to takes, and there are none.")
    bends, distances = zip(*found, strict=True)
    return np.concatenate(bends), np.concatenate(distances)


def _judged(engine: StyleEngine, clips: Iterable[Features]) -> Iterator[tuple[Array, Array]]:
    for clip in clips:
        said = finish(witnesses_steps(clip, engine))
        if said.distance is None:
            raise ValueError("These weights do not know where the content of their training lies.")
        yield without_glitches(said.bend), without_glitches(said.distance)
