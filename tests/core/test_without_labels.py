# SPDX-License-Identifier: GPL-3.0-or-later
"""A model without a single label: every network and the engine do with it what they do with any other."""

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from core.engines import Cue, Features, StyleNetwork  # noqa: E402
from core.engines.engine import StyleEngine  # noqa: E402
from core.engines.numpy_engine import NumpyNetwork  # noqa: E402
from core.engines.onnx_engine import OnnxNetwork  # noqa: E402
from core.engines.trial import trial_clip, trial_steps  # noqa: E402
from core.errors import UnknownStyleError  # noqa: E402
from core.representation import encode  # noqa: E402
from core.steps import finish  # noqa: E402
from core.worker.client import RemoteNetwork, Worker  # noqa: E402
from core.worker.session import Description  # noqa: E402
from models.bundle import Bundle, read_bundle, write_bundle  # noqa: E402
from models.runtime import TorchNetwork  # noqa: E402
from scripts.export_onnx import write_graphs  # noqa: E402

from .characters import walk  # noqa: E402
from .test_numpy_engine import random_bundle  # noqa: E402
from .workers import command  # noqa: E402


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return random_bundle(styles=())


@pytest.fixture
def clip() -> Features:
    return encode(walk(61))[0]


def cues(reference: Features, code: np.ndarray) -> list[Cue]:
    mixed = Cue("RANDOM", seed=2, mix=Cue("SAVED", code=code), share=0.5)
    return [Cue("REFERENCE", reference=reference), Cue("RANDOM", seed=1), Cue("RANDOM", seed=2), mixed]


def test_every_network_gives_the_same(bundle: Bundle, clip: Features, tmp_path: Path) -> None:
    write_graphs(bundle.config, tmp_path)
    reference = encode(walk(90, speed=2.0))[0]
    found = []
    for network in (NumpyNetwork(bundle), TorchNetwork(bundle, device="cpu"), OnnxNetwork(tmp_path, bundle)):
        engine, (own, styled) = StyleEngine(network), ask(network, clip, reference)
        assert engine.styles == ()
        found.append(np.stack([own, *styled, finish(engine.reconstruct(clip))]))
        assert np.isfinite(finish(trial_steps(network, trial_clip(bundle.mean, bundle.std))).results).all()
    for other in found[1:]:
        assert np.abs(found[0] - other).max() < 1e-4
    # An untrained network tells its clip's own style hardly from the reference's.
    gaps = [np.abs(a - b).max() for number, a in enumerate(found[0][1:]) for b in found[0][1:][:number]]
    assert min(gaps) > 1e-3


def ask(network: StyleNetwork, clip: Features, reference: Features) -> tuple[Features, list[Features]]:
    code = np.linspace(-1.0, 1.0, network.style_size, dtype=np.float32)
    return finish(StyleEngine(network).stylize(clip, cues(reference, code)))


def test_a_worker_computes_the_same(bundle: Bundle, clip: Features, tmp_path: Path) -> None:
    path = tmp_path / "unlabelled.safetensors"
    write_bundle(path, bundle)
    read = read_bundle(path)
    said = Description(read.info.styles, read.info.fps, read.layout_signature, read.config.style_channels)
    worker = Worker(command("torch", weights=path), said)
    try:
        theirs = ask(RemoteNetwork(worker, said), clip, clip)[1]
    finally:
        worker.stop()
    for mine, other in zip(ask(NumpyNetwork(read), clip, clip)[1], theirs, strict=True):
        assert np.abs(mine - other).max() < 1e-4


def test_a_random_style_is_a_draw_from_the_prior(bundle: Bundle) -> None:
    engine = StyleEngine(NumpyNetwork(bundle))
    cue = Cue("RANDOM", seed=11)
    engine.check(cue)
    wanted = np.random.default_rng(11).standard_normal(engine.style_size).astype(np.float32)
    np.testing.assert_array_equal(engine._condition(cue, {}), wanted)


@pytest.mark.parametrize("cue", [Cue("LABEL", "elderly"), Cue("RANDOM", mix=Cue("LABEL", "elderly"), share=0.5)])
def test_a_label_is_refused_with_what_there_is_instead(bundle: Bundle, cue: Cue) -> None:
    with pytest.raises(UnknownStyleError, match="no styles of its own: take the style from a reference, a saved style"):
        StyleEngine(NumpyNetwork(bundle)).check(cue)
