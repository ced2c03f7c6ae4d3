# SPDX-License-Identifier: GPL-3.0-or-later
"""Stylize held-out takes, and have judges that training never touched say what came out.

    python -m scripts.evaluate ../shared/data/bandai-namco.tar.xz                  # the network's change on the rig
    python -m scripts.evaluate ../shared/data/bandai-namco.tar.xz --suite pipeline    # the whole path, without Blender
    python -m scripts.evaluate ../shared/data/bandai-namco.tar.xz --suite stylize     # all there is to know of the same
    python -m scripts.evaluate ../shared/data/bandai-namco.tar.xz --suite blender --python PYTHON_WITH_BPY --zip ZIP
    python -m scripts.evaluate --suite abroad --folder BVH_FILES MORE_BVH_FILES        # clips that nobody labelled
    python -m scripts.evaluate ../shared/data/bandai-namco.tar.xz --sheet PICTURES     # to be looked at
    python -m scripts.evaluate ../shared/data --suite retarget --python PYTHON_WITH_BPY  # rigs of the archives
    python -m scripts.evaluate --suite retarget --rigs FOLDER --python PYTHON_WITH_BPY  # rigs of a folder

Expression and off are explained in scripts/evaluation/measures.py, distances in scripts/evaluation/distances.py. The
table is printed and written below build/evaluation.
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
from core.errors import PanacheError
from core.representation import SIGNATURE
from core.rotations import Array
from models.bundle import Bundle, BundleError, read_bundle
from models.runtime import TorchNetwork
from scripts.evaluation import abroad, retarget_suite, systems
from scripts.evaluation.autoencoder import autoencoder_error
from scripts.evaluation.blender_suite import BlenderError, BlenderJob, newest_zip, run_in_blender
from scripts.evaluation.cases import Case, Court, Wishes, check_held_out, draw_cases
from scripts.evaluation.judges import open_bench
from scripts.evaluation.library import TEST, Library, load_library
from scripts.evaluation.looks.sheets import draw_sheets
from scripts.evaluation.report import Report, markdown, share, write
from scripts.evaluation.stylize import table
from scripts.evaluation.stylize.suite import Plan, run_stylize
from scripts.preparation.archives import unpack

ROOT = Path(__file__).resolve().parent.parent
STYLIZE, ABROAD, RETARGET = "stylize", "abroad", "retarget"
SUITES = ("network", "pipeline", "blender", "decoded", STYLIZE, ABROAD, RETARGET)


@dataclass(frozen=True)
class Options:
    """The command line."""

    source: Path | None
    suite: str
    rigs: Path | None
    folder: list[Path]
    sheet: Path | None
    takes: int
    repeats: int
    contents: tuple[str, ...]
    styles: tuple[str, ...]
    clips: int
    fade: bool
    weights: Path
    dataset: Path
    cache: Path
    out: Path
    seed: int
    threads: int
    python: Path
    zip: Path | None

    @property
    def wishes(self) -> Wishes:
        """The cases that are wanted."""
        return Wishes(self.takes, self.seed, styles=self.styles, contents=self.contents)


def main(arguments: list[str] | None = None) -> int:
    """Run the command; the exit status says whether there is a table."""
    options = Options(**vars(_parser().parse_args(arguments)))
    torch.set_num_threads(options.threads)
    try:
        if options.suite == RETARGET:
            return _retarget(options)
        bundle = read_bundle(options.weights, SIGNATURE)
        if options.suite == ABROAD:
            return _abroad(options, bundle)
        with tempfile.TemporaryDirectory() as scratch:
            folder = unpack(_required(options.source), Path(scratch))
            return _judge(options, bundle, load_library(options.dataset, folder, options.cache))
    except (BundleError, BlenderError, PanacheError, OSError) as error:
        print(error, file=sys.stderr)
        return 1


def _judge(options: Options, bundle: Bundle, library: Library) -> int:
    """What needs labelled takes: pictures, the whole table, or one of the suites of four figures."""
    if options.sheet is not None:
        engine = StyleEngine(TorchNetwork(bundle, "cpu", options.threads))
        for path in draw_sheets(engine, options.wishes.takes(library), options.styles, options.sheet):
            print(path)
        return 0
    court = Court(library, open_bench(library, options.cache))
    if options.suite == STYLIZE:
        report = run_stylize(court, bundle, Plan(options.wishes, options.repeats, options.threads, options.fade))
        table.write(report, options.out, options.weights.name)
        print(table.markdown(report, options.weights.name))
        return 0
    report = evaluate(options, bundle, court)
    write(report, options.out, options.suite)
    print(markdown(report))
    return 0


def evaluate(options: Options, bundle: Bundle, court: Court) -> Report:
    """Judge one suite."""
    cases = draw_cases(court.library, replace(options.wishes, labels=bundle.info.styles))
    check_held_out(bundle, cases)
    begin = time.monotonic()
    outcomes = [court.rule(case, joints) for case, joints in results(options, bundle, cases)]
    notes = (
        f"Weights {options.weights.name}, revision {bundle.info.git_revision}, seed {options.seed}",
        f"{len(cases)} cases in {time.monotonic() - begin:.0f} s; no case's take, nor its reference, was in training",
        _autoencoder_note(bundle, court.library),
        *_judge_notes(court),
    )
    pairs = court.real_pairs(options.wishes)
    return Report(f"Stylized held-out takes: {options.suite}", notes, tuple(outcomes), tuple(pairs))


def _abroad(options: Options, bundle: Bundle) -> int:
    """Clips without labels: no judges, and no archive."""
    if not options.folder:
        raise FileNotFoundError("Name folders of BVH or glTF files: --folder FOLDER ...")
    engine = StyleEngine(TorchNetwork(bundle, "cpu", options.threads))
    journey = abroad.Journey(tuple(options.folder), options.styles or bundle.info.styles, options.clips)
    notes = (
        f"Weights {options.weights.name}, revision {bundle.info.git_revision}, trained on "
        f"{', '.join(bundle.info.training_data)}, licence {bundle.info.licence}",
        f"Up to {options.clips} clips of each folder, the first 20 s; 95 % intervals over clips (bootstrap)",
    )
    report = abroad.run_abroad(engine, journey, notes)
    abroad.write(report, options.out)
    print(abroad.markdown(report))
    return 0


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


def _autoencoder_note(bundle: Bundle, library: Library) -> str:
    takes = library.of(TEST)
    error = autoencoder_error(StyleEngine(TorchNetwork(bundle, "cpu")), takes)
    return f"Autoencoder on {len(takes)} takes: {error.centimetres:.2f} cm, {error.degrees:.2f} degrees"


def _judge_notes(court: Court) -> list[str]:
    takes = [take for take in court.library.of(TEST) if all(take.key)]
    style = share([court.verdict(take).style == take.style for take in takes])
    content = share([court.verdict(take).content == take.content for take in takes])
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
    add("--folder", type=Path, nargs="+", default=[], help="folders of BVH and glTF files, for the suite abroad")
    add("--sheet", type=Path, help="draw twelve held-out clips in all styles into this folder, and judge nothing")
    add("--suite", choices=SUITES, default="network", help="how much of the path is judged")
    add("--takes", type=int, default=140, help="held-out takes for each style source")
    add("--repeats", type=int, default=1, help="for stylize: so often with other seeds; the intervals are over repeats")
    add("--contents", type=_names, default=(), help="only takes of these actions, parted by commas")
    add("--styles", type=_names, default=(), help="only these target styles, parted by commas")
    add("--clips", type=int, default=12, help="for abroad: clips of each folder at most")
    add("--no-fade", dest="fade", action="store_false", help="for stylize: in full even where the model would guess")
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


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


if __name__ == "__main__":
    sys.exit(main())
