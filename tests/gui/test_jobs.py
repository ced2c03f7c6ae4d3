# SPDX-License-Identifier: GPL-3.0-or-later
"""A minute of walking is stylized while the window lives; it is stopped in all the ways there are."""

import time
from typing import Any

from .test_first_action import STYLIZE
from .window import Window

CANCEL_BOUND = 5.0  # seconds, on a machine of any speed; what was measured is printed


def test_progress_is_seen_and_the_result_is_one_undo_step(long: Window) -> None:
    original, before = long.ask("played"), long.ask("keys_digest")
    shares = [begin(long)]
    long.to_viewport()
    while job := long.ask("job"):
        shares.append(job["share"])
        if len(set(shares)) == 3:
            long.shot("progress")
    assert len(set(shares)) >= 3, shares
    assert shares == sorted(shares)
    result, after = long.ask("played"), long.ask("keys_digest")
    assert result != original
    long.shot("result")
    long.press("ctrl+z")
    long.wait_until(lambda: long.ask("played") == original, "the undo")
    assert long.ask("keys_digest") == before
    long.shot("undone")
    long.press("ctrl+shift+z")
    long.wait_until(lambda: long.ask("played") == result, "the redo")
    assert long.ask("keys_digest") == after
    long.shot("redone")


def test_escape_stops_it_and_nothing_has_changed(long: Window, figures: list[str]) -> None:
    before = long.ask("scene_state")
    begin(long)
    long.to_viewport()
    assert long.ask("job"), "it was over before it could be stopped"
    started = time.monotonic()
    long.press("Escape")
    long.wait_until(lambda: long.ask("job") is None, "the end", seconds=CANCEL_BOUND)
    figures.append(f"Escape to the end of the job: {time.monotonic() - started:.2f} s")
    long.shot("stopped")
    assert long.ask("scene_state") == before
    assert_works(long)


def test_a_file_saved_in_the_middle_opens_without_a_job(long: Window) -> None:
    before = long.ask("scene_state")
    begin(long)
    long.ask("save_copy", path="/share/middle.blend")
    assert long.ask("job"), "saving a copy ended the job"
    long.ask("load", path="/share/middle.blend")
    long.settle()
    assert long.ask("job") is None
    assert long.ask("scene_state") == before
    long.open_tab()
    long.shot("saved-in-the-middle")
    assert_works(long)


def test_disabling_the_extension_in_the_middle_leaves_a_clean_scene(long: Window) -> None:
    before = long.ask("scene_state")
    begin(long)
    long.ask("disable")
    long.settle()
    long.shot("disabled")
    assert long.ask("scene_state") == before
    long.ask("enable")
    long.open_tab()
    assert long.ask("job") is None
    assert_works(long)


def test_an_armature_deleted_in_the_middle_comes_back_unchanged(long: Window) -> None:
    before = long.ask("scene_state")
    begin(long)
    long.to_viewport()
    long.press("Delete")
    long.wait_until(lambda: long.ask("job") is None, "the end")
    long.settle()
    long.shot("deleted")
    assert long.ask("scene_state")["objects"] == []
    long.close_message()
    long.press("ctrl+z")
    long.wait_until(lambda: long.ask("scene_state")["objects"] == before["objects"], "the undo")
    assert long.ask("scene_state") == before
    assert_works(long)


def begin(window: Window) -> float:
    """Click Stylize and wait for the job; how far it was when it was first seen."""
    window.click(*window.find(STYLIZE))
    job: dict[str, Any] = window.wait_until(lambda: window.ask("job"), "the start of the job", seconds=30.0)
    return job["share"]


def assert_works(window: Window) -> None:
    """The next run ends well."""
    original = window.ask("played")
    begin(window)
    window.wait_until(lambda: window.ask("job") is None, "the next job")
    assert window.ask("played") != original
