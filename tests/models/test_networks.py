# SPDX-License-Identifier: GPL-3.0-or-later
import pytest
import torch

from models.networks.layers import conv, instance_norm

from .tiny import CONFIG, LAYOUT, make_network


@pytest.mark.parametrize("steps", [2, 3, 7, 40])
def test_lengths_survive(steps: int) -> None:
    network = make_network()
    features = torch.randn(2, LAYOUT.width, 4 * steps)
    latent = network.autoencoder.encode(features)
    assert latent.shape == (2, CONFIG.latent_channels, steps)
    assert network.autoencoder.decode(latent).shape == features.shape
    assert network.content(latent).shape == (2, CONFIG.content_channels, steps)
    assert network.style(latent)[0].shape == network.style(latent)[1].shape == (2, CONFIG.style_channels)
    cue = network.own_cue(latent)
    assert network.generator(network.content(latent), cue.style, cue.label).shape == latent.shape
    assert network.root(features).shape == (2, 2, 4 * steps)


@pytest.mark.parametrize(("kernel", "stride"), [(1, 1), (3, 1), (3, 2), (4, 2), (5, 1)])
def test_a_constant_stays_constant_up_to_the_edges(kernel: int, stride: int) -> None:
    out = conv(3, 4, kernel, stride)(torch.ones(1, 3, 12))
    assert out.shape[-1] == 12 // stride
    torch.testing.assert_close(out, out[..., :1].expand_as(out))


def test_instance_norm_leaves_stillness_still() -> None:
    still = 5.0 + 1e-4 * torch.randn(1, 3, 20)
    assert instance_norm(still).abs().max() < 0.01
    lively = instance_norm(3.0 * torch.randn(1, 3, 2000) + 5.0)
    torch.testing.assert_close(lively.mean(-1), torch.zeros(1, 3), atol=1e-4, rtol=0)
    torch.testing.assert_close(lively.std(-1), torch.ones(1, 3), atol=1e-2, rtol=0)


def disturbed(name: str) -> tuple[torch.Tensor, torch.Tensor]:
    features = torch.randn(1, LAYOUT.width, 16)
    other = features.clone()
    other[:, LAYOUT.slice(name)] += 1.0
    return features, other


def test_the_autoencoder_reads_no_contacts() -> None:
    first, second = disturbed("contacts")
    encode = make_network().autoencoder.encode
    torch.testing.assert_close(encode(first), encode(second))
    assert not torch.allclose(encode(first), encode(disturbed("root_height")[1]))


@pytest.mark.parametrize("name", ["contacts", "root_planar_velocity"])
def test_the_root_predictor_does_not_read_its_answer(name: str) -> None:
    first, second = disturbed(name)
    root = make_network().root
    torch.testing.assert_close(root(first), root(second))


def test_finish_keeps_the_turning_and_predicts_the_travel() -> None:
    network = make_network()
    decoded, source = torch.randn(2, LAYOUT.width, 16), torch.randn(1, LAYOUT.width, 16)
    done = network.finish(decoded, source)
    yaw, planar = LAYOUT.slice("root_yaw_velocity"), LAYOUT.slice("root_planar_velocity")
    torch.testing.assert_close(done[:, yaw], source[:, yaw].expand(2, -1, -1))
    torch.testing.assert_close(done[:, planar], network.root(done))
    rest = list(LAYOUT.columns_without(["root_yaw_velocity", "root_planar_velocity"]))
    torch.testing.assert_close(done[:, rest], decoded[:, rest])


def test_style_of_a_repeated_pose_does_not_depend_on_its_length() -> None:
    network = make_network()
    pose = torch.randn(1, CONFIG.latent_channels, 1)
    short, long = (network.style(pose.expand(-1, -1, steps))[0] for steps in (2, 37))
    torch.testing.assert_close(short, long)
