# SPDX-License-Identifier: GPL-3.0-or-later
"""Workers in processes of their own, as the tests start them, and waiting with a deadline."""

import importlib.util
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

from core.engines import Pending
from core.worker.client import Worker
from core.worker.process import WorkerCommand
from core.worker.session import Description, Limits
from models.bundle import read_bundle

from .worker_networks import ROOT, WEIGHTS

T = TypeVar("T")
DEADLINE = 120.0
TORCH = "models.serving:open_network"


def python_with_torch() -> Path:
    """An interpreter that has torch: that of the environment which build.py makes for tests, or this one."""
    made = ROOT / "build" / "venvs" / "test" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if made.exists():
        return made
    if importlib.util.find_spec("torch"):
        return Path(sys.executable)
    pytest.skip("NOT TESTED: the worker with torch, which needs the environment that build.py test makes")


def command(network: str, root: Path = ROOT, weights: Path = WEIGHTS) -> WorkerCommand:
    """How a worker with one of worker_networks.py is started, or with torch."""
    if network == "has_torch_and_little_memory":
        return WorkerCommand(python_with_torch(), root, f"tests.core.worker_networks:{network}", weights)
    if network == "torch":
        return WorkerCommand(python_with_torch(), root, TORCH, weights, "CPU")
    return WorkerCommand(Path(sys.executable), root, f"tests.core.worker_networks:{network}", weights)


def description() -> Description:
    bundle = read_bundle(WEIGHTS)
    size, tempo = bundle.config.style_channels, None if bundle.tempo is None else tuple(bundle.tempo.ravel().tolist())
    return Description(bundle.info.styles, bundle.info.fps, bundle.layout_signature, size, tempo)


def worker(network: str, limits: Limits | None = None) -> Worker:
    return Worker(command(network), description(), limits)


def until(condition: Callable[[], T], seconds: float = DEADLINE) -> T:
    """Ask until the answer is yes."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.005)
    return value


def answer_of(pending: Pending) -> object:
    """Wait for an answer as Blender does: looking again and again."""
    deadline = time.monotonic() + DEADLINE
    while (result := pending.result()) is None:
        assert time.monotonic() < deadline, "no answer in time"
    return result


def is_running(pid: int) -> bool:
    """Whether a process is there; one that only waits to be collected is not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except OSError:
        return Path("/proc").is_dir() is False and _answers_signals(pid)
    return state != "Z"


def _answers_signals(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True
