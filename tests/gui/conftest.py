# SPDX-License-Identifier: GPL-3.0-or-later
"""A Blender window with the zip in it. Collected only by ``build.py test --gui``, which says where a root folder is."""

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from .walks import LONG_SECONDS, write_walk
from .window import Window

ROOT = Path(__file__).resolve().parents[2]
PICTURES = ROOT / "dist" / "gui"
GUI_ROOT = os.environ.get("PANACHE_GUI_ROOT", "")
collect_ignore_glob = [] if GUI_ROOT else ["test_*.py"]

_FIGURES = pytest.StashKey[list[str]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_FIGURES] = []


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    lines = config.stash.get(_FIGURES, [])
    if lines:
        lines.append(f"Measured on {os.cpu_count()} cores with a load of {os.getloadavg()[0]:.1f}")
    for line in lines:
        terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def figures(pytestconfig: pytest.Config) -> list[str]:
    """Lines that are printed after the tests: what was measured and is not asserted."""
    return pytestconfig.stash[_FIGURES]


class Stage:
    """The window of this run; a new one in place of one that died, so that one crash is one failure."""

    def __init__(self) -> None:
        self.window: Window | None = None
        self._shots = 0

    def opened(self) -> Window:
        """A window that answers."""
        if self.window is None or not self.window.is_alive:
            self.close()
            self.window = Window(Path(GUI_ROOT), PICTURES, os.environ["PANACHE_GUI_NAME"], runtime_folders())
            self.window.shots = self._shots
            self._provide(self.window.share)
        return self.window

    def close(self) -> None:
        if self.window is not None:
            self._shots = self.window.shots
            self.window.close()
            self.window = None

    @staticmethod
    def _provide(share: Path) -> None:
        """What the window needs of this machine, copied."""
        shutil.copyfile(os.environ["PANACHE_ZIP"], share / "panache.zip")
        source = ROOT / "tests" / "data" / "walk_normal.bvh"
        write_walk(source, share / "walk.bvh", seconds=5.0)
        write_walk(source, share / "long.bvh", seconds=LONG_SECONDS)


def runtime_folders() -> list[Path]:
    """This Python and its packages, torch among them, for the worker; none if they cannot be lent to the window."""
    folders = [Path(sys.prefix), Path(sys.base_prefix)]
    return [] if any(folder.is_relative_to("/usr") for folder in folders) else folders


@pytest.fixture(scope="session")
def stage() -> Iterator[Stage]:
    for picture in PICTURES.glob(f"{os.environ['PANACHE_GUI_NAME']}-*.png"):
        picture.unlink()  # of an earlier run
    stage = Stage()
    yield stage
    stage.close()


@pytest.fixture
def new(stage: Stage) -> Window:
    """A Blender that was just started for the first time, with a walk in it."""
    stage.close()
    return with_walk(stage.opened())


@pytest.fixture
def bare(stage: Stage) -> Window:
    """A window with a walk in it, the extension as the test before left it."""
    return with_walk(stage.opened())


def with_walk(window: Window, name: str = "walk") -> Window:
    """Open a new file with a walk."""
    window.ask("empty")
    window.settle()
    window.ask("import_walk", path=f"/share/{name}.bvh")
    window.ask("frame_view")
    window.settle()
    return window


@pytest.fixture
def window(bare: Window) -> Window:
    """A window with a walk, the extension installed and its tab in front."""
    return ready(bare)


@pytest.fixture
def long(stage: Stage) -> Window:
    """The same with a walk of a minute."""
    return ready(with_walk(stage.opened(), "long"))


def ready(window: Window) -> Window:
    """Install what is not installed, show the tab, and wait for what the panel finds out by itself."""
    install(window)
    window.open_tab()
    window.to_viewport()
    return window


@pytest.fixture(params=["LOCAL", "WORKER"])
def engine(request: pytest.FixtureRequest, long: Window) -> Iterator[str]:
    """A minute of walking and an engine, chosen in the preferences."""
    if request.param == "WORKER" and not runtime_folders():
        pytest.skip("the worker needs a Python that is not the system's own, which the window has one of already")
    long.ask("prefer", engine=request.param, worker_python=sys.executable)
    yield request.param
    if long.is_alive:
        long.ask("prefer", engine="AUTO", worker_python="")


def install(window: Window) -> None:
    """Install the zip, unless it is in."""
    if not window.ask("is_installed"):
        window.ask("install", path="/share/panache.zip")
        window.wait_until(lambda: window.ask("is_installed"), "the installation")
