# SPDX-License-Identifier: GPL-3.0-or-later
"""Stage 3: content encoder, style encoder and generator, by recipe C.

GenMoStyle's reconstruction, cycle, prior and same-take losses, changed so that little data suffices: the content
code is kept free of style by an adversary instead of by instance norm, and swaps are pulled to the statistics that
the target class has in the training takes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from models.config import STRIDE
from models.stylization import StyleCue

from .autoencoder_stage import pose_losses
from .auxiliary_stage import AuxiliaryStage, LatentClassifier
from .gaussians import Gaussian, LabelPrior, fold_prior
from .loop import Stage, descend
from .statistics import Change, ClassStatistics, window_starts
from .workspace import Workspace


@dataclass(frozen=True)
class Batch:
    """Two crops a and b of each take: latents and poses. Takes 2i and 2i + 1 differ in style and are partners."""

    a: Tensor
    b: Tensor
    features_a: Tensor
    features_b: Tensor
    style: Tensor
    content: Tensor

    @property
    def partner(self) -> Tensor:
        """Index of the partner of each take, (B,)."""
        return torch.arange(len(self.style), device=self.style.device) ^ 1


@dataclass(frozen=True)
class Codes:
    """What the encoders say about a batch."""

    content_a: Tensor
    content_b: Tensor
    style_a: Gaussian
    style_b: Gaussian


class StylizerStage(Stage):
    """Train the three stylization networks against a frozen autoencoder and frozen auxiliary classifiers."""

    name = "stylizer"

    def __init__(self, workspace: Workspace, auxiliaries: AuxiliaryStage) -> None:
        """Measure the classes and build the adversary."""
        network = workspace.network
        self._workspace = workspace
        self._network = network
        self._auxiliaries = auxiliaries
        self._weights = workspace.settings.style_weights
        lengths = {frames // STRIDE for frames in workspace.settings.crop_frames}
        self._latent_statistics = ClassStatistics(workspace.dataset, self._latent_windows, lengths)
        self._pose_statistics = ClassStatistics(workspace.dataset, self._pose_windows, lengths)
        self._adversary = LatentClassifier(network.config.content_channels, network.config.style_count)
        self._adversary.to(workspace.device)
        self._prior = LabelPrior(network.config.style_count, network.config.style_channels).to(workspace.device)
        parts = {"content": network.content, "style": network.style, "generator": network.generator}
        trained = nn.ModuleDict({**parts, "prior": self._prior})
        self.settings = workspace.settings.stylizer
        self.modules = nn.ModuleDict({"stylizer": trained, "adversary": self._adversary})
        self.optimizers = {
            "stylizer": torch.optim.AdamW(trained.parameters(), weight_decay=1e-4),
            "adversary": torch.optim.AdamW(self._adversary.parameters(), weight_decay=1e-4),
        }
        for frozen in (network.autoencoder, auxiliaries.modules):
            frozen.requires_grad_(False)

    def step(self, rng: np.random.Generator) -> Mapping[str, Tensor]:
        """One step of the stylizer, one of its adversary."""
        batch = self._draw(rng)
        codes = self._encode(batch)
        losses = self._own_losses(batch, codes) | self._swap_losses(batch, codes)
        total = torch.stack([getattr(self._weights, name) * loss for name, loss in losses.items()]).sum()
        # The adversary's own parameters get gradients here, too; its own step clears them first.
        descend(total, self.optimizers["stylizer"])
        guess = functional.cross_entropy(self._adversary(codes.content_b.detach()), batch.style)
        descend(guess, self.optimizers["adversary"])
        return losses | {"guess": guess}

    def _draw(self, rng: np.random.Generator) -> Batch:
        takes, frames = self._workspace.sampler.draw(rng, self.settings.batch)
        bank, dataset = self._auxiliaries.bank, self._workspace.dataset
        steps = int(min(frames // STRIDE, bank.steps[takes].min()))
        first, second = bank.offsets(rng, takes, steps), bank.offsets(rng, takes, steps)
        return Batch(
            a=bank.crop(takes, first, steps),
            b=bank.crop(takes, second, steps),
            features_a=self._workspace.frames.crop(takes, first, steps * STRIDE),
            features_b=self._workspace.frames.crop(takes, second, steps * STRIDE),
            style=self._workspace.labels(dataset.style[takes]),
            content=self._workspace.labels(dataset.content[takes]),
        )

    def _encode(self, batch: Batch) -> Codes:
        both = torch.cat([batch.a, batch.b])
        both = both + self._weights.latent_noise * torch.randn(both.shape).to(both.device)
        content_a, content_b = self._network.content(both).chunk(2)
        mean, log_variance = self._network.style(both)
        (mean_a, mean_b), (log_a, log_b) = mean.chunk(2), log_variance.chunk(2)
        return Codes(content_a, content_b, Gaussian(mean_a, log_a), Gaussian(mean_b, log_b))

    def _own_losses(self, batch: Batch, codes: Codes) -> dict[str, Tensor]:
        """Losses of each clip with its own style."""
        label, prior = self._labels(batch.style, keep=0.5), self._prior(batch.style)
        a = self._network.generator(codes.content_a, codes.style_a.sample(), label)
        b = self._network.generator(codes.content_b, codes.style_b.sample(), label)
        # Decoding is the dearest part of a step; half of the clips say the same.
        half = len(a) // 2
        pose = pose_losses(self._workspace, self._network.autoencoder.decode(a[:half]), batch.features_a[:half])
        return {
            "reconstruction": functional.smooth_l1_loss(a, batch.a) + functional.smooth_l1_loss(b, batch.b),
            "pose": pose["features"],
            "joints": pose["joints"],
            "prior": codes.style_a.divergence(prior) + codes.style_b.divergence(prior),
            "size": codes.style_a.to_standard() + codes.style_b.to_standard(),
            "same_take": codes.style_a.divergence(codes.style_b),
            "adversary": _uniformity(self._adversary(codes.content_b)),
        }

    def _swap_losses(self, batch: Batch, codes: Codes) -> dict[str, Tensor]:
        """Losses of each clip's action in its partner's style, by label, by reference or by both."""
        target = batch.style[batch.partner]
        by_label = self._coins(len(target), 0.5)
        cue = self._swap_cue(batch, codes, by_label)
        swap = self._network.generator(codes.content_b, cue.style, cue.label)
        content = self._network.content(swap)
        cycle = self._network.generator(content, codes.style_b.sample(), self._labels(batch.style, keep=0.5))
        style_aux, content_aux = self._auxiliaries.style, self._auxiliaries.content
        features = content_aux.features(swap)
        return {
            "cycle": functional.smooth_l1_loss(cycle, batch.b),
            **self._statistics_losses(batch, swap, by_label),
            "style_class": functional.cross_entropy(style_aux(swap), target),
            "content_class": functional.cross_entropy(content_aux.head(features), batch.content),
            "content_features": functional.smooth_l1_loss(features, content_aux.features(batch.b)),
            "content_code": functional.smooth_l1_loss(content, codes.content_b),
        }

    def _statistics_losses(self, batch: Batch, swap: Tensor, by_label: Tensor) -> dict[str, Tensor]:
        """Distance of swaps from the classes they should belong to, as latents and as poses."""
        partner, steps = batch.partner, swap.shape[-1]
        shared = {
            "content": batch.content,
            "style": batch.style,
            "target": batch.style[partner],
            "reference_content": batch.content[partner],
            "detail": self._weights.reference_detail * (~by_label).float(),
            "relative": self._coins(len(partner), self._weights.relative_share),
        }
        latent = Change(source=batch.b, reference=batch.a[partner], **shared)
        pose = Change(source=batch.features_b, reference=batch.features_a[partner], **shared)
        decoded = self._network.autoencoder.decode(swap)
        return {
            "statistics": self._latent_statistics.table(steps).distance(swap, latent),
            "pose_statistics": self._pose_statistics.table(steps).distance(decoded, pose),
        }

    def _swap_cue(self, batch: Batch, codes: Codes, by_label: Tensor) -> StyleCue:
        """Cue by label alone where asked (B, 1), else by the partner's Gaussian, half of these with its label, too."""
        target = batch.style[batch.partner]
        # The prior learns from the encoder alone; swaps only use it.
        prior, reference = self._prior(target).detach().sample(), codes.style_a[batch.partner].sample()
        one_hot = self._labels(target, keep=1.0)
        return StyleCue(
            style=torch.where(by_label, prior, reference),
            label=torch.where(by_label, one_hot, self._labels(target, keep=0.5)),
        )

    def _coins(self, count: int, share: float) -> Tensor:
        """Random booleans, (count, 1), a share of them true; from the CPU's generator, like all noise."""
        return (torch.rand(count, 1) < share).to(self._workspace.device)

    def _labels(self, style: Tensor, keep: float) -> Tensor:
        """One-hots, a share of them kept and the others zero, (B, labels)."""
        one_hot = functional.one_hot(style, self._network.config.style_count).float()
        return one_hot * self._coins(len(style), keep)

    def _latent_windows(self, take: int, length: int) -> Tensor:
        bank = self._auxiliaries.bank
        length = min(length, int(bank.steps[take]))
        starts = window_starts(int(bank.steps[take]), length)
        return bank.crop(np.full(len(starts), take), starts * STRIDE, length)

    def _pose_windows(self, take: int, length: int) -> Tensor:
        available = int(self._workspace.dataset.lengths[take])
        frames = min(length * STRIDE, available)
        starts = window_starts(available, frames)
        return self._workspace.frames.crop(np.full(len(starts), take), starts, frames)

    def finish(self) -> None:
        """Fold the labels' priors into the weights, so that engines draw from N(0, I)."""
        fold_prior(self._network, self._prior)

    @torch.no_grad()
    def summary(self) -> str:
        """How well the adversary still guesses the style from content codes: chance is best."""
        rng = np.random.default_rng(0)
        batches = [self._draw(rng) for _ in range(8)]
        guesses = [self._adversary(self._network.content(batch.b)).argmax(dim=1) == batch.style for batch in batches]
        chance = 1.0 / self._network.config.style_count
        return f"style guessed from content codes {float(torch.cat(guesses).float().mean()):.3f} (chance {chance:.3f})"


def _uniformity(logits: Tensor) -> Tensor:
    """Cross-entropy of guesses with the uniform distribution."""
    return -functional.log_softmax(logits, dim=1).mean()
