# SPDX-License-Identifier: GPL-3.0-or-later
"""Train the stylizer with parts switched off, and say what each part is worth.

python -m scripts.ablate ../shared/data/bandai-namco.tar.xz --base build/train --steps 800
python -m scripts.ablate ../shared/data/bandai-namco.tar.xz --variants full,no-cycle --left-out run

Every variant starts from the autoencoder of --base if it can use it, and trains its own if not. What is trained is kept
below build/ablations, so that the same command continues. The whole path without Blender is judged, on held-out takes.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import torch

from core.engines.engine import StyleEngine
from core.root_motion import KEEP, PREDICTED
from models.bundle import read_bundle
from models.runtime import TorchNetwork
from scripts.evaluation import systems
from scripts.evaluation.cases import Court, Outcome, Wishes, draw_cases
from scripts.evaluation.judges import open_bench
from scripts.evaluation.library import load_library
from scripts.evaluation.report import summarize
from scripts.preparation.archives import unpack

from .train import train_to
from .training.checkpoint import CheckpointError, load_checkpoint
from .training.dataset import MotionDataset, load_dataset
from .training.loop import Run
from .training.settings import Settings, override

ROOT: Final = Path(__file__).resolve().parent.parent

Changes = dict[str, Any]

VARIANTS: Final[dict[str, Changes]] = {
    "full": {},
    "variational": {"pose_weights": {"divergence": 1e-3}},
    "unsupervised": {"swaps": {"supervised": False}},
    "no-alignment": {"style_weights": {"same_take": 0.0}},
    "no-cycle": {"style_weights": {"cycle": 0.0}},
    "no-adversary": {"style_weights": {"adversary": 0.0}},
    "no-statistics": {"style_weights": {"statistics": 0.0, "pose_statistics": 0.0}},
    "no-classifiers": {"style_weights": {"style_class": 0.0, "content_class": 0.0, "content_features": 0.0}},
    "absolute": {"swaps": {"relative": 0.0, "average": 0.0}},
    "no-average": {"swaps": {"average": 0.0}},
    "no-detail": {"swaps": {"reference_detail": 0.0}},
    "standard-prior": {"swaps": {"learned_prior": False}},
    "no-mean-weights": {"swaps": {"memory": 0.0}},
    "no-pose-losses": {"style_weights": {"pose": 0.0, "joints": 0.0, "jerk": 0.0}},
    "no-mirror": {"augmentation": {"mirror": 0.0}},
    "no-joining": {"augmentation": {"join": 0.0}},
    "no-unlabelled": {"augmentation": {"unlabelled": 0.0}},
}
"""What is changed of the settings, by the name of the variant."""

# Judged with the clip's own path instead of the predicted one.
NO_ROOT: Final = "no-root-predictor"


@dataclass(frozen=True)
class Options:
    """The command line."""

    source: Path
    variants: tuple[str, ...]
    base: Path
    data: Path
    out: Path
    steps: int
    left_out: tuple[str, ...]
    takes: int
    threads: int
    cache: Path


def main(arguments: list[str] | None = None) -> int:
    """Train and judge every variant; prints a row of the table as soon as it is known."""
    options = Options(**vars(_parser().parse_args(arguments)))
    torch.set_num_threads(options.threads)
    dataset = load_dataset(options.data)
    trained = [(name, _trained(name, options, dataset)) for name in options.variants]
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        library = load_library(options.data, unpack(options.source, Path(scratch)), options.cache)
        court = Court(library, open_bench(library, options.cache))
        lines: list[str] = [*_HEAD]
        print("\n".join(_HEAD))
        for name, weights in trained:
            for line in _rows(name, weights, court, options):
                lines.append(line)
                print(line, flush=True)
    (options.out / f"{tag(options)}.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return 0


_HEAD: Final = ("| variant | source | n | style accuracy | content accuracy | expression | off |", "|---" * 7 + "|")


def _trained(name: str, options: Options, dataset: MotionDataset) -> Path:
    """The weights of a variant, trained now if they are not there."""
    changes = {} if name == NO_ROOT else VARIANTS[name]
    settings = override(Settings(left_out=options.left_out), changes)
    pace = replace(settings.stylizer, steps=options.steps)
    settings = replace(settings, stylizer=pace)
    out = options.out / f"{'full' if name == NO_ROOT else name}-{tag(options)}"
    weights = out / "weights.safetensors"
    if not weights.exists():
        out.mkdir(parents=True, exist_ok=True)
        lend_autoencoder(options.base, out, settings)
        print(f"training {out.name}", flush=True)
        train_to(weights, dataset, Run(out, torch.device("cpu"), settings))
    return weights


def lend_autoencoder(base: Path, out: Path, settings: Settings) -> None:
    """Copy a finished autoencoder that was trained as these settings say, if there is one."""
    source, target = base / "autoencoder.pt", out / "autoencoder.pt"
    if target.exists() or not source.exists():
        return
    try:
        state = load_checkpoint(source, settings.scope("autoencoder"), torch.device("cpu"))
    except CheckpointError:
        return
    if state is not None and state["finished"]:
        shutil.copyfile(source, target)


def _rows(name: str, weights: Path, court: Court, options: Options) -> list[str]:
    bundle = read_bundle(weights)
    wishes = Wishes(options.takes, 1, contents=options.left_out, labels=bundle.info.styles)
    cases = draw_cases(court.library, wishes)
    engine = StyleEngine(TorchNetwork(bundle, "cpu", options.threads))
    outcomes: dict[str, list[Outcome]] = {}
    for case in cases:
        wanted = replace(systems.settings_of(case), root=KEEP if name == NO_ROOT else PREDICTED)
        outcomes.setdefault(case.source, []).append(court.rule(case, systems.restyled(engine, case, wanted)))
    return [_row(name, source, found) for source, found in outcomes.items()]


def _row(name: str, source: str, outcomes: list[Outcome]) -> str:
    s = summarize(outcomes)
    return f"| {name} | {source} | {s.n} | {s.style_accuracy} | {s.content_accuracy} | {s.expression} | {s.off} |"


def tag(options: Options) -> str:
    """What the files of a run are called by."""
    return "-".join([str(options.steps), *(f"without-{name}" for name in options.left_out)])


def _names(text: str) -> tuple[str, ...]:
    return tuple(name for name in text.split(",") if name)


def _variants(text: str) -> tuple[str, ...]:
    names = _names(text)
    if unknown := [name for name in names if name not in VARIANTS and name != NO_ROOT]:
        raise argparse.ArgumentTypeError(f"there is no variant {', '.join(unknown)}")
    return names


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="scripts.ablate", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("source", type=Path, help="archive of the BVH files that the dataset was made of, or their folder")
    add("--variants", type=_variants, default=(*VARIANTS, NO_ROOT), help=", ".join((*VARIANTS, NO_ROOT)))
    add("--base", type=Path, default=ROOT / "build/train", help="a training run whose autoencoder is used")
    add("--data", type=Path, default=ROOT / "build/data/all.npz", help="dataset of scripts.prepare_data")
    add("--out", type=Path, default=ROOT / "build/ablations", help="where everything is kept")
    add("--steps", type=int, default=800, help="of the stylizer")
    add("--left-out", type=_names, default=(), help="actions that the stylizer never sees, and the only ones judged")
    add("--takes", type=int, default=70, help="held-out takes for each style source")
    add("--threads", type=int, default=2, help="CPU threads")
    add("--cache", type=Path, default=ROOT / "build/judges", help="where trained judges are kept")
    return parser


if __name__ == "__main__":
    sys.exit(main())
