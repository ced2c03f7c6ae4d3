# SPDX-License-Identifier: GPL-3.0-or-later
"""The zip with weights of free data only, as build.py makes it, in a Blender of its own: styles by reference."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from models.bundle import read_bundle
from scripts.building.archive import FREE, build_zip, validate

from .weights import write_test_weights

ROOT = Path(__file__).parents[2]
WALK = ROOT / "tests" / "data" / "walk_normal.bvh"
PROGRAM = """
import importlib, json, os, sys, traceback
try:
    import bpy
    bpy.ops.extensions.package_install_files(filepath=sys.argv[1], repo="user_default", enable_on_install=True)
    addon = lambda name: importlib.import_module("bl_ext.user_default.panache.blender_addon." + name)
    bpy.ops.import_anim.bvh(filepath=sys.argv[2], global_scale=0.01)
    armature = bpy.context.object
    settings, walk = armature.panache, armature.animation_data.action
    unasked = addon("blocking").blocked_reason(bpy.context)
    # The style of what a first run made, which nobody else performs.
    random = sorted(bpy.ops.panache.stylize("EXEC_DEFAULT", source="RANDOM", seed=3))
    settings.reference = armature.animation_data.action
    armature.animation_data.action = walk
    asked = addon("blocking").blocked_reason(bpy.context)
    # Nobody says that the style is to come from an action: there is nothing else.
    done = sorted(bpy.ops.panache.stylize("EXEC_DEFAULT", reference=settings.reference.name))
    action = armature.animation_data.action
    backend, record = addon("backend"), action["panache"]
    try:
        refused = bpy.ops.panache.stylize("EXEC_DEFAULT", source="LABEL", style="elderly")
    except RuntimeError as error:
        refused = str(error)
    armature.animation_data.action = walk
    shown = sorted(bpy.ops.panache.sample_variations("EXEC_DEFAULT", count=2))
    print("FOUND", json.dumps({
        "random": random, "done": done, "shown": shown, "unasked": unasked, "asked": asked, "refused": refused,
        "name": action.name, "reference": settings.reference.name, "walk": walk.name,
        "source": record["source"], "weights": backend.weights_path().name, "styles": backend.style_names(),
        "thumbnails": [addon("thumbnails").style_icon(name) for name in ("elderly", "active")],
    }))
except BaseException:
    traceback.print_exc()
sys.stdout.flush()
sys.stderr.flush()
os._exit(0)  # bpy 4.5 may hang in Python's own shutdown
"""


TRAINED = """
import json, os, sys, traceback
try:
    import bpy
    bpy.ops.extensions.package_install_files(filepath=sys.argv[1], repo="user_default", enable_on_install=True)
    bpy.ops.import_anim.bvh(filepath=sys.argv[2], global_scale=0.01)
    armature = bpy.context.object
    settings, walk = armature.panache, armature.animation_data.action
    chosen = settings.style, settings.mix_style
    first = sorted(bpy.ops.panache.stylize("EXEC_DEFAULT"))
    record = armature.animation_data.action["panache"]
    settings.reference, armature.animation_data.action = armature.animation_data.action, walk
    settings.use_mix = True
    again = [sorted(bpy.ops.panache.stylize("EXEC_DEFAULT")) for settings.source in ("LABEL", "REFERENCE", "RANDOM")]
    print("FOUND", json.dumps({"chosen": chosen, "style": record["style"], "done": [first, *again]}))
except BaseException:
    traceback.print_exc()
sys.stdout.flush()
sys.stderr.flush()
os._exit(0)  # bpy 4.5 may hang in Python's own shutdown
"""


def sources(tree: Path) -> Path:
    """A copy of what a zip is made of."""
    for package in ("blender_addon", "core", "models"):
        shutil.copytree(ROOT / package, tree / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "LICENSE", tree)
    return tree


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The zip, made from a copy of the sources with small weights, without labels, in the place of the free ones."""
    tree = sources(tmp_path_factory.mktemp("sources"))
    write_test_weights(tree / "models" / "weights" / "free.safetensors", styles=())
    return build_zip(tree, FREE)


@pytest.fixture(scope="module")
def found(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What happened in a Blender that has the zip and nothing else."""
    return told(PROGRAM, archive, tmp_path_factory.mktemp("user"))


def told(program: str, archive: Path, user: Path) -> dict[str, Any]:
    """What a program says of a Blender of its own."""
    clean = {"BLENDER_USER_RESOURCES": str(user), "PANACHE_WEIGHTS": ""}
    command = [sys.executable, "-I", "-c", program, str(archive), str(WALK)]
    ran = subprocess.run(command, env=os.environ | clean, capture_output=True, text=True, timeout=120, check=False)
    lines = [line for line in ran.stdout.splitlines() if line.startswith("FOUND ")]
    assert lines, ran.stdout + ran.stderr
    return json.loads(lines[0].removeprefix("FOUND "))


def test_nothing_that_is_not_free_is_in_it(archive: Path) -> None:
    with zipfile.ZipFile(archive) as packed:
        names, manifest = packed.namelist(), packed.read("blender_manifest.toml").decode()
    assert [name for name in names if name.startswith("models/weights/")] == [
        "models/weights/free.safetensors",
        "models/weights/free.txt",
    ]
    assert not any("thumbnails/" in name for name in names)
    assert "NC" not in manifest
    assert validate(archive, Path(sys.executable)) == 0


def test_it_stylizes_by_reference(found: dict[str, Any]) -> None:
    assert (found["weights"], found["styles"], found["thumbnails"]) == ("free.safetensors", [], [0, 0])
    assert found["done"] == ["FINISHED"]
    assert found["source"] == "REFERENCE"
    assert found["name"] == f"{found['walk']} like {found['reference']}"
    assert (found["unasked"], found["asked"]) == ("Choose the action to take the style from", "")


def test_it_stylizes_by_chance(found: dict[str, Any]) -> None:
    assert found["random"] == found["shown"] == ["FINISHED"]


def test_it_says_that_it_has_no_labels(found: dict[str, Any]) -> None:
    assert "This model has no styles of its own: choose Action, Saved or Random as the source" in found["refused"]


def test_the_trained_free_weights_work_without_a_choice(tmp_path: Path) -> None:
    """The zip as it is given away: their styles are others than those that Panache chooses at first."""
    tree = sources(tmp_path / "sources")
    styles = read_bundle(ROOT / "models/weights/free.safetensors").info.styles
    said = told(TRAINED, build_zip(tree, FREE), tmp_path / "user")
    assert said == {"chosen": [styles[0], styles[-1]], "style": styles[0], "done": [["FINISHED"]] * 4}
