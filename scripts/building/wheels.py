# SPDX-License-Identifier: GPL-3.0-or-later
"""onnxruntime's wheels as pyproject.toml pins them: downloaded once into build/wheels, checked by their SHA-256."""

import hashlib
import platform
import sys
import tomllib
import zipfile
from pathlib import Path

from scripts.building.archive import ZIP_TIME
from scripts.building.processes import BUILD, ROOT, BuildError, run, tail

FOLDER = BUILD / "wheels"
_LIMIT = 600  # seconds for one download
# Minor versions of Python 3. Each by its number: beside wheels with a number, Blender overlooks the tag "py3".
_OTHER_PYTHONS = (12, *range(14, 20))
_SYSTEMS = {"linux": "linux", "darwin": "macos", "win32": "windows"}
_MACHINES = {"x86_64": "x64", "amd64": "x64", "arm64": "arm64", "aarch64": "arm64"}


def pinned() -> dict[str, dict[str, str]]:
    """SHA-256 by the wheel's file name, by platform as Blender names it."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["panache"]["wheels"]


def this_platform() -> str:
    """What Blender calls the machine that this runs on; such a platform need not be pinned."""
    machine = platform.machine().lower()
    return f"{_SYSTEMS.get(sys.platform, sys.platform)}-{_MACHINES.get(machine, machine)}"


def fetch(name: str, digest: str, folder: Path = FOLDER) -> Path:
    """A wheel by its file name, downloaded unless it is there already.

    Raises:
        BuildError: it could not be downloaded, or is not the pinned one.
    """
    wheel = folder / name
    if not wheel.is_file() or sha256(wheel) != digest:
        log = BUILD / "logs" / "wheels.log"
        # Blender's Pythons and systems are not the running one: pip is told them.
        if run([sys.executable, "-m", "pip", *download(name, folder)], _LIMIT, log=log) or not wheel.is_file():
            raise BuildError(f"pip, which needs a network, could not download {name}; {tail(log)}")
    if sha256(wheel) != digest:
        wheel.unlink()
        raise BuildError(f"{name} is not the file that pyproject.toml pins: its SHA-256 differs.")
    return wheel


def download(name: str, folder: Path) -> list[str | Path]:
    """Pip's arguments for exactly one wheel: its file name says everything."""
    project, version, python, abi, tags = name.removesuffix(".whl").split("-")
    platforms = [part for tag in tags.split(".") for part in ("--platform", tag)]
    target = ["--implementation", "cp", "--python-version", python.removeprefix("cp"), "--abi", abi, *platforms]
    quiet = ["--disable-pip-version-check", "--no-input", "--no-deps", "--only-binary", ":all:"]
    return ["download", *quiet, *target, "--dest", folder, f"{project}=={version}"]


def other_pythons(folder: Path = FOLDER) -> Path:
    """An empty wheel for the Pythons that onnxruntime's wheels are not for, written anew.

    Blender refuses an extension whose wheels are all for other Pythons than its own, and Linux distributions build
    Blender with the Python they have. With this one among them it installs, and numpy does the work.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tag = ".".join(f"py3{minor}" for minor in _OTHER_PYTHONS)
    wheel = folder / f"panache_without_onnxruntime-1-{tag}-none-any.whl"
    about = "panache_without_onnxruntime-1.dist-info"
    files = {
        "METADATA": "Metadata-Version: 2.1\nName: panache_without_onnxruntime\nVersion: 1\n",
        "WHEEL": f"Wheel-Version: 1.0\nGenerator: panache\nRoot-Is-Purelib: true\nTag: {tag}-none-any\n",
        "RECORD": "".join(f"{about}/{name},,\n" for name in ("METADATA", "WHEEL", "RECORD")),
    }
    with zipfile.ZipFile(wheel, "w") as target:
        for name, text in files.items():
            target.writestr(zipfile.ZipInfo(f"{about}/{name}", ZIP_TIME), text)
    return wheel


def sha256(path: Path) -> str:
    """Hexadecimal digest of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
