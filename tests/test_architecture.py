# SPDX-License-Identifier: GPL-3.0-or-later
"""The tree keeps the rules of ARCHITECTURE.md, and the checker that says so can say otherwise."""

import re
import subprocess
from pathlib import Path

import pytest

from core.representation import FEATURES, WIDTH

from .architecture import MAX_FILE_LINES, MAX_FUNCTION_LINES, PACKAGES, complaints

ROOT = Path(__file__).resolve().parents[1]
HEADER = "# SPDX-License-Identifier: GPL-3.0-or-later\n"
BODY_WIDTH = dict(FEATURES)["positions"]


@pytest.mark.parametrize("package", [*PACKAGES, "build.py"])
def test_the_tree_keeps_the_house_rules(package: str) -> None:
    files = [ROOT / package] if package.endswith(".py") else sorted((ROOT / package).rglob("*.py"))
    assert files
    found = [
        complaint
        for file in files
        for complaint in complaints(file.relative_to(ROOT).as_posix(), file.read_text(encoding="utf-8"))
    ]
    assert not found, "\n" + "\n".join(found)


BAD = [
    # who may import whom
    ("core/a.py", "import bpy\n", "bpy is not for this package"),
    ("core/a.py", "import torch\n", "torch is not for this package"),
    ("core/a.py", "import requests\n", "requests is not for this package"),
    ("core/engines/a.py", "import requests\n", "import it in the function"),
    ("models/a.py", "import mathutils\n", "mathutils is not for this package"),
    ("models/networks/a.py", "import scipy.linalg\n", "scipy is not for this package"),
    ("blender_addon/a.py", "import torch\n", "torch is not for this package"),
    ("blender_addon/a.py", "def f() -> None:\n    import torch\n", "torch is not for this package"),
    ("blender_addon/backend.py", "import torch\n", "torch may be missing"),
    ("core/a.py", "import core.rig\n", "absolute import of core"),
    ("core/a.py", "from models.config import NetworkConfig\n", "absolute import of models"),
    ("models/a.py", "from scripts.bvh import read_bvh\n", "absolute import of scripts"),
    ("blender_addon/backend.py", "from core import rig\n", "absolute import of core"),
    ("core/a.py", "from ..models import config\n", "leads out of core"),
    ("core/engines/a.py", "from ...models import config\n", "leads out of core"),
    ("models/a.py", "from .. import core\n", "leads out of models"),
    ("blender_addon/panel.py", "from ..core import rig\n", "leads out of blender_addon"),
    ("blender_addon/rig/reader.py", "from ...core import rig\n", "leads out of blender_addon"),
    ("blender_addon/operators/stylize.py", "from ... import core\n", "leads out of blender_addon"),
    ("blender_addon/backend.py", "from ..scripts import bvh\n", "is not behind the door"),
    ("blender_addon/backend.py", "from ..models import runtime\n", "models is imported at the top"),
    ("blender_addon/backend.py", "from ...elsewhere import a\n", "leads out of blender_addon"),
    ("blender_addon/a.py", "import importlib\nimportlib.import_module('core')\n", "cannot be checked"),
    # what the extension must not do
    ("blender_addon/a.py", "import threading\n", "threading has no place"),
    ("core/a.py", "from concurrent.futures import ThreadPoolExecutor\n", "concurrent has no place"),
    ("models/a.py", "import pickle\n", "pickle has no place"),
    ("blender_addon/a.py", "def f(bone: str) -> None:\n    bone.keyframe_insert('location')\n", "keyframe_insert"),
    ("blender_addon/a.py", "def f(context: str) -> None:\n    context.layer_collection\n", "context.layer_collection"),
    ("blender_addon/a.py", "def f() -> None:\n    bpy.context.layer_collection\n", "context.layer_collection"),
    ("core/a.py", "def f() -> None:\n    print(1)\n", "print"),
    ("blender_addon/a.py", "import sys\n\nHERE = sys.path[0]\n", "sys.path belongs to Blender"),
    ("blender_addon/a.py", "import logging\nlogging.basicConfig()\n", "while the module is imported"),
    # functions and files
    ("core/a.py", "def f() -> None:\n    global x\n    x = 1\n", "global x"),
    ("scripts/a.py", "def f(a) -> None: ...\n", "parameter a of f has no type"),
    ("scripts/a.py", "def f(*, a) -> None: ...\n", "parameter a of f has no type"),
    ("scripts/a.py", "def f(**a) -> None: ...\n", "parameter a of f has no type"),
    ("scripts/a.py", "def f(a: int): ...\n", "f has no return type"),
    ("core/a.py", "def f(a: int, b: int, c: int, d: int, e: int, *, g: int) -> None: ...\n", "f has 6 parameters"),
    (
        "core/a.py",
        "class A:\n    def f(self, a: int, b: int, c: int, d: int, e: int, g: int) -> None: ...\n",
        "6 param",
    ),
    ("core/a.py", "def f() -> None:\n" + "    a = 1\n" * MAX_FUNCTION_LINES, "f has 61 lines"),
    ("core/a.py", "a = 1\n" * MAX_FILE_LINES, "the file has 401 lines"),
    # progress
    ("core/a.py", "def f() -> Steps[None]:\n    yield Progress(0.0)\n    yield from g()\n", "f hands on the progress"),
    ("core/a.py", "def f() -> Steps[None]:\n    yield from scaled(g(), 0, 1)\n    yield from g()\n", "f hands on"),
    ("core/a.py", "def f() -> Steps[None]:\n    for _ in range(2):\n        yield from g()\n", "f hands on"),
    ("core/a.py", "def f() -> Steps[int]:\n    return (yield from a()) + (yield from b())\n", "f hands on"),
    # features
    ("core/a.py", "def f(features: list[int]) -> None:\n    features[..., 4:]\n", "a feature by its number"),
    ("scripts/a.py", "def f(features: list[int]) -> None:\n    features[:, 0]\n", "a feature by its number"),
    ("models/a.py", f"INPUTS = {WIDTH}\n", "is an offset into the feature vector"),
    ("core/a.py", f"def f(x: list[int]) -> None:\n    x[..., 4:{4 + BODY_WIDTH}]\n", "is an offset into"),
]


@pytest.mark.parametrize(("path", "source", "complaint"), BAD)
def test_the_checker_finds_what_is_wrong(path: str, source: str, complaint: str) -> None:
    found = complaints(path, HEADER + source)
    assert any(complaint in sentence for sentence in found), found


def test_the_checker_wants_the_licence_line() -> None:
    assert any("SPDX" in sentence for sentence in complaints("core/a.py", '"""No licence."""\n'))
    assert complaints("build.py", "#!/usr/bin/env python3\n" + HEADER) == []


GOOD = [
    ("core/a.py", "import json\n\nimport numpy as np\n\nfrom .rig import RigMotion\n"),
    ("core/engines/a.py", "from ..rig import RigMotion\n\n\ndef f() -> None:\n    import requests\n"),
    ("models/networks/a.py", "import torch\n\nfrom ..config import NetworkConfig\n"),
    ("blender_addon/rig/a.py", "import bpy\n\nfrom ..backend import Clip\nfrom .reader import read_rig\n"),
    ("blender_addon/backend.py", "from ..core import rig\n\n\ndef f() -> None:\n    from ..models import runtime\n"),
    ("scripts/a.py", "import scipy\n\nfrom core import rig\n\nprint(rig)\n"),
    ("core/a.py", "class A:\n    def f(self, a: int, b: int, c: int, d: int, e: int) -> None: ...\n"),
    ("core/a.py", "def f(features: list[int], x: list[int]) -> None:\n    features[0], features[:10], x[..., 4:]\n"),
    ("core/representation.py", f"WIDTH = {WIDTH}\n"),
    ("core/a.py", "def f() -> Steps[int]:\n    return (yield from g())\n"),
    ("core/a.py", "def f() -> Steps[int]:\n    for _ in range(2):\n        yield from scaled(g(), 0, 1)\n"),
    ("core/a.py", "def f() -> Iterator[int]:\n    for _ in range(2):\n        yield from g()\n"),
]


@pytest.mark.parametrize(("path", "source"), GOOD)
def test_the_checker_leaves_good_files_alone(path: str, source: str) -> None:
    assert complaints(path, HEADER + source) == []


MADE_BY_TOOLS = {"build", "dist", ".git", "__pycache__", ".pytest_cache", ".ruff_cache", ".hypothesis"}
# Absolute paths that exist on the machine of whoever wrote a file and nowhere else.
PRIVATE_PATHS = re.compile(rb"(?<![\w.~])/(?:work|root|farm|tmp/envs|opt/wheels|opt/pypi|home/\w+|Users/\w+)/")


def test_no_file_knows_the_machine_it_was_written_on() -> None:
    found = [path for path in repository_files() if PRIVATE_PATHS.search((ROOT / path).read_bytes())]
    assert not found


@pytest.mark.parametrize("parts", [("root", "x"), ("work", "main"), ("home", "ann", "panache")])
def test_private_paths_are_recognised(parts: tuple[str, ...]) -> None:
    path = "/" + "/".join(parts)
    assert PRIVATE_PATHS.search(f"open('{path}')".encode())


@pytest.mark.parametrize("text", [b"https://example.org/work/1", b"out/root/x", b"~/root/", b"/usr/share"])
def test_public_paths_are_not(text: bytes) -> None:
    assert not PRIVATE_PATHS.search(text)


def repository_files() -> list[str]:
    """What git tracks or would; everything but built things where there is no git."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    try:
        listing = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        files = [path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file()]
        return [str(path) for path in files if not MADE_BY_TOOLS.intersection(path.parts)]
    return [path for path in listing.split("\0") if path and (ROOT / path).is_file()]
