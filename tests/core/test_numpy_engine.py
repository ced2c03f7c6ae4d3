# SPDX-License-Identifier: GPL-3.0-or-later
"""Both engines give the same numbers for the same weights and seed."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from core.engines.numpy_engine import NumpyEngine  # noqa: E402
from core.errors import EngineError, UnknownStyleError  # noqa: E402
from core.representation import FEATURES, SIGNATURE, WIDTH, encode  # noqa: E402
from models.bundle import Bundle, BundleInfo  # noqa: E402
from models.config import NetworkConfig  # noqa: E402
from models.layout import FeatureLayout  # noqa: E402
from models.runtime import TorchEngine  # noqa: E402
from models.stylization import StylizationNetwork  # noqa: E402

from .characters import walk  # noqa: E402

STYLES = ("calm", "wild")


def random_bundle(seed: int = 0) -> Bundle:
    """Untrained weights in the real architecture and sizes."""
    torch.manual_seed(seed)
    config = NetworkConfig(FeatureLayout(FEATURES), len(STYLES))
    state = StylizationNetwork(config).state_dict()
    tensors = {name: tensor.numpy() for name, tensor in state.items()}
    rng = np.random.default_rng(seed)
    tensors["normalization.mean"] = rng.normal(size=WIDTH).astype(np.float32)
    tensors["normalization.std"] = rng.uniform(0.5, 2.0, WIDTH).astype(np.float32)
    info = BundleInfo(30.0, STYLES, ("walk",), ("none",), "CC0", 0, (), "none", "{}")
    return Bundle(config, info, tensors)


@pytest.mark.parametrize("frames", [8, 61, 90])
@pytest.mark.parametrize("source", ["LABEL", "REFERENCE", "RANDOM"])
def test_engines_agree(source: str, frames: int) -> None:
    bundle = random_bundle()
    clip, reference = encode(walk(frames))[0], encode(walk(40, speed=2.0))[0]
    arguments = {"source": source, "style": "wild", "reference": reference, "seed": 5}
    mine = NumpyEngine(bundle).stylize(clip, **arguments)
    theirs = TorchEngine(bundle, device="cpu").stylize(clip, **arguments)
    for a, b in zip(mine, theirs, strict=True):
        assert a.shape == b.shape == (frames, WIDTH)
        assert np.abs(a - b).max() < 1e-4


@pytest.mark.parametrize("frames", [8, 61])
def test_engines_agree_on_reconstructions(frames: int) -> None:
    bundle, clip = random_bundle(), encode(walk(frames))[0]
    mine, theirs = (engine.reconstruct(clip) for engine in (NumpyEngine(bundle), TorchEngine(bundle, device="cpu")))
    assert mine.shape == theirs.shape == clip.shape
    assert np.abs(mine - theirs).max() < 1e-4


def test_seeds_repeat_and_differ() -> None:
    engine = NumpyEngine(random_bundle())
    clip = encode(walk(32))[0]

    def label(seed: int) -> np.ndarray:
        return engine.stylize(clip, source="LABEL", style="calm", reference=None, seed=seed)[1]

    assert np.array_equal(label(1), label(1))
    assert not np.array_equal(label(1), label(2))


def test_unknown_styles_and_foreign_weights_are_refused() -> None:
    engine = NumpyEngine(random_bundle())
    assert engine.layout_signature == SIGNATURE
    with pytest.raises(UnknownStyleError, match="calm, wild"):
        engine.stylize(encode(walk(32))[0], source="LABEL", style="none", reference=None, seed=0)
    bundle = random_bundle()
    other = Bundle(NetworkConfig(FeatureLayout(FEATURES[:2]), 2), bundle.info, bundle.tensors)
    with pytest.raises(EngineError, match="install"):
        NumpyEngine(other)
