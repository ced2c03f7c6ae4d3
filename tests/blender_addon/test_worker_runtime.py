# SPDX-License-Identifier: GPL-3.0-or-later
"""Create Runtime and Remove Runtime, with packages that have only the names and versions of the real ones."""

import os
import shutil
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import bpy
import pytest

pytestmark = pytest.mark.usefixtures("fresh_engine")
Addon = Callable[[str], ModuleType]
Say = Callable[[str], None]


def wheel(folder: Path, name: str, version: str, code: str) -> None:
    """A package that can be installed, as small as it gets."""
    info = f"{name}-{version}.dist-info"
    target = folder / name
    target.mkdir(parents=True)
    with zipfile.ZipFile(target / f"{name}-{version}-py3-none-any.whl", "w") as archive:
        archive.writestr(f"{name}/__init__.py", f"__version__ = '{version}'\n{code}")
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", "")
    (target / "index.html").write_text(f'<a href="{name}-{version}-py3-none-any.whl">{name}</a>')


TORCH_CODE = """
class cuda:
    is_available = staticmethod(lambda: False)
class zeros:
    def __init__(self, size): pass
    def numpy(self): pass
"""


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package index with packages that have the names and versions of torch and numpy, and online access."""
    folder = tmp_path / "simple"
    wheel(folder, "torch", "2.13.0", TORCH_CODE)
    wheel(folder, "numpy", "1.26.4", "")
    monkeypatch.setenv("PANACHE_TORCH_INDEX", folder.as_uri())
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    if hasattr(bpy.context.preferences.system, "use_online_access"):
        bpy.context.preferences.system.use_online_access = True
    return folder


def test_create_runtime_needs_online_access() -> None:
    if bpy.app.online_access:
        pytest.skip("this Blender was told to be online")
    with pytest.raises(RuntimeError, match="poll"):
        bpy.ops.panache.create_runtime()


def test_a_runtime_is_created_used_and_removed(addon: Addon, index: Path, say: Say) -> None:
    interpreter = addon("worker.interpreter")
    began = time.monotonic()
    assert bpy.ops.panache.create_runtime() == {"FINISHED"}
    say(f"environment of small packages made in {time.monotonic() - began:.1f} s")
    said = interpreter.read_sentinel(interpreter.runtime_folder())
    assert said["torch"] == "2.13.0"
    assert interpreter.find_interpreter("").origin == interpreter.PRIVATE
    assert index.is_dir()
    assert bpy.ops.panache.remove_runtime() == {"FINISHED"}
    assert not interpreter.runtime_folder().exists()
    assert interpreter.find_interpreter("") is None
    assert bpy.ops.panache.remove_runtime() == {"FINISHED"}


def test_a_stopped_creation_leaves_nothing_that_looks_whole_and_goes_on(addon: Addon, index: Path) -> None:
    assert index.is_dir()
    interpreter, creating = addon("worker.interpreter"), addon("worker.creating")
    for moment in (3, 100):
        steps = creating.create_steps()
        shares = [next(steps).share for _ in range(moment)]
        steps.close()
        assert shares == sorted(shares)
        assert interpreter.find_interpreter("") is None
    assert bpy.ops.panache.create_runtime() == {"FINISHED"}
    assert interpreter.find_interpreter("").origin == interpreter.PRIVATE


def test_a_source_without_torch_does_not_send_the_bar_back(addon: Addon, index: Path, tmp_path: Path) -> None:
    plan, creating = addon("worker.plan"), addon("worker.creating")
    (tmp_path / "empty").mkdir()
    packages = ("torch==2.13.0", "numpy")
    empty, full = (plan.Source(folder.name, packages, folder.as_uri(), 1) for folder in (tmp_path / "empty", index))
    folder = addon("worker.interpreter").runtime_folder(create=True)
    seen = list(creating.install_steps(plan.Plan(sys.executable, (empty, full)), folder))
    shares = [progress.share for progress in seen]
    assert shares == sorted(shares)
    assert {"Looking for empty", "Looking for simple"} <= {progress.what for progress in seen}
    reader = creating._PipReader(tmp_path)
    reader.begin(empty)
    far = reader.read(["Installing collected packages: torch"]).share
    reader.begin(full)
    assert reader.read([]).share == far > 0.0


def test_what_pip_cannot_do_is_a_sentence(addon: Addon, index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.rmtree(index / "torch")
    with pytest.raises(RuntimeError, match="there is no torch for this Python"):
        bpy.ops.panache.create_runtime()
    assert addon("worker.interpreter").find_interpreter("") is None
    creating = addon("worker.creating")
    monkeypatch.setattr(creating.shutil, "disk_usage", lambda _folder: SimpleNamespace(free=10**8))
    with pytest.raises(RuntimeError, match="the disk has 0.1 GB left"):
        bpy.ops.panache.create_runtime()


@pytest.mark.parametrize(
    ("line", "advice"),
    [
        ("OSError: [Errno 28] No space left on device", "make room"),
        ("ERROR: [Errno 13] Permission denied: '/x'", "change its permissions"),
        ("NewConnectionError: Failed to establish a new connection", "goes on where it stopped"),
        ("The virtual environment was not created because ensurepip is not available", "venv module"),
        ("something else.", "(something else): see the log"),
    ],
)
def test_what_pip_says_is_understood(addon: Addon, line: str, advice: str) -> None:
    error = addon("worker.commands").CommandError("pip ended with status 1.", ["before", line])
    assert advice in str(addon("worker.creating")._explained("torch could not be installed", error))


def test_a_folder_that_cannot_be_written_is_a_sentence(
    addon: Addon, index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert index.is_dir()

    def refuse(*_arguments: Any, **_options: Any) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(bpy.utils, "extension_path_user", refuse)
    with pytest.raises(addon("backend").EngineError, match="cannot be written .*Permission denied"):
        list(addon("worker.creating").create_steps())


@pytest.mark.parametrize(
    ("driver", "names"),
    [
        ("", ["torch for the CPU"]),
        ("470.82.01", ["torch for the CPU"]),
        ("565.57.01", ["torch for CUDA, cu126", "torch for the CPU"]),
        ("591.44", ["torch for CUDA, cu130", "torch for CUDA, cu126", "torch for the CPU"]),
    ],
)
@pytest.mark.skipif(sys.platform == "darwin", reason="there is no CUDA on Macs")
def test_the_plan_suits_the_driver(addon: Addon, driver: str, names: list[str]) -> None:
    plan = addon("worker.plan").make_plan(driver)
    assert [source.name for source in plan.sources] == names
    assert bool(plan.note) == driver.startswith("470")
