# SPDX-License-Identifier: GPL-3.0-or-later
"""What all tests share. Runs in Blender's environments too, so it imports nothing but pytest."""

import importlib.util
import os
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
# Motion and rigs for testing that are too large, or of too many owners, to live in the repository.
SHARED = Path(os.environ.get("PANACHE_SHARED", ROOT.parent / "shared")) / "data"

_MISSING = pytest.StashKey[set[str]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_MISSING] = set()
    if importlib.util.find_spec("hypothesis"):
        from hypothesis import settings

        # Examples are the same on every run, and a busy machine is no defect.
        settings.register_profile("panache", deadline=None, derandomize=True)
        settings.load_profile("panache")


@pytest.fixture(scope="session")
def shared_data(pytestconfig: pytest.Config) -> Callable[[str], Path]:
    """``shared_data("rigs.tar.xz")`` is the folder of an archive's contents; skips, loudly, without the archive."""

    def unpacked(archive: str) -> Path:
        source = SHARED / archive
        if not source.is_file():
            pytestconfig.stash[_MISSING].add(archive)
            pytest.skip(f"needs {archive} in {SHARED}, which is not there")
        return unpack(source, ROOT / "build" / "shared" / archive.partition(".")[0])

    return unpacked


def unpack(source: Path, folder: Path) -> Path:
    """Extract an archive once; a run that was stopped half way leaves nothing that looks whole."""
    if folder.is_dir() and folder.stat().st_mtime >= source.stat().st_mtime:
        return folder
    partial = folder.with_suffix(f".{os.getpid()}")
    partial.mkdir(parents=True)
    with tarfile.open(source) as archive:
        archive.extractall(partial, filter="data")
    shutil.rmtree(folder, ignore_errors=True)
    partial.rename(folder)
    os.utime(folder)
    return folder


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for archive in sorted(config.stash[_MISSING]):
        terminalreporter.write_line(f"NOT TESTED: what needs {archive}, which is not in {SHARED}", red=True, bold=True)
