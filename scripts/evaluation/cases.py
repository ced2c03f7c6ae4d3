# SPDX-License-Identifier: GPL-3.0-or-later
"""Which held-out takes are stylized, into what, and what came out."""

from dataclasses import dataclass
from itertools import zip_longest

import numpy as np

from core.pipeline import LABEL, REFERENCE
from core.rotations import Array

from .judges import Bench
from .library import TEST, TRAIN, VALIDATION, Library, Take
from .measures import StyleScale, StyleStep, fit_scale, measure


@dataclass(frozen=True)
class Case:
    """One held-out take to be stylized; ``reference`` is there for REFERENCE only."""

    source: str
    take: Take
    target: str
    reference: Take | None
    seed: int


@dataclass(frozen=True)
class Outcome:
    """What the judges and the measures say about the result of a case."""

    case: Case
    style: str
    content: str
    step: StyleStep


class Court:
    """Judges and measures together."""

    def __init__(self, library: Library, bench: Bench) -> None:
        """Measure every real take that results may be compared with."""
        self.library = library
        self.bench = bench
        self.measures = {take.name: measure(library.joints_of(take)) for take in library.takes}
        self.scale = self._scale()

    def rule(self, case: Case, joints: Array) -> Outcome:
        """Judge the joints (T, 22, 3) of a result."""
        verdict = self.bench.judge(joints)
        styles = (case.take.style, case.target)
        step = self.scale.step(self.measures[case.take.name], measure(joints), case.take.content, styles)
        return Outcome(case, verdict.style, verdict.content, step)

    def real_pairs(self) -> list[Outcome]:
        """What a perfect system would reach: every held-out take against a held-out take that is as was wanted."""
        rng = np.random.default_rng(0)
        outcomes: list[Outcome] = []
        for take in self.library.of(TEST):
            others = [t for t in self.library.of(TEST) if t.content == take.content and t.style != take.style]
            other = others[int(rng.integers(len(others)))]
            outcomes.append(self.rule(Case("real takes", take, other.style, other, 0), self.library.joints_of(other)))
        return outcomes

    def _scale(self) -> StyleScale:
        groups: dict[tuple[str, str], list[Array]] = {}
        for take in self.library.of(TRAIN, VALIDATION):
            groups.setdefault(take.key, []).append(self.measures[take.name])
        return fit_scale({key: np.stack(values) for key, values in groups.items()})


def draw_cases(library: Library, count: int, seed: int) -> list[Case]:
    """``count`` cases for each of LABEL and REFERENCE: classes and target styles as even as can be, seeded.

    No take is used twice before every one was used once; the reference is a held-out take of any content.
    """
    rng = np.random.default_rng(seed)
    takes = _in_turn(library.of(TEST), rng)
    wanted = {take.name: rng.permutation([s for s in library.styles if s != take.style]) for take in takes}
    cases: list[Case] = []
    for number in range(count):
        take = takes[number % len(takes)]
        target = str(wanted[take.name][number // len(takes) % len(wanted[take.name])])
        references = [other for other in library.of(TEST) if other.style == target]
        reference = references[int(rng.integers(len(references)))]
        cases.append(Case(LABEL, take, target, None, number))
        cases.append(Case(REFERENCE, take, target, reference, number))
    return cases


def _in_turn(takes: list[Take], rng: np.random.Generator) -> list[Take]:
    """All takes, one of each class after the other, in random order."""
    groups: dict[tuple[str, str], list[Take]] = {}
    for index in rng.permutation(len(takes)):
        groups.setdefault(takes[index].key, []).append(takes[index])
    return [take for row in zip_longest(*groups.values()) for take in row if take is not None]
