# SPDX-License-Identifier: GPL-3.0-or-later
"""Look at a bundle on validation takes, network only: what to steer training by. Not the evaluation.

python -m scripts.training.check --weights models/weights/bandai-namco.safetensors
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.engines import Cue
from core.engines.engine import StyleEngine
from core.steps import finish
from models.bundle import read_bundle
from models.layout import PLANAR_VELOCITY
from models.runtime import TorchNetwork

from .dataset import MotionDataset, Normalization, Split, load_dataset
from .judges import Judges, accuracy, judge_view, open_judges
from .kinematics import PoseKinematics
from .measures import NAMES, Floats, measure

ROOT: Final = Path(__file__).resolve().parents[2]
SHOWN: Final = ("speed", "trunk lean", "left hand height", "left elbow", "left foot range", "head height")


@dataclass(frozen=True)
class Clip:
    """Poses in the heading's frame: joints (1, T, J, 3), root velocity (1, T, 2)."""

    joints: Tensor
    velocity: Tensor

    @property
    def view(self) -> Tensor:
        """What judges see."""
        return judge_view(self.joints, self.velocity)

    @property
    def measures(self) -> Floats:
        """The eighteen numbers."""
        return measure(self.joints[0].numpy(), self.velocity[0].numpy())


class Poses:
    """Features to clips, with the delta transfer that the pipeline applies."""

    def __init__(self, dataset: MotionDataset) -> None:
        """Kinematics on features that are not normalised."""
        width = dataset.layout.width
        identity = Normalization(np.zeros(width, dtype=np.float32), np.ones(width, dtype=np.float32))
        self._kinematics = PoseKinematics(dataset, identity, torch.device("cpu"))
        self._layout = dataset.layout

    def clip(self, features: NDArray[np.float32]) -> Clip:
        """Clip of features (T, D)."""
        tensor = torch.from_numpy(features.T.copy())[None]
        return Clip(self._kinematics.joints(tensor), tensor[:, self._layout.slice(PLANAR_VELOCITY)].transpose(1, 2))

    def transfer(
        self, original: NDArray[np.float32], reconstruction: NDArray[np.float32], stylized: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Put the change from reconstruction to stylized onto the original, per joint in the heading's frame."""
        first, second, third = (
            self._kinematics.matrices(torch.from_numpy(features.T.copy())[None])[0]
            for features in (original, reconstruction, stylized)
        )
        changed = third @ second.transpose(-1, -2) @ first
        result = stylized.copy()
        result[:, self._layout.slice("rotations")] = changed[..., :2].transpose(-1, -2).flatten(1).numpy()
        height = self._layout.slice("root_height")
        result[:, height] = original[:, height] + stylized[:, height] - reconstruction[:, height]
        return result


@dataclass(frozen=True)
class Outcome:
    """One stylised take."""

    source_style: int
    target_style: int
    content: int
    before: Floats
    after: Floats
    verdict: tuple[int, int]


@dataclass(frozen=True)
class Classes:
    """Mean of the measures for each (action, style), and their spread within classes."""

    mean: Floats
    spread: Floats

    def expression(self, outcome: Outcome) -> tuple[float, float]:
        """How far the step went towards the target class, and how much of it went elsewhere."""
        goal = self.mean[outcome.content, outcome.target_style] - self.mean[outcome.content, outcome.source_style]
        goal, step = goal / self.spread, (outcome.after - outcome.before) / self.spread
        length = float(goal @ goal)
        share = float(step @ goal) / length
        return share, float(np.linalg.norm(step - share * goal)) / length**0.5


def main() -> None:
    """Print judges' accuracy, expression and a few measures per style, by label and by reference."""
    parser = argparse.ArgumentParser(prog="scripts.training.check")
    parser.add_argument("--data", type=Path, default=ROOT / "build/data/bandai-namco.npz")
    parser.add_argument("--weights", type=Path, default=ROOT / "models/weights/bandai-namco.safetensors")
    parser.add_argument("--judges", type=Path, default=ROOT / "build/train/judges.pt")
    parser.add_argument("--takes", type=int, default=70)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    dataset = load_dataset(options.data)
    poses = Poses(dataset)
    clips = {int(i): poses.clip(dataset.take(int(i))) for split in Split for i in dataset.indices(split)}
    views = {take: clip.view for take, clip in clips.items()}
    judges = open_judges(options.judges, dataset, views)
    style, content = accuracy(judges, dataset, views, Split.VALIDATION)
    print(f"judges on real validation takes: style {style:.3f}, content {content:.3f}")
    classes = measure_classes(dataset, clips)
    engine = StyleEngine(TorchNetwork(read_bundle(options.weights), "cpu", options.threads))
    for source in ("LABEL", "REFERENCE"):
        report(source, dataset, classes, stylize_takes(engine, source, (dataset, poses, judges), options.takes))


def measure_classes(dataset: MotionDataset, clips: dict[int, Clip]) -> Classes:
    """Measure every take; statistics come from all splits, since nothing is trained on them."""
    takes = np.array(sorted(clips))
    values = np.stack([clips[int(take)].measures for take in takes])
    mean = np.full((len(dataset.content_names), len(dataset.style_names), values.shape[1]), np.nan)
    rest = np.zeros_like(values)
    for content, style in np.ndindex(*mean.shape[:2]):
        members = (dataset.content[takes] == content) & (dataset.style[takes] == style)
        if members.any():
            mean[content, style] = values[members].mean(axis=0)
            rest[members] = values[members] - mean[content, style]
    return Classes(mean, rest.std(axis=0))


def stylize_takes(
    engine: StyleEngine, source: str, bench: tuple[MotionDataset, Poses, Judges], count: int
) -> list[Outcome]:
    """Every other style for an even choice of validation takes; references are validation takes of any action."""
    dataset, poses, judges = bench
    rng = np.random.default_rng(3)
    pool = dataset.indices(Split.VALIDATION)
    outcomes: list[Outcome] = []
    for take in rng.permutation(pool)[:count]:
        original = dataset.take(int(take))
        for style in range(len(dataset.style_names)):
            if style == dataset.style[take]:
                continue
            reference = dataset.take(int(rng.choice(pool[dataset.style[pool] == style])))
            cue = Cue(source, dataset.style_names[style], reference, seed=int(take))
            rebuilt, (styled,) = finish(engine.stylize(original, [cue]))
            clip = poses.clip(poses.transfer(original, rebuilt, styled))
            before = poses.clip(original).measures
            own, content = int(dataset.style[take]), int(dataset.content[take])
            outcomes.append(Outcome(own, style, content, before, clip.measures, judges.judge(clip.view)))
    return outcomes


def report(source: str, dataset: MotionDataset, classes: Classes, outcomes: list[Outcome]) -> None:
    """Print a line of totals, a line per target style, and how normal walks came out."""
    scores = np.array([classes.expression(outcome) for outcome in outcomes])
    right = np.array([np.equal(o.verdict, (o.target_style, o.content)) for o in outcomes])
    everything = np.ones(len(outcomes), dtype=bool)
    groups = [(source, everything)]
    groups += [(f"to {name}", _where(outcomes, "target_style", i)) for i, name in enumerate(dataset.style_names)]
    groups += [(name, _where(outcomes, "content", i)) for i, name in enumerate(dataset.content_names)]
    for name, chosen in groups:
        if chosen.any():
            (style, content), (share, off) = right[chosen].mean(axis=0), np.median(scores[chosen], axis=0)
            print(f"{name:20s} style {style:.3f}  content {content:.3f}  expression {share:.2f}  off {off:.2f}")
    _report_walks(dataset, classes, outcomes)


def _where(outcomes: list[Outcome], field: str, value: int) -> NDArray[np.bool_]:
    return np.array([getattr(outcome, field) == value for outcome in outcomes])


def _report_walks(dataset: MotionDataset, classes: Classes, outcomes: list[Outcome]) -> None:
    walk = dataset.content_names.index("walk")
    columns = [NAMES.index(name) for name in SHOWN]
    print("  walks, result / real:", ", ".join(SHOWN))
    for style, name in enumerate(dataset.style_names):
        made = [o.after for o in outcomes if o.content == walk and o.target_style == style]
        if made:
            pairs = zip(np.mean(made, axis=0)[columns], classes.mean[walk, style][columns], strict=True)
            print(f"    {name:10s} " + "  ".join(f"{a:.2f}/{b:.2f}" for a, b in pairs))


if __name__ == "__main__":
    main()
