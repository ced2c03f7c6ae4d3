# SPDX-License-Identifier: GPL-3.0-or-later
"""What is refused or fails is in the log, without the names of the user's folders, and can be copied."""

from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import bpy
import pytest

pytestmark = pytest.mark.usefixtures("empty_scene")
Addon = Callable[[str], ModuleType]


@pytest.fixture
def log(addon: Addon) -> Iterator[ModuleType]:
    """The log module; the file is opened anew before and after."""
    module = addon("log")
    module.close_log()
    yield module
    module.close_log()


def raised(text: str) -> Exception:
    try:
        raise ZeroDivisionError(text)
    except ZeroDivisionError as error:
        return error


def test_a_refusal_is_in_the_log(log: ModuleType) -> None:
    with pytest.raises(RuntimeError, match="Select the armature"):
        bpy.ops.panache.stylize()
    text = log.log_path().read_text(encoding="utf-8")
    assert "PANACHE_OT_stylize refused: Select the armature" in text


def test_a_failure_keeps_its_traceback(log: ModuleType) -> None:
    shown = log.write_failure("panache.stylize", raised("seven"))
    assert shown.endswith("panache.log")
    text = log.log_path().read_text(encoding="utf-8")
    assert "ZeroDivisionError: seven" in text and "in raised" in text
    assert "ZeroDivisionError: seven" in log.last_failure()


def test_folders_of_the_user_have_no_name(log: ModuleType) -> None:
    home, blender = str(Path.home()), bpy.utils.resource_path("USER")
    assert log.masked(f"open {home}/ann/walk.blend and {blender}/x") == "open ~/ann/walk.blend and <blender>/x"
    log.write_failure("panache.stylize", raised(f"no file {home}/ann"))
    assert home not in log.log_path().read_text(encoding="utf-8")


def test_a_folder_that_cannot_be_written_stops_nobody(
    log: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder", encoding="utf-8")
    monkeypatch.setattr(log, "log_path", lambda: blocked / "panache.log")
    log.write_note("nobody reads this")
    assert log.write_failure("panache.stylize", raised("eight")).endswith("panache.log")
    assert "ZeroDivisionError: eight" in log.last_failure()


def test_the_dialogs_text_can_be_copied(log: ModuleType) -> None:
    log.write_failure("panache.stylize", raised("nine"))
    assert bpy.ops.panache.show_error("EXEC_DEFAULT") == {"FINISHED"}
    assert bpy.ops.panache.copy_error() == {"FINISHED"}


def test_sentences_with_values_are_composed(addon: Addon) -> None:
    assert addon("translations").say("{count} of {all}", count=2, all=3) == "2 of 3"
