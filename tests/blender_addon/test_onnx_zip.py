# SPDX-License-Identifier: GPL-3.0-or-later
"""The zip with onnxruntime installs beside nothing else, in a Blender of its own, and onnxruntime does the work."""

import importlib.util
import json
import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import bpy
import pytest

ARCHIVE = os.environ.get("PANACHE_ONNX_ZIP")
WALK = Path(__file__).parents[1] / "data" / "walk_normal.bvh"
PROGRAM = """
import importlib, json, os, sys, traceback
try:
    import bpy
    # Blender's own Pythons have no torch, and this one may.
    sys.modules["torch"] = None
    bpy.ops.extensions.package_install_files(filepath=sys.argv[1], repo="user_default", enable_on_install=True)
    bpy.ops.import_anim.bvh(filepath=sys.argv[2], global_scale=0.01)
    before = bpy.context.object.animation_data.action.name
    done = bpy.ops.panache.stylize("EXEC_DEFAULT", source="LABEL", style="elderly", seed=1)
    backend = importlib.import_module("bl_ext.user_default.panache.blender_addon.backend")
    runtime = sys.modules.get("onnxruntime")
    print("FOUND", json.dumps({
        "done": sorted(done),
        "new": bpy.context.object.animation_data.action.name != before,
        "report": backend.local_engine_report(),
        "runtime": runtime and [runtime.__version__, runtime.__file__],
        "brought": [name for name in ("google.protobuf", "flatbuffers", "sympy") if name in sys.modules],
    }))
except BaseException:
    traceback.print_exc()
sys.stdout.flush()
sys.stderr.flush()
os._exit(0)  # bpy 4.5 may hang in Python's own shutdown
"""


pytestmark = pytest.mark.skipif(
    not ARCHIVE, reason="PANACHE_ONNX_ZIP names no zip: build.py test builds it, with a network"
)


def test_onnxruntime_stylizes_where_its_wheels_fit(tmp_path: Path) -> None:
    clean = {"BLENDER_USER_RESOURCES": str(tmp_path), "PANACHE_WEIGHTS": ""}
    command = [sys.executable, "-I", "-c", PROGRAM, str(ARCHIVE), str(WALK)]
    ran = subprocess.run(command, env=os.environ | clean, capture_output=True, text=True, timeout=120, check=False)
    lines = [line for line in ran.stdout.splitlines() if line.startswith("FOUND ")]
    assert lines, ran.stdout + ran.stderr
    found = json.loads(lines[0].removeprefix("FOUND "))
    assert found["done"] == ["FINISHED"]
    assert found["new"]
    assert found["report"] == "Runs on onnxruntime."
    assert Path(found["runtime"][1]).is_relative_to(tmp_path)
    assert found["brought"] == []


def test_blender_installs_it_on_pythons_that_the_wheels_are_not_for() -> None:
    with zipfile.ZipFile(str(ARCHIVE)) as packed:
        wheels = tomllib.loads(packed.read("blender_manifest.toml").decode())["wheels"]
    tool = Path(bpy.utils.resource_path("LOCAL")) / "scripts" / "addons_core" / "bl_pkg" / "cli" / "blender_ext.py"
    spec = importlib.util.spec_from_file_location("blender_ext", tool)
    assert spec
    assert spec.loader
    blender_ext = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(blender_ext)
    # Blender's own reckoning of what an extension with these wheels may be installed on.
    accepted = blender_ext.python_versions_from_wheels(wheels)
    assert {(3, minor) for minor in range(11, 20)} <= set(accepted)
