# SPDX-License-Identifier: GPL-3.0-or-later
"""The walk of tests/data in other lengths."""

from itertools import chain, cycle, islice
from pathlib import Path

LONG_SECONDS = 60.0


def write_walk(source: Path, target: Path, seconds: float) -> None:
    """Write as much of a BVH file's motion, played to and fro so that nothing jumps."""
    lines = source.read_text(encoding="utf-8").splitlines()
    head = next(index for index, line in enumerate(lines) if line.startswith("Frames:"))
    spacing = float(lines[head + 1].partition(":")[2])
    rows = [line for line in lines[head + 2 :] if line.strip()]
    count = round(seconds / spacing)
    played = islice(cycle(chain(rows, rows[-2:0:-1])), count)
    text = "\n".join([*lines[:head], f"Frames: {count}", lines[head + 1], *played, ""])
    target.write_text(text, encoding="utf-8")
