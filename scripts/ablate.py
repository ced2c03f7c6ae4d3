# SPDX-License-Identifier: GPL-3.0-or-later
"""Train the stylizer with parts switched off, and say what each part is worth.

python -m scripts.ablate ../shared/data/bandai-namco.tar.xz --base build/train --steps 800
python -m scripts.ablate ../shared/data/bandai-namco.tar.xz --variants full,no-cycle --left-out run

Every variant starts from the autoencoder and the classifiers of --base if it can use them, and trains its own if not.
What is trained is kept below build/ablations, so that the same command continues, and so is what it was judged to be: a
row of the table is printed and written as soon as its variant is trained, and is compared with `full` if that is known.
The whole path without Blender is judged, on held-out takes, with the style in full: where it would fade out depends on
each variant's own autoencoder, and is not what is asked here.
"""

from __future__ import annotations

import argparse
import filecmp
import shutil
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import torch

from core.engines import StyleNetwork
from core.engines.engine import StyleEngine
from core.root_motion import KEEP, PREDICTED
from models.bundle import BundleError, read_bundle
from models.runtime import TorchNetwork
from scripts.evaluation import ablations, systems
from scripts.evaluation.cases import Court, Outcome, Wishes, draw_cases
from scripts.evaluation.judges import open_bench
from scripts.evaluation.library import load_library
from scripts.preparation.archives import unpack

from .train import train, train_to
from .training.checkpoint import CheckpointError, load_checkpoint
from .training.dataset import DatasetError, MotionDataset, load_dataset
from .training.loop import Run
from .training.settings import Settings, SettingsError, load_settings, override
from .training.unbundled import UnbundledNetwork
from .training.workspace import open_workspace

ROOT: Final = Path(__file__).resolve().parent.parent

Changes = dict[str, Any]

FULL: Final = "full"

VARIANTS: Final[dict[str, Changes]] = {
    FULL: {},
    "pose-space": {"method": {"pose_space": True}},
    "end-to-end": {"method": {"end_to_end": True}},
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
    settings: Path | None
    steps: int
    joint_steps: int | None
    left_out: tuple[str, ...]
    takes: int
    threads: int
    cache: Path


def main(arguments: list[str] | None = None) -> int:
    """Train and judge every variant; prints and writes a row of the table as soon as it is known."""
    options = Options(**vars(_parser().parse_args(arguments)))
    torch.set_num_threads(options.threads)
    try:
        _compare(options)
    except (BundleError, CheckpointError, DatasetError, FileNotFoundError, SettingsError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _compare(options: Options) -> None:
    dataset = load_dataset(options.data)
    with tempfile.TemporaryDirectory() as scratch:
        library = load_library(options.data, unpack(options.source, Path(scratch)), options.cache)
        court = Court(library, open_bench(library, options.cache))
        print("\n".join(ablations.HEAD), flush=True)
        for name in options.variants:
            network = trained(name, options, dataset)
            scores = ablations.scored(judged(name, network, court, options))
            ablations.keep(_scores(name, options), scores)
            print("\n".join(ablations.rows(name, scores, ablations.kept(_scores(FULL, options)))), flush=True)
            _write_table(options)


def settings_of(name: str, options: Options) -> Settings:
    """What a variant is trained with.

    Where autoencoder and stylizer are trained together, that takes as many steps as both take one after the other.
    """
    settings = override(load_settings(options.settings), {} if name == NO_ROOT else VARIANTS[name])
    steps = options.steps
    if settings.method.end_to_end:
        steps = options.steps + settings.autoencoder.steps if options.joint_steps is None else options.joint_steps
    return replace(settings, left_out=options.left_out, stylizer=replace(settings.stylizer, steps=steps))


def trained(name: str, options: Options, dataset: MotionDataset) -> StyleNetwork:
    """The network of a variant, trained now as far as it is not there.

    Raises:
        CheckpointError: what is there was trained with other settings.
    """
    settings = settings_of(name, options)
    out = _folder(name, options)
    run = Run(out, torch.device("cpu"), settings)
    lend(options.base, out, settings)
    if settings.method.pose_space:
        print(f"training {out.name}", flush=True)
        return UnbundledNetwork(train(open_workspace(dataset, settings, run.device), run), options.threads)
    weights = out / "weights.safetensors"
    if not weights.exists():
        print(f"training {out.name}", flush=True)
        train_to(weights, dataset, run)
    bundle = read_bundle(weights)
    if bundle.info.trainer != settings.to_json():
        raise CheckpointError(f"{weights} was trained with other settings; choose another --out or delete {out}.")
    return TorchNetwork(bundle, "cpu", options.threads)


def lend(base: Path, out: Path, settings: Settings) -> None:
    """Copy the finished autoencoder and classifiers of a run on the same dataset, if these settings ask for the same.

    Classifiers belong to the latents of one autoencoder: they are lent together with it only.
    """
    out.mkdir(parents=True, exist_ok=True)
    for stage in ("autoencoder", "auxiliaries"):
        source, target = base / f"{stage}.pt", out / f"{stage}.pt"
        if not target.exists() and _is_finished(source, settings.scope(stage)):
            partial = target.with_name(target.name + ".partial")
            shutil.copyfile(source, partial)
            partial.replace(target)
        if not (source.exists() and target.exists() and filecmp.cmp(source, target, shallow=False)):
            return


def _is_finished(checkpoint: Path, scope: str) -> bool:
    try:
        state = load_checkpoint(checkpoint, scope, torch.device("cpu"))
    except CheckpointError:
        return False
    return state is not None and bool(state["finished"])


def judged(name: str, network: StyleNetwork, court: Court, options: Options) -> list[Outcome]:
    """The outcomes of a variant's network, for each source of the style on as many takes as the options say."""
    wishes = Wishes(options.takes, 1, contents=options.left_out, labels=network.styles)
    engine, root = StyleEngine(network), KEEP if name == NO_ROOT else PREDICTED
    outcomes: list[Outcome] = []
    for case in draw_cases(court.library, wishes):
        wanted = replace(systems.settings_of(case), root=root, fade=False)
        outcomes.append(court.rule(case, systems.restyled(engine, case, wanted)))
    return outcomes


def _write_table(options: Options) -> None:
    """All variants that were judged so far, by this run or an earlier one."""
    whole = ablations.kept(_scores(FULL, options))
    rows = [ablations.rows(name, ablations.kept(_scores(name, options)), whole) for name in (*VARIANTS, NO_ROOT)]
    lines = [*ablations.HEAD, *(line for some in rows for line in some)]
    (options.out / f"{tag(options)}.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _folder(name: str, options: Options) -> Path:
    """Where the training of a variant is kept."""
    return options.out / f"{FULL if name == NO_ROOT else name}-{tag(options)}"


def _scores(name: str, options: Options) -> Path:
    """Where it is kept what a variant was judged to be, on so many takes: gone when its training is."""
    return _folder(name, options) / f"{name}-{options.takes}.json"


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
    add("--base", type=Path, default=ROOT / "build/train", help="a run of scripts.train on the same dataset")
    add("--data", type=Path, default=ROOT / "build/data/all.npz", help="dataset of scripts.prepare_data")
    add("--out", type=Path, default=ROOT / "build/ablations", help="where everything is kept")
    add("--settings", type=Path, help="TOML file of the run that is taken apart, as for scripts.train")
    add("--steps", type=int, default=800, help="of the stylizer")
    add("--joint-steps", type=int, help="of end-to-end; by default those of autoencoder and stylizer together")
    add("--left-out", type=_names, default=(), help="actions that the stylizer never sees, and the only ones judged")
    add("--takes", type=int, default=70, help="held-out takes for each style source")
    add("--threads", type=int, default=2, help="CPU threads")
    add("--cache", type=Path, default=ROOT / "build/judges", help="where trained judges are kept")
    return parser


if __name__ == "__main__":
    sys.exit(main())
