# SPDX-License-Identifier: GPL-3.0-or-later
"""A clip that is the same everywhere, sent through a network: how long it takes, and what comes out."""

import time
from dataclasses import dataclass

import numpy as np

from ..steps import Progress, Steps
from . import Features, Float32, StyleNetwork
from .answers import answered

FRAMES = 160


@dataclass(frozen=True)
class Trial:
    """What came of it.

    Attributes:
        frames: length of the clip.
        seconds: it took in one style, once all was loaded.
        results: style code, stylised clip and reconstruction, (N,).
    """

    frames: int
    seconds: float
    results: Float32

    def difference(self, other: "Trial") -> float:
        """The largest difference of any number, in units of features."""
        return float(np.abs(self.results - other.results).max())


def trial_steps(network: StyleNetwork, clip: Features) -> Steps[Trial]:
    """Send a clip (T, WIDTH) through a network twice and time the second pass.

    Raises:
        EngineError: the network cannot answer.
    """
    code = (yield from answered(network.style_gaussian(clip), Progress(0.0)))[0]
    conditions = np.concatenate([code, np.eye(1, len(network.styles), dtype=np.float32)[0]])[None]
    reconstruction = yield from answered(network.reconstruct(clip), Progress(0.2))
    yield from answered(network.stylize(clip, conditions), Progress(0.4))
    started = time.perf_counter()
    yield from answered(network.style_gaussian(clip), Progress(0.6))
    stylized = yield from answered(network.stylize(clip, conditions), Progress(0.8))
    seconds = time.perf_counter() - started
    return Trial(len(clip), seconds, np.concatenate([code, stylized.ravel(), reconstruction.ravel()]))


def trial_clip(mean: Float32, std: Float32) -> Features:
    """(FRAMES, WIDTH) features that go up and down around the mean as those of the training did."""
    phases = np.random.default_rng(0).uniform(0.0, 2.0 * np.pi, len(mean))
    times = np.arange(FRAMES)[:, None] / 30.0
    return np.asarray(mean + std * np.sin(2.0 * np.pi * times + phases), dtype=np.float32)
