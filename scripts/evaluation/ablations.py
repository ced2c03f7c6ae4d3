# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of ablations: what each variant reaches, and what sets it apart from the whole method, case by case."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, cast

import numpy as np

from .cases import Outcome
from .figures import mean, median, share

HEAD: Final = (
    "In brackets: 95 % intervals over the cases. Changes are against `full` on the same cases: means of what the",
    "judges say, and the median of the expressions' changes.",
    "",
    "| variant | source | n | style accuracy | content accuracy | expression | off "
    "| change of style | change of content | change of expression |",
    "|---" * 10 + "|",
)

_NAN: Final = float("nan")


@dataclass(frozen=True)
class Score:
    """What the result of one case came to; NaN where nobody can say.

    Attributes:
        source: of the style.
        case: tells cases of a source apart.
        style: 1 if the judge saw what was asked for, else 0; content likewise.
        content: see style.
        expression: see StyleStep; off likewise.
        off: see expression.
    """

    source: str
    case: str
    style: float
    content: float
    expression: float
    off: float


Scores = Sequence[Score]


def scored(outcomes: Sequence[Outcome]) -> Scores:
    """The scores of outcomes."""
    return [_score(outcome) for outcome in outcomes]


def keep(path: Path, scores: Scores) -> None:
    """Write the scores of a variant, so that later runs can compare others with it."""
    path.write_text(json.dumps([asdict(score) for score in scores], indent=1), encoding="utf-8")


def kept(path: Path) -> Scores:
    """What keep wrote; nothing if there is no such file."""
    rows: list[Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    return [Score(**cast("dict[str, Any]", row)) for row in rows]


def rows(name: str, scores: Scores, whole: Scores) -> list[str]:
    """A variant's rows, one for each source of the style; ``whole`` are the scores of `full`, if there are any."""
    sources = sorted({score.source for score in scores})
    return [_row((name, source), [s for s in scores if s.source == source], whole) for source in sources]


def changes(scores: Scores, whole: Scores) -> dict[str, list[float]]:
    """By how much each score is above that of the same case in ``whole``; NaN if one of the two is."""
    there = {(score.source, score.case): score for score in whole}
    pairs = [(own, there[own.source, own.case]) for own in scores if (own.source, own.case) in there]
    return {name: [getattr(own, name) - getattr(other, name) for own, other in pairs]
            for name in ("style", "content", "expression")}  # fmt: skip


def _row(names: tuple[str, str], scores: Scores, whole: Scores) -> str:
    change = changes(scores, whole)
    figures = (
        share([score.style > 0.0 for score in scores]),
        share([score.content > 0.0 for score in scores if np.isfinite(score.content)]),
        median([score.expression for score in scores]),
        median([score.off for score in scores]),
        mean(change["style"]),
        mean(change["content"]),
        median(change["expression"]),
    )
    return f"| {' | '.join((*names, str(len(scores)), *map(str, figures)))} |"


def _score(outcome: Outcome) -> Score:
    case, step = outcome.case, outcome.step
    reference = case.reference.name if case.reference else ""
    return Score(
        case.source,
        f"{case.take.name} {case.target} {reference} {case.seed}",
        float(outcome.style_hit),
        _NAN if outcome.content_hit is None else float(outcome.content_hit),
        step.expression if step else _NAN,
        step.off if step else _NAN,
    )
