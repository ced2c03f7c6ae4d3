# SPDX-License-Identifier: GPL-3.0-or-later
"""How long the window stands still while a minute of walking is stylized. Printed beside an idle Blender's figures."""

import time
from collections import Counter
from typing import Any

from .test_jobs import begin
from .window import Window

IDLE_SECONDS = 6.0
AROUND = "before or after it"
REDRAW_EVERY = 0.2  # seconds; as often as a job shows how far it is


def test_the_window_lives_while_a_job_runs(long: Window, engine: str, figures: list[str]) -> None:
    long.find("bpy.ops.panache.stylize")
    idle, drawing = rest(long, 0.0), rest(long, REDRAW_EVERY)
    original = long.ask("played")
    long.ask("start_ticks")
    started = time.monotonic()
    begin(long)
    long.to_viewport()
    while long.ask("job"):
        time.sleep(0.5)
    seconds = time.monotonic() - started
    long.settle()
    busy = long.ask("stop_ticks")
    assert long.ask("played") != original
    slow = Counter(what or AROUND for _, what in busy["slow"])
    figures.append(
        f"Engine {engine}, 60 s stylized in {seconds:.1f} s. Largest gap between two ticks: {told(busy)} during"
        f" {busy['during'] or AROUND!r}; idle: {told(idle)}; idle, drawing the sidebar: {told(drawing)}."
        f" Over 150 ms: {dict(slow) or 'none'}"
    )


def rest(window: Window, redraw_every: float) -> dict[str, Any]:
    """Gaps while nothing is asked of Blender."""
    window.settle()
    window.ask("start_ticks", redraw_every=redraw_every)
    time.sleep(IDLE_SECONDS)
    return window.ask("stop_ticks")


def told(gaps: dict[str, Any]) -> str:
    return f"{1000 * gaps['largest']:.0f} ms (99 of 100 under {1000 * gaps['p99']:.0f} ms)"
