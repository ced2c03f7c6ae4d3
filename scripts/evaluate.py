# SPDX-License-Identifier: GPL-3.0-or-later
"""Stylize held-out takes, and have judges that training never touched say what came out.

    python -m scripts.evaluate ../shared/data/bandai-namco.tar.xz                     # the network's change on the rig
    python -m scripts.evaluate ../shared/data/bandai-namco.tar.xz --suite pipeline    # the whole path, without Blender
    python -m scripts.evaluate ../shared/data/bandai-namco.tar.xz --suite blender --python PYTHON_WITH_BPY --zip ZIP
    python -m scripts.evaluate ../shared/data --suite retarget --python PYTHON_WITH_BPY  # rigs of the archives
    python -m scripts.evaluate --suite retarget --rigs FOLDER --python PYTHON_WITH_BPY  # rigs of a folder

Expression and off are explained in scripts/evaluation/measures.py. The table is printed and written below
build/evaluation.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from core.engines.engine import StyleEngine
from core.representation import SIGNATURE
from core.rotations import Array
from models.bundle import Bundle, BundleError, read_bundle
from models.runtime import TorchNetwork
from scripts.evaluation import retarget_suite, systems
from scripts.evaluation.autoencoder import autoencoder_error
from scripts.evaluation.blender_suite import BlenderError, BlenderJob, newest_zip, run_in_blender
from scripts.evaluation.cases import Case, Court, draw_cases
from scripts.evaluation.judges import open_bench
from scripts.evaluation.library import TEST, Library, load_library
from scripts.evaluation.report import Report, markdown, share, write
from scripts.prepare_data import unpack

ROOT = Path(__file__).resolve().parent.parent
RETARGET = "retarget"
SUITES = ("network", "pipeline", "blender", "decoded", RETARGET)


@dataclass(frozen=True)
class Options:
    """The command line."""

    source: Path | None
    suite: str
    rigs: Path | None
    takes: int
    weights: Path
    dataset: Path
    cache: Path
    out: Path
    seed: int
    threads: int
    python: Path
    zip: Path | None


def main(arguments: list[str] | None = None) -> int:
    """Run the command; the exit status says whether there is a table."""
    options = Options(**vars(_parser().parse_args(arguments)))
    torch.set_num_threads(options.threads)
    try:
        if options.suite == RETARGET:
            return _retarget(options)
        bundle = read_bundle(options.weights, SIGNATURE)
        with tempfile.TemporaryDirectory() as scratch:
            folder = unpack(_required(options.source), Path(scratch))
            report = evaluate(options, bundle, load_library(options.dataset, folder, options.cache))
    except (BundleError, BlenderError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    write(report, options.out, options.suite)
    print(markdown(report))
    return 0


def evaluate(options: Options, bundle: Bundle, library: Library) -> Report:
    """Judge one suite."""
    court = Court(library, open_bench(library, options.cache))
    cases = draw_cases(library, options.takes, options.seed)
    begin = time.monotonic()
    outcomes = [court.rule(case, joints) for case, joints in results(options, bundle, cases)]
    notes = (
        f"Weights {options.weights.name}, revision {bundle.info.git_revision}, seed {options.seed}",
        f"{len(cases)} cases in {time.monotonic() - begin:.0f} s; no case's take, nor its reference, was in training",
        _autoencoder_note(bundle, library),
        *_judge_notes(court),
    )
    _check_held_out(bundle, cases)
    return Report(f"Stylized held-out takes: {options.suite}", notes, tuple(outcomes), tuple(court.real_pairs()))


def _retarget(options: Options) -> int:
    """The suite of rigs: other measures, another table, and neither weights nor judges of its own."""
    with tempfile.TemporaryDirectory() as scratch:
        if options.rigs is not None:
            job = retarget_suite.folder_of_rigs(options.rigs)
        else:
            job = retarget_suite.known_rigs(_required(options.source), Path(scratch))
        extension = options.zip or newest_zip(ROOT / "dist")
        report = retarget_suite.run_rigs(replace(job, python=options.python, extension=extension))
    retarget_suite.write(report, options.out)
    print(retarget_suite.markdown(report))
    return 0


def _required(source: Path | None) -> Path:
    if source is None:
        raise FileNotFoundError("Name the archive or folder that is to be judged.")
    return source


def results(options: Options, bundle: Bundle, cases: list[Case]) -> Iterator[tuple[Case, Array]]:
    """Every case with the joints of its result."""
    if options.suite == "blender":
        extension = options.zip or newest_zip(ROOT / "dist")
        yield from run_in_blender(BlenderJob(options.python, extension, options.weights), cases)
        return
    system = getattr(systems, options.suite)(StyleEngine(TorchNetwork(bundle, "cpu", options.threads)))
    for case in cases:
        yield case, system(case)


def _check_held_out(bundle: Bundle, cases: list[Case]) -> None:
    used = {take.name for case in cases for take in (case.take, case.reference) if take}
    if seen := sorted(used - set(bundle.info.held_out_takes)):
        raise BundleError(f"Training saw {len(seen)} of the takes, {seen[0]} first: prepare the data and train anew.")


def _autoencoder_note(bundle: Bundle, library: Library) -> str:
    error = autoencoder_error(bundle, library.of(TEST))
    return f"Autoencoder on {error.takes} takes: {error.centimetres:.2f} cm, {error.degrees:.2f} degrees"


def _judge_notes(court: Court) -> list[str]:
    takes = court.library.of(TEST)
    verdicts = [court.bench.judge(court.library.joints_of(take)) for take in takes]
    style = share([verdict.style == take.style for verdict, take in zip(verdicts, takes, strict=True)])
    content = share([verdict.content == take.content for verdict, take in zip(verdicts, takes, strict=True)])
    return [f"Judges on {len(takes)} real held-out takes: style {style}, content {content}"]


def _parser() -> argparse.ArgumentParser:
    description, _, epilog = (__doc__ or "").partition("\n")
    parser = argparse.ArgumentParser(
        prog="scripts.evaluate", description=description, epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    add = parser.add_argument
    add(
        "source",
        type=Path,
        nargs="?",
        help="archive of BVH files that the dataset was made of, or their folder; for retarget that of the archives",
    )
    add("--rigs", type=Path, help="a folder of rig files, for the suite retarget: these instead of the known ones")
    add("--suite", choices=SUITES, default="network", help="how much of the path is judged")
    add("--takes", type=int, default=140, help="held-out takes for each style source")
    add("--weights", type=Path, default=ROOT / "models/weights/bandai-namco.safetensors")
    add("--dataset", type=Path, default=ROOT / "build/data/bandai-namco.npz", help="dataset of scripts.prepare_data")
    add("--cache", type=Path, default=ROOT / "build/judges", help="where trained judges are kept")
    add("--out", type=Path, default=ROOT / "build/evaluation", help="where the table is written")
    add("--seed", type=int, default=1, help="of the choice of cases")
    add("--threads", type=int, default=2, help="CPU threads")
    add(
        "--python",
        type=Path,
        default=Path(sys.executable),
        help="a Python with bpy, for blender (with torch too) and retarget",
    )
    add("--zip", type=Path, help="the extension, for blender and retarget; default: the newest in dist")
    return parser


if __name__ == "__main__":
    sys.exit(main())
