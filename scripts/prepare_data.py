# SPDX-License-Identifier: GPL-3.0-or-later
"""From the files of motion capture sets to one compact dataset of features, split by recording.

``python -m scripts.prepare_data --source all --from ../shared/data`` writes ``build/data/all.npz``. Without ``--from``
the sets are downloaded from their public homes. docs/training.md says what is in them and on what terms.
"""

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from core.errors import PanacheError
from core.representation import FPS
from scripts.preparation.archives import MissingDataError, locate, unpack
from scripts.preparation.dataset_file import Labels, labelled_sources, write_dataset
from scripts.preparation.download import HOMES, bar, download
from scripts.preparation.reading import best_calibrations, encode_bandai, encode_file, survey
from scripts.preparation.recording import LeftOut, Recording, Take
from scripts.preparation.sets import BANDAI_1, BANDAI_2, CC0, CMU, FOLDER, REACTIDLE, STYLE100, find

__all__ = ["main", "prepare", "unpack"]

FREE: Final = (CMU, REACTIDLE, STYLE100, CC0)
# What may be asked for, and the sets that are meant.
SOURCES: Final = {
    "all": (BANDAI_2, BANDAI_1, *FREE),
    "free": FREE,
    "bandai": (BANDAI_2, BANDAI_1),
    **{source: (source,) for source in (BANDAI_2, BANDAI_1, *FREE, FOLDER)},
}
_DATA: Final = Path("build/data")

Run = Callable[[Callable[[Any], Any], Iterable[Any]], Iterable[Any]]
"""``map``, or that of a pool."""


@dataclass(frozen=True)
class Options:
    """The command line."""

    archive: Path | None
    source: list[str]
    given: Path | None
    out: Path | None
    licence: str
    downloads: Path
    workers: int


def main(arguments: list[str] | None = None) -> int:
    """Run the command; the exit status says whether there is a dataset."""
    parser = _parser()
    options = Options(**vars(parser.parse_args(arguments)))
    if FOLDER in options.source and options.given is None:
        parser.error("--source folder needs --from PATH")
    try:
        takes = prepare(options)
        if not takes:
            raise MissingDataError("No clip was found: look at what --source and --from name.")
        licences = {FOLDER: options.licence} if options.licence else {}
        labels = Labels(labelled_sources(take.recording.source for take in takes), licences)
        write_dataset(takes, _out(options), labels)
    except (PanacheError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{len(takes)} takes, {_minutes(takes):.1f} minutes -> {_out(options)}")
    return 0


def prepare(options: Options) -> list[Take]:
    """All takes of the sets that are asked for, set after set; says what each gave, and what was left out and why."""
    takes: list[Take] = []
    for source in wanted(options):
        if options.given is None and options.archive is None and source not in HOMES:
            print(f"{source}: left out, because it has no home to download it from; give its files with --from")
            continue
        options.downloads.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=options.downloads) as scratch:
            found, left_out = read_set(source, unpack(_place(source, options), Path(scratch)), options.workers)
        reasons = Counter(entry.reason for entry in left_out)
        for entry in left_out:
            print(f"{source}: left out {entry.take}: {entry.reason}")
        print(f"{source}: {len(found)} takes, {_minutes(found):.1f} minutes; {reasons.total()} left out", flush=True)
        takes += found
    return takes


def read_set(source: str, folder: Path, workers: int) -> tuple[list[Take], list[LeftOut]]:
    """The takes of one set's folder, and what is not among them."""
    found = find(source, folder)
    files = [list(same) for _, same in groupby(found.recordings, key=lambda r: (r.path, r.animation))]
    if workers > 1:
        with ProcessPoolExecutor(workers) as pool:
            results = _read(source, files, partial(pool.map, chunksize=4))
    else:
        results = _read(source, files, map)
    takes = [result for result in results if isinstance(result, Take)]
    return takes, [*found.left_out, *(result for result in results if isinstance(result, LeftOut))]


def wanted(options: Options) -> tuple[str, ...]:
    """The sets that are asked for, each once."""
    asked = [BANDAI_2] if options.archive is not None else options.source
    return tuple(dict.fromkeys(source for name in asked for source in SOURCES[name]))


def _read(source: str, files: list[list[Recording]], run: Run) -> list[Take | LeftOut]:
    if source in (BANDAI_1, BANDAI_2):
        answers = run(encode_bandai, files)
    else:
        # One file may show how the bones of another lie: its rig is the same, but it begins with a standing pose.
        alike = [same[0] for same in files] if source in (CMU, FOLDER) else []
        known = best_calibrations(list(run(survey, alike)))
        answers = run(partial(encode_file, known=known), files)
    return [result for answer in answers for result in answer]


def _place(source: str, options: Options) -> Path:
    """The folder or archive of a set, downloaded if need be."""
    given = options.archive or options.given
    if given is not None:
        return locate(source, given)
    home = HOMES[source]
    return download(home, options.downloads, bar(home.name))


def _out(options: Options) -> Path:
    if options.out is not None:
        return options.out
    # The older use, with nothing but the archive of set 2, wrote this.
    return _DATA / ("bandai-namco.npz" if options.archive is not None else f"{'-'.join(options.source)}.npz")


def _minutes(takes: Iterable[Take]) -> float:
    return sum(len(take.features) for take in takes) / FPS / 60.0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("archive", type=Path, nargs="?", help="short for --source bandai-2 --from ARCHIVE")
    add("--source", nargs="+", default=["all"], choices=tuple(SOURCES), metavar="SET", help=", ".join(SOURCES))
    add("--from", dest="given", type=Path, help="a folder or an archive, of one set or of several; else: download")
    add("--out", type=Path, help=f"default: {_DATA}/SET.npz")
    add("--licence", default="", help="of the files of --source folder; is written into everything made of them")
    add("--downloads", type=Path, default=Path("build/downloads"), help="where archives are kept and unpacked")
    add("--workers", type=int, default=2)
    return parser


if __name__ == "__main__":
    sys.exit(main())
