# SPDX-License-Identifier: GPL-3.0-or-later
"""From a trained network to the bundle that ships."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np

from models.bundle import Bundle, BundleInfo, write_bundle
from models.manifest import MEAN, STD

from .dataset import Split
from .workspace import Workspace


def export_bundle(workspace: Workspace, path: Path) -> Bundle:
    """Write the weights with everything that is needed to use and to judge them."""
    weights = {
        name: tensor.detach().cpu().numpy().astype(np.float32)
        for name, tensor in workspace.network.state_dict().items()
    }
    tensors = {**weights, MEAN: workspace.normalization.mean, STD: workspace.normalization.std}
    bundle = Bundle(workspace.network.config, _describe(workspace), tensors)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_bundle(path, bundle)
    return bundle


def _describe(workspace: Workspace) -> BundleInfo:
    dataset = workspace.dataset
    held_out = np.flatnonzero(dataset.split != Split.TRAIN)
    return BundleInfo(
        fps=float(dataset.info["fps"]),
        styles=dataset.style_names,
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
