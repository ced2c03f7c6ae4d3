# SPDX-License-Identifier: GPL-3.0-or-later
"""What is changed after a run: the amount by mouse and keyboard, settings in the redo panel, the file on the disk."""

import numpy as np
import pytest

from .test_first_action import STYLIZE
from .window import Window

SLIDER = "panache.amount"
FRAME = 60


@pytest.fixture
def stylized(window: Window) -> Window:
    """A walk that was stylized by a click."""
    original = window.ask("played")
    window.click(*window.find(STYLIZE))
    window.wait_until(lambda: window.ask("played") != original, "the result")
    window.ask("go_to", frame=FRAME)
    return window


def test_the_slider_changes_the_result_at_once(stylized: Window) -> None:
    full, result = stylized.ask("keys_digest"), stylized.ask("played")
    stylized.shot("amount-1")
    stylized.type_into(SLIDER, "0.5")
    stylized.wait_until(lambda: stylized.ask("keys_digest") != full, "the change")
    assert stylized.ask("job") is None
    assert stylized.ask("played") == result
    stylized.ask("go_to", frame=FRAME)
    stylized.shot("amount-half")
    half = stylized.ask("keys_digest")
    stylized.drag(stylized.find(SLIDER), -40)
    stylized.wait_until(lambda: stylized.ask("keys_digest") != half, "the change by dragging")
    assert stylized.ask("settings", names=["amount"])["amount"] < 0.5
    stylized.shot("amount-dragged")
    stylized.type_into(SLIDER, "1")
    stylized.wait_until(lambda: stylized.ask("keys_digest") == full, "the full result")


def test_amount_zero_is_the_original(window: Window) -> None:
    original, before = window.ask("played"), np.array(window.ask("pose", frame=FRAME))
    window.click(*window.find(STYLIZE))
    window.wait_until(lambda: window.ask("played") != original, "the result")
    assert np.abs(np.array(window.ask("pose", frame=FRAME)) - before).max() > 0.01
    window.type_into(SLIDER, "0")
    window.settle()
    np.testing.assert_allclose(window.ask("pose", frame=FRAME), before, atol=1e-5)
    window.shot("amount-0")


def test_an_undo_takes_the_slider_back(stylized: Window) -> None:
    full = stylized.ask("keys_digest")
    stylized.type_into(SLIDER, "0.3")
    stylized.wait_until(lambda: stylized.ask("keys_digest") != full, "the change")
    less = stylized.ask("keys_digest")
    stylized.to_viewport()
    stylized.press("ctrl+z")
    stylized.wait_until(lambda: stylized.ask("keys_digest") == full, "the undo")
    assert stylized.ask("settings", names=["amount"])["amount"] == pytest.approx(1.0)
    stylized.press("ctrl+shift+z")
    stylized.wait_until(lambda: stylized.ask("keys_digest") == less, "the redo")


def test_the_redo_panel_runs_it_again(window: Window) -> None:
    original, before = window.ask("played"), window.ask("keys_digest")
    window.ask("choose", seed=4321)
    window.click(*window.find(STYLIZE))
    window.wait_until(lambda: window.ask("played") != original, "the result")
    first = window.ask("keys_digest")
    window.to_viewport()
    window.wait_until(lambda: window.box(region="HUD")[3] > window.box(region="HUD")[1] + 10, "the redo panel")
    left, top, _, _ = window.box(region="HUD")
    window.click(left + 40, top + 12)
    window.wait_until(lambda: window.box(region="HUD")[1] < top - 100, "the redo panel's opening")
    window.shot("redo-panel")
    window.type_at(window.find_value("4321"), "17")
    window.wait_until(lambda: window.ask("keys_digest") != first, "the other seed")
    window.settle()
    window.shot("redone-with-another-seed")
    window.to_viewport()
    window.press("ctrl+z")
    window.wait_until(lambda: window.ask("played") == original, "the undo")
    assert window.ask("keys_digest") == before


def test_save_and_reload_keep_result_and_settings(stylized: Window) -> None:
    stylized.type_into(SLIDER, "0.7")
    stylized.settle()
    names = ["amount", "style", "seed", "root"]
    before, settings = stylized.ask("scene_state"), stylized.ask("settings", names=names)
    stylized.ask("save", path="/share/saved.blend")
    stylized.ask("empty")
    stylized.ask("load", path="/share/saved.blend")
    stylized.settle()
    assert stylized.ask("scene_state") == before
    assert stylized.ask("settings", names=names) == settings
    stylized.open_tab()
    stylized.ask("go_to", frame=FRAME)
    stylized.shot("reloaded")
    changed = stylized.ask("keys_digest")
    stylized.type_into(SLIDER, "0.2")
    stylized.wait_until(lambda: stylized.ask("keys_digest") != changed, "the change after reloading")
