# SPDX-License-Identifier: GPL-3.0-or-later
"""What a style's reference was like: how long, how it is held and moves, and how much of it the model knows."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import isfinite
from typing import Any, cast

import numpy as np

from .engines import Features
from .engines.engine import StyleEngine
from .out_of_range import score, witnesses_steps
from .representation import split
from .skeleton import JOINT_COUNT
from .steps import Steps

_PLACES = 4
_MUCH_OUTSIDE = 0.25
_LITTLE_REACH = 0.25
_SHORT_SECONDS, _SHORT = 3.0, "The reference is shorter than 3 seconds: 5 to 20 show a style better."
_OUTSIDE = "The model knows little of the movement in the reference: expect less of the style."
_OUT_OF_REACH = "The model can show little of this style: a mix or more Amount may help."


@dataclass(frozen=True)
class StyleStatistics:
    """A reference in numbers; lengths are metres on a character of human size.

    Attributes:
        seconds: it lasts.
        fps: frames per second, as it was read.
        bend: mean degrees by which the model's autoencoder bends it, see :mod:`core.out_of_range`.
        outside: how much of it the model does not know, 0 to 1: mean of the score of that module.
        reach: how much of what sets it apart the model shows with the code, 0 to 1, see ``style_fitting.reach_steps``.
        speed: mean speed over the floor, metres per second.
        mean_pose: (3 * 22,) mean place of every joint over the floor, seen from the body; the pelvis is x = z = 0.
        spread: (22,) root mean square distance of every joint from there.
    """

    seconds: float
    fps: float
    bend: float
    outside: float
    reach: float
    speed: float
    mean_pose: tuple[float, ...]
    spread: tuple[float, ...]

    def as_data(self) -> dict[str, Any]:
        """What is written to a file; read by :func:`parse_statistics`."""
        return {name: _rounded(value) for name, value in asdict(self).items()}

    def warnings(self) -> tuple[str, ...]:
        """Sentences for the user; empty if all is well."""
        said = {
            _SHORT: self.seconds < _SHORT_SECONDS,
            _OUTSIDE: self.outside > _MUCH_OUTSIDE,
            _OUT_OF_REACH: self.reach < _LITTLE_REACH,
        }
        return tuple(sentence for sentence, holds in said.items() if holds)


def statistics_steps(features: Features, fps: float, reach: float, engine: StyleEngine) -> Steps[StyleStatistics]:
    """Measure a reference (T, WIDTH).

    Args:
        features: of the reference.
        fps: its own frame rate.
        reach: of the code that was read off it.
        engine: that computes.
    """
    seen = yield from witnesses_steps(features, engine)
    parts = split(features)
    pelvis = np.zeros((len(features), 1, 3))
    pelvis[:, 0, 1] = parts["root_height"][:, 0]
    joints = np.concatenate([pelvis, parts["positions"].reshape(len(features), JOINT_COUNT - 1, 3)], axis=1)
    mean = joints.mean(axis=0)
    spread = np.sqrt(np.square(joints - mean).sum(axis=-1).mean(axis=0))
    return StyleStatistics(
        seconds=len(features) / engine.fps,
        fps=fps,
        bend=float(seen.bend.mean()),
        outside=float(score(seen).mean()),
        reach=reach,
        speed=float(np.linalg.norm(parts["root_planar_velocity"], axis=-1).mean()),
        mean_pose=tuple(mean.ravel().tolist()),
        spread=tuple(spread.tolist()),
    )


def parse_statistics(data: Any) -> StyleStatistics:  # noqa: ANN401
    """What :meth:`StyleStatistics.as_data` wrote.

    Raises:
        ValueError: it is something else.
    """
    if not isinstance(data, Mapping):
        raise ValueError("no table")
    kept: Mapping[str, Any] = data
    return StyleStatistics(
        seconds=_number(kept.get("seconds")),
        fps=_number(kept.get("fps")),
        bend=_number(kept.get("bend")),
        outside=_number(kept.get("outside")),
        reach=_number(kept.get("reach")),
        speed=_number(kept.get("speed")),
        mean_pose=_numbers(kept.get("mean_pose"), 3 * JOINT_COUNT),
        spread=_numbers(kept.get("spread"), JOINT_COUNT),
    )


def _numbers(values: Any, count: int) -> tuple[float, ...]:  # noqa: ANN401
    if not isinstance(values, list):
        raise ValueError("no list")
    numbers = tuple(_number(value) for value in cast("list[object]", values))
    if len(numbers) != count:
        raise ValueError(f"not {count} numbers")
    return numbers


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise ValueError("no number")
    return float(value)


def _rounded(value: float | tuple[float, ...]) -> float | list[float]:
    return [round(one, _PLACES) for one in value] if isinstance(value, tuple) else round(value, _PLACES)
