# SPDX-License-Identifier: GPL-3.0-or-later
"""Virtual environments in build/venvs, one per dependency group of pyproject.toml, made again when its pins change."""

import json
import os
import shutil
import subprocess
import sys
import time
import tomllib
from pathlib import Path

from scripts.building.processes import BUILD, ROOT, BuildError, run, tail

BLENDER = "blender-"
"""The groups with this prefix are the supported Blender versions."""

_LIMIT = 1200  # seconds for one installation
_SYSTEM_LIBRARIES = (
    "libx11-6 libxi6 libxkbcommon0 libsm6 libice6 libxfixes3 libxrender1 libxext6 libxxf86vm1 libgl1 libgomp1"
)


class NoPythonError(BuildError):
    """The interpreter that a Blender version needs is not on this machine."""


def dependency_groups() -> dict[str, list[str | dict[str, str]]]:
    """The pinned requirements by group, as pyproject.toml has them."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["dependency-groups"]


def blenders() -> list[str]:
    """The supported Blender versions, oldest first."""
    versions = [name.removeprefix(BLENDER) for name in dependency_groups() if name.startswith(BLENDER)]
    return sorted(versions, key=number)


def number(version: str) -> tuple[int, ...]:
    """A version as something that sorts."""
    return tuple(int(part) for part in version.split("."))


def requirements(group: str) -> list[str]:
    """All requirements of a dependency group, included groups resolved, sorted."""
    found: set[str] = set()
    for entry in dependency_groups()[group]:
        found |= {entry} if isinstance(entry, str) else set(requirements(entry["include-group"]))
    return sorted(found)


def environment(name: str) -> Path:
    """The interpreter of the virtual environment of a dependency group, made first if it is missing or outdated.

    Raises:
        NoPythonError: the Python it needs is not on this machine.
        BuildError: it cannot be made, with the reason.
    """
    ready = stamped_python(name)
    if ready:
        return ready
    folder, wanted = BUILD / "venvs" / name, requirements(name)
    python = find_python(python_version(name))
    print(f"Setting up {folder.relative_to(ROOT)}: {', '.join(wanted)}", flush=True)
    started = time.monotonic()
    shutil.rmtree(folder, ignore_errors=True)
    log = BUILD / "logs" / f"{name}.log"
    # The machine's own pip serves all environments: a Python may have pip but not what puts pip into environments.
    if run([python, "-m", "venv", "--without-pip", folder], _LIMIT, log=log):
        raise BuildError(f"{python} cannot make a virtual environment; {tail(log)}")
    install = ["-m", "pip", "--python", inside(folder), "install", "--disable-pip-version-check", "--no-input", *wanted]
    if run([python, *install], _LIMIT, log=log):
        raise BuildError(f"pip, which needs a network, could not install {' '.join(wanted)}; {tail(log)}")
    if name.startswith(BLENDER) and run([inside(folder), "-c", "import bpy"], _LIMIT, log=log):
        raise BuildError(
            f"Blender's module does not start (on Debian: apt-get install {_SYSTEM_LIBRARIES}); {tail(log)}"
        )
    stamp_of(folder).write_text(stamp(name), encoding="utf-8")
    print(f"  done in {time.monotonic() - started:.0f} s", flush=True)
    return inside(folder)


def stamped_python(name: str) -> Path | None:
    """The interpreter of an environment that is there and up to date."""
    folder = BUILD / "venvs" / name
    current = stamp_of(folder).is_file() and stamp_of(folder).read_text(encoding="utf-8") == stamp(name)
    return inside(folder) if current and inside(folder).exists() else None


def stamp_of(folder: Path) -> Path:
    """The file that says what an environment was made for."""
    return folder / "panache-stamp.json"


def stamp(name: str) -> str:
    """What an environment is made for."""
    return json.dumps({"python": python_version(name), "requirements": requirements(name)})


def inside(folder: Path) -> Path:
    """The interpreter in a virtual environment."""
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def python_version(name: str) -> str:
    """The Python that an environment needs: Blender's own, 3.13 since 5.1 and 3.11 before."""
    newer = name.startswith(BLENDER) and number(name.removeprefix(BLENDER)) >= (5, 1)
    return "3.13" if newer else "3.11"


def find_python(version: str) -> Path:
    """An interpreter of this version: the running one, on the path, pyenv's, or uv's.

    Raises:
        NoPythonError: there is none.
    """
    candidates = [sys.executable, shutil.which(f"python{version}")]
    candidates += [
        str(path) for path in sorted(Path.home().glob(f".pyenv/versions/{version}*/bin/python"), reverse=True)
    ]
    uv = shutil.which("uv")
    if uv:
        answer = subprocess.run([uv, "python", "find", version], capture_output=True, text=True, check=False)
        candidates.append(answer.stdout.strip())
    for candidate in filter(None, candidates):
        if version_of(candidate) == version:
            return Path(candidate)
    raise NoPythonError(f"Python {version} was not found (looked for python{version} on the path, pyenv and uv).")


def version_of(python: str) -> str:
    """Major and minor version of an interpreter; empty if it does not run."""
    ask = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        answer = subprocess.run([python, "-c", ask], capture_output=True, text=True, check=False, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return answer.stdout.strip()
