# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel under a real mouse: styles are chosen by their pictures, and what cannot be done says why."""

import numpy as np

from .test_first_action import STYLIZE
from .window import Window

STYLE = "panache.style"


def test_a_style_is_chosen_by_its_picture(window: Window) -> None:
    before = np.asarray(window.shot("panel"), dtype=int)
    left, _, right, _ = window.box(region="UI")
    _, row = window.find(STYLE)
    # The large picture of the chosen style begins beside its name, at the left end of the panel.
    window.click(left + (right - left) // 7, row + 25)
    pictures = np.asarray(window.shot("styles"), dtype=int)
    window.settle()
    changed = np.abs(pictures - before).max(axis=-1) > 40
    rows, columns = np.nonzero(changed.sum(axis=1) > 150)[0], np.nonzero(changed.sum(axis=0) > 40)[0]
    assert len(rows) and len(columns), "no pictures were shown"
    assert window.ask("settings", names=["style"]) == {"style": "elderly"}
    # They lie in rows, in the order of the styles.
    window.click(int(columns[0]) + 45, int(rows[0]) + 50)
    window.wait_until(lambda: window.ask("settings", names=["style"])["style"] != "elderly", "the choice")
    window.to_viewport()
    window.shot("style-chosen")
    assert window.ask("settings", names=["style"]) == {"style": "active"}


def test_without_an_armature_it_says_what_to_do(window: Window) -> None:
    window.ask("empty")
    window.open_tab()
    window.to_viewport()
    window.shot("nothing-selected")
    window.click(*window.find(STYLIZE))
    assert window.ask("job") is None
