# SPDX-License-Identifier: GPL-3.0-or-later
"""How the worker opens a network: on which device, and what it says when it cannot."""

import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

from models.bundle import BundleError, write_bundle
from models.placed import place
from models.runtime import TorchNetwork
from models.serving import TorchUnfitError, open_network

from .tiny import make_bundle, make_clip


@pytest.fixture
def weights(tmp_path: Path) -> str:
    path = tmp_path / "tiny.safetensors"
    write_bundle(path, make_bundle())
    return str(path)


def test_the_fastest_device_is_taken_and_named(weights: str) -> None:
    network = open_network(weights, "AUTO")
    assert network.device == ("CUDA" if torch.cuda.is_available() else "MPS" if _has_metal() else "CPU")
    assert network.software == f"torch {torch.__version__}"
    assert network.notes == ()


@pytest.mark.parametrize("device", ["CUDA", "MPS"])
def test_a_device_that_is_not_there_is_replaced_and_told(device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    network = place(make_bundle(), device)
    assert network.device == "CPU"
    assert network.notes == (f"torch {torch.__version__} finds no {device}: the CPU is used instead.",)


@pytest.mark.parametrize("device", ["CUDA", "MPS", "CPU"])
def test_every_device_computes_what_the_cpu_computes(device: str) -> None:
    network, clip = place(make_bundle(), device), make_clip(40)
    if network.device != device:
        pytest.skip(f"NOT TESTED: {device}, which this machine does not have")
    conditions = np.random.default_rng(0).normal(size=(3, network.style_size + len(network.styles)))
    plain = TorchNetwork(make_bundle(), device="cpu")
    found, expected = (one.stylize(clip, conditions.astype(np.float32)) for one in (network, plain))
    assert np.abs(found - expected).max() < 1e-4


def test_weights_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="cannot be read"):
        open_network(str(tmp_path / "nothing"), "CPU")


@pytest.mark.parametrize("version", ["1.13.1", "1.9.0+cu111", "0.4"])
def test_an_old_torch_is_refused(weights: str, version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    old = ModuleType("torch")
    old.__version__ = version  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "torch", old)
    with pytest.raises(TorchUnfitError, match=r"install torch 2\.0 or newer"):
        open_network(weights, "CPU")


def _has_metal() -> bool:
    return torch.backends.mps.is_available()
