# SPDX-License-Identifier: GPL-3.0-or-later
"""Which Python the worker runs in: the one chosen in the preferences, the zip's own, or the one that Panache made."""

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import bpy

from ..backend import EngineError
from ..preferences import EXTENSION
from ..translations import say

# What is in the folder of the runtime that Panache makes.
VENV, SENTINEL = "venv", "ready.json"
CHOSEN, BUNDLED, PRIVATE = "chosen", "bundled", "private"
_ON_WINDOWS: Final = sys.platform == "win32"


@dataclass(frozen=True)
class Interpreter:
    """A Python for the worker.

    Attributes:
        path: of its executable.
        origin: CHOSEN in the preferences, BUNDLED with the zip, or PRIVATE: made by Create Runtime.

    """

    path: Path
    origin: str


def find_interpreter(chosen: str) -> Interpreter | None:
    """The Python to use, None if there is none; looks, but starts nothing.

    Args:
        chosen: what the preferences say; empty for none.

    Raises:
        EngineError: there is one, but it cannot be used; the message says what to do.

    """
    if chosen:
        return Interpreter(_checked(Path(bpy.path.abspath(chosen))), CHOSEN)
    for place in ("python.exe", "bin/python3", "bin/python"):
        bundled = extension_root() / "runtime" / place
        if bundled.is_file():
            return Interpreter(bundled, BUNDLED)
    return _private()


def extension_root() -> Path:
    """The folder in which this package lies, beside ``core`` and ``models``."""
    return Path(__file__).parents[2]


def runtime_folder(*, create: bool = False) -> Path:
    """Where Create Runtime puts what it makes: the extension's folder in the user's files.

    Raises:
        EngineError: it is to be made and cannot be.

    """
    try:
        return Path(bpy.utils.extension_path_user(EXTENSION, path="runtime", create=create))
    except OSError as error:
        raise unwritable(error) from error


def unwritable(error: OSError) -> EngineError:
    """What to say when nothing can be written for the runtime."""
    return EngineError(
        say(
            "Panache's folder in your Blender files cannot be written ({reason}): make room or change its permissions.",
            reason=error.strerror or error,
        )
    )


def python_of(folder: Path) -> Path:
    """The interpreter of a virtual environment."""
    return folder / ("Scripts/python.exe" if _ON_WINDOWS else "bin/python")


def read_sentinel(folder: Path) -> dict[str, Any] | None:
    """What a complete runtime says of itself; None for one that is missing or was not completed."""
    try:
        said = json.loads((folder / SENTINEL).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return said if isinstance(said, dict) else None


def _private() -> Interpreter | None:
    folder = runtime_folder()
    if read_sentinel(folder) is None:
        return None
    python = python_of(folder / VENV)
    if not python.exists():
        raise EngineError(
            say("The runtime that Panache made belongs to a Blender that has gone: press Create Runtime again.")
        )
    return Interpreter(python, PRIVATE)


def _checked(path: Path) -> Path:
    if path.is_dir():
        raise EngineError(say('"{path}" is a folder: choose the python program in it in the preferences.', path=path))
    if not path.is_file():
        raise EngineError(say('There is no Python "{path}": choose another one in the preferences.', path=path))
    # Windows puts programs there that open its shop instead of running anything.
    if "WindowsApps" in path.parts and path.stat().st_size == 0:
        raise EngineError(say('"{path}" only opens the Microsoft Store: choose an installed Python.', path=path))
    if not os.access(path, os.X_OK):
        raise EngineError(say('"{path}" is not a program: choose a Python in the preferences.', path=path))
    return path
