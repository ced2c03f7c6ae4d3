# SPDX-License-Identifier: GPL-3.0-or-later
"""Installs the zip into this process's Blender; without a bpy module these tests are not collected."""

import importlib
import importlib.util
import os
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
HAS_BLENDER = importlib.util.find_spec("bpy") is not None
collect_ignore_glob = [] if HAS_BLENDER else ["test_*.py"]

_EXIT = pytest.StashKey[int]()


def pytest_configure() -> None:
    """Give Blender an empty user folder before the first test module imports bpy, which reads it once."""
    os.environ["BLENDER_USER_RESOURCES"] = tempfile.mkdtemp(prefix="panache-tests-")


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    session.config.stash[_EXIT] = int(exitstatus)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave without Python's shutdown, in which bpy 4.2 crashes and 4.5 hangs while operators are registered."""
    if "bpy" in sys.modules:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(config.stash.get(_EXIT, 1))


@pytest.fixture(scope="session")
def extension() -> str:
    """Module name of the installed extension."""
    import bpy

    from .weights import write_test_weights

    folder = Path(os.environ["BLENDER_USER_RESOURCES"])
    archive = os.environ.get("PANACHE_ZIP") or str(_zip_sources(folder / "panache.zip"))
    os.environ["PANACHE_WEIGHTS"] = str(write_test_weights(folder / "test.safetensors"))
    bpy.ops.extensions.package_install_files(filepath=archive, repo="user_default", enable_on_install=True)
    return "bl_ext.user_default.panache"


@pytest.fixture(scope="session")
def addon(extension: str) -> Callable[[str], ModuleType]:
    """Import a module of the installed add-on by its name inside ``blender_addon``."""
    return lambda name: importlib.import_module(f"{extension}.blender_addon.{name}")


@pytest.fixture
def empty_scene(extension: str) -> Iterator[None]:
    """A Blender without objects and actions, the extension still enabled."""
    assert extension
    from scripts.evaluation.retarget_rigs import empty_file

    empty_file()
    yield


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Prints a measured figure, whether pytest shows output or not."""

    def show(text: str) -> None:
        with capsys.disabled():
            sys.stdout.write(f"\n{text}\n")

    return show


@pytest.fixture
def preferences(extension: str) -> Any:
    """The extension's preferences."""
    import bpy

    return bpy.context.preferences.addons[extension].preferences


@pytest.fixture
def fresh_engine(extension: str, addon: Callable[[str], ModuleType]) -> Iterator[None]:
    """The engine as it is after the installation, before and after each test."""
    import bpy

    system = bpy.context.preferences.system

    def reset() -> None:
        # Found anew: an extension that was disabled in between has other ones.
        preferences = bpy.context.preferences.addons[extension].preferences
        preferences.engine, preferences.worker_python, preferences.device = "AUTO", "", "AUTO"
        if hasattr(system, "use_online_access"):
            system.use_online_access = False
        addon("worker.keeper").stop()

    reset()
    yield
    reset()
    shutil.rmtree(addon("worker.interpreter").runtime_folder(), ignore_errors=True)


def _zip_sources(target: Path) -> Path:
    """The extension as build.py lays it out, for runs without a built zip."""
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("__init__.py", "from .blender_addon import register, unregister\n")
        archive.write(ROOT / "blender_addon" / "blender_manifest.toml", "blender_manifest.toml")
        for package in ("blender_addon", "core", "models"):
            for path in sorted((ROOT / package).rglob("*")):
                if path.suffix in {".py", ".json", ".png"}:
                    archive.write(path, str(path.relative_to(ROOT)))
    return target
