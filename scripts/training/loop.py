# SPDX-License-Identifier: GPL-3.0-or-later
"""The loop that all stages share: pace, progress lines, checkpoints, continuing."""

from __future__ import annotations

import math
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from . import parallel
from .checkpoint import load_checkpoint, random_state, restore_random_state, save_checkpoint
from .settings import Settings, StageSettings

WARMUP_STEPS: Final = 100
FINAL_RATE: Final = 0.1
GRADIENT_NORM: Final = 1.0


class OutOfTimeError(RuntimeError):
    """The minutes that were asked for are over; everything is saved."""


class Stage(ABC):
    """One stage of training.

    Attributes:
        name: of the checkpoint and of the progress lines.
        settings: length and pace.
        modules: what is trained, and saved.
        optimizers: by name; all follow the same pace.

    """

    name: str
    settings: StageSettings
    modules: nn.ModuleDict
    optimizers: dict[str, Optimizer]

    @abstractmethod
    def step(self, rng: np.random.Generator) -> Mapping[str, Tensor]:
        """Update the modules once; returns what to print."""

    def finish(self) -> None:
        """Act once after the last step, before the final checkpoint; by default there is nothing to do."""
        return

    @abstractmethod
    def summary(self) -> str:
        """Describe the result on validation takes in one line."""


@dataclass(frozen=True)
class Run:
    """Where and how long stages run."""

    out: Path
    device: torch.device
    settings: Settings
    deadline: float = math.inf
    print_every: int = 50
    save_seconds: float = 60.0


@dataclass
class Progress:
    """Sums since the last line."""

    started: float = field(default_factory=time.monotonic)
    steps: int = 0
    sums: dict[str, float] = field(default_factory=dict[str, float])

    def add(self, metrics: Mapping[str, Tensor]) -> None:
        """Take in one step."""
        self.steps += 1
        for name, value in metrics.items():
            self.sums[name] = self.sums.get(name, 0.0) + float(value.detach())

    def line(self) -> str:
        """Means and milliseconds per step."""
        pace = 1000.0 * (time.monotonic() - self.started) / self.steps
        means = "  ".join(f"{name} {total / self.steps:.4f}" for name, total in self.sums.items())
        return f"{means}  {pace:.0f} ms/step"


def run_stage(stage: Stage, run: Run) -> None:
    """Train to the end, continuing where an earlier run stopped; OutOfTimeError at the deadline."""
    path = run.out / f"{stage.name}.pt"
    rng = np.random.default_rng([run.settings.seed, *stage.name.encode(), *([parallel.rank()] * (parallel.rank() > 0))])
    torch.manual_seed(int(rng.integers(2**31)))
    parallel.share_weights(stage.modules)
    state = load_checkpoint(path, run.settings.scope(stage.name), run.device)
    step = 0 if state is None else _restore(stage, rng, state)
    if state is None or not state["finished"]:
        _train(stage, run, rng, step)
        stage.modules.eval()
        stage.finish()
        _save(path, _state(stage, run, rng, stage.settings.steps) | {"finished": True})
    stage.modules.eval()
    _say(f"{stage.name}: {stage.summary()}")


def _train(stage: Stage, run: Run, rng: np.random.Generator, first: int) -> None:
    path = run.out / f"{stage.name}.pt"
    progress, saved = Progress(), time.monotonic()
    stage.modules.train()
    for step in range(first, stage.settings.steps):
        _set_rate(stage, step)
        progress.add(stage.step(rng))
        done = step + 1
        if done % run.print_every == 0:
            _say(f"{stage.name} {done}/{stage.settings.steps}  {progress.line()}")
            progress = Progress()
        out_of_time = parallel.any_of(time.monotonic() > run.deadline)
        if out_of_time or time.monotonic() - saved > run.save_seconds:
            _save(path, _state(stage, run, rng, done))
            saved = time.monotonic()
        if out_of_time:
            raise OutOfTimeError(f"stopped in {stage.name} at step {done}; run the same command again to continue.")


def _save(path: Path, state: dict[str, Any]) -> None:
    """Write a checkpoint in one process. Its random state is the own one, for repeating a lone run."""
    if parallel.rank() == 0:
        save_checkpoint(path, state)


def _say(line: str) -> None:
    if parallel.rank() == 0:
        print(line, flush=True)


def _set_rate(stage: Stage, step: int) -> None:
    rise = min(1.0, (step + 1) / WARMUP_STEPS)
    fall = FINAL_RATE + (1.0 - FINAL_RATE) * 0.5 * (1.0 + math.cos(math.pi * step / stage.settings.steps))
    for optimizer in stage.optimizers.values():
        for group in optimizer.param_groups:
            group["lr"] = stage.settings.learning_rate * rise * fall


def _state(stage: Stage, run: Run, rng: np.random.Generator, step: int) -> dict[str, Any]:
    return {
        "settings": run.settings.scope(stage.name),
        "step": step,
        "finished": False,
        "random": random_state(rng),
        "modules": stage.modules.state_dict(),
        "optimizers": {name: optimizer.state_dict() for name, optimizer in stage.optimizers.items()},
    }


def _restore(stage: Stage, rng: np.random.Generator, state: dict[str, Any]) -> int:
    stage.modules.load_state_dict(state["modules"])
    for name, optimizer in stage.optimizers.items():
        optimizer.load_state_dict(state["optimizers"][name])
    restore_random_state(rng, state["random"])
    return int(state["step"])


def descend(loss: Tensor, optimizer: Optimizer) -> None:
    """One optimizer step on a loss, with clipped gradients."""
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    for group in optimizer.param_groups:
        parallel.mean_gradients(group["params"])
        nn.utils.clip_grad_norm_(group["params"], GRADIENT_NORM)
    optimizer.step()
