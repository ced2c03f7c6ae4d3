# SPDX-License-Identifier: GPL-3.0-or-later
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from models.bundle import BundleError, write_bundle
from models.runtime import TorchEngine

from .tiny import CONFIG, INFO, LAYOUT, make_bundle, make_clip, make_network


@pytest.fixture(scope="module")
def engine() -> TorchEngine:
    return TorchEngine(make_bundle(), device="cpu", threads=1)


def stylize(engine: TorchEngine, clip: np.ndarray, **options: Any) -> tuple[np.ndarray, np.ndarray]:
    cue: dict[str, Any] = {"source": "LABEL", "style": "old", "reference": None, "seed": 5, **options}
    return engine.stylize(clip, **cue)


def test_attributes_come_from_the_bundle(tmp_path: Path) -> None:
    path = tmp_path / "tiny.safetensors"
    write_bundle(path, make_bundle())
    engine = TorchEngine.from_file(path, LAYOUT.signature)
    assert (engine.styles, engine.fps, engine.layout_signature) == (INFO.styles, INFO.fps, LAYOUT.signature)
    with pytest.raises(BundleError, match="other motion features"):
        TorchEngine.from_file(str(path), "[]")


@pytest.mark.parametrize("frames", [8, 9, 10, 11, 12, 150])
@pytest.mark.parametrize("source", ["LABEL", "REFERENCE", "RANDOM"])
def test_any_length_comes_back_at_its_length(engine: TorchEngine, frames: int, source: str) -> None:
    clip = make_clip(frames)
    for result in stylize(engine, clip, source=source, reference=make_clip(21, seed=1)):
        assert result.shape == clip.shape
        assert result.dtype == np.float32
        assert np.isfinite(result).all()
        yaw = LAYOUT.slice("root_yaw_velocity")
        np.testing.assert_allclose(result[:, yaw], clip[:, yaw], atol=1e-5)


def test_the_seed_decides_everything(engine: TorchEngine) -> None:
    clip = make_clip(40)
    for source in ("LABEL", "RANDOM"):
        first, again, other = (stylize(engine, clip, source=source, seed=seed)[1] for seed in (5, 5, 6))
        np.testing.assert_array_equal(first, again)
        assert np.abs(first - other).max() > 1e-4


def test_torch_randomness_is_neither_used_nor_touched(engine: TorchEngine) -> None:
    clip, before = make_clip(40), torch.get_rng_state()
    stylize(engine, clip)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("source", ["LABEL", "RANDOM"])
def test_what_is_drawn_from_the_seed_and_in_which_order(engine: TorchEngine, source: str) -> None:
    """The order that every other engine has to follow."""
    rng = np.random.default_rng(11)
    label = int(rng.integers(len(INFO.styles))) if source == "RANDOM" else INFO.styles.index("old")
    vector = torch.from_numpy(rng.standard_normal(CONFIG.style_channels).astype(np.float32))[None]
    clip, bundle, network = make_clip(24), make_bundle(), make_network()
    with torch.no_grad():
        features = torch.from_numpy(((clip - bundle.mean) / bundle.std).T)[None]
        content = network.content(network.autoencoder.encode(features))
        one_hot = torch.eye(len(INFO.styles))[label][None]
        decoded = network.autoencoder.decode(network.generator(content, vector, one_hot))
        expected = network.finish(decoded, features)[0].T.numpy() * bundle.std + bundle.mean
    np.testing.assert_allclose(stylize(engine, clip, source=source, seed=11)[1], expected, atol=1e-5)


def test_a_clip_as_its_own_reference_is_its_reconstruction(engine: TorchEngine) -> None:
    clip = make_clip(48)
    reconstruction, stylized = stylize(engine, clip, source="REFERENCE", reference=clip, style=None)
    np.testing.assert_allclose(stylized, reconstruction, atol=1e-5)


def test_the_reconstruction_does_not_depend_on_the_cue(engine: TorchEngine) -> None:
    clip = make_clip(48)
    first = stylize(engine, clip)[0]
    second = stylize(engine, clip, source="REFERENCE", reference=make_clip(30, seed=2))[0]
    np.testing.assert_allclose(first, second, atol=1e-6)


def test_the_number_of_threads_is_restored() -> None:
    before = torch.get_num_threads()
    engine = TorchEngine(make_bundle(), device="cpu", threads=before + 1)
    stylize(engine, make_clip(16))
    assert torch.get_num_threads() == before
    with pytest.raises(ValueError, match="Unknown"):
        stylize(engine, make_clip(16), style="angry")
    assert torch.get_num_threads() == before


def test_an_unknown_style_names_the_known_ones(engine: TorchEngine) -> None:
    with pytest.raises(ValueError, match="calm, old, proud"):
        stylize(engine, make_clip(16), style="angry")
    with pytest.raises(ValueError, match="calm, old, proud"):
        stylize(engine, make_clip(16), style=None)


@pytest.mark.parametrize(
    ("clip", "options", "says"),
    [
        (make_clip(7), {}, "at least 8"),
        (make_clip(16)[:, 1:], {}, "features are"),
        (make_clip(16)[0], {}, "features are"),
        (np.full((16, LAYOUT.width), np.nan, np.float32), {}, "finite"),
        (make_clip(16), {"source": "MAGIC"}, "MAGIC"),
        (make_clip(16), {"source": "REFERENCE"}, "needs a reference"),
        (make_clip(16), {"source": "REFERENCE", "reference": make_clip(4)}, "reference has 4"),
    ],
)
def test_wrong_input_is_refused(engine: TorchEngine, clip: np.ndarray, options: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        stylize(engine, clip, **options)


def test_the_input_is_not_written_to(engine: TorchEngine) -> None:
    clip = make_clip(17)
    before = clip.copy()
    stylize(engine, clip)
    np.testing.assert_array_equal(clip, before)
