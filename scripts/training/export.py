# SPDX-License-Identifier: GPL-3.0-or-later
"""From a trained network to the bundle that ships."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch import nn

from models.bundle import Bundle, BundleInfo, ContentRange, write_bundle
from models.config import STRIDE
from models.manifest import MEAN, RANGE_MEAN, RANGE_WHITENING, STD, TEMPO

from .dataset import Floats, Split
from .fading import with_bounds
from .statistics import labelled_takes
from .tempo import fit_tempos
from .workspace import Workspace

_LEAST_VARIANCE: Final = 1e-3


def export_bundle(workspace: Workspace, path: Path) -> Bundle:
    """Write the weights with everything that is needed to use and to judge them."""
    bundle = with_bounds(make_bundle(workspace), workspace.dataset, torch.get_num_threads())
    path.parent.mkdir(parents=True, exist_ok=True)
    write_bundle(path, bundle)
    return bundle


def make_bundle(workspace: Workspace) -> Bundle:
    """What is to be written; of a network in pose space a part only, which no bundle may be."""
    tensors = {
        **as_arrays(workspace.network),
        MEAN: workspace.normalization.mean,
        STD: workspace.normalization.std,
        **_content_range(workspace),
        **_tempo(workspace),
    }
    return Bundle(workspace.network.config, _describe(workspace), tensors)


def as_arrays(module: nn.Module) -> dict[str, Floats]:
    """Weights by name."""
    return {name: tensor.detach().cpu().numpy().astype(np.float32) for name, tensor in module.state_dict().items()}


@torch.no_grad()
def _content_range(workspace: Workspace) -> dict[str, Floats]:
    """Mean and whitening of the content codes of all training takes: how far a frame lies outside is said by them."""
    network, dataset = workspace.network, workspace.dataset
    takes = [workspace.frames.whole(int(take), STRIDE) for take in dataset.indices(Split.TRAIN)]
    codes = torch.cat([network.content(network.autoencoder.encode(take))[0] for take in takes], dim=1)
    found = fit_range(codes.T.cpu().numpy())
    return {RANGE_MEAN: found.mean, RANGE_WHITENING: found.whitening}


def fit_range(codes: Floats) -> ContentRange:
    """Mean and whitening of content codes (N, C)."""
    values, vectors = np.linalg.eigh(np.cov(codes.T.astype(np.float64)))
    # Directions in which training hardly moves would make any clip look far away.
    whitening = (vectors / np.sqrt(np.maximum(values, _LEAST_VARIANCE * values.max()))).T
    return ContentRange(codes.mean(axis=0, dtype=np.float64).astype(np.float32), whitening.astype(np.float32))


@torch.no_grad()
def _tempo(workspace: Workspace) -> dict[str, Floats]:
    """How fast the labels' styles move; nothing if no labelled take says what is done in it."""
    names, network = workspace.names, workspace.network
    dataset = replace(workspace.dataset, style=names.of_take, style_names=names.styles)
    takes = labelled_takes(dataset)
    if len(takes) == 0:
        return {}
    clips = (workspace.frames.whole(int(take), STRIDE) for take in takes)
    codes = torch.cat([network.style(network.autoencoder.encode(clip))[0] for clip in clips]).cpu().numpy()
    labels = np.eye(len(names.styles), dtype=np.float32)[names.of_take[takes]]
    return {TEMPO: fit_tempos(dataset, np.concatenate([codes, labels], axis=1), takes)}


def _describe(workspace: Workspace) -> BundleInfo:
    dataset = workspace.dataset
    held_out = np.flatnonzero(dataset.split != Split.TRAIN)
    return BundleInfo(
        fps=float(dataset.info["fps"]),
        styles=workspace.names.styles,
        contents=dataset.content_names,
        training_data=(str(dataset.info["source"]),),
        licence=str(dataset.info["licence"]),
        split_seed=int(dataset.info["split_seed"]),
        held_out_takes=tuple(sorted(dataset.takes[i] for i in held_out)),
        git_revision=_git_revision(),
        trainer=workspace.settings.to_json(),
    )


def _git_revision() -> str:
    """Revision of the checkout that trains, "unknown" outside one."""
    command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
