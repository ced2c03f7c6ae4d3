# SPDX-License-Identifier: GPL-3.0-or-later
"""Every rig there is through the extension in a real Blender: what is recognised, lost, carried over and keyed."""

import json
import os
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from core.rotations import Array

from .blender_suite import BlenderError
from .retarget_sources import GENERATED, RigSource, rigs_in

_ROOT: Final = Path(__file__).resolve().parents[2]
_WALK: Final = _ROOT / "tests/data/walk_normal.bvh"
_LAST_LINES: Final = 15
# Archive, and which of its files stand for it: rigs are many, and takes of one rig are all alike.
_ARCHIVES: Final[dict[str, tuple[str, ...]]] = {
    "rigs.tar.xz": (),
    "cmu.tar.xz": ("01.asf", "01_01.amc", "02.asf", "02_01.amc", "03.asf", "03_01.amc", "002_01.bvh", "005_04.bvh",
                   "131_01.bvh", "scaled_131_01.bvh"),
    "reactidle.tar.xz": ("000_genuine.bvh", "010_acted.bvh"),
    "100style.tar.xz": ("angry_reference.bvh", "elated_reference.bvh", "rushed_reference.bvh"),
    "bandai-namco.tar.xz": ("dataset-1_dance-short_normal_001.bvh", "dataset-2_run_feminine_013.bvh"),
}  # fmt: skip
_EXPRESSIVE: Final = "dataset-1_dance-short_normal_001.bvh"

Row = dict[str, Any]


@dataclass(frozen=True)
class RetargetJob:
    """A Python that imports bpy, the extension's zip, and what to take through it.

    Attributes:
        python: that Python.
        extension: the zip.
        rigs: where the rigs come from.
        motions: name and BVH file of the motions that are carried over all rigs.
    """

    python: Path
    extension: Path
    rigs: tuple[RigSource, ...]
    motions: dict[str, Path]


@dataclass(frozen=True)
class RetargetReport:
    """All rows, and the largest angle between the directions of one limb on any two rigs, by motion."""

    title: str
    notes: tuple[str, ...]
    rows: tuple[Row, ...]
    spread: dict[str, float]


def known_rigs(data: Path, scratch: Path) -> RetargetJob:
    """A job without Python and zip: the rigs of the shared archives, as far as these are there, and Rigify's."""
    rigs, motions = [RigSource(name, name) for name in GENERATED], {"walk": _WALK}
    for archive, wanted in _ARCHIVES.items():
        if not (data / archive).is_file():
            continue
        folder = scratch / archive.partition(".")[0]
        _extract(data / archive, folder, wanted)
        rigs += rigs_in(folder)
        motions.update(("dance", path) for path in folder.rglob(_EXPRESSIVE))
    return RetargetJob(Path(), Path(), tuple(rigs), motions)


def folder_of_rigs(folder: Path) -> RetargetJob:
    """A job without Python and zip: every rig file below a folder."""
    return RetargetJob(Path(), Path(), tuple(rigs_in(folder)), {"walk": _WALK})


def run_rigs(job: RetargetJob) -> RetargetReport:
    """The table.

    Raises:
        BlenderError: Blender could not be used at all.
    """
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        entries = [{"name": rig.name, "kind": rig.kind, "path": str(rig.path.resolve())} for rig in job.rigs]
        work = {
            "zip": str(job.extension.resolve()), "out": str(folder), "rigs": entries,
            "motions": {name: str(path.resolve()) for name, path in job.motions.items()},
        }  # fmt: skip
        (folder / "job.json").write_text(json.dumps(work), encoding="utf-8")
        while missing := [n for n in range(len(entries)) if not (folder / f"{n}.json").exists()]:
            _run_child(job, folder)
            if (left := [n for n in missing if not (folder / f"{n}.json").exists()]) == missing:
                raise BlenderError(f"Blender stopped before {entries[left[0]]['name']}.")
        rows = [json.loads((folder / f"{n}.json").read_text(encoding="utf-8")) for n in range(len(entries))]
        spread = {name: compare(rows, _directions(folder, len(rows), name), name) for name in job.motions}
    notes = (f"Extension {job.extension.name}, {len(rows)} rigs", *_summary(rows))
    return RetargetReport("Rigs in, keys out", notes, tuple(rows), spread)


def markdown(report: RetargetReport) -> str:
    """The report as a person reads it."""
    columns = list(_COLUMNS)
    lines = [f"# {report.title}", "", *(f"- {note}" for note in report.notes)]
    lines += [f"- Largest angle between two rigs, {name}: {angle:.2f} degrees" for name, angle in report.spread.items()]
    lines += ["", f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]
    lines += [f"| {' | '.join(_cell(row, key, form) for key, form in _COLUMNS.values())} |" for row in report.rows]
    problems = [f"- {row['rig']}: {problem}" for row in report.rows for problem in row["problems"]]
    lacking = [f"- {row['rig']}: {', '.join(row['lacking'])}" for row in report.rows if row.get("lacking")]
    other = [f"- {row['rig']}: {', '.join(row['renamed_other'])}" for row in report.rows if row.get("renamed_other")]
    for title, found in (("Problems", problems), ("Lacking", lacking), ("Other bones by structure", other)):
        lines += ["", f"## {title}", "", *(found or ["none"])]
    return "\n".join(lines) + "\n"


def write(report: RetargetReport, folder: Path) -> None:
    """Write retarget.json and retarget.md."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "retarget.md").write_text(markdown(report), encoding="utf-8")
    (folder / "retarget.json").write_text(json.dumps(asdict(report), indent=1), encoding="utf-8")


# Heading, key of the row and format of every column.
_COLUMNS: Final[dict[str, tuple[str, str]]] = {
    "rig": ("rig", "{}"), "plays": ("motion", "{}"), "frames": ("frames", "{}"), "joints": ("joints", "{} of 22"),
    "family": ("family", "{}"), "confidence": ("confidence", "{:.2f}"),
    "renamed: joints": ("renamed_joints", "{}"), "confidence then": ("renamed_confidence", "{:.2f}"),
    "same place": ("renamed_near", "{}"), "same bone": ("renamed_same", "{}"), "swapped": ("renamed_swapped", "{}"),
    "calibration deg": ("calibration_error", "{:.1f}"),
    "round trip deg": ("round_trip_degrees", "{:.4f}"), "cm": ("round_trip_cm", "{:.4f}"),
    "cross-rig deg, walk": ("cross_walk", "{:.2f}"), "dance": ("cross_dance", "{:.2f}"),
    "contacts": ("contacts", "{}"), "feet cm": ("feet_max", "{:.2f}"), "hands cm": ("hands_max", "{:.2f}"),
    "pop cm": ("pop", "{:.2f}"), "flips": ("flips", "{}"), "keys": ("key_share", "{:.0%}"),
    "preflight s": ("preflight_seconds", "{:.2f}"), "stylize s": ("stylize_seconds", "{:.2f}"),
}  # fmt: skip


def _cell(row: Row, key: str, form: str) -> str:
    value = row.get("keys", {}).get("result") if key == "key_share" else row.get(key)
    return "" if value is None else form.format(value)


def _summary(rows: Sequence[Row]) -> Iterator[str]:
    whole = [row for row in rows if not row["problems"]]
    yield f"{len(whole)} without a problem"
    for text, key in (("round trip, degrees", "round_trip_degrees"), ("round trip, cm", "round_trip_cm")):
        values = [row[key] for row in rows if key in row]
        if values:
            yield f"Largest {text}: {max(values):.4f}"


def _directions(folder: Path, count: int, name: str) -> list[Array | None]:
    """Limb directions (T, P, 3) of each rig in one motion, None where there are none."""
    found: list[Array | None] = [None] * count
    for number in range(count):
        path = folder / f"{number}.npz"
        if path.exists():
            with np.load(path, allow_pickle=False) as saved:
                found[number] = dict(saved).get(name)
    return found


def compare(rows: Sequence[Row], directions: Sequence[Array | None], name: str) -> float:
    """Note in each row how far its limbs are from the middle of all rigs; the largest angle between any two."""
    there = [found for found in directions if found is not None]
    if not there:
        return 0.0
    stack = np.stack(there)
    middle = np.nanmedian(stack, axis=0)
    middle /= np.linalg.norm(middle, axis=-1, keepdims=True)
    for row, own in zip(rows, directions, strict=True):
        if own is not None:
            row[f"cross_{name}"] = float(np.nanmax(_degrees(own, middle)))
    return max(float(np.nanmax(_degrees(own, stack))) for own in stack)


def _degrees(a: Array, b: Array) -> Array:
    """Angles between unit vectors; the chord keeps small ones exact."""
    return 2.0 * np.degrees(np.arcsin(np.clip(0.5 * np.linalg.norm(a - b, axis=-1), 0.0, 1.0)))


def _extract(archive: Path, folder: Path, wanted: tuple[str, ...]) -> None:
    """The wanted files of an archive, or all of them."""
    with tarfile.open(archive) as source:
        for member in source:
            if member.isfile() and (not wanted or Path(member.name).name in wanted):
                source.extract(member, folder, filter="data")


def _run_child(job: RetargetJob, folder: Path) -> None:
    environment = {**os.environ, "BLENDER_USER_RESOURCES": str(folder / "user")}
    # Weights or preferences of the user must not be what is judged.
    environment.pop("PANACHE_WEIGHTS", None)
    command = [str(job.python.absolute()), "-m", "scripts.evaluation.retarget_child", str(folder / "job.json")]
    done = subprocess.run(command, env=environment, cwd=_ROOT, capture_output=True, text=True, check=False)
    (folder / "log.txt").write_text(done.stdout + done.stderr, encoding="utf-8")
    if done.returncode != 0 and not any(folder.glob("*.npz")):
        lines = (done.stdout + done.stderr).strip().splitlines()[-_LAST_LINES:]
        raise BlenderError("Blender did not finish:\n" + "\n".join(lines))
