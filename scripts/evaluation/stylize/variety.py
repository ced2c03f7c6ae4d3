# SPDX-License-Identifier: GPL-3.0-or-later
"""How different samples of one label are, and how different real takes of it are (GenMoStyle, section 4: diversity)."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

import numpy as np

from core.pipeline import LABEL, StyleSettings
from core.rotations import Array

from ..cases import Wishes
from ..distances import diversity, mean_distance
from ..joints import rig_joints
from ..library import TEST, VALIDATION, Library, Take
from .trials import Stage

SAMPLES, PAIRS = 30, 10
_FEWEST_CLIPS = 14


@dataclass(frozen=True)
class Variety:
    """Samples of one label for one clip; ``real`` is NaN with fewer than two held-out takes of that class.

    Attributes:
        take: name of the clip.
        target: the label.
        samples: mean distance of random pairs of samples, on the features of the style judge.
        real: mean distance of held-out takes of that label and the clip's content.
    """

    take: str
    target: str
    samples: float
    real: float


def varieties(stage: Stage, labels: Collection[str], wishes: Wishes) -> Iterator[Variety]:
    """Every label in turn, for held-out clips of other styles; as many clips as labels, but no more than cases."""
    rng = np.random.default_rng(wishes.seed)
    library, order = stage.court.library, sorted(labels)
    for number in range(min(max(_FEWEST_CLIPS, len(order)), wishes.count) if order else 0):
        target = order[number % len(order)]
        take = _clip_for(library, wishes.takes(library), target, rng)
        if take is not None:
            real = [other for other in library.of(TEST, VALIDATION) if other.key == (take.content, target)]
            features = np.array([stage.court.verdict(other).style_features for other in real])
            apart = mean_distance(features) if len(real) > 1 else float("nan")
            yield Variety(take.name, target, diversity(_sampled(stage, take, target), PAIRS, rng), apart)


def _clip_for(library: Library, takes: list[Take], target: str, rng: np.random.Generator) -> Take | None:
    """A held-out take of another style, rather of a content that was recorded in the target style more than once."""
    takes = [take for take in takes if take.style != target]
    there = [other.content for other in library.of(TEST, VALIDATION) if other.style == target]
    best = [take for take in takes if there.count(take.content) > 1] or takes
    return best[int(rng.integers(len(best)))] if best else None


def _sampled(stage: Stage, take: Take, target: str) -> Array:
    """(SAMPLES, F) features of the style judge."""
    base = StyleSettings(source=LABEL, style=target, fade=stage.fade)
    results = stage.samples(take, [replace(base, seed=seed) for seed in range(SAMPLES)])
    bones = stage.clip(take).bone_map
    verdicts = [stage.court.bench.judge(rig_joints(result, bones)) for result in results]
    return np.stack([verdict.style_features for verdict in verdicts]).astype(np.float64)
