# SPDX-License-Identifier: GPL-3.0-or-later
"""Ghosts in the viewport: drawn, pointed at, kept by click and by number, dropped; the file knows nothing of them."""

from typing import Any

import numpy as np
import pytest
from PIL import Image

from .window import Window

SAMPLE = "bpy.ops.panache.sample_variations"
FRAME = 60


@pytest.fixture
def staged(window: Window) -> Window:
    """A walk in the middle of a viewport with room beside it."""
    window.ask("go_to", frame=FRAME)
    window.ask("hide_root")
    window.ask("frame_view", distance=8.0)
    window.settle()
    return window


def test_a_click_keeps_the_ghost_that_is_pointed_at(staged: Window) -> None:
    before, state, original = viewport(staged), staged.ask("scene_state"), staged.ask("played")
    ghosts = sample(staged)
    picture = staged.shot("ghosts")
    assert changed(before, viewport(staged, picture)) > 0.005
    assert staged.ask("scene_state") == state
    assert len({ghost["seed"] for ghost in ghosts}) == len(ghosts) > 1
    x, y = ghosts[1]["place"]
    staged.move(x, y)
    staged.wait_until(lambda: staged.ask("ghosts")[1]["hovered"], "the hovering")
    lit = staged.shot("ghost-hovered")
    assert changed(viewport(staged, picture), viewport(staged, lit)) > 0.0005
    staged.click(x, y)
    staged.wait_until(lambda: staged.ask("played") != original, "the result")
    staged.wait_until(lambda: not staged.ask("ghosts"), "the end of the ghosts")
    staged.shot("ghost-kept")
    staged.press("ctrl+z")
    staged.wait_until(lambda: staged.ask("played") == original, "the undo")
    assert staged.ask("scene_state")["actions"] == state["actions"]


def test_ghosts_play_with_the_timeline(staged: Window) -> None:
    places = [ghost["place"] for ghost in sample(staged)]
    staged.ask("go_to", frame=FRAME + 40)
    staged.settle()
    moved = [ghost["place"] for ghost in staged.ask("ghosts")]
    staged.shot("ghosts-later")
    assert all(place != later for place, later in zip(places, moved, strict=True))


def test_a_number_keeps_a_ghost(staged: Window) -> None:
    original = staged.ask("played")
    sample(staged)
    staged.to_viewport()
    staged.press("3")
    staged.wait_until(lambda: staged.ask("played") != original, "the result")
    assert staged.ask("ghosts") == []


def test_escape_drops_them_and_nothing_has_changed(staged: Window) -> None:
    before, state = viewport(staged), staged.ask("scene_state")
    sample(staged)
    staged.to_viewport()
    staged.press("Escape")
    staged.wait_until(lambda: not staged.ask("ghosts"), "the end of the ghosts")
    assert staged.ask("scene_state") == state
    assert changed(before, viewport(staged, staged.shot("ghosts-dropped"))) < 0.005


def test_a_file_that_is_saved_among_ghosts_holds_none(staged: Window) -> None:
    state = staged.ask("scene_state")
    sample(staged)
    staged.ask("save", path="/share/ghosts.blend")
    assert staged.ask("ghosts"), "saving dropped them"
    staged.ask("load", path="/share/ghosts.blend")
    staged.settle()
    assert staged.ask("ghosts") == []
    assert staged.ask("scene_state") == state
    staged.open_tab()
    staged.shot("saved-among-ghosts")
    assert sample(staged)


def sample(window: Window) -> list[dict[str, Any]]:
    """Click Sample Variations; the ghosts."""
    window.click(*window.find(SAMPLE))
    window.wait_until(lambda: window.ask("job") is None and window.ask("ghosts"), "the ghosts")
    window.settle()
    return window.ask("ghosts")


def viewport(window: Window, picture: Image.Image | None = None) -> np.ndarray:
    """(H, W, 3) what is seen of the scene, without the sidebar and the lines of text above."""
    left, top, right, bottom = window.box()
    pixels = np.asarray(picture or window.shot("view"), dtype=int)
    return pixels[top + 100 : bottom - 50, left + 70 : left + (right - left) * 3 // 4]


def changed(before: np.ndarray, after: np.ndarray) -> float:
    """Share of pixels that look different."""
    return float(np.mean(np.abs(after - before).max(axis=-1) > 24))
