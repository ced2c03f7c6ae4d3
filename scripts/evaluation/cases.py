# SPDX-License-Identifier: GPL-3.0-or-later
"""Which held-out takes are stylized, into what, and what came out."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import zip_longest

import numpy as np

from core.pipeline import LABEL, REFERENCE
from core.representation import FPS
from core.rotations import Array
from models.bundle import Bundle, BundleError

from .distances import jerk
from .judges import Bench, Verdict
from .library import TEST, TRAIN, VALIDATION, Library, Take
from .measures import StyleScale, StyleStep, fit_scale, measure

REAL = "real takes"

Class = tuple[str, str]


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
    """What the judges and the measures say about the result of a case.

    Attributes:
        case: what was asked for.
        verdict: what the judges see.
        step: how far it went; None where no real take shows this content in both styles.
    """

    case: Case
    verdict: Verdict
    step: StyleStep | None

    @property
    def style_hit(self) -> bool:
        """Whether the judge sees the style that was asked for."""
        return self.verdict.style == self.case.target

    @property
    def content_hit(self) -> bool | None:
        """Whether the judge sees the take's own action; None of a take without a name for it."""
        return self.verdict.content == self.case.take.content if self.case.take.content else None


@dataclass(frozen=True)
class Wishes:
    """Which cases are wanted.

    Attributes:
        count: cases for each source of the style.
        seed: of the choice.
        labels: styles that the weights have a label for; None for all of the library's.
        styles: target styles; all if none is named.
        contents: actions of the takes that are stylized; all if none is named.
    """

    count: int
    seed: int
    labels: Collection[str] | None = None
    styles: Collection[str] = ()
    contents: Collection[str] = ()

    def takes(self, library: Library) -> list[Take]:
        """The held-out takes that may be stylized."""
        return [t for t in library.of(TEST) if t.style and (not self.contents or t.content in self.contents)]


class Court:
    """Judges and measures together."""

    def __init__(self, library: Library, bench: Bench) -> None:
        """Measure every real take that results may be compared with."""
        self.library = library
        self.bench = bench
        self.measures = {take.name: measure(library.joints_of(take)) for take in library.takes}
        self.scale = self._scale()
        self._verdicts: dict[str, Verdict] = {}
        self._jerks: dict[Class, float] = {}

    def rule(self, case: Case, joints: Array) -> Outcome:
        """Judge the joints (T, 22, 3) of a result."""
        return Outcome(case, self.bench.judge(joints), self._step(case, measure(joints)))

    def verdict(self, take: Take) -> Verdict:
        """What the judges see in a real take."""
        if take.name not in self._verdicts:
            self._verdicts[take.name] = self.bench.judge(self.library.joints_of(take))
        return self._verdicts[take.name]

    def usual_jerk(self, key: Class) -> float:
        """Median over the real takes of a content in a style; NaN if there is none."""
        if key not in self._jerks:
            clips = [self.library.joints_of(take) for take in self.library.takes if take.key == key]
            jerks = [jerk(clip, np.arange(len(clip)) / FPS) for clip in clips]
            self._jerks[key] = float(np.median(jerks)) if jerks else float("nan")
        return self._jerks[key]

    def real_pairs(self, wishes: Wishes | None = None) -> list[Outcome]:
        """What a perfect system would reach: every held-out take against a held-out take that is as was wanted."""
        rng = np.random.default_rng(0)
        takes = [take for take in (wishes or Wishes(0, 0)).takes(self.library) if take.content]
        outcomes: list[Outcome] = []
        for take in takes:
            others = [other for other in takes if other.content == take.content and other.style != take.style]
            if others:
                other = others[int(rng.integers(len(others)))]
                case = Case(REAL, take, other.style, other, 0)
                outcomes.append(Outcome(case, self.verdict(other), self._step(case, self.measures[other.name])))
        return outcomes

    def _step(self, case: Case, after: Array) -> StyleStep | None:
        styles = (case.take.style, case.target)
        if not self.scale.knows(case.take.content, *styles):
            return None
        return self.scale.step(self.measures[case.take.name], after, case.take.content, styles)

    def _scale(self) -> StyleScale:
        groups: dict[Class, list[Array]] = {}
        for take in self.library.of(TRAIN, VALIDATION):
            if all(take.key):
                groups.setdefault(take.key, []).append(self.measures[take.name])
        return fit_scale({key: np.stack(values) for key, values in groups.items()})


def draw_cases(library: Library, wishes: Wishes) -> list[Case]:
    """Cases for each of LABEL and REFERENCE: classes and target styles as even as can be, seeded.

    No take is used twice before every one was used once; the reference is a held-out take of any content. Where a
    content was recorded in some styles only, every other case asks for one of these: only they have an expression.

    Raises:
        FileNotFoundError: there is nothing to be stylized.
    """
    rng = np.random.default_rng(wishes.seed)
    takes = _in_turn(wishes.takes(library), rng)
    labels = set(library.styles if wishes.labels is None else wishes.labels)
    references = {style: [take for take in library.of(TEST) if take.style == style] for style in library.styles}
    targets = [s for s in library.styles if (s in labels or references[s]) and s in (wishes.styles or library.styles)]
    recorded = {take.key for take in library.of(TRAIN, VALIDATION)}
    wanted = {take.name: _in_order(take, _permuted(targets, take, rng), recorded) for take in takes}
    takes = [take for take in takes if wanted[take.name]]
    if not takes:
        raise FileNotFoundError("No held-out take can be put into another style: choose other contents or styles.")
    cases: list[Case] = []
    for number in range(wishes.count):
        take, turn = takes[number % len(takes)], number // len(takes)
        # Every other take begins with a style in which its content was never recorded, if there is one.
        order = wanted[take.name][number % 2]
        target = order[turn % len(order)]
        if target in labels:
            cases.append(Case(LABEL, take, target, None, number))
        if held_out := references[target]:
            cases.append(Case(REFERENCE, take, target, held_out[int(rng.integers(len(held_out)))], number))
    return cases


def check_held_out(bundle: Bundle, cases: Iterable[Case]) -> None:
    """Refuse to judge a model by takes that its training saw.

    Raises:
        BundleError: it saw some.
    """
    used = {take for case in cases for take in (case.take, case.reference) if take}
    trained_on = ", ".join(bundle.info.training_data)
    # A data set that training did not have is held out as a whole.
    known = {take.name for take in used if not take.data or take.data in trained_on}
    if seen := sorted(known - set(bundle.info.held_out_takes)):
        raise BundleError(f"Training saw {len(seen)} of the takes, {seen[0]} first: prepare the data and train anew.")


def _permuted(targets: list[str], take: Take, rng: np.random.Generator) -> list[str]:
    return [str(style) for style in rng.permutation([style for style in targets if style != take.style])]


def _in_order(take: Take, targets: list[str], recorded: set[Class]) -> list[list[str]]:
    """The targets with those in which the content was recorded and the others in turn: two orders, or none at all."""
    if not targets:
        return []
    known, new = ([s for s in targets if ((take.content, s) in recorded) == there] for there in (True, False))
    rows = [zip_longest(known, new), zip_longest(new, known)]
    return [[style for pair in row for style in pair if style] for row in rows]


def _in_turn(takes: list[Take], rng: np.random.Generator) -> list[Take]:
    """All takes, one of each class after the other, in random order."""
    groups: dict[Class, list[Take]] = {}
    for index in rng.permutation(len(takes)):
        groups.setdefault(takes[index].key, []).append(takes[index])
    return [take for row in zip_longest(*groups.values()) for take in row if take is not None]
