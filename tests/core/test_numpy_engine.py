# SPDX-License-Identifier: GPL-3.0-or-later
"""Both networks give the same numbers for the same weights."""

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from core.engines import Cue  # noqa: E402
from core.engines.engine import StyleEngine  # noqa: E402
from core.engines.numpy_engine import NumpyNetwork  # noqa: E402
from core.engines.windows import cut  # noqa: E402
from core.errors import EngineError  # noqa: E402
from core.representation import FEATURES, SIGNATURE, WIDTH, encode, feature_slice  # noqa: E402
from core.steps import finish  # noqa: E402
from models.bundle import Bundle, BundleInfo, read_bundle  # noqa: E402
from models.config import NetworkConfig  # noqa: E402
from models.layout import FeatureLayout  # noqa: E402
from models.runtime import TorchNetwork  # noqa: E402
from models.stylization import StylizationNetwork  # noqa: E402

from .characters import walk  # noqa: E402

STYLES = ("calm", "wild")


def random_bundle(seed: int = 0, styles: tuple[str, ...] = STYLES) -> Bundle:
    """Untrained weights in the real architecture and sizes."""
    torch.manual_seed(seed)
    config = NetworkConfig(FeatureLayout(FEATURES), len(styles))
    state = StylizationNetwork(config).state_dict()
    tensors = {name: tensor.numpy() for name, tensor in state.items()}
    rng = np.random.default_rng(seed)
    tensors["normalization.mean"] = rng.normal(size=WIDTH).astype(np.float32)
    tensors["normalization.std"] = rng.uniform(0.5, 2.0, WIDTH).astype(np.float32)
    info = BundleInfo(30.0, styles, ("walk",), ("none",), "CC0", 0, (), "none", "{}")
    return Bundle(config, info, tensors)


@pytest.mark.parametrize("frames", [8, 61, 90])
def test_networks_agree(frames: int) -> None:
    bundle, clip = random_bundle(), encode(walk(frames))[0]
    networks = (NumpyNetwork(bundle), TorchNetwork(bundle, device="cpu"))
    rng = np.random.default_rng(5)
    width = networks[0].style_size + len(STYLES)
    given = np.concatenate([rng.standard_normal((2, width)), np.zeros((1, width))]).astype(np.float32)
    mine, theirs = (
        [
            network.style_gaussian(clip),
            network.stylize(clip, given),
            network.reconstruct(clip),
            network.content_code(clip),
        ]
        for network in networks
    )
    for a, b in zip(mine, theirs, strict=True):
        assert a.shape == b.shape
        assert np.abs(a - b).max() < 1e-4
    assert mine[1].shape == (3, frames, WIDTH)
    assert len(mine[3]) == -(-frames // 4)


@pytest.mark.parametrize("source", ["LABEL", "REFERENCE", "RANDOM"])
def test_engines_agree(source: str) -> None:
    bundle, clip = random_bundle(), encode(walk(61))[0]
    cue = Cue(source, "wild", encode(walk(40, speed=2.0))[0], seed=5)
    networks = (NumpyNetwork(bundle), TorchNetwork(bundle, device="cpu"))
    mine, theirs = (finish(StyleEngine(network).stylize(clip, [cue])) for network in networks)
    assert np.abs(mine[0] - theirs[0]).max() < 1e-4
    assert np.abs(mine[1][0] - theirs[1][0]).max() < 1e-4


def test_foreign_weights_are_refused() -> None:
    bundle = random_bundle()
    assert NumpyNetwork(bundle).layout_signature == SIGNATURE
    other = Bundle(NetworkConfig(FeatureLayout(FEATURES[:2]), 2), bundle.info, bundle.tensors)
    with pytest.raises(EngineError, match="install"):
        NumpyNetwork(other)


def test_long_clips_have_no_seams() -> None:
    """What changes of a walk changes as smoothly where one window goes over into the next as within them."""
    weights = Path(__file__).parents[2] / "models/weights/bandai-namco.safetensors"
    engine = StyleEngine(NumpyNetwork(read_bundle(weights)))
    clip = encode(walk(1500))[0]
    own, (styled,) = finish(engine.stylize(clip, [Cue("LABEL", "elderly", seed=1)]))
    change = (styled - own)[:, feature_slice("rotations")]
    shaking = np.abs(np.diff(change, 3, axis=0)).max(axis=-1)
    windows = cut(len(clip))
    crossing = np.zeros(len(shaking), dtype=np.bool_)
    for left, right in zip(windows[:-1], windows[1:], strict=True):
        crossing[right.start : left.stop] = True
    # The ends of the clip are left out: there the networks see their own padding.
    inner = slice(16, -16)
    assert len(windows) > 2
    assert shaking[inner][crossing[inner]].max() < 1.1 * shaking[inner][~crossing[inner]].max()
