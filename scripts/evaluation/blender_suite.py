# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole path in a real Blender: a child process stylizes, and the joints that it plays come back to be judged."""

import json
import os
import re
import subprocess
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.representation import FPS
from core.resample import even_times, interpolate
from core.rotations import Array

from .cases import Case
from .joints import complete
from .library import read_clip

_CHILD = Path(__file__).with_name("blender_child.py")
_LAST_LINES = 15


class BlenderError(RuntimeError):
    """Blender could not be used; the text says why."""


@dataclass(frozen=True)
class BlenderJob:
    """A Python that imports bpy, and the extension's zip with the weights that are to be judged."""

    python: Path
    extension: Path
    weights: Path


_PLAIN = re.compile(r"panache-[\d.]+\.zip")


def newest_zip(folder: Path) -> Path:
    """The plain extension that was built last: those with onnxruntime have a platform in their names.

    Raises:
        BlenderError: there is none.
    """
    plain = (path for path in folder.glob("panache-*.zip") if _PLAIN.fullmatch(path.name))
    found = sorted(plain, key=lambda path: path.stat().st_mtime)
    if not found:
        raise BlenderError(
            f"There is no extension in {folder}: build it with python3 build.py zip, or name one by --zip."
        )
    return found[-1]


def run_in_blender(job: BlenderJob, cases: list[Case]) -> Iterator[tuple[Case, Array]]:
    """Every case with the joints (T, 22, 3) that Blender plays, metres, Y up, 30 fps.

    Raises:
        BlenderError: the zip holds other weights, or the child failed; its last lines are in the text.
    """
    check_weights(job)
    bones = [read_clip(case.take.path).bone_map.bones for case in cases]
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        entries = [_entry(case, names) for case, names in zip(cases, bones, strict=True)]
        work = {"zip": str(job.extension.resolve()), "out": str(folder), "cases": entries}
        (folder / "job.json").write_text(json.dumps(work), encoding="utf-8")
        _run_child(job, folder)
        for number, (case, names) in enumerate(zip(cases, bones, strict=True)):
            with np.load(folder / f"{number}.npz", allow_pickle=False) as played:
                yield case, _joints(played["heads"].astype(np.float64), played["times"], list(names))


def check_weights(job: BlenderJob) -> None:
    """Refuse to give one file's figures for another.

    Raises:
        BlenderError: the zip's weights are not the ones that are to be judged.
    """
    with zipfile.ZipFile(job.extension) as archive:
        inside = [name for name in archive.namelist() if name.endswith(f"weights/{job.weights.name}")]
        same = bool(inside) and archive.read(inside[0]) == job.weights.read_bytes()
    if not same:
        raise BlenderError(
            f"{job.extension.name} does not hold {job.weights}: build it anew with python3 build.py zip."
        )


def _entry(case: Case, bones: dict[str, str]) -> dict[str, object]:
    return {
        "source": case.source,
        "style": case.target,
        "seed": case.seed,
        "take": str(case.take.path.resolve()),
        "reference": str(case.reference.path.resolve()) if case.reference else None,
        "bones": list(bones.values()),
    }


def _run_child(job: BlenderJob, folder: Path) -> None:
    environment = {**os.environ, "BLENDER_USER_RESOURCES": str(folder / "user")}
    # Weights or preferences of the user must not be what is judged.
    environment.pop("PANACHE_WEIGHTS", None)
    command = [str(job.python), "-I", str(_CHILD), str(folder / "job.json")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        lines = (done.stdout + done.stderr).strip().splitlines()[-_LAST_LINES:]
        raise BlenderError("Blender did not finish:\n" + "\n".join(lines))


def _joints(heads: Array, times: Array, names: list[str]) -> Array:
    """Blender's bone heads (T, K, 3), Z up, as joints."""
    upright = heads[..., [0, 2, 1]] * np.array([1.0, 1.0, -1.0])
    joints = complete({name: upright[:, k] for k, name in enumerate(names)})
    return interpolate(joints, times, even_times(times, FPS))
