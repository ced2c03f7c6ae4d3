# SPDX-License-Identifier: GPL-3.0-or-later
"""From the zip to the first stylized action, with the network cut and real clicks."""

import time

from .conftest import install
from .window import Window

STYLIZE = "bpy.ops.panache.stylize"


def test_install_and_stylize(new: Window, figures: list[str]) -> None:
    assert not new.ask("is_installed")
    new.shot("before-installation")
    original, before = new.ask("played"), new.ask("pose", frame=100)
    started = time.monotonic()
    install(new)
    installed = time.monotonic() - started
    new.shot("installed")
    new.open_tab()
    new.shot("tab")
    button = new.find(STYLIZE)
    clicked = time.monotonic()
    new.click(*button)
    new.wait_until(lambda: new.ask("played") != original, "the result")
    ended = time.monotonic()
    new.shot("stylized")
    assert new.ask("pose", frame=100) != before
    assert original in new.ask("scene_state")["actions"]
    figures.append(
        f"From the zip to the first stylized action: {installed + ended - clicked:.1f} s"
        f" (installing {installed:.1f} s, from the click to the result {ended - clicked:.1f} s), offline"
    )
