# SPDX-License-Identifier: GPL-3.0-or-later
"""How long 160 frames take: the network alone on numpy and torch, and the whole path."""

import os
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np

from core.engines import LABEL, REFERENCE, Float32, StyleNetwork
from core.engines.engine import StyleEngine
from core.engines.numpy_engine import NumpyNetwork
from core.pipeline import Clip, StyleSettings, canonical_clip, stylize
from core.representation import FPS, encode
from models.bundle import Bundle
from models.runtime import TorchNetwork

from ..figures import Figure, median

FRAMES = 160
_RUNS, _WHOLE_RUNS = 20, 5


def speeds(bundle: Bundle, clip: Clip, threads: int) -> dict[str, Figure]:
    """Milliseconds by the clock and of the processor, by what was timed.

    A clip that is longer than 160 frames is cut, a shorter one repeated.
    """
    clip = _of_length(clip)
    features = encode(canonical_clip(clip).motion)[0][:FRAMES]
    networks: dict[str, StyleNetwork] = {
        "numpy": NumpyNetwork(bundle),
        "torch": TorchNetwork(bundle, "cpu", threads),
    }
    works: dict[str, tuple[Callable[[], object], int]] = {
        name: (partial(network.stylize, features, _condition(network)), _RUNS) for name, network in networks.items()
    }
    engine = StyleEngine(networks["torch"])
    labels = bundle.info.styles
    settings = StyleSettings(source=LABEL if labels else REFERENCE, style=labels[0] if labels else "")
    works["whole path"] = (partial(stylize, clip, None if labels else clip, engine, settings), _WHOLE_RUNS)
    found: dict[str, Figure] = {}
    for name, (work, runs) in works.items():
        found[name], found[f"{name}, processor"] = _timed(work, runs)
    return found


def load() -> str:
    """What else the machine was doing, where that is known."""
    return f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores" if hasattr(os, "getloadavg") else "load unknown"


def _condition(network: StyleNetwork) -> Float32:
    """One style: the network encodes, stylizes, decodes and predicts the root, all once."""
    return np.zeros((1, network.style_size + len(network.styles)), dtype=np.float32)


def _timed(work: Callable[[], object], runs: int) -> tuple[Figure, Figure]:
    """Milliseconds by the clock, and of the processor, which others do not lengthen; after one run that is none."""
    work()
    times: list[float] = []
    busy: list[float] = []
    for _ in range(runs):
        begin, started = time.perf_counter(), time.process_time()
        work()
        times.append(1000.0 * (time.perf_counter() - begin))
        busy.append(1000.0 * (time.process_time() - started))
    return median(times), median(busy)


def _of_length(clip: Clip) -> Clip:
    """The clip's poses as 160 frames of the network's rate."""
    motion = clip.motion.rows((np.arange(FRAMES) % len(clip.motion)).tolist())
    return Clip(replace(motion, times=np.arange(FRAMES) / FPS), clip.bone_map)
