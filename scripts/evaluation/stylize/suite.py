# SPDX-License-Identifier: GPL-3.0-or-later
"""The suite ``stylize``: what is judged, how often, and into which report."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from core.pipeline import LABEL, REFERENCE
from models.bundle import Bundle

from ..cases import REAL, Court, Wishes, check_held_out, draw_cases
from ..figures import Figure, repeated, share
from ..library import TEST, Library
from .scores import Scores, grouped, real_scores, scores, variety_scores, weakest
from .speed import FRAMES, load, speeds
from .trials import Stage, Trial
from .variety import PAIRS, SAMPLES, Variety, varieties


@dataclass(frozen=True)
class Plan:
    """What the user asked for.

    Attributes:
        wishes: the cases of the first repeat.
        repeats: how often, with other seeds each time.
        threads: of torch.
        fade: whether the style fades out where the model does not know what it sees.
    """

    wishes: Wishes
    repeats: int
    threads: int
    fade: bool = True


@dataclass(frozen=True)
class StylizeReport:
    """A whole evaluation.

    Attributes:
        notes: data, licence, weights, judges: a name and a text each.
        sources: LABEL, REFERENCE and real takes to their figures.
        groups: source to what the cases are grouped by to group to figures.
        variety: diversity.
        times: milliseconds.
        trials: every case of every repeat.
        varieties: every clip that was sampled.
    """

    notes: dict[str, str]
    sources: dict[str, Scores]
    groups: dict[str, dict[str, dict[str, Scores]]]
    variety: Scores
    times: dict[str, Figure]
    trials: tuple[Trial, ...]
    varieties: tuple[Variety, ...]


def run_stylize(court: Court, bundle: Bundle, plan: Plan) -> StylizeReport:
    """Draw the cases, stylize them, and measure.

    Raises:
        FileNotFoundError: there is nothing to be stylized.
        BundleError: training saw some of the takes.
    """
    begin = time.monotonic()
    stage = Stage(court, bundle, plan.threads, fade=plan.fade)
    labels = {label for label in bundle.info.styles if label in (plan.wishes.styles or court.library.styles)}
    wishes = replace(plan.wishes, labels=bundle.info.styles)
    rounds: list[list[Trial]] = []
    varied: list[list[Variety]] = []
    for repeat in range(plan.repeats):
        wishes = replace(wishes, seed=plan.wishes.seed + repeat)
        cases = draw_cases(court.library, wishes)
        check_held_out(bundle, cases)
        rounds.append(list(stage.trials(cases)))
        varied.append(list(varieties(stage, labels, wishes)))
    trials = tuple(trial for part in rounds for trial in part)
    groups = {source: _groups(part) for source, part in _by_source(trials).items()}
    notes = {
        **_notes(court, bundle, plan),
        "judges on real held-out takes": _real_accuracy(court, wishes),
        "cases": f"{len(trials)} in {plan.repeats} repeat{'s' * (plan.repeats > 1)}, "
        f"{sum(trial.outcome.step is None for trial in trials)} of them without an expression, since no take that the "
        "scale is made of shows this content in both styles",
    }
    for source, tables in groups.items():
        weak = (f"{what} {weakest(tables[what], 'expression')}" for what in ("into", "content"))
        notes[f"weakest expression, {source}"] = "; ".join(weak)
    longest = max(court.library.of(TEST), key=lambda take: len(court.library.joints[take.name]))
    times = speeds(bundle, stage.clip(longest), plan.threads)
    notes["time"] = f"{FRAMES} frames, milliseconds, {plan.threads} threads of torch, {load()}"
    notes["took"] = f"{time.monotonic() - begin:.0f} s"
    return StylizeReport(
        notes=notes,
        sources=_sources(court, rounds, wishes),
        groups=groups,
        variety=_combined([variety_scores(part) for part in varied]),
        times=times,
        trials=trials,
        varieties=tuple(variety for part in varied for variety in part),
    )


def _sources(court: Court, rounds: Sequence[Sequence[Trial]], wishes: Wishes) -> dict[str, Scores]:
    """Figures of each source of the style, and of real takes."""
    parted = [_by_source(part) for part in rounds]
    found = {
        source: _combined([scores(court, part[source]) for part in parted if source in part])
        for source in (LABEL, REFERENCE)
        if any(source in part for part in parted)
    }
    outcomes = [trial.outcome for trial in next(iter(parted[0].values()))]
    return {**found, REAL: real_scores(court, court.real_pairs(wishes), outcomes)}


def _combined(parts: Sequence[Scores]) -> Scores:
    """The figures of one repeat as they are; of several, their means."""
    if len(parts) == 1:
        return parts[0]
    return {name: repeated([part[name] for part in parts]) for name in parts[0]}


def _by_source(trials: Sequence[Trial]) -> dict[str, list[Trial]]:
    found: dict[str, list[Trial]] = {}
    for trial in trials:
        found.setdefault(trial.outcome.case.source, []).append(trial)
    return found


def _groups(trials: Sequence[Trial]) -> dict[str, dict[str, Scores]]:
    return {
        "into": grouped(trials, lambda o: o.case.target),
        "from": grouped(trials, lambda o: o.case.take.style),
        "content": grouped(trials, lambda o: o.case.take.content or "unnamed"),
    }


def _notes(court: Court, bundle: Bundle, plan: Plan) -> dict[str, str]:
    library, info = court.library, bundle.info
    return {
        "data": f"{_source_of(library)}, {len(library.of(TEST))} held-out takes; {library.absent} takes of the dataset "
        "carry no label or are not in the folder",
        "licence of the data": str(library.info.get("licence", "not said")),
        "weights": f"revision {info.git_revision}, trained on {', '.join(info.training_data)}",
        "licence of the weights": info.licence,
        "labels": ", ".join(info.styles) or "none: styles by reference only",
        "judges": f"seeds {court.bench.seeds[0]} (style) and {court.bench.seeds[1]} (content), trained on other takes "
        "of the same data; no case's take, nor its reference, was in any training",
        "out of range": "the style fades out" if plan.fade else "the style does not fade out",
        "intervals": "95 %, "
        + ("over repeats (Student's t)" if plan.repeats > 1 else "over cases (bootstrap, Wilson)"),
        "diversity": f"mean distance of {PAIRS} random pairs among {SAMPLES} samples, on the style judge's features",
    }


def _real_accuracy(court: Court, wishes: Wishes) -> str:
    takes = wishes.takes(court.library)
    hits = {
        take.name: (court.verdict(take).style == take.style, court.verdict(take).content == take.content)
        for take in takes
    }
    style, content = share([hits[t.name][0] for t in takes]), share([hits[t.name][1] for t in takes if t.content])
    by_style = {name: share([hits[t.name][0] for t in takes if t.style == name]) for name in {t.style for t in takes}}
    worst = min(by_style, key=lambda name: by_style[name].value)
    return f"style {style}, content {content}; least sure of {worst}: {by_style[worst]}"


def _source_of(library: Library) -> str:
    source = library.info.get("source", "")
    return ", ".join(map(str, source)) if isinstance(source, list) else str(source or "unnamed data")
