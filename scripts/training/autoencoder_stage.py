# SPDX-License-Identifier: GPL-3.0-or-later
"""Stage 1: the motion autoencoder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from models.config import STRIDE
from models.networks.autoencoder import MotionAutoencoder

from .dataset import Split
from .gaussians import Gaussian
from .kinematics import angles_between
from .loop import Stage, descend
from .workspace import Workspace

ERROR_KNEE: Final = 0.2
"""Normalised error above which the loss turns linear: low, so that small errors still pull."""


class AutoencoderStage(Stage):
    """Reconstruct features and the joints that their rotations put in space."""

    name = "autoencoder"

    def __init__(self, workspace: Workspace) -> None:
        """Take the network's autoencoder."""
        self._workspace = workspace
        self._autoencoder = workspace.network.autoencoder
        self.settings = workspace.settings.autoencoder
        network = workspace.network.config
        # The spread of z is for training alone: who uses the network takes the mean.
        self._spread = nn.Conv1d(network.autoencoder_width, network.latent_channels, 1).to(workspace.device)
        self.modules = nn.ModuleDict({"autoencoder": self._autoencoder, "spread": self._spread})
        self.optimizers = {"autoencoder": torch.optim.AdamW(self.modules.parameters(), weight_decay=1e-4)}

    def step(self, rng: np.random.Generator) -> Mapping[str, Tensor]:
        """One batch of crops."""
        loss, losses = self.loss(rng)
        descend(loss, self.optimizers["autoencoder"])
        return losses

    def loss(self, rng: np.random.Generator) -> tuple[Tensor, Mapping[str, Tensor]]:
        """What is to be made small, of one batch of crops, and its parts."""
        features = self._workspace.clips.poses(rng, self.settings.batch)
        latent, divergence = self._encode(features)
        losses = pose_losses(self._workspace, self._autoencoder.decode(latent), features)
        weights = self._workspace.settings.pose_weights
        change = functional.smooth_l1_loss(latent[..., 1:], latent[..., :-1])
        loss = losses["features"] + weights.joints * losses["joints"] + weights.rotations * losses["rotations"]
        loss = loss + weights.latent_size * latent.abs().mean() + weights.latent_change * change
        return loss + weights.divergence * divergence, losses

    def _encode(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Latents, drawn from their Gaussians if the autoencoder is variational, and KL(z || N(0, I))."""
        hidden = self._autoencoder.hidden(features)
        mean = self._autoencoder.encoder[-1](hidden)
        if self._workspace.settings.pose_weights.divergence == 0.0:
            return mean, mean.new_zeros(())
        drawn = Gaussian(mean, self._spread(hidden))
        return drawn.sample(), drawn.to_standard()

    def finish(self) -> None:
        """Fold the latent's mean and scale into the weights, so that the other networks see values near 1."""
        takes = self._workspace.dataset.indices(Split.TRAIN)
        with torch.no_grad():
            latents = [self._autoencoder.encode(self._workspace.frames.whole(int(take), STRIDE)) for take in takes]
        standardize_latent(self._autoencoder, torch.cat(latents, dim=-1)[0])

    def summary(self) -> str:
        """Error of joints and rotations on validation takes."""
        error = reconstruction_error(self._workspace, Split.VALIDATION)
        return f"joints {100 * error.metres:.2f} cm, rotations {error.degrees:.2f} degrees on validation takes"


@dataclass(frozen=True)
class ReconstructionError:
    """Mean distance of joints, and mean geodesic angle of global joint rotations."""

    metres: float
    degrees: float


def pose_losses(workspace: Workspace, decoded: Tensor, features: Tensor) -> dict[str, Tensor]:
    """Distance of features (B, D, T), of joints in decimetres, of rotations as chords (2 is a half turn)."""
    kinematics = workspace.kinematics
    made, real = kinematics.matrices(decoded), kinematics.matrices(features)
    joints = kinematics.place(decoded, made) - kinematics.place(features, real)
    return {
        "features": functional.smooth_l1_loss(decoded, features, beta=ERROR_KNEE),
        "joints": 10.0 * joints.norm(dim=-1).mean(),
        "rotations": (made - real).flatten(-2).norm(dim=-1).mean() / 2.0**0.5,
    }


@torch.no_grad()
def reconstruction_error(workspace: Workspace, split: Split) -> ReconstructionError:
    """Autoencode every take of a split whole."""
    autoencoder, kinematics = workspace.network.autoencoder, workspace.kinematics
    metres: list[Tensor] = []
    degrees: list[Tensor] = []
    for take in workspace.dataset.indices(split):
        features = workspace.frames.whole(int(take), STRIDE)
        decoded = autoencoder.decode(autoencoder.encode(features))
        metres.append((kinematics.joints(decoded) - kinematics.joints(features)).norm(dim=-1).mean(-1).flatten())
        angles = angles_between(kinematics.matrices(decoded), kinematics.matrices(features))
        degrees.append(angles.mean(-1).flatten())
    return ReconstructionError(float(torch.cat(metres).mean()), float(torch.cat(degrees).mean()))


@torch.no_grad()
def standardize_latent(autoencoder: MotionAutoencoder, latents: Tensor) -> None:
    """Give z zero mean per channel and unit mean square overall, decoding the same poses as before.

    One scale for all channels: a channel that carries little must not become loud. Exact only because convolutions
    pad by repeating the edge.

    Args:
        autoencoder: changed in place.
        latents: many values of z, (latent, N).

    """
    mean = latents.mean(dim=1)
    scale = (latents - mean[:, None]).square().mean().sqrt()
    last, first = autoencoder.encoder[-1].state_dict(), autoencoder.decoder[0].state_dict()
    last["weight"] /= scale
    last["bias"].sub_(mean).div_(scale)
    first["bias"] += torch.einsum("oik,i->o", first["weight"], mean)
    first["weight"] *= scale
