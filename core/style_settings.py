# SPDX-License-Identifier: GPL-3.0-or-later
"""What the user asks for, checked, and as the engine is told."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .engines import LABEL, REFERENCE, SAVED, SOURCES, Cue, Features, Float32
from .engines.engine import StyleEngine
from .errors import EngineError, InvalidMotionError
from .representation import SIGNATURE
from .root_motion import PREDICTED, ROOT_MODES
from .transfer import PARTS

MAX_AMOUNT = 1.5
MAX_STRENGTH = 1.5
_OTHER_VERSION = "These style settings are of another version of Panache: set them again in the panel."


@dataclass(frozen=True)
class StyleSettings:
    """What the user asked for.

    Attributes:
        source: LABEL, REFERENCE, RANDOM or SAVED.
        style: style name, for LABEL.
        amount: 0 (the original) to 1.5.
        seed: of everything random, at least 0.
        drawn: for REFERENCE: a style like the reference's, by the seed, instead of its own.
        root: KEEP, PREDICTED or IN_PLACE.
        contacts: keep planted feet planted.
        parts: what the style may touch, out of ``PARTS``.
        pin_start: the first frame stays the original's; a cyclic clip is then pinned at both ends. Where the
            clip is to stay in place, its place over the floor is pinned at the start only.
        pin_end: the same for the last frame.
        mix_style: a second style to go towards: a style name, or any name if ``mix_code`` is given.
        mix: how far, 0 (not at all) to 1 (all the way).
        code: style code of the saved style, for SAVED.
        mix_code: style code of the second style if it is a saved one.
        weights: how much of the style each of ``PARTS`` takes, 0 to 1.
        posture: how much of the lasting part of the change there shall be, 0 to 1.5, see :mod:`core.balance`.
        dynamics: the same of what moves within it, and of the way over the floor.
        fade: let the style fade out where the model does not know what it sees, see :mod:`core.out_of_range`; a model
            that does not say what it was trained on is trusted everywhere.
        timing: let the style change how long the action takes, as far as the model knows.
    """

    source: str = LABEL
    style: str = ""
    amount: float = 1.0
    seed: int = 0
    drawn: bool = False
    root: str = PREDICTED
    contacts: bool = True
    parts: frozenset[str] = frozenset(PARTS)
    pin_start: bool = False
    pin_end: bool = False
    mix_style: str = ""
    mix: float = 0.0
    code: tuple[float, ...] = ()
    mix_code: tuple[float, ...] = ()
    weights: tuple[float, ...] = (1.0,) * len(PARTS)
    posture: float = 1.0
    dynamics: float = 1.0
    fade: bool = True
    timing: bool = False

    @property
    def mixed(self) -> bool:
        """Whether a second style has a share."""
        return self.mix > 0.0 and bool(self.mix_style or self.mix_code)

    def part_shares(self) -> dict[str, float]:
        """How much of the style each part takes, 0 to 1: its weight if the style may touch it, else 0."""
        return {part: weight * (part in self.parts) for part, weight in zip(PARTS, self.weights, strict=True)}


def check_settings(settings: StyleSettings, has_reference: bool, engine: StyleEngine) -> None:
    """Refuse what no engine can do, before any work.

    Raises:
        UnknownStyleError: a style name that the weights do not know.
        InvalidMotionError: REFERENCE without a reference, or a mode that does not exist.
        EngineError: weights of another feature layout, or a saved style of another model.
    """
    if engine.layout_signature != SIGNATURE:
        raise EngineError("The weight file expects other motion features: install the one of this version.")
    if settings.source not in SOURCES or settings.root not in ROOT_MODES or not settings.parts <= set(PARTS):
        raise InvalidMotionError(_OTHER_VERSION)
    within = all(0.0 <= share <= 1.0 for share in (settings.mix, *settings.weights))
    within = within and all(0.0 <= strength <= MAX_STRENGTH for strength in (settings.posture, settings.dynamics))
    if len(settings.weights) != len(PARTS) or not within:
        raise InvalidMotionError(_OTHER_VERSION)
    if settings.source == REFERENCE and not has_reference:
        raise InvalidMotionError("Choose a reference action to take the style from.")
    # The reference itself is not read yet: any clip stands for it.
    engine.check(cue_of(settings, np.zeros((0, 0), dtype=np.float32)))


def cue_of(settings: StyleSettings, reference: Features | None) -> Cue:
    """What the engine is asked for; ``reference`` is (R, WIDTH) of the clip to take the style from."""
    return Cue(
        source=settings.source,
        style=settings.style,
        reference=reference,
        code=_code(settings.code),
        seed=settings.seed,
        drawn=settings.drawn,
        mix=_second(settings) if settings.mixed else None,
        share=settings.mix,
    )


def _second(settings: StyleSettings) -> Cue:
    if settings.mix_code:
        return Cue(SAVED, code=_code(settings.mix_code))
    return Cue(LABEL, style=settings.mix_style, seed=settings.seed)


def _code(values: tuple[float, ...]) -> Float32:
    return np.array(values, dtype=np.float32)
