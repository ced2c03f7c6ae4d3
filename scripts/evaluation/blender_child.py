# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs inside a Python that has bpy, as a file of its own: installs the extension, stylizes, and plays the results.

    PYTHON -I blender_child.py job.json

Nothing of the repository is imported, so that it is the zip's code that works. Each case leaves ``<number>.npz`` with
``heads`` (T, K, 3) in Blender's world, ``times`` (T,) seconds, and ``seconds`` that the operator took.
"""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import bpy
import numpy as np

_FPS = 30


def main() -> None:
    """Work through the job file."""
    job = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    _install(job["zip"])
    for number, case in enumerate(job["cases"]):
        _clear()
        np.savez(Path(job["out"]) / f"{number}.npz", **_stylize(case))


def _install(extension: str) -> None:
    operators: Any = bpy.ops
    operators.preferences.addon_enable(module="io_anim_bvh")
    operators.extensions.package_install_files(filepath=extension, repo="user_default", enable_on_install=True)
    # An operator that does not exist raises here, with a sentence of Blender's own.
    operators.panache.stylize.get_rna_type()


def _clear() -> None:
    data: Any = bpy.data
    for kind in (data.objects, data.armatures, data.actions):
        for block in list(kind):
            kind.remove(block)
    scene: Any = bpy.context.scene
    scene.render.fps, scene.render.fps_base = _FPS, 1.0


def _stylize(case: dict[str, Any]) -> dict[str, Any]:
    reference = _import(case["reference"]).animation_data.action.name if case["reference"] else ""
    armature = _import(case["take"])
    original = armature.animation_data.action
    first, last = (round(frame) for frame in original.frame_range)
    operators: Any = bpy.ops
    begin = time.perf_counter()
    style = {"reference": reference} if reference else {"style": case["style"]}
    result = operators.panache.stylize("EXEC_DEFAULT", source=case["source"], seed=case["seed"], **style)
    seconds = time.perf_counter() - begin
    if result != {"FINISHED"} or armature.animation_data.action == original:
        raise SystemExit(f"{case['take']} was not stylized: {result}")
    heads = [_heads(armature, case["bones"], frame) for frame in range(first, last + 1)]
    return {"heads": np.array(heads), "times": np.arange(len(heads)) / _FPS, "seconds": seconds}


def _import(path: str) -> Any:  # noqa: ANN401
    """The armature of a BVH file in centimetres; it is active afterwards."""
    operators: Any = bpy.ops
    operators.import_anim.bvh(filepath=path, global_scale=0.01, frame_start=1, use_fps_scale=False)
    return bpy.context.object


def _heads(armature: Any, bones: list[str], frame: int) -> list[list[float]]:  # noqa: ANN401
    """World positions of bone heads as Blender evaluates them."""
    scene: Any = bpy.context.scene
    scene.frame_set(frame)
    evaluated = armature.evaluated_get(bpy.context.evaluated_depsgraph_get())
    world = evaluated.matrix_world
    return [list(world @ evaluated.pose.bones[name].head) for name in bones]


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    # bpy 4.2 as a module frees registered panels after Python is gone, and crashes; everything is written by now.
    os._exit(0)
