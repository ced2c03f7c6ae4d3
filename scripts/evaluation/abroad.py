# SPDX-License-Identifier: GPL-3.0-or-later
"""The suite ``abroad``: clips of other origin, of which nobody knows how they would look in another style.

What can be said without knowing: a result must not jitter more than its original, and feet that rested must rest.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from core.engines.engine import StyleEngine
from core.errors import PanacheError
from core.matching import match_bones
from core.out_of_range import score, witnesses_steps
from core.pipeline import LABEL, REFERENCE, Clip, StyleSettings, canonical_clip, vary_steps
from core.representation import encode
from core.rig import RigMotion
from core.steps import finish
from scripts.preparation.reading import read_clip
from scripts.preparation.recording import Recording
from scripts.preparation.sets import find_cc0

from .changes import Changes, Original
from .figures import NOTHING, Figure, mean, median

_SECONDS = 20.0


@dataclass(frozen=True)
class Result:
    """One clip in one style."""

    folder: str
    clip: str
    style: str
    changes: Changes


@dataclass(frozen=True)
class Known:
    """How well the model knows a clip, means over its frames.

    Attributes:
        folder: where it is from.
        clip: its name.
        seconds: its length.
        degrees: by which the autoencoder bends it.
        distance: of its content code from training's; NaN if the model does not say.
        outside: score of ``core.out_of_range``, 0 to 1: so much of the style is faded out.
    """

    folder: str
    clip: str
    seconds: float
    degrees: float
    distance: float
    outside: float


@dataclass(frozen=True)
class Journey:
    """What is taken abroad.

    Attributes:
        folders: BVH and glTF files of other origin.
        styles: labels; none for a model without labels, which takes the next clip of the folder as reference.
        clips: of each folder, at most, evenly spread over its files.
    """

    folders: tuple[Path, ...]
    styles: tuple[str, ...]
    clips: int


@dataclass(frozen=True)
class AbroadReport:
    """All results; ``left_out`` says which files could not be read, and why."""

    notes: tuple[str, ...]
    results: tuple[Result, ...]
    known: tuple[Known, ...]
    left_out: tuple[str, ...]


def run_abroad(engine: StyleEngine, journey: Journey, notes: Sequence[str]) -> AbroadReport:
    """Stylize the clips.

    Raises:
        FileNotFoundError: a folder without BVH files.
    """
    results: list[Result] = []
    known: list[Known] = []
    left_out: list[str] = []
    for folder in journey.folders:
        clips: dict[str, Clip] = {}
        for recording in _some(folder, journey.clips):
            try:
                clip = _cut(read_clip(recording))
                known.append(_known(engine, folder.name, recording.take, clip))
                clips[recording.take] = clip
            except PanacheError as error:
                left_out.append(f"{recording.take}: {error}")
        for name in clips:
            try:
                results += _results(engine, journey, folder.name, (name, clips))
            except PanacheError as error:
                left_out.append(f"{name}: {error}")
    return AbroadReport(tuple(notes), tuple(results), tuple(known), tuple(left_out))


def markdown(report: AbroadReport) -> str:
    """The report as a person reads it."""
    lines = ["# Stylized clips of other origin, the whole path", "", *(f"- {note}" for note in report.notes)]
    lines += [f"- left out {line}" for line in report.left_out]
    lines += ["", *_table("folder", {name: _folder(report, name) for name in _folders(report)})]
    for folder in _folders(report):
        own = [result for result in report.results if result.folder == folder]
        styles = sorted({result.style for result in own})
        lines += _table(f"{folder}, into", {style: _by_clip([r for r in own if r.style == style]) for style in styles})
        worst = sorted(own, key=lambda result: -result.changes.jerk)[:3]
        said = ", ".join(f"{result.clip} into {result.style} {result.changes.jerk:.2f}" for result in worst)
        lines += [f"Most jerk in {folder}: {said}", ""]
    return "\n".join(lines)


def write(report: AbroadReport, folder: Path) -> None:
    """Write abroad.json and abroad.md."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "abroad.md").write_text(markdown(report), encoding="utf-8")
    figures = {
        name: {key: asdict(figure) for key, figure in _folder(report, name).items() if figure.n}
        for name in _folders(report)
    }
    values = {"notes": report.notes, "figures": figures, "left_out": report.left_out}
    rows = {
        "clips": [_finite(asdict(one)) for one in report.known],
        "results": [_row(result) for result in report.results],
    }
    (folder / "abroad.json").write_text(json.dumps({**values, **rows}, indent=1, allow_nan=False), encoding="utf-8")


def _some(folder: Path, count: int) -> list[Recording]:
    """Clips of the folder's BVH and glTF files; a file that is another one at another scale counts once."""
    paths = [path for path in sorted(folder.rglob("*.bvh")) if not path.stem.startswith("scaled_")]
    clips = [*(Recording(folder.name, path, path.stem) for path in paths), *find_cc0(folder).recordings]
    if not clips:
        raise FileNotFoundError(f"There is no BVH or glTF clip in {folder}: name another folder.")
    rows = np.unique(np.linspace(0, len(clips) - 1, min(count, len(clips))).round().astype(int))
    return [clips[row] for row in rows]


def _cut(motion: RigMotion) -> Clip:
    """The first 20 seconds."""
    frames = int(np.searchsorted(motion.times, motion.times[0] + _SECONDS))
    return Clip(motion.part(slice(0, frames)), match_bones(motion.skeleton))


def _known(engine: StyleEngine, folder: str, name: str, clip: Clip) -> Known:
    found = finish(witnesses_steps(encode(canonical_clip(clip).motion)[0], engine))
    seconds = float(clip.motion.times[-1] - clip.motion.times[0])
    distance = float("nan") if found.distance is None else float(found.distance.mean())
    return Known(folder, name, seconds, float(found.bend.mean()), distance, float(score(found).mean()))


def _results(
    engine: StyleEngine, journey: Journey, folder: str, clips: tuple[str, dict[str, Clip]]
) -> Iterator[Result]:
    """One clip, named first, in all styles."""
    name, others = clips
    original, names = Original(others[name]), list(others)
    after = names[(names.index(name) + 1) % len(names)]
    settings = [StyleSettings(source=LABEL, style=style) for style in journey.styles]
    reference = None if settings else others[after]
    styles = journey.styles or (after,)
    asked = settings or [StyleSettings(source=REFERENCE)]
    answers = finish(vary_steps(original.clip, reference, engine, asked))
    for style, answer in zip(styles, answers, strict=True):
        yield Result(folder, name, style, original.changes(answer.motion))


_COLUMNS = {
    "jerk": "jerk, share of the original's",
    "skate_original": "foot skate before, cm/s",
    "skate": "foot skate after, cm/s",
    "skate_gain": "gain, cm/s",
    "slide_gain": "slide gain per contact, cm",
    "contact_f1": "contact F1",
    "degrees": "autoencoder's bend, degrees",
    "distance": "distance of the content code",
    "outside": "out of range, 0 to 1",
}


def _folders(report: AbroadReport) -> list[str]:
    return list(dict.fromkeys(result.folder for result in report.results))


def _folder(report: AbroadReport, name: str) -> dict[str, Figure]:
    known = [one for one in report.known if one.folder == name]
    return {
        **_by_clip([result for result in report.results if result.folder == name]),
        "degrees": mean([one.degrees for one in known]),
        "distance": mean([one.distance for one in known]),
        "outside": mean([one.outside for one in known]),
    }


def _by_clip(results: Sequence[Result]) -> dict[str, Figure]:
    """Figures over clips: the results of one clip are no independent cases, so their mean counts."""
    clips: dict[str, list[Changes]] = {}
    for result in results:
        clips.setdefault(result.clip, []).append(result.changes)
    rows = [np.mean([_numbers(changes) for changes in own], axis=0) for own in clips.values()]
    jerk, before, after, slide, f1 = np.array(rows).T.tolist()
    return {
        "jerk": median(jerk), "skate_original": mean(before), "skate": mean(after),
        "skate_gain": mean([b - a for a, b in zip(before, after, strict=True)]),
        "slide_gain": mean(slide), "contact_f1": mean(f1),
    }  # fmt: skip


def _numbers(changes: Changes) -> list[float]:
    skate = changes.skate
    return [changes.jerk, skate.original_speed, skate.speed, skate.slide - skate.original_slide, changes.contact_f1]


def _table(what: str, rows: dict[str, dict[str, Figure]]) -> list[str]:
    lines = [f"| {what} | clips | {' | '.join(_COLUMNS.values())} |", "|---" * (len(_COLUMNS) + 2) + "|"]
    for name, figures in rows.items():
        cells = [figures.get(column, NOTHING).text(2) for column in _COLUMNS]
        lines.append(f"| {name} | {figures['jerk'].n} | {' | '.join(cells)} |")
    return [*lines, ""]


def _row(result: Result) -> dict[str, object]:
    names = ("jerk", "skate_original", "skate", "slide_gain", "contact_f1")
    values = dict(zip(names, _numbers(result.changes), strict=True))
    return _finite({"folder": result.folder, "clip": result.clip, "style": result.style, **values})


def _finite(values: dict[str, Any]) -> dict[str, Any]:
    """JSON knows no NaN."""
    return {name: None if isinstance(value, float) and np.isnan(value) else value for name, value in values.items()}
