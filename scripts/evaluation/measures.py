# SPDX-License-Identifier: GPL-3.0-or-later
"""Eighteen numbers that an animator would name about a clip, and how far a result went from one style to another."""

from dataclasses import dataclass

import numpy as np

from core.representation import gaussian_smooth
from core.rotations import Array, normalize
from core.skeleton import INDEX

from .joints import Stance, stance

MEASURES: tuple[str, ...] = (
    "trunk lean", "head pitch", "head height", "head bob",
    "elbow bend", "elbow range", "knee bend", "knee range",
    "hand height", "hand lift", "hand forward", "hand swing", "hand spread",
    "stride", "foot lift", "stance width", "speed", "energy",
)  # fmt: skip

_SIDES = ("left", "right")
_PATH_SIGMA = 5.0


@dataclass(frozen=True)
class StyleStep:
    """How far a result went.

    Attributes:
        expression: share of the way from the source style to the target style; 0 = nothing happened, 1 = all of it.
        off: length of what went elsewhere, as a share of the same way.
    """

    expression: float
    off: float


def measure(joints: Array) -> Array:
    """(18,) measures of a clip (T, 22, 3) at 30 fps, in the order of ``MEASURES``; metres, degrees, seconds."""
    seen = stance(joints)
    return np.array([*_trunk_and_head(seen), *_bends(seen), *_hands(seen), *_feet(seen), *_pace(seen)])


def _trunk_and_head(seen: Stance) -> list[float]:
    head = _joint(seen, "head")
    return [
        float(_pitch(_joint(seen, "neck") - _joint(seen, "pelvis")).mean()),
        float(_pitch(head - _joint(seen, "neck")).mean()),
        float(head[:, 1].mean()),
        float(head[:, 1].std()),
    ]


def _bends(seen: Stance) -> list[float]:
    elbows = [_bend(seen, *(f"{side}_{j}" for j in ("shoulder", "elbow", "wrist"))) for side in _SIDES]
    knees = [_bend(seen, *(f"{side}_{j}" for j in ("hip", "knee", "ankle"))) for side in _SIDES]
    return [_mean(elbows), _range(elbows), _mean(knees), _range(knees)]


def _hands(seen: Stance) -> list[float]:
    hands = [_joint(seen, f"{side}_wrist") for side in _SIDES]
    heights, forwards = [hand[:, 1] for hand in hands], [hand[:, 2] for hand in hands]
    spread = [hand[:, 0] * sign for hand, sign in zip(hands, (1.0, -1.0), strict=True)]
    return [_mean(heights), _range(heights), _mean(forwards), _range(forwards), _mean(spread)]


def _feet(seen: Stance) -> list[float]:
    feet = [_joint(seen, f"{side}_ankle") for side in _SIDES]
    width = np.abs(feet[0][:, 0] - feet[1][:, 0])
    return [_range([foot[:, 2] for foot in feet]), _range([foot[:, 1] for foot in feet]), float(width.mean())]


def _pace(seen: Stance) -> list[float]:
    travel = gaussian_smooth(seen.travel, _PATH_SIGMA)
    return [float(np.linalg.norm(travel, axis=-1).mean()), float(np.linalg.norm(seen.velocities, axis=-1).mean())]


def _joint(seen: Stance, name: str) -> Array:
    return seen.joints[:, INDEX[name]]


def _pitch(direction: Array) -> Array:
    """(T,) forward lean of a direction from the vertical, degrees."""
    return np.degrees(np.arctan2(direction[:, 2], direction[:, 1]))


def _bend(seen: Stance, start: str, middle: str, end: str) -> Array:
    """(T,) bend of a joint, degrees; 0 is straight."""
    first = normalize(_joint(seen, middle) - _joint(seen, start))
    second = normalize(_joint(seen, end) - _joint(seen, middle))
    return np.degrees(np.arccos(np.clip(np.sum(first * second, axis=-1), -1.0, 1.0)))


def _mean(sides: list[Array]) -> float:
    return float(np.mean(sides))


def _range(sides: list[Array]) -> float:
    """Mean over both sides of the spread between the 5th and the 95th percentile."""
    return float(np.mean([float(np.percentile(values, 95) - np.percentile(values, 5)) for values in sides]))


@dataclass(frozen=True)
class StyleScale:
    """Means of every (content, style) class, (18,) each, and the unit of every measure, (18,)."""

    means: dict[tuple[str, str], Array]
    spread: Array

    def knows(self, content: str, *styles: str) -> bool:
        """Whether there were real takes of this content in all of these styles."""
        return all((content, style) in self.means for style in styles)

    def step(self, before: Array, after: Array, content: str, styles: tuple[str, str]) -> StyleStep:
        """How far ``after`` went from ``before`` on the way from styles[0] to styles[1] for this content.

        Raises:
            KeyError: a class that :meth:`knows` denies.
        """
        way = (self.means[content, styles[1]] - self.means[content, styles[0]]) / self.spread
        moved = (after - before) / self.spread
        length = float(way @ way)
        share = float(moved @ way) / length
        return StyleStep(share, float(np.linalg.norm(moved - share * way)) / length**0.5)


def fit_scale(measures: dict[tuple[str, str], Array]) -> StyleScale:
    """Scale from the measures (N, 18) of real takes of every class: their spread within a class is the unit."""
    means = {key: values.mean(axis=0) for key, values in measures.items()}
    # The root mean square over classes, so that a class with one odd take has no say of its own.
    variances = [values.var(axis=0, ddof=1) for values in measures.values() if len(values) > 1]
    return StyleScale(means, np.sqrt(np.mean(variances, axis=0)))
