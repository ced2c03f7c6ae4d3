# SPDX-License-Identifier: GPL-3.0-or-later
"""Stage 3: content encoder, style encoder and generator, by recipe C.

GenMoStyle's reconstruction, cycle, prior and same-take losses, changed so that little data suffices: the content
code is kept free of style by an adversary instead of by instance norm, and swaps are pulled to the statistics that
the target class has in the training takes, or, for actions that nobody named, to what the style does on the average.
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
from .auxiliary_stage import AuxiliaryStage, LatentClassifier, labelled_loss
from .averaging import RunningMean
from .batches import Batch, named_mean, one_hot
from .dataset import UNLABELLED, Split
from .gaussians import Gaussian, LabelPrior, fold_prior
from .loop import Stage, descend
from .statistics import Change
from .workspace import Workspace


@dataclass(frozen=True)
class Codes:
    """What the encoders say about a batch."""

    content_a: Tensor
    content_b: Tensor
    style_a: Gaussian
    style_b: Gaussian


@dataclass(frozen=True)
class Swap:
    """Every clip's action in its partner's style: what the generator was told, and what it made.

    Attributes:
        cue: style vectors and labels.
        label_only: whether nothing but the label was told, (B, 1).
        target: the styles, (B,).
        latent: (B, latent, T / 4).
        decoded: features, (B, D, T).
        measured: the latent as losses compare it with the batch's, (B, C, T / 4).
    """

    cue: StyleCue
    label_only: Tensor
    target: Tensor
    latent: Tensor
    decoded: Tensor
    measured: Tensor


class StylizerStage(Stage):
    """Train the three stylization networks against a frozen autoencoder and frozen auxiliary classifiers."""

    name = "stylizer"

    def __init__(self, workspace: Workspace, auxiliaries: AuxiliaryStage, besides: nn.ModuleDict | None = None) -> None:
        """Measure the classes and build the adversary; what there is ``besides`` is trained, too, and not frozen."""
        network = workspace.network
        besides = nn.ModuleDict() if besides is None else besides
        self._workspace = workspace
        self._network = network
        self._auxiliaries = auxiliaries
        self._batches = auxiliaries.batches
        self._weights = workspace.settings.style_weights
        self._swaps = workspace.settings.swaps
        lengths = {frames // STRIDE for frames in workspace.settings.crop_frames}
        self._latent_statistics, self._pose_statistics = self._batches.statistics(lengths)
        self._adversary = LatentClassifier(network.config.content_channels, self._batches.shape[1])
        self._adversary.to(workspace.device)
        self._prior = LabelPrior(network.config.style_count, network.config.style_channels).to(workspace.device)
        parts = {"content": network.content, "style": network.style, "generator": network.generator}
        self._prior.requires_grad_(self._swaps.learned_prior)
        trained = nn.ModuleDict({**parts, "prior": self._prior, **dict(besides.items())})
        self._mean = RunningMean(trained, self._swaps.memory)
        self.settings = workspace.settings.stylizer
        self.modules = nn.ModuleDict({"stylizer": trained, "adversary": self._adversary, "mean": self._mean})
        self.optimizers = {
            "stylizer": torch.optim.AdamW(trained.parameters(), weight_decay=1e-4),
            "adversary": torch.optim.AdamW(self._adversary.parameters(), weight_decay=1e-4),
        }
        for frozen in (network.autoencoder, auxiliaries.modules):
            frozen.requires_grad_(False)
        besides.requires_grad_(True)

    def step(self, rng: np.random.Generator) -> Mapping[str, Tensor]:
        """One step of the stylizer, one of its adversary."""
        return self._learn(self._batches.draw(rng, self.settings.batch))

    def _learn(self, batch: Batch, besides: Tensor | None = None) -> dict[str, Tensor]:
        """One step of both on a batch, with a loss besides the stylizer's own."""
        codes = self._encode(batch)
        losses = self._own_losses(batch, codes) | self._swap_losses(batch, codes)
        total = torch.stack([getattr(self._weights, name) * loss for name, loss in losses.items()]).sum()
        # The adversary's own parameters get gradients here, too; its own step clears them first.
        descend(total if besides is None else total + besides, self.optimizers["stylizer"])
        self._mean.update(self.modules["stylizer"])
        guess = labelled_loss(self._adversary(codes.content_b.detach()), batch.style)
        descend(guess, self.optimizers["adversary"])
        return losses | {"guess": guess}

    def _latents(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Both crops as the encoders read them."""
        return batch.a, batch.b

    def _noise(self, latents: Tensor) -> Tensor:
        """What is added to the latents that encoders read."""
        return self._swaps.latent_noise * torch.randn(latents.shape).to(latents.device)

    def _measured(self, latent: Tensor) -> Tensor:
        """A generated latent as losses compare it with the batch's."""
        return latent

    def _encode(self, batch: Batch) -> Codes:
        both = torch.cat(self._latents(batch))
        both = both + self._noise(both)
        content_a, content_b = self._network.content(both).chunk(2)
        mean, log_variance = self._network.style(both)
        (mean_a, mean_b), (log_a, log_b) = mean.chunk(2), log_variance.chunk(2)
        return Codes(content_a, content_b, Gaussian(mean_a, log_a), Gaussian(mean_b, log_b))

    def _own_losses(self, batch: Batch, codes: Codes) -> dict[str, Tensor]:
        """Losses of each clip with its own style."""
        label = self._labels(batch.style, keep=0.5)
        a = self._network.generator(codes.content_a, codes.style_a.sample(), label)
        b = self._network.generator(codes.content_b, codes.style_b.sample(), label)
        # Decoding is the dearest part of a step; half of the clips say the same.
        half = len(a) // 2
        pose = pose_losses(self._workspace, self._network.autoencoder.decode(a[:half]), batch.features_a[:half])
        # Without supervision, the prior has labels of another kind than the batch.
        named = torch.nonzero((batch.style >= 0) & self._swaps.supervised)[:, 0]
        prior = self._prior(batch.style[named])
        return {
            "reconstruction": functional.smooth_l1_loss(self._measured(a), batch.a)
            + functional.smooth_l1_loss(self._measured(b), batch.b),
            "pose": pose["features"],
            "joints": pose["joints"],
            "prior": self._to_prior(codes.style_a[named], prior) + self._to_prior(codes.style_b[named], prior),
            "size": codes.style_a.to_standard() + codes.style_b.to_standard(),
            "same_take": codes.style_a.divergence(codes.style_b),
            "adversary": _uniformity(self._adversary(codes.content_b)),
        }

    def _to_prior(self, codes: Gaussian, prior: Gaussian) -> Tensor:
        """KL(codes || prior); 0 without any codes."""
        return codes.divergence(prior) if len(codes.mean) else codes.mean.sum()

    def _swap_losses(self, batch: Batch, codes: Codes) -> dict[str, Tensor]:
        """Losses of each clip's action in its partner's style, by label, by reference or by both."""
        swap = self._swap(batch, codes)
        content = self._network.content(swap.latent)
        cycle = self._network.generator(content, codes.style_b.sample(), self._labels(batch.style, keep=0.5))
        style_aux, content_aux = self._auxiliaries.style, self._auxiliaries.content
        features = content_aux.features(swap.measured)
        return {
            "cycle": functional.smooth_l1_loss(self._measured(cycle), batch.b),
            **self._statistics_losses(batch, swap),
            "style_class": labelled_loss(style_aux(swap.measured), swap.target),
            "content_class": labelled_loss(content_aux.head(features), batch.content),
            "content_features": functional.smooth_l1_loss(features, content_aux.features(batch.b)),
            "content_code": functional.smooth_l1_loss(content, codes.content_b),
            "jerk": functional.relu(_jerk(swap.decoded) - _jerk(batch.features_b)).mean(),
        }

    def _swap(self, batch: Batch, codes: Codes) -> Swap:
        """The partner's style by its label alone, by its code, or by both."""
        target = batch.style[batch.partner]
        by_label = self._swaps.by_label if self._swaps.supervised else 0.0
        labelled = self._coins(len(target), by_label) & (target >= 0)[:, None]
        label_only = labelled & self._coins(len(target), self._swaps.without_reference)
        code = codes.style_a[batch.partner].sample()
        label = self._labels(target, keep=1.0) * labelled.float()
        if self._swaps.supervised:
            # The prior learns from the encoder alone; swaps only use it.
            code = torch.where(label_only, self._prior(target.clamp(min=0)).detach().sample(), code)
        cue = StyleCue(code, label)
        latent = self._network.generator(codes.content_b, cue.style, cue.label)
        return Swap(cue, label_only, target, latent, self._network.autoencoder.decode(latent), measured=latent)

    def _statistics_losses(self, batch: Batch, swap: Swap) -> dict[str, Tensor]:
        """Distance of swaps from the classes they should belong to, as latents and as poses."""
        partner, steps = batch.partner, swap.latent.shape[-1]
        alone = swap.label_only.float()
        shared = {
            "content": batch.content,
            "style": self._style_shares(batch),
            "target": swap.target,
            "reference_content": batch.content[partner],
            "detail": self._swaps.reference_detail * (1.0 - alone),
            "relative": self._coins(len(partner), self._swaps.relative),
            "average": self._coins(len(partner), self._swaps.average),
            "slack": self._swaps.slack * alone,
        }
        latent = Change(source=batch.b, reference=batch.a[partner], **shared)
        pose = Change(source=batch.features_b, reference=batch.features_a[partner], **shared)
        return {
            "statistics": self._latent_statistics.table(steps).distance(swap.measured, latent),
            "pose_statistics": self._pose_statistics.table(steps).distance(swap.decoded, pose),
        }

    @torch.no_grad()
    def _style_shares(self, batch: Batch) -> Tensor:
        """How much of each style is in a clip, (B, styles): its label, or what the classifier makes of it."""
        guess = self._auxiliaries.style(batch.b).softmax(dim=1)
        return torch.where((batch.style >= 0)[:, None], one_hot(batch.style, guess.shape[1]), guess)

    def _coins(self, count: int, share: float) -> Tensor:
        """Random booleans, (count, 1), a share of them true; from the CPU's generator, like all noise."""
        return (torch.rand(count, 1) < share).to(self._workspace.device)

    def _labels(self, style: Tensor, keep: float) -> Tensor:
        """One-hots, a share of them kept and the others zero, (B, labels); without supervision nothing is told."""
        if not self._swaps.supervised:
            return self._network.no_label(len(style))
        return one_hot(style, self._network.config.style_count) * self._coins(len(style), keep)

    def finish(self) -> None:
        """Take the mean weights, and fold the labels' priors into them, so that engines draw from N(0, I)."""
        self._mean.give(self.modules["stylizer"])
        if self._swaps.learned_prior:
            self._fit_prior()
        fold_prior(self._network, self._prior)

    @torch.no_grad()
    def _fit_prior(self) -> None:
        """Put each label's Gaussian where the encoder puts that label's takes."""
        label = self._workspace.names.of_take
        means: dict[int, list[Tensor]] = {}
        variances: list[Tensor] = []
        for take, features in self._batches.takes(Split.TRAIN):
            if label[take] != UNLABELLED:
                mean, log_variance = self._network.style(self._network.autoencoder.encode(features))
                means.setdefault(int(label[take]), []).append(mean[0])
                variances.append(log_variance[0].exp())
        gaps: list[Tensor] = []
        for style, found in means.items():
            together = torch.stack(found)
            self._prior.mean[style] = together.mean(dim=0)
            gaps.append(together - together.mean(dim=0))
        if not gaps:
            return
        among, within = torch.cat(gaps).square().mean(dim=0), torch.stack(variances).mean(dim=0)
        self._prior.log_variance.copy_((self._swaps.spread**2 * (among + within)).log())

    @torch.no_grad()
    def summary(self) -> str:
        """How well the adversary still guesses the style from content codes: chance is best."""
        rng = np.random.default_rng(0)
        guesses: list[Tensor] = []
        for batch in [self._batches.draw(rng, self.settings.batch) for _ in range(8)]:
            _, latents = self._latents(batch)
            guess = self._adversary(self._network.content(latents)).argmax(dim=1)
            guesses.append(named_mean((guess == batch.style).float(), batch.style))
        chance = 1.0 / self._batches.shape[1]
        return f"style guessed from content codes {float(torch.stack(guesses).mean()):.3f} (chance {chance:.3f})"


def _uniformity(logits: Tensor) -> Tensor:
    """Cross-entropy of guesses with the uniform distribution."""
    return -functional.log_softmax(logits, dim=1).mean()


def _jerk(features: Tensor) -> Tensor:
    """Mean size of the third difference over time, (B,)."""
    return features.diff(n=3, dim=-1).abs().mean(dim=(1, 2))
