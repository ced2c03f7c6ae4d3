# SPDX-License-Identifier: GPL-3.0-or-later
"""Train the stylizer from a prepared dataset to a weight bundle.

python -m scripts.train                      # continues where it stopped
python -m scripts.train --minutes 30         # stops in time; the same command continues
python -m scripts.train --steps 2 --out /tmp/try --weights /tmp/try/weights.safetensors
torchrun --nproc-per-node 4 -m scripts.train # four GPUs, each with a batch of its own
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch

from .training import parallel
from .training.autoencoder_stage import AutoencoderStage
from .training.auxiliary_stage import AuxiliaryStage
from .training.checkpoint import CheckpointError
from .training.dataset import DatasetError, MotionDataset, load_dataset
from .training.end_to_end_stage import EndToEndStage
from .training.export import export_bundle
from .training.loop import OutOfTimeError, Run, run_stage
from .training.root_stage import RootStage
from .training.settings import Settings, SettingsError, load_settings
from .training.stylizer_stage import StylizerStage
from .training.workspace import Workspace, open_workspace, without_left_out

ROOT: Final = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Options:
    """The command line."""

    data: Path
    out: Path
    weights: Path
    settings: Path | None
    device: str
    threads: int
    minutes: float | None
    steps: int | None
    seed: int | None


def main(arguments: list[str] | None = None) -> int:
    """Run the command; the exit status is 0 only if a bundle was written."""
    options = Options(**vars(_parser().parse_args(arguments)))
    torch.set_num_threads(options.threads)
    try:
        settings = _settings(options)
        with parallel.together(options.device) as device:
            train_to(options.weights, load_dataset(options.data), _run(options, settings, device))
    except (CheckpointError, DatasetError, SettingsError, OutOfTimeError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def train_to(weights: Path, dataset: MotionDataset, run: Run) -> None:
    """Run all stages and write the bundle, once for all processes; SettingsError if no bundle can hold the result."""
    if run.settings.method.pose_space:
        raise SettingsError("No bundle can hold a network in pose space: judge it with scripts.ablate.")
    workspace = train(open_workspace(dataset, run.settings, run.device), run)
    if parallel.rank() == 0:
        bundle = export_bundle(workspace, weights)
        print(f"{weights}: {len(bundle.tensors)} tensors, {weights.stat().st_size / 1e6:.1f} MB")
    parallel.wait()


def train(workspace: Workspace, run: Run) -> Workspace:
    """Run all stages, each on top of the ones before; gives the workspace of the last."""
    method = run.settings.method
    autoencoder = AutoencoderStage(workspace)
    if method.autoencoder_first:
        run_stage(autoencoder, run)
    workspace = without_left_out(workspace)
    auxiliaries = AuxiliaryStage(workspace)
    run_stage(auxiliaries, run)
    together = EndToEndStage(workspace, auxiliaries, autoencoder) if method.end_to_end else None
    run_stage(together or StylizerStage(workspace, auxiliaries), run)
    run_stage(RootStage(workspace), run)
    return workspace


def _run(options: Options, settings: Settings, device: torch.device) -> Run:
    deadline = float("inf") if options.minutes is None else time.monotonic() + 60.0 * options.minutes
    return Run(options.out, device, settings, deadline)


def _settings(options: Options) -> Settings:
    settings = load_settings(options.settings)
    if options.seed is not None:
        settings = settings.with_seed(options.seed)
    return settings if options.steps is None else settings.with_steps(options.steps)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scripts.train", description=__doc__.partition("\n")[0] if __doc__ else None)
    add = parser.add_argument
    add("--data", type=Path, default=ROOT / "build/data/all.npz", help="dataset of scripts.prepare_data")
    add("--out", type=Path, default=ROOT / "build/train", help="folder for checkpoints")
    add("--weights", type=Path, default=ROOT / "models/weights/bandai-namco.safetensors", help="bundle to write")
    add("--settings", type=Path, help="TOML file with entries of scripts/training/settings.py")
    add("--device", default="cuda" if torch.cuda.is_available() else "cpu", help="cpu, cuda or mps")
    add("--threads", type=int, default=2, help="CPU threads")
    add("--minutes", type=float, help="stop after this long; the same command continues")
    add("--steps", type=int, help="steps of every stage, for a quick look")
    add("--seed", type=int, help="of all random numbers")
    return parser


if __name__ == "__main__":
    sys.exit(main())
