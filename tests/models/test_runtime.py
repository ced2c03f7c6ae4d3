# SPDX-License-Identifier: GPL-3.0-or-later
from pathlib import Path

import numpy as np
import pytest
import torch

from models.bundle import read_bundle, write_bundle
from models.runtime import TorchNetwork

from .tiny import CONFIG, INFO, LAYOUT, make_bundle, make_clip, make_network


@pytest.fixture(scope="module")
def network() -> TorchNetwork:
    return TorchNetwork(make_bundle(), device="cpu", threads=1)


def conditions(count: int, seed: int = 0) -> np.ndarray:
    """Random style codes with one label each."""
    rng = np.random.default_rng(seed)
    codes = rng.standard_normal((count, CONFIG.style_channels))
    labels = np.eye(len(INFO.styles))[rng.integers(len(INFO.styles), size=count)]
    return np.concatenate([codes, labels], axis=-1).astype(np.float32)


def test_attributes_come_from_the_bundle(tmp_path: Path) -> None:
    path = tmp_path / "tiny.safetensors"
    write_bundle(path, make_bundle())
    network = TorchNetwork(read_bundle(path, LAYOUT.signature))
    assert (network.styles, network.fps, network.layout_signature) == (INFO.styles, INFO.fps, LAYOUT.signature)
    assert network.style_size == CONFIG.style_channels


@pytest.mark.parametrize("frames", [8, 9, 10, 11, 12, 150])
def test_any_length_comes_back_at_its_length(network: TorchNetwork, frames: int) -> None:
    clip, yaw = make_clip(frames), LAYOUT.slice("root_yaw_velocity")
    results = network.stylize(clip, conditions(3))
    assert results.shape == (3, *clip.shape)
    for result in (*results, network.reconstruct(clip)):
        assert result.dtype == np.float32
        assert np.isfinite(result).all()
    np.testing.assert_allclose(results[:, :, yaw], np.repeat(clip[None, :, yaw], 3, axis=0), atol=1e-5)
    assert network.style_gaussian(clip).shape == (2, CONFIG.style_channels)
    assert network.content_code(clip).shape == (-(-frames // 4), CONFIG.content_channels)


def test_conditions_together_give_what_each_gives_alone(network: TorchNetwork) -> None:
    clip, given = make_clip(40), conditions(4)
    alone = np.concatenate([network.stylize(clip, given[n : n + 1]) for n in range(4)])
    np.testing.assert_allclose(network.stylize(clip, given), alone, atol=1e-5)
    assert np.abs(alone[0] - alone[1]).max() > 1e-4


def test_torch_randomness_is_neither_used_nor_touched(network: TorchNetwork) -> None:
    clip, before = make_clip(40), torch.get_rng_state()
    np.testing.assert_array_equal(*(network.stylize(clip, conditions(2)) for _ in range(2)))
    assert torch.equal(torch.get_rng_state(), before)


def test_the_networks_are_put_together_as_they_were_trained(network: TorchNetwork) -> None:
    clip, bundle, parts, given = make_clip(24), make_bundle(), make_network(), conditions(1)
    code, label = torch.from_numpy(given).split([CONFIG.style_channels, len(INFO.styles)], dim=-1)
    with torch.no_grad():
        features = torch.from_numpy(((clip - bundle.mean) / bundle.std).T)[None]
        latent = parts.autoencoder.encode(features)
        decoded = parts.autoencoder.decode(parts.generator(parts.content(latent), code, label))
        expected = parts.finish(decoded, features)[0].T.numpy() * bundle.std + bundle.mean
        mean, log_variance = (part[0].numpy() for part in parts.style(latent))
    np.testing.assert_allclose(network.stylize(clip, given)[0], expected, atol=1e-5)
    np.testing.assert_allclose(network.style_gaussian(clip), [mean, np.exp(0.5 * log_variance)], atol=1e-6)


def test_the_number_of_threads_is_restored() -> None:
    before = torch.get_num_threads()
    network = TorchNetwork(make_bundle(), device="cpu", threads=before + 1)
    network.stylize(make_clip(16), conditions(1))
    assert torch.get_num_threads() == before
    with pytest.raises(ValueError, match="at least 8"):
        network.stylize(make_clip(7), conditions(1))
    assert torch.get_num_threads() == before


@pytest.mark.parametrize("device", ["cuda", "mps"])
def test_devices_agree(network: TorchNetwork, device: str) -> None:
    if not getattr(torch, "cuda" if device == "cuda" else "mps").is_available():
        pytest.skip(f"this machine has no {device}")
    other, clip, given = TorchNetwork(make_bundle(), device=device), make_clip(61), conditions(3)
    np.testing.assert_allclose(other.stylize(clip, given), network.stylize(clip, given), atol=1e-4)
    np.testing.assert_allclose(other.style_gaussian(clip), network.style_gaussian(clip), atol=1e-4)
    np.testing.assert_allclose(other.reconstruct(clip), network.reconstruct(clip), atol=1e-4)


@pytest.mark.parametrize(
    ("clip", "given", "says"),
    [
        (make_clip(7), conditions(1), "at least 8"),
        (make_clip(16)[:, 1:], conditions(1), "features are"),
        (make_clip(16)[0], conditions(1), "features are"),
        (np.full((16, LAYOUT.width), np.nan, np.float32), conditions(1), "not finite"),
        (make_clip(16), conditions(1)[0], "Conditions are"),
        (make_clip(16), conditions(1)[:, 1:], "Conditions are"),
        (make_clip(16), np.full_like(conditions(1), np.nan), "Conditions are"),
    ],
)
def test_wrong_input_is_refused(network: TorchNetwork, clip: np.ndarray, given: np.ndarray, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        network.stylize(clip, given)


def test_the_input_is_not_written_to(network: TorchNetwork) -> None:
    clip, given = make_clip(17), conditions(1)
    before = clip.copy(), given.copy()
    network.stylize(clip, given)
    np.testing.assert_array_equal(clip, before[0])
    np.testing.assert_array_equal(given, before[1])
