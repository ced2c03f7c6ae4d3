# SPDX-License-Identifier: GPL-3.0-or-later
"""The worker from inside Blender: which interpreter, restyling through it, its ends, its private runtime."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import bpy
import numpy as np
import pytest

from tests.core.workers import is_running, python_with_torch, until

from . import rigs
from .layouts import Layout
from .snapshot import scene_state

pytestmark = pytest.mark.usefixtures("empty_scene", "fresh_engine")
Addon = Callable[[str], ModuleType]
Say = Callable[[str], None]


@pytest.fixture
def torch_worker(preferences: Any, addon: Addon) -> ModuleType:
    """The preferences choose a worker that has torch; gives the module that keeps it."""
    preferences.worker_python, preferences.engine = str(python_with_torch()), "WORKER"
    return addon("worker.keeper")


def restyled(**settings: Any) -> np.ndarray:
    """Values of all keys of the result; the armature plays its original again afterwards."""
    armature = bpy.context.view_layer.objects.active
    assert bpy.ops.panache.stylize(style="elderly", keys="EVERY_FRAME", **settings) == {"FINISHED"}
    values = [point.co.y for curve in rigs.curves_of(armature) for point in curve.keyframe_points]
    bpy.ops.panache.revert()
    return np.array(values)


# -- restyling ---------------------------------------------------------------------------------------------------------


def test_the_worker_restyles_as_blender_does(preferences: Any, torch_worker: ModuleType, say: Say) -> None:
    rigs.mixamo()
    began = time.monotonic()
    far = restyled()
    assert torch_worker.current_worker().ready.software.startswith("torch")
    say(f"first action through the worker after {time.monotonic() - began:.2f} s")
    preferences.engine = "LOCAL"
    assert np.abs(restyled() - far).max() < 1e-3
    assert torch_worker.current_worker() is None


def test_features_agree_through_the_worker(addon: Addon, torch_worker: ModuleType) -> None:
    backend = addon("backend")
    trials = [
        backend.finish(backend.try_network_steps(network))
        for network in (torch_worker.chosen_network(), backend.local_network(), backend.plain_network())
    ]
    assert trials[0].results.shape == trials[2].results.shape
    assert trials[0].difference(trials[1]) < 1e-4
    assert trials[0].difference(trials[2]) < 1e-4


def test_automatic_uses_the_worker_only_when_it_is_ready(
    addon: Addon, preferences: Any, torch_worker: ModuleType
) -> None:
    preferences.engine = "AUTO"
    assert torch_worker.chosen_network() is None
    worker, _ = torch_worker.ensure()
    assert torch_worker.chosen_network() is None
    until(lambda: worker.poll() or worker.ready)
    assert isinstance(torch_worker.chosen_network(), addon("backend").RemoteNetwork)
    preferences.engine = "LOCAL"
    assert torch_worker.chosen_network() is None


def test_a_killed_worker_is_reported_and_the_next_stylize_works(torch_worker: ModuleType) -> None:
    rigs.mixamo()
    before = restyled()
    os.kill(torch_worker.current_worker().pid, signal.SIGKILL)
    state = scene_state()
    try:
        bpy.ops.panache.stylize(style="elderly")
    except RuntimeError as error:
        assert "run it again" in str(error)
        assert scene_state() == state
    else:
        bpy.ops.panache.revert()
    np.testing.assert_allclose(restyled(), before, atol=1e-4)


def test_changed_preferences_or_weights_mean_another_worker(
    preferences: Any, torch_worker: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    first, _ = torch_worker.ensure()
    assert torch_worker.ensure()[0] is first
    preferences.device = "CPU"
    second, _ = torch_worker.ensure()
    assert second is not first
    weights = shutil.copy(os.environ["PANACHE_WEIGHTS"], tmp_path / "other.safetensors")
    monkeypatch.setenv("PANACHE_WEIGHTS", str(weights))
    assert torch_worker.ensure()[0] is not second


def test_nothing_is_left_when_the_extension_is_disabled(extension: str, torch_worker: ModuleType) -> None:
    import addon_utils  # it is there once bpy is

    worker, _ = torch_worker.ensure()
    pid = worker.pid
    addon_utils.disable(extension)
    until(lambda: not is_running(pid))
    addon_utils.enable(extension)


QUITTING = """
import os, sys, bpy
bpy.ops.extensions.package_install_files(filepath=sys.argv[1], repo="user_default", enable_on_install=True)
preferences = bpy.context.preferences.addons["bl_ext.user_default.panache"].preferences
preferences.worker_python, preferences.engine = sys.argv[2], "WORKER"
import importlib
keeper = importlib.import_module("bl_ext.user_default.panache.blender_addon.worker.keeper")
worker, _ = keeper.ensure()
print("PID", worker.pid, flush=True)
if sys.argv[3] == "dies":
    os.kill(os.getpid(), 9)
import atexit
atexit._run_exitfuncs()
assert worker.pid is None
os._exit(0)
"""


@pytest.mark.parametrize("how", ["quits", "dies"])
def test_nothing_is_left_when_blender_ends(how: str, tmp_path: Path) -> None:
    archive = next(Path(os.environ["BLENDER_USER_RESOURCES"]).glob("*.zip"), os.environ.get("PANACHE_ZIP"))
    command = [sys.executable, "-c", QUITTING, str(archive), str(python_with_torch()), how]
    environment = os.environ | {"BLENDER_USER_RESOURCES": str(tmp_path)}
    answer = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert answer.returncode == (-signal.SIGKILL if how == "dies" else 0), answer.stderr
    pid = int(answer.stdout.partition("PID")[2].split()[0])
    until(lambda: not is_running(pid))


# -- interpreters ------------------------------------------------------------------------------------------------------


def refusal(**settings: Any) -> str:
    rigs.mixamo()
    before = scene_state()
    with pytest.raises(RuntimeError) as caught:
        bpy.ops.panache.stylize(style="elderly", **settings)
    assert scene_state() == before
    return str(caught.value)


def test_without_any_interpreter_a_sentence_says_what_to_do(preferences: Any) -> None:
    preferences.engine = "WORKER"
    assert "press Create Runtime" in refusal()
    preferences.engine = "AUTO"
    assert bpy.ops.panache.stylize(style="elderly") == {"FINISHED"}


def test_interpreters_that_are_none_are_refused(preferences: Any, tmp_path: Path) -> None:
    preferences.engine = "WORKER"
    text = tmp_path / "python"
    text.write_text("no program")
    store = tmp_path / "WindowsApps" / "python.exe"
    store.parent.mkdir()
    store.touch()
    for path, sentence in (
        (tmp_path / "nothing", "There is no Python"),
        (tmp_path, "is a folder"),
        (text, "is not a program"),
        (store, "Microsoft Store"),
    ):
        preferences.worker_python = str(path)
        assert sentence in refusal()


def test_an_interpreter_without_torch_is_refused_and_automatic_goes_on(preferences: Any, tmp_path: Path) -> None:
    venv = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True)
    preferences.worker_python, preferences.engine = str(venv / "bin" / "python"), "WORKER"
    assert "The worker's Python has no numpy" in refusal()
    preferences.engine = "AUTO"
    assert bpy.ops.panache.stylize(style="elderly") == {"FINISHED"}


def test_the_bundled_runtime_comes_before_the_private_one(addon: Addon, tmp_path: Path) -> None:
    interpreter = addon("worker.interpreter")
    folder = make_private(interpreter)
    assert interpreter.find_interpreter("").origin == interpreter.PRIVATE
    bundled = interpreter.extension_root() / "runtime" / "bin" / "python3"
    bundled.parent.mkdir(parents=True)
    bundled.touch()
    try:
        assert interpreter.find_interpreter("").path == bundled
    finally:
        shutil.rmtree(bundled.parents[1])
    chosen = tmp_path / "python"
    chosen.touch(0o755)
    assert interpreter.find_interpreter(str(chosen)).origin == interpreter.CHOSEN
    (folder / "ready.json").unlink()
    assert interpreter.find_interpreter("") is None


def make_private(interpreter: ModuleType) -> Path:
    folder = interpreter.runtime_folder(create=True)
    python = interpreter.python_of(folder / "venv")
    python.parent.mkdir(parents=True)
    python.touch(0o755)
    (folder / "ready.json").write_text(json.dumps({"torch": "2", "python": "3"}))
    return folder


def test_a_private_runtime_of_another_blender_is_refused(addon: Addon, preferences: Any) -> None:
    interpreter = addon("worker.interpreter")
    folder = make_private(interpreter)
    interpreter.python_of(folder / "venv").unlink()
    preferences.engine = "WORKER"
    assert "press Create Runtime again" in refusal()


# -- check engine ------------------------------------------------------------------------------------------------------


def checked(addon: Addon) -> str:
    backend = addon("backend")
    return str(backend.finish(addon("worker.checking").check_steps()))


def test_check_engine_says_how_it_is(addon: Addon, preferences: Any, torch_worker: ModuleType, say: Say) -> None:
    assert bpy.ops.panache.check_engine() == {"FINISHED"}
    said = checked(addon)
    assert "Worker process (torch" in said
    assert "160 frames in" in said
    preferences.engine = "LOCAL"
    assert "the preferences say so" in checked(addon)
    preferences.engine, preferences.worker_python = "AUTO", ""
    assert "not used: There is no Python with torch" in checked(addon)
    assert torch_worker.current_worker() is None
    preferences.device = "CUDA"
    preferences.worker_python = str(python_with_torch())
    said = checked(addon)
    say(said)
    assert "CUDA" in said


def test_check_engine_notices_wrong_numbers(addon: Addon, monkeypatch: pytest.MonkeyPatch) -> None:
    backend, checking = addon("backend"), addon("worker.checking")
    network = backend.plain_network()
    network._mean = network._mean + 0.01
    monkeypatch.setattr(checking, "local_network", lambda: network)
    with pytest.raises(backend.EngineError, match="other numbers than it should"):
        checked(addon)
    with pytest.raises(RuntimeError, match="other numbers"):
        bpy.ops.panache.check_engine()


# -- preferences -------------------------------------------------------------------------------------------------------


def test_the_preferences_draw_in_every_state(addon: Addon, preferences: Any, torch_worker: ModuleType) -> None:
    def drawn() -> list[str]:
        layout = Layout()
        addon("worker.drawing").draw_engine(layout, bpy.context, preferences)
        return layout.content

    def said(words: str) -> bool:
        return words in " ".join(drawn())

    assert {"engine", "worker_python", "device", "panache.create_runtime", "panache.check_engine"} <= set(drawn())
    assert said("Worker not started yet")
    worker, _ = torch_worker.ensure()
    assert said("Worker starting")
    until(lambda: worker.poll() or worker.ready)
    assert said("Worker ready: torch")
    os.kill(worker.pid, signal.SIGKILL)
    until(lambda: worker.poll() or worker.trouble)
    assert said("worker process ended")
    preferences.worker_python = "/nowhere/python"
    assert said("There is no Python")
    preferences.worker_python = ""
    assert said("create a runtime")
    preferences.engine = "LOCAL"
    assert bpy.ops.panache.check_engine() == {"FINISHED"}
    assert drawn()[:2] == ["engine", "panache.check_engine"]
    assert said("160 frames")
