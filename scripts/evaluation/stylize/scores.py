# SPDX-License-Identifier: GPL-3.0-or-later
"""From trials to figures by name."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from core.rotations import Array

from ..cases import Court, Outcome
from ..distances import frechet, jerk
from ..figures import NOTHING, Figure, around, mean, median, ratio, share
from ..library import TEST, VALIDATION, Take
from .trials import Trial
from .variety import Variety

_FPS: Final = 30.0
_RESAMPLES: Final = 40
_FEWEST: Final = 4  # results below which a covariance says nothing

Scores = dict[str, Figure]

HEADINGS: Final[dict[str, tuple[str, int]]] = {
    "style_accuracy": ("style accuracy", 3),
    "style_fid": ("style FID", 3),
    "content_accuracy": ("content accuracy", 3),
    "content_fid": ("content FID", 3),
    "geodesic": ("geodesic distance, rad", 3),
    "expression": ("expression, median", 2),
    "off": ("off, median", 2),
    "skate": ("foot skate, cm/s", 2),
    "skate_original": ("foot skate of the original, cm/s", 2),
    "skate_gain": ("foot skate beyond the original's, cm/s", 2),
    "slide": ("slide per contact, cm", 2),
    "slide_original": ("slide per contact of the original, cm", 2),
    "jerk": ("jerk, share of the original's, median", 2),
    "jerk_beyond": ("jerk, share of real takes in the wanted style, median", 2),
    "path": ("path length, share of the original's (PREDICTED), median", 2),
    "keep_error": ("path error (KEEP), cm", 3),
    "contact_f1": ("contact F1, result", 3),
    "predicted_f1": ("contact F1, predicted by the network", 3),
    "centimetres": ("autoencoder, cm", 2),
    "degrees": ("autoencoder, degrees", 2),
}
"""Name of a figure to its heading and its decimal places."""


@dataclass(frozen=True)
class Drawn:
    """Held-out takes of the class that each outcome was to be of: one for FID, and another for that of real takes."""

    first: Take | None
    second: Take | None


def scores(court: Court, trials: Sequence[Trial]) -> Scores:
    """All figures of some trials; those that need more trials than there are say nothing."""
    return {**plain_scores(trials), **distances(court, [trial.outcome for trial in trials])}


def plain_scores(trials: Sequence[Trial]) -> Scores:
    """All figures but the distances between sets."""
    changes = [trial.changes for trial in trials]
    errors = [trial.reconstruction for trial in trials if trial.reconstruction]
    return {
        **judged([trial.outcome for trial in trials]),
        "geodesic": mean([change.geodesic for change in changes]),
        "skate": mean([change.skate.speed for change in changes]),
        "skate_original": mean([change.skate.original_speed for change in changes]),
        "skate_gain": mean([change.skate.speed - change.skate.original_speed for change in changes]),
        "slide": mean([change.skate.slide for change in changes]),
        "slide_original": mean([change.skate.original_slide for change in changes]),
        "jerk": median([change.jerk for change in changes]),
        "jerk_beyond": median([trial.jerk_beyond for trial in trials]),
        "path": median([change.path for change in changes]),
        "keep_error": mean([trial.keep_error for trial in trials if trial.keep_error is not None]),
        "contact_f1": mean([change.contact_f1 for change in changes]),
        "predicted_f1": mean([trial.predicted_f1 for trial in trials]),
        "centimetres": mean([error.centimetres for error in errors]),
        "degrees": mean([error.degrees for error in errors]),
    }


def judged(outcomes: Sequence[Outcome]) -> Scores:
    """What judges and the animator's measures say."""
    return {
        "style_accuracy": share([o.style_hit for o in outcomes]),
        "content_accuracy": share([o.content_hit for o in outcomes if o.content_hit is not None]),
        "expression": median([o.step.expression for o in outcomes if o.step]),
        "off": median([o.step.off for o in outcomes if o.step]),
    }


def distances(court: Court, outcomes: Sequence[Outcome]) -> Scores:
    """Distance of the results from held-out takes, one of the same content and target style for each of them."""
    drawn = _drawn(court, outcomes)
    found: Scores = {}
    for what in ("style", "content"):
        pairs = [
            (getattr(o.verdict, f"{what}_features"), getattr(court.verdict(d.first), f"{what}_features"))
            for o, d in zip(outcomes, drawn, strict=True)
            if d.first
        ]
        found[f"{what}_fid"] = _frechet(pairs)
    return found


def real_scores(court: Court, pairs: Sequence[Outcome], outcomes: Sequence[Outcome]) -> Scores:
    """What real takes reach in place of results: ``pairs`` of takes, and the classes of ``outcomes``."""
    found = judged(pairs)
    drawn = [d for d in _drawn(court, outcomes) if d.first and d.second]
    for what in ("style", "content"):
        features = [
            tuple(getattr(court.verdict(take), f"{what}_features") for take in (d.second, d.first) if take)
            for d in drawn
        ]
        found[f"{what}_fid"] = _frechet([(pair[0], pair[1]) for pair in features])
    found["jerk"] = median(
        [_jerk(court, o.case.reference) / _jerk(court, o.case.take) for o in pairs if o.case.reference]
    )
    return found


def grouped(trials: Sequence[Trial], key: Callable[[Outcome], str]) -> dict[str, Scores]:
    """Figures by a property of the case, in alphabetical order."""
    names = sorted({key(trial.outcome) for trial in trials})
    return {name: plain_scores([trial for trial in trials if key(trial.outcome) == name]) for name in names}


def variety_scores(varieties: Sequence[Variety]) -> Scores:
    """Diversity of samples and of real takes, and the first as a share of the second where both are known."""
    samples, real = [v.samples for v in varieties], [v.real for v in varieties]
    return {"samples": mean(samples), "real": mean(real), "share": ratio(samples, real)}


def weakest(groups: Mapping[str, Scores], name: str) -> str:
    """The group whose figure is lowest, and that figure."""
    known = {group: figures[name] for group, figures in groups.items() if figures[name] is not NOTHING}
    if not known:
        return "none"
    lowest = min(known, key=lambda group: known[group].value)
    return f"{lowest} {known[lowest].text(2)}"


def _drawn(court: Court, outcomes: Sequence[Outcome]) -> list[Drawn]:
    rng = np.random.default_rng(0)
    classes: dict[tuple[str, str], tuple[list[Take], list[Take]]] = {}
    for split, part in ((TEST, 0), (VALIDATION, 1)):
        for take in court.library.of(split):
            classes.setdefault(take.key, ([], []))[part].append(take)
    drawn: list[Drawn] = []
    for outcome in outcomes:
        tests, others = classes.get((outcome.case.take.content, outcome.case.target), ([], []))
        first, second = (part[int(rng.integers(len(part)))] if part else None for part in (tests, others))
        drawn.append(Drawn(first, second))
    return drawn


def _frechet(pairs: Sequence[tuple[Array, Array]]) -> Figure:
    if len(pairs) < _FEWEST:
        return NOTHING
    first, second = (np.array(side, dtype=np.float64) for side in zip(*pairs, strict=True))
    rng = np.random.default_rng(0)
    chosen = [rng.integers(len(pairs), size=len(pairs)) for _ in range(_RESAMPLES)]
    # Doubled cases shrink a covariance, so resampled distances are too large: only how they scatter is used.
    return around(frechet(first, second), [frechet(first[rows], second[rows]) for rows in chosen], len(pairs))


def _jerk(court: Court, take: Take) -> float:
    joints = court.library.joints_of(take)
    return jerk(joints, np.arange(len(joints)) / _FPS)
