# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs inside a Python that has bpy: installs the extension and takes rig after rig through it.

    PYTHON -m scripts.evaluation.retarget_child job.json

Rigs and what they do come from this repository, everything that is measured from the zip. Each rig leaves
``<number>.json`` with a row of the table, and ``<number>.npz`` with the directions of its limbs in the motions that
are carried over all rigs. A rig that has its row already is passed over, so that a crash costs one rig only.
"""

import importlib
import json
import os
import sys
import time
import traceback
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import bpy
import numpy as np

from scripts.evaluation.contacts import contact_error
from scripts.evaluation.retarget_measures import Product, carried_directions, key_share, renamed_match, round_trip
from scripts.evaluation.retarget_motion import give_motion
from scripts.evaluation.retarget_rigs import RigFileError, RigSource, load_rig

_EXTENSION: Final = "bl_ext.user_default.panache"
_STYLE: Final = "elderly"

Row = dict[str, Any]


def main() -> None:
    """Work through the job file."""
    job = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    _install(job["zip"])
    out = Path(job["out"])
    product = Product(_module)
    motions = {name: product.joints_of_bvh(Path(path)) for name, path in job["motions"].items()}
    for number, rig in enumerate(job["rigs"]):
        target = out / f"{number}.json"
        if target.exists():
            continue
        # Stays if Blender crashes on this rig.
        target.write_text(json.dumps({"rig": rig["name"], "problems": ["Blender crashed"]}), encoding="utf-8")
        row, directions = examine(RigSource(rig["name"], rig["kind"], Path(rig["path"])), product, motions)
        np.savez(out / f"{number}.npz", **directions)
        target.write_text(json.dumps(row), encoding="utf-8")


def examine(source: RigSource, product: Product, motions: dict[str, Any]) -> tuple[Row, dict[str, Any]]:
    """One row of the table, and limb directions (T, P, 3) of each motion."""
    row: Row = {"rig": source.name, "problems": []}
    directions: dict[str, Any] = {}
    try:
        armature = load_rig(source)
        row["motion"] = "own" if _is_animated(armature) else give_motion(armature, source.kind)
    except RigFileError as error:
        row["problems"].append(str(error).removeprefix(f"{source.name}: "))
        return row, directions
    with _noting(row, "detect"):
        operators: Any = bpy.ops
        operators.panache.detect_rig()
    with _noting(row, "preflight"):
        # The first call of all also loads the weights.
        operators.panache.preflight()
        row["preflight_seconds"] = _timed(lambda: operators.panache.preflight())
    with _noting(row, "read"):
        _read(row, armature, product, motions, directions)
    return row, directions


def _read(row: Row, armature: Any, product: Product, motions: dict[str, Any], directions: dict[str, Any]) -> None:  # noqa: ANN401
    """Everything that needs the clip, from the bone map on."""
    reading = product.read(armature)
    bone_map = reading.bone_map
    row |= {
        "joints": len(bone_map.bones), "lacking": list(bone_map.missing), "family": bone_map.family,
        "confidence": bone_map.confidence, "frames": len(reading.motion), "bones": len(armature.data.bones),
    }  # fmt: skip
    with _noting(row, "renamed"):
        row |= renamed_match(product, reading)
    calibration = product.core("calibration").calibrate(reading.motion, bone_map)
    row |= {"from_rest": calibration.from_rest, "calibration_error": calibration.error}
    with _noting(row, "round trip"):
        row |= round_trip(product, reading, calibration)
    with _noting(row, "cross-rig"):
        for name, motion in motions.items():
            directions[name] = carried_directions(product, motion, reading, calibration)
    with _noting(row, "stylize"):
        _stylize(row, armature, product, reading)


def _stylize(row: Row, armature: Any, product: Product, reading: Any) -> None:  # noqa: ANN401
    """Restyle with sparse keys through the operator, and look at what the armature then plays."""
    operators: Any = bpy.ops
    original = armature.animation_data.action
    # In full: where the style fades out there is nothing to see of how a rig takes it.
    calls = {"source": "LABEL", "style": _STYLE, "keys": "SPARSE", "fade": False}
    row["stylize_seconds"] = _timed(lambda: operators.panache.stylize("EXEC_DEFAULT", **calls))
    result = armature.animation_data.action
    row["keys"] = key_share(original, result, len(reading.frames))
    retarget, calibration = product.core("retarget"), product.core("calibration")
    constants = calibration.calibrate(reading.motion, reading.bone_map)
    # The same bones at the same frames as before, constraints and all.
    motion = product.sample(reading.motion.skeleton, reading.frames)
    before, after = (retarget.to_motion(clip, constants) for clip in (reading.motion, motion))
    found = contact_error(before, after)
    row |= {
        "contacts": found.contacts, "feet_max": found.feet_max, "feet_mean": found.feet_mean,
        "hands_max": found.hands_max, "pop": found.pop, "flips": found.flips,
    }  # fmt: skip


@contextmanager
def _noting(row: Row, what: str) -> Generator[None]:
    """A problem is a line in the table: the product's own sentence, or the last words of a traceback."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - whatever happens to one rig, the next is to be judged too
        lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
        # Blender tells a script where an operator failed, too; the sentence is what its user reads.
        said = [line.removeprefix("Error: ") for line in lines if line.startswith("Error: ")]
        is_sentence = bool(said) and "Traceback" not in said[0]
        last = [line for line in lines if not line.startswith("Location:")][-1]
        row["problems"].append(f"{what}: {said[0] if is_sentence else last}")
        if not is_sentence:
            traceback.print_exc()


def _timed(call: Callable[[], object]) -> float:
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


def _is_animated(armature: Any) -> bool:  # noqa: ANN401
    return armature.animation_data is not None and armature.animation_data.action is not None


def _install(extension: str) -> None:
    operators: Any = bpy.ops
    operators.extensions.package_install_files(filepath=extension, repo="user_default", enable_on_install=True)
    # An operator that does not exist raises here, with a sentence of Blender's own.
    operators.panache.stylize.get_rna_type()


def _module(name: str) -> ModuleType:
    return importlib.import_module(f"{_EXTENSION}.{name}")


if __name__ == "__main__":
    status = 1
    try:
        main()
        status = 0
    except Exception:  # noqa: BLE001 - shown, and then there is nothing to be saved
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    # bpy as a module frees registered panels after Python is gone: 4.2 crashes, 4.5 waits for ever.
    os._exit(status)
