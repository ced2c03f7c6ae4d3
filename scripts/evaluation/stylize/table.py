# SPDX-License-Identifier: GPL-3.0-or-later
"""The report of the suite ``stylize`` as a person reads it, and as a program does."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from ..figures import NOTHING, Figure
from ..report import row
from .scores import HEADINGS, Scores
from .suite import StylizeReport
from .trials import Trial

# What the tables by style and by content show.
_SHORT = (
    "style_accuracy",
    "content_accuracy",
    "expression",
    "off",
    "geodesic",
    "skate_gain",
    "jerk",
    "jerk_beyond",
    "contact_f1",
)


def markdown(report: StylizeReport, name: str) -> str:
    """The report as a person reads it."""
    lines = [f"# Stylized held-out takes, the whole path: {name}", ""]
    lines += [f"- {what}: {text}" for what, text in report.notes.items()]
    lines += ["", f"| figure | {' | '.join(report.sources)} |", "|---" * (len(report.sources) + 1) + "|"]
    for figure, (heading, places) in HEADINGS.items():
        cells = [scores.get(figure, NOTHING).text(places) for scores in report.sources.values()]
        lines.append(f"| {heading} | {' | '.join(cells)} |")
    lines += ["", *_variety(report.variety), "", *_times(report.times), ""]
    for source, tables in report.groups.items():
        for what, groups in tables.items():
            lines += _table(f"{source}, {what}", groups)
    return "\n".join(lines)


def write(report: StylizeReport, folder: Path, name: str) -> None:
    """Write stylize.json and stylize.md."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "stylize.md").write_text(markdown(report, name), encoding="utf-8")
    values = {
        "weights": name,
        "notes": report.notes,
        "figures": {source: _plain(scores) for source, scores in report.sources.items()},
        "diversity": _plain(report.variety),
        "milliseconds": _plain(report.times),
        "groups": {
            source: {
                what: {group: _plain(scores) for group, scores in groups.items()} for what, groups in tables.items()
            }
            for source, tables in report.groups.items()
        },
        "cases": [_case(trial) for trial in report.trials],
        "sampled": [{key: _number(value) for key, value in asdict(variety).items()} for variety in report.varieties],
    }
    (folder / "stylize.json").write_text(json.dumps(values, indent=1, allow_nan=False), encoding="utf-8")


def _table(what: str, groups: Mapping[str, Scores]) -> list[str]:
    heads = [HEADINGS[figure][0].removesuffix(", median") for figure in _SHORT]
    lines = [f"| {what} | n | {' | '.join(heads)} |", "|---" * (len(heads) + 2) + "|"]
    for group, scores in groups.items():
        cells = [scores[figure].text(2) for figure in _SHORT]
        lines.append(f"| {group} | {scores['style_accuracy'].n} | {' | '.join(cells)} |")
    return [*lines, ""]


def _variety(scores: Scores) -> list[str]:
    cells = [scores[name].text(3) for name in ("samples", "real", "share")]
    return ["| diversity | samples of a label | real takes of it | samples / real |", "|---|---|---|---|",
            f"| | {' | '.join(cells)} |"]  # fmt: skip


def _times(times: Mapping[str, Figure]) -> list[str]:
    lines = ["| time | milliseconds |", "|---|---|"]
    return [*lines, *(f"| {name} | {figure.text(1)} |" for name, figure in times.items())]


def _case(trial: Trial) -> dict[str, Any]:
    changes = asdict(trial.changes)
    skate = changes.pop("skate")
    values = {
        **row(trial.outcome), **changes, **{f"skate_{name}": value for name, value in skate.items()},
        "predicted_f1": trial.predicted_f1, "keep_error": trial.keep_error,
        "jerk_beyond": trial.jerk_beyond,
    }  # fmt: skip
    return {name: _number(value) for name, value in values.items()}


def _plain(figures: Mapping[str, Figure]) -> dict[str, dict[str, Any]]:
    return {
        name: {key: _number(value) for key, value in asdict(figure).items()}
        for name, figure in figures.items()
        if np.isfinite(figure.value)
    }


def _number(value: Any) -> Any:  # noqa: ANN401
    """JSON knows no NaN."""
    return None if isinstance(value, float) and not np.isfinite(value) else value
