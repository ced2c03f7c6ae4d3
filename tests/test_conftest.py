# SPDX-License-Identifier: GPL-3.0-or-later
"""Data from outside the repository: unpacked once where it is there, missed loudly where it is not."""

import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from .conftest import unpack

ROOT = Path(__file__).resolve().parents[1]
NEEDY = "def test_a(shared_data):\n    shared_data('rigs.tar.xz')\n"


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    (tmp_path / "walk.bvh").write_text("HIERARCHY")
    with tarfile.open(tmp_path / "clips.tar.xz", "w:xz") as target:
        target.add(tmp_path / "walk.bvh", "clips/walk.bvh")
    return tmp_path / "clips.tar.xz"


def test_an_archive_is_unpacked_once(archive: Path, tmp_path: Path) -> None:
    folder = unpack(archive, tmp_path / "cache" / "clips")
    clip = folder / "clips" / "walk.bvh"
    assert clip.read_text() == "HIERARCHY"
    clip.write_text("touched")
    assert unpack(archive, folder) == folder
    assert clip.read_text() == "touched"
    assert [path.name for path in folder.parent.iterdir()] == ["clips"]


def test_a_newer_archive_is_unpacked_again(archive: Path, tmp_path: Path) -> None:
    folder = unpack(archive, tmp_path / "cache" / "clips")
    (folder / "clips" / "walk.bvh").write_text("old")
    os.utime(folder, (0, 0))
    assert (unpack(archive, folder) / "clips" / "walk.bvh").read_text() == "HIERARCHY"


def test_what_could_not_be_tested_is_said_in_the_summary(tmp_path: Path) -> None:
    (tmp_path / "test_needy.py").write_text(NEEDY)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "tests.conftest",
        "--rootdir",
        tmp_path,
        "-c",
        os.devnull,
        tmp_path,
    ]
    run = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "PANACHE_SHARED": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "1 skipped" in run.stdout
    assert "NOT TESTED: what needs rigs.tar.xz" in run.stdout
