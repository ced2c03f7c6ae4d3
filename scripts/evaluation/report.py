# SPDX-License-Identifier: GPL-3.0-or-later
"""From outcomes to a table: accuracies with 95 % intervals, medians, and where it is weak."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from .cases import Outcome
from .figures import Figure, median, share


@dataclass(frozen=True)
class Summary:
    """What ``n`` outcomes say together."""

    n: int
    style_accuracy: Figure
    content_accuracy: Figure
    expression: Figure
    off: Figure


@dataclass(frozen=True)
class Report:
    """A whole evaluation: what was judged, notes of one line each, and all outcomes."""

    title: str
    notes: tuple[str, ...]
    outcomes: tuple[Outcome, ...]
    real: tuple[Outcome, ...]


def summarize(outcomes: Sequence[Outcome]) -> Summary:
    """Four figures of at least one outcome."""
    return Summary(
        len(outcomes),
        share([o.style_hit for o in outcomes]),
        share([o.content_hit for o in outcomes if o.content_hit is not None]),
        median([o.step.expression for o in outcomes if o.step]),
        median([o.step.off for o in outcomes if o.step]),
    )


def group(outcomes: Sequence[Outcome], key: Callable[[Outcome], str]) -> dict[str, Summary]:
    """Summaries by a property of the case, in alphabetical order."""
    names = sorted({key(outcome) for outcome in outcomes})
    return {name: summarize([o for o in outcomes if key(o) == name]) for name in names}


def markdown(report: Report) -> str:
    """The report as a person reads it."""
    lines = [f"# {report.title}", "", *(f"- {note}" for note in report.notes), ""]
    lines += _table("all", group((*report.outcomes, *report.real), lambda o: o.case.source))
    for source in sorted({o.case.source for o in report.outcomes}):
        own = [o for o in report.outcomes if o.case.source == source]
        lines += _table(f"{source}, into", group(own, lambda o: o.case.target))
        lines += _table(f"{source}, from", group(own, lambda o: o.case.take.style))
        lines += _table(f"{source}, content", group(own, lambda o: o.case.take.content))
    return "\n".join(lines)


def write(report: Report, folder: Path, name: str) -> None:
    """Write ``name``.json and ``name``.md."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.md").write_text(markdown(report), encoding="utf-8")
    sources = group(report.outcomes, lambda o: o.case.source)
    values = {
        "title": report.title,
        "notes": report.notes,
        "summary": {source: asdict(summary) for source, summary in sources.items()},
        "real_takes": asdict(summarize(report.real)),
        "outcomes": [row(outcome) for outcome in report.outcomes],
    }
    (folder / f"{name}.json").write_text(json.dumps(values, indent=1), encoding="utf-8")


def row(outcome: Outcome) -> dict[str, object]:
    """An outcome as JSON has it."""
    case = outcome.case
    return {
        "source": case.source, "take": case.take.name, "content": case.take.content, "from": case.take.style,
        "into": case.target, "reference": case.reference.name if case.reference else None, "seed": case.seed,
        "judged_style": outcome.verdict.style, "judged_content": outcome.verdict.content,
        **(asdict(outcome.step) if outcome.step else {"expression": None, "off": None}),
    }  # fmt: skip


def _table(what: str, rows: dict[str, Summary]) -> list[str]:
    head = f"| {what} | n | style accuracy | content accuracy | expression | off |"
    body = [
        f"| {name} | {s.n} | {s.style_accuracy} | {s.content_accuracy} | {s.expression} | {s.off} |"
        for name, s in rows.items()
    ]
    return [head, "|---|---|---|---|---|---|", *body, ""]
