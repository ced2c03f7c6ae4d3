# SPDX-License-Identifier: GPL-3.0-or-later
"""Networks for workers that need no torch: the shipped weights on numpy, with one bad habit each.

A worker opens them by name, as ``tests.core.worker_networks:hangs``. They misbehave when they reconstruct a clip;
all else works, so that a test can tell a worker that recovered from one that did not.
"""

import os
import sys
import time
from pathlib import Path

import numpy as np

from core.engines import Features, Float32
from core.engines.numpy_engine import NumpyNetwork
from core.worker.frugal import PlacedNetwork
from models.bundle import read_bundle
from models.serving import open_network


class NumpyInWorker(NumpyNetwork):
    """What works."""

    software, notes = "numpy", ()

    def __init__(self, weights: str, device: str) -> None:
        super().__init__(read_bundle(Path(weights)))
        self.device = "CPU" if device == "AUTO" else device


class Hanging(NumpyInWorker):
    def reconstruct(self, features: Features) -> Float32:
        time.sleep(600)
        return features


class Crashing(NumpyInWorker):
    def reconstruct(self, _features: Features) -> Float32:
        sys.stderr.write(f"first of many\nthe disk at {Path.home()} is on fire\n")
        sys.stderr.flush()
        os._exit(7)


class Failing(NumpyInWorker):
    def reconstruct(self, _features: Features) -> Float32:
        raise ValueError("The clip has values that are not finite: look for broken keys.")


class Cramped(NumpyInWorker):
    """Room for two styles at once, and on a device of its own for none at all of more than 100 frames."""

    def __init__(self, weights: str, device: str) -> None:
        super().__init__(weights, "CUDA" if device == "AUTO" else device)

    def style_gaussian(self, features: Features) -> Float32:
        self._check(features, 1)
        return super().style_gaussian(features)

    def stylize(self, features: Features, conditions: Float32) -> Float32:
        self._check(features, len(conditions))
        return super().stylize(features, conditions)

    def reconstruct(self, _features: Features) -> Float32:
        raise MemoryError

    def _check(self, features: Features, styles: int) -> None:
        if self.device != "CPU" and (styles > 2 or len(features) > 100):
            raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB.\nSee the documentation")


def works(weights: str, device: str) -> NumpyInWorker:
    return NumpyInWorker(weights, device)


def hangs(weights: str, device: str) -> NumpyInWorker:
    return Hanging(weights, device)


def hangs_at_start(_weights: str, _device: str) -> NumpyInWorker:
    time.sleep(600)
    raise AssertionError


def is_slow_to_start(weights: str, device: str) -> NumpyInWorker:
    time.sleep(1.0)
    return NumpyInWorker(weights, device)


def crashes(weights: str, device: str) -> NumpyInWorker:
    return Crashing(weights, device)


def fails(weights: str, device: str) -> NumpyInWorker:
    return Failing(weights, device)


def is_cramped(weights: str, device: str) -> NumpyInWorker:
    return Cramped(weights, device)


class LittleMemory:
    """Real torch that really runs out of memory: what is left while it computes is what a few styles need."""

    def __init__(self, network: PlacedNetwork) -> None:
        self._network = network
        self._room = 100 * 1024 * 1024

    def __getattr__(self, name: str) -> object:
        return getattr(self._network, name)

    def stylize(self, features: Features, conditions: Float32) -> Float32:
        import resource

        before = resource.getrlimit(resource.RLIMIT_AS)
        pages = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[0])
        resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + self._room, before[1]))
        try:
            return self._network.stylize(features, conditions)
        finally:
            resource.setrlimit(resource.RLIMIT_AS, before)


def has_torch_and_little_memory(weights: str, _device: str) -> LittleMemory:
    network = open_network(weights, "CPU")
    # What is loaded with the first clip is no matter of this test.
    network.stylize(clip(512), np.zeros((1, network.style_size + len(network.styles)), np.float32))
    return LittleMemory(network)


def has_other_styles(weights: str, device: str) -> NumpyInWorker:
    network = NumpyInWorker(weights, device)
    network.styles = (*network.styles[:-1], "other")
    return network


def clip(frames: int, seed: int = 0) -> Features:
    """(T, WIDTH) features of the size that the weights expect."""
    bundle = read_bundle(WEIGHTS)
    noise = np.random.default_rng(seed).normal(size=(frames, len(bundle.mean)))
    return (bundle.mean + 0.5 * bundle.std * noise).astype(np.float32)


ROOT = Path(__file__).resolve().parents[2]
WEIGHTS = ROOT / "models" / "weights" / "bandai-namco.safetensors"
