# SPDX-License-Identifier: GPL-3.0-or-later
"""Who says which style and which action a clip shows: classifiers of joint positions, trained on real takes only.

They share nothing with any training of the stylizer: other inputs (joints of the rig instead of features of the
canonical skeleton), another architecture, other seeds. Real takes of the training split are all they ever see.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from core.rotations import Array
from core.skeleton import JOINT_COUNT
from models.tensorfile import read_tensors, save_tensors

from .joints import stance
from .library import TRAIN, Library

Float32 = NDArray[np.float32]

# Raise it when the network below changes: cached judges are then trained anew.
_ARCHITECTURE = 2
_POSITIONS = 3 * JOINT_COUNT
# Twice as many classes need twice as many steps.
_CLASSES_PER_ROUND = 10


@dataclass(frozen=True)
class JudgeConfig:
    """How a judge is built and trained; part of its cache key."""

    seed: int = 7001
    steps: int = 500
    batch: int = 32
    width: int = 96
    dilations: tuple[int, ...] = (1, 2, 4, 8)
    rate: float = 2e-3
    dropout: float = 0.2
    crops: tuple[int, ...] = (48, 96, 160)
    # Metres: every joint is moved by a constant of this size, so that a judge does not hang on bone lengths.
    displacement: float = 0.01


class Judge(nn.Module):
    """Residual dilated convolutions at half the frame rate, then mean and spread over time, then one linear layer."""

    mean: Tensor
    scale: Tensor

    def __init__(self, inputs: int, classes: int, config: JudgeConfig) -> None:
        """Build with random weights; mean and scale of the inputs are set by training."""
        super().__init__()
        self.register_buffer("mean", torch.zeros(inputs))
        self.register_buffer("scale", torch.ones(inputs))
        self.entry = nn.Conv1d(inputs, config.width, 5, stride=2, padding=2)
        self.blocks = nn.ModuleList(_Block(config.width, dilation, config.dropout) for dilation in config.dilations)
        self.head = nn.Linear(2 * config.width, classes)

    def forward(self, clips: Tensor, lengths: Tensor) -> Tensor:
        """Logits (B, classes) of clips (B, T, inputs), of which the first ``lengths`` (B,) frames count."""
        return self.head(self.pooled(clips, lengths))

    def pooled(self, clips: Tensor, lengths: Tensor) -> Tensor:
        """Mean and spread over time of the last hidden layer (B, 2 * width), of the same."""
        mask = (torch.arange(clips.shape[1], device=clips.device) < lengths[:, None])[:, None].float()
        hidden = self.entry(((clips - self.mean) / self.scale).transpose(1, 2) * mask)
        mask = mask[..., ::2]
        for block in self.blocks:
            hidden = block(hidden, mask)
        count = mask.sum(dim=-1)
        mean = (hidden * mask).sum(dim=-1) / count
        variance = ((hidden - mean[..., None]).square() * mask).sum(dim=-1) / count
        return torch.cat([mean, (variance + 1e-4).sqrt()], dim=-1)


class _Block(nn.Module):
    def __init__(self, width: int, dilation: int, dropout: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.spread = nn.Conv1d(width, width, 3, padding=dilation, dilation=dilation)
        self.mix = nn.Conv1d(width, width, 1)
        self.dropout = nn.Dropout(dropout)

    def forward(self, hidden: Tensor, mask: Tensor) -> Tensor:
        # Frame by frame: a norm over time would see what lies behind the end of a short clip.
        normal = self.norm(hidden.transpose(1, 2)).transpose(1, 2)
        step = functional.gelu(self.spread(normal * mask))
        return hidden + self.mix(self.dropout(step)) * mask


@dataclass(frozen=True)
class Verdict:
    """What the judges see in a clip.

    Attributes:
        style: name of its style.
        content: name of its action.
        style_features: (F,) what the style judge decides by, of length one.
        content_features: the same of the content judge.
    """

    style: str
    content: str
    style_features: Float32
    content_features: Float32


@dataclass(frozen=True)
class Bench:
    """The two judges, and the seeds of their training."""

    style: Judge
    content: Judge
    styles: tuple[str, ...]
    contents: tuple[str, ...]
    seeds: tuple[int, int]

    def judge(self, joints: Array) -> Verdict:
        """Verdict on one clip (T, 22, 3)."""
        clip = torch.from_numpy(judge_input(joints))[None]
        length = torch.tensor([clip.shape[1]])
        with torch.inference_mode():
            seen = [judge.pooled(clip, length) for judge in (self.style, self.content)]
            style, content = (
                int(judge.head(pooled).argmax()) for judge, pooled in zip((self.style, self.content), seen, strict=True)
            )
        # As in GenMoStyle's evaluation, so that distances have its scale.
        features = [functional.normalize(pooled[0], dim=0).numpy() for pooled in seen]
        return Verdict(self.styles[style], self.contents[content], *features)


def judge_input(joints: Array) -> Float32:
    """(T, 135) per frame: joints seen from the body, travel, turn, and the joints' velocities."""
    seen = stance(joints)
    frames = len(joints)
    parts = [seen.joints.reshape(frames, -1), seen.travel, seen.turn[:, None], seen.velocities.reshape(frames, -1)]
    return np.concatenate(parts, axis=-1).astype(np.float32)


def open_bench(library: Library, cache: Path, config: JudgeConfig | None = None) -> Bench:
    """Both judges, from the cache or trained now (two to three minutes on one thread); each on the takes it can use."""
    config = config or JudgeConfig()
    cache.mkdir(parents=True, exist_ok=True)
    inputs: dict[str, Float32] = {}
    judges: list[Judge] = []
    seeds = (config.seed, config.seed + 1)
    for seed, (what, names) in zip(seeds, (("style", library.styles), ("content", library.contents)), strict=True):
        key = json.dumps([library.digest, _ARCHITECTURE, what, asdict(config)])
        path = cache / f"{what}-{hashlib.sha256(key.encode()).hexdigest()[:12]}.safetensors"
        if path.exists():
            judges.append(_read(path, len(names), config))
            continue
        takes = [take for take in library.of(TRAIN) if getattr(take, what)]
        inputs.update({t.name: judge_input(library.joints_of(t)) for t in takes if t.name not in inputs})
        labels = [names.index(getattr(take, what)) for take in takes]
        longer = replace(config, seed=seed, steps=config.steps * max(1, round(len(names) / _CLASSES_PER_ROUND)))
        judges.append(_train([inputs[take.name] for take in takes], np.array(labels), len(names), longer))
        save_tensors(path, {name: value.numpy() for name, value in judges[-1].state_dict().items()}, {"judge": key})
    return Bench(judges[0], judges[1], library.styles, library.contents, seeds)


def _read(path: Path, classes: int, config: JudgeConfig) -> Judge:
    tensors, _ = read_tensors(path.read_bytes())
    judge = Judge(len(tensors["mean"]), classes, config)
    judge.load_state_dict({name: torch.from_numpy(np.array(value)) for name, value in tensors.items()})
    return judge.eval()


def _train(inputs: Sequence[Float32], labels: NDArray[np.int64], classes: int, config: JudgeConfig) -> Judge:
    """Cross-entropy on random crops; every class is drawn equally often."""
    torch.manual_seed(config.seed)
    rng = np.random.default_rng(config.seed)
    judge = _fresh(inputs, classes, config)
    optimizer = torch.optim.AdamW(judge.parameters(), lr=config.rate, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, config.rate, total_steps=config.steps)
    weights = 1.0 / np.bincount(labels, minlength=classes)[labels]  # classes without takes are never drawn
    for _ in range(config.steps):
        chosen = rng.choice(len(inputs), config.batch, p=weights / weights.sum())
        clips, lengths = _crop([inputs[i] for i in chosen], int(rng.choice(config.crops)), rng)
        clips[..., :_POSITIONS] += config.displacement * torch.randn(len(clips), 1, _POSITIONS)
        loss = functional.cross_entropy(judge(clips, lengths), torch.from_numpy(labels[chosen]), label_smoothing=0.05)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return judge.eval()


def _fresh(inputs: Sequence[Float32], classes: int, config: JudgeConfig) -> Judge:
    frames = np.concatenate(inputs)
    judge = Judge(frames.shape[1], classes, config)
    judge.mean = torch.from_numpy(frames.mean(axis=0, dtype=np.float64).astype(np.float32))
    judge.scale = torch.from_numpy((frames.std(axis=0, dtype=np.float64) + 0.02).astype(np.float32))
    return judge.train()


def _crop(clips: Sequence[Float32], frames: int, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Equally long crops; shorter clips are filled with zeros, which their lengths leave out."""
    batch = np.zeros((len(clips), frames, clips[0].shape[1]), dtype=np.float32)
    lengths = np.array([min(len(clip), frames) for clip in clips])
    for row, clip, length in zip(batch, clips, lengths, strict=True):
        start = int(rng.integers(len(clip) - length + 1))
        row[:length] = clip[start : start + length]
    return torch.from_numpy(batch), torch.from_numpy(lengths)
