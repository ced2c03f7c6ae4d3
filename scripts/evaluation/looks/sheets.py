# SPDX-License-Identifier: GPL-3.0-or-later
"""Twelve held-out clips in every style, as pictures and films."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from core.contacts import floor_height
from core.engines.engine import StyleEngine
from core.pipeline import LABEL, REFERENCE, StyleSettings, vary_steps
from core.rig import RigMotion
from core.steps import finish

from ..changes import Original
from ..library import Take, read_clip
from .contact_sheet import draw_contact_sheet, legend
from .film import draw_film
from .performance import camera, performance

CLIPS: Final = 12


def draw_sheets(engine: StyleEngine, takes: Sequence[Take], styles: Sequence[str], folder: Path) -> Iterator[Path]:
    """Write a PNG and a WebP for each of twelve takes, of as many contents and styles as can be.

    Args:
        engine: that stylizes.
        takes: held-out takes.
        styles: labels; all that the model has if there are none. A model without labels gets references.
        folder: where the pictures go.
    """
    labels = list(styles or engine.styles)
    for take in spread(takes, CLIPS):
        original = Original(read_clip(take.path))
        rows = [performance(f"original ({take.style})", original.motion)]
        for label, result in _results(engine, original, labels, (take, takes)):
            rows.append(performance(label, original.joints_of(result)))
        seen = camera(original.motion, floor_height(original.motion))
        name = f"{take.content or 'clip'}-{take.style}"
        title = f"{take.name}: {take.content}, {take.style} ({legend()})"
        draw_contact_sheet(title, rows, seen, folder / f"{name}.png")
        yield folder / f"{name}.png"
        draw_film(rows, seen, folder / f"{name}.webp")
        yield folder / f"{name}.webp"


def spread(takes: Sequence[Take], count: int) -> list[Take]:
    """Takes whose contents and styles were chosen as seldom as possible, in the order of the takes."""
    left, chosen = list(takes), list[Take]()
    while left and len(chosen) < count:
        contents, styles = [take.content for take in chosen], [take.style for take in chosen]
        best = min(left, key=lambda take: (contents.count(take.content), styles.count(take.style)))
        chosen.append(best)
        left = [take for take in left if take.key != best.key]
    return chosen


def _results(
    engine: StyleEngine, original: Original, labels: Sequence[str], among: tuple[Take, Sequence[Take]]
) -> Iterator[tuple[str, RigMotion]]:
    """What comes out, by label; without labels, by references in all styles but the clip's own."""
    if labels:
        asked = [StyleSettings(source=LABEL, style=label) for label in labels]
        answers = finish(vary_steps(original.clip, None, engine, asked))
        yield from ((label, answer.motion) for label, answer in zip(labels, answers, strict=True))
        return
    own, takes = among
    references = {take.style: take for take in takes if take.style != own.style}
    for style, take in sorted(references.items()):
        asked = [StyleSettings(source=REFERENCE)]
        (answer,) = finish(vary_steps(original.clip, read_clip(take.path), engine, asked))
        yield style, answer.motion
