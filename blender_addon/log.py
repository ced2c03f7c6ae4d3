# SPDX-License-Identifier: GPL-3.0-or-later
"""The log file: what was refused and what failed, without the names of the user's folders."""

import logging
import platform
import traceback
from functools import lru_cache
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Final

import bpy

from .preferences import EXTENSION

NO_FILE: Final = "(no log file: the user folder cannot be written)"
_LARGEST, _KEPT = 500_000, 1
_LAST: Final[list[str]] = []


def write_refusal(what: str, sentence: str) -> None:
    """Note a sentence that the user was shown."""
    _logger().info("%s refused: %s", what, masked(sentence))


def write_note(text: str) -> None:
    """Note anything that helps to understand what comes later."""
    _logger().info("%s", masked(text))


def write_failure(what: str, error: BaseException) -> str:
    """Note an error with its traceback, and keep it for the dialog.

    Returns:
        Where the log is, masked.

    """
    lines = masked("".join(traceback.format_exception(error)))
    version = f"Blender {bpy.app.version_string}, {platform.system()} {platform.machine()}"
    _LAST[:] = [f"{what} failed ({version})", *lines.rstrip().splitlines()]
    _logger().error("%s", "\n".join(_LAST))
    path = log_path()
    return masked(str(path)) if path else NO_FILE


def last_failure() -> list[str]:
    """Lines of the latest failure of this session; empty if there was none."""
    return list(_LAST)


def log_path() -> Path | None:
    """The log file, None if the user's folder cannot be written."""
    try:
        return Path(bpy.utils.extension_path_user(EXTENSION, create=True)) / "panache.log"
    except OSError:
        return None


def masked(text: str) -> str:
    """A text in which the user's own folders have no name."""
    for folder, name in ((bpy.utils.resource_path("USER"), "<blender>"), (str(Path.home()), "~")):
        if len(folder) > 1:
            text = text.replace(folder, name).replace(folder.replace("\\", "/"), name)
    return text


def close_log() -> None:
    """Let go of the file, so that the extension can be removed."""
    logger = _logger()
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
        handler.close()
    _logger.cache_clear()


@lru_cache(maxsize=1)
def _logger() -> logging.Logger:
    logger = logging.getLogger(EXTENSION)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    path = log_path()
    try:
        handler = RotatingFileHandler(path, maxBytes=_LARGEST, backupCount=_KEPT, encoding="utf-8") if path else None
    except OSError:
        handler = None
    handler = handler or logging.NullHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    logger.addHandler(handler)
    return logger
