# SPDX-License-Identifier: GPL-3.0-or-later
"""What the indexes of CMU and 100STYLE know of single files, and the files themselves do not say."""

import csv
import json
from functools import cache
from pathlib import Path
from typing import Any, Final

_CMU: Final = Path(__file__).with_name("cmu.json")
_USUAL_FPS, _SLOW_FPS = 120.0, 60.0
_CUTS: Final = "Frame_Cuts.csv"


def cmu_fps(subject: int, trial: int) -> float:
    """Frames per second of an AMC file."""
    index = _cmu()
    slow = subject in index["slow_subjects"] or f"{subject}_{trial}" in index["slow_motions"]
    return _SLOW_FPS if slow else _USUAL_FPS


def cmu_style(subject: int, trial: int) -> str:
    """The style that the index names in its description of a motion; "" if it names none."""
    motion = f"{subject}_{trial}"
    return next((style for style, motions in _cmu()["styles"].items() if motion in motions), "")


def style100_cuts(folder: Path) -> dict[str, tuple[int, int]]:
    """File name without suffix to first and last frame that belong to the style; empty without the set's table."""
    cuts: dict[str, tuple[int, int]] = {}
    for path in sorted(folder.rglob(_CUTS)):
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            rows = [[cell.strip() for cell in row] for row in csv.reader(file)]
        header = rows[0] if rows else []
        for row in rows[1:]:
            cells = dict(zip(header, row, strict=False))
            for name in header:
                way, _, end = name.rpartition("_")
                first, last = cells.get(name, ""), cells.get(f"{way}_STOP", "")
                if end == "START" and first.isdigit() and last.isdigit():
                    cuts[f"{row[0]}_{way}"] = int(first), int(last)
    return cuts


@cache
def _cmu() -> dict[str, Any]:
    return json.loads(_CMU.read_text(encoding="utf-8"))
