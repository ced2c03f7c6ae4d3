# SPDX-License-Identifier: GPL-3.0-or-later
"""The stylizer and its autoencoder trained together from the start: GenMoStyle's ablation of its two stages.

The losses that compare latents mean nothing while latents move: they can be made small by shrinking the latents, class
statistics that were measured before the first step are of latents that are gone, and so is what a classifier learned.
How the authors' ablation went about that is not known. Here all of them are there with their weights, but measure what
was decoded, folded as pose_space.py does it, which stays where it is: reconstruction, cycle, class statistics, and both
classifiers, which have learned from folded poses. Only content and style codes are compared as they are; they move in
two stages, too. Besides, the autoencoder has the losses and the clips of its own stage.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from .autoencoder_stage import AutoencoderStage
from .auxiliary_stage import AuxiliaryStage
from .batches import Batch
from .pose_space import PoseFolding
from .stylizer_stage import Codes, StylizerStage, Swap
from .workspace import Workspace


class EndToEndStage(StylizerStage):
    """Train autoencoder and stylizer with one optimizer. The name is the stylizer's: it takes that stage's place."""

    def __init__(self, workspace: Workspace, auxiliaries: AuxiliaryStage, autoencoder: AutoencoderStage) -> None:
        """Take the losses of a stage that is not run; it may know actions that the workspace leaves out."""
        super().__init__(workspace, auxiliaries, autoencoder.modules)
        self._autoencoder = autoencoder
        self._folding = PoseFolding()

    def step(self, rng: np.random.Generator) -> Mapping[str, Tensor]:
        """One step of everything, one of the adversary."""
        batch = self._batches.draw(rng, self.settings.batch)
        loss, _ = self._autoencoder.loss(rng)
        return self._learn(batch, loss) | {"autoencoder": loss}

    def _latents(self, batch: Batch) -> tuple[Tensor, Tensor]:
        both = self._network.autoencoder.encode(torch.cat([batch.features_a, batch.features_b]))
        a, b = both.chunk(2)
        return a, b

    def _noise(self, latents: Tensor) -> Tensor:
        # Nobody has given these latents a scale: noise of a fixed size could be outgrown.
        return latents.detach().std() * super()._noise(latents)

    def _measured(self, latent: Tensor) -> Tensor:
        return self._folding.encode(self._network.autoencoder.decode(latent))

    def _swap(self, batch: Batch, codes: Codes) -> Swap:
        swap = super()._swap(batch, codes)
        return replace(swap, measured=self._folding.encode(swap.decoded))

    def summary(self) -> str:
        """Both stages' lines."""
        return f"{self._autoencoder.summary()}; {super().summary()}"
