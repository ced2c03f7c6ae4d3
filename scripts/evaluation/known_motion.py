# SPDX-License-Identifier: GPL-3.0-or-later
"""How far frames lie outside of what a bundle knows, and how much of the style they lose for it.

    python -m scripts.evaluation.known_motion build/data/bandai-namco.npz FOLDER_OF_BVH ...

The bounds of ``core.out_of_range`` were read off this table: takes that training never saw keep their style, clips that
nobody performs lose it. Where the bundle does not say where training's content codes lie, the dataset says it.
"""

import argparse
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from core.canonical import to_canonical
from core.engines import Features
from core.engines.engine import StyleEngine
from core.engines.numpy_engine import NumpyNetwork
from core.errors import PanacheError
from core.kinematics import to_global
from core.matching import match_bones
from core.motion import Motion
from core.out_of_range import Witnesses, score, witnesses_steps
from core.pipeline import Clip, canonical_clip
from core.representation import FPS, encode
from core.rotations import Array, from_rotation_vector, multiply
from core.skeleton import CANONICAL, JOINT_COUNT
from core.steps import finish
from models.bundle import ContentRange, read_bundle
from scripts.bvh import read_bvh
from scripts.training.dataset import MotionDataset, Split, load_dataset
from scripts.training.export import fit_range

_WEIGHTS = Path(__file__).parents[2] / "models/weights/bandai-namco.safetensors"
_SHARES = (0.5, 0.99, 1.0)
_FRAMES = 300
_LONGEST = 1800
# So many takes of a split stand for all of it.
_TAKES = 400


def main() -> None:
    """Print one line per set of frames."""
    parser = argparse.ArgumentParser(prog="scripts.evaluation.known_motion", description=__doc__)
    parser.add_argument("dataset", type=Path, help="what scripts.prepare_data wrote")
    parser.add_argument("folders", type=Path, nargs="*", help="BVH files of other origin")
    parser.add_argument("--weights", type=Path, default=_WEIGHTS, help="bundle that is asked")
    options = parser.parse_args()
    network, dataset = NumpyNetwork(read_bundle(options.weights)), load_dataset(options.dataset)
    if network.content_range is None:
        network.content_range = fitted_range(dataset, network)
    engine = StyleEngine(network)
    titles = "".join(f"{f'{what} {share:.0%}':>11}" for what in ("bend", "distance") for share in _SHARES)
    print(f"{'':<22}{'frames':>8}{titles}{'lost':>9}{'clip':>9}")
    for split in Split:
        print(line(split.name.lower(), [dataset.take(int(take)) for take in _some_takes(dataset, split)], engine))
    for folder in options.folders:
        print(line(folder.name, features_of_files(folder), engine))
    for name, motion in nonsense():
        print(line(name, [encode(to_canonical(motion).motion)[0]], engine))


def fitted_range(dataset: MotionDataset, network: NumpyNetwork) -> ContentRange:
    """Mean and whitening of the content codes of takes that training saw."""
    codes = [network.content_code(dataset.take(int(take))) for take in _some_takes(dataset, Split.TRAIN)]
    return fit_range(np.concatenate(codes))


def line(name: str, clips: Iterable[Features], engine: StyleEngine) -> str:
    """One line of the table: quantiles of degrees and distances, what the style loses in all, and in the worst clip."""
    found = [finish(witnesses_steps(clip, engine)) for clip in clips]
    if not found:
        return f"{name:<22}{0:>8}"
    bends, lost = np.concatenate([one.bend for one in found]), [score(one) for one in found]
    figures = [*np.quantile(bends, _SHARES), *np.quantile(_distances(found), _SHARES)]
    text = "".join(f"{value:>11.2f}" for value in figures)
    most = max(float(clip.mean()) for clip in lost)
    return f"{name:<22}{len(bends):>8}{text}{np.concatenate(lost).mean():>9.2%}{most:>9.2%}"


def features_of_files(folder: Path) -> Iterator[Features]:
    """Every BVH file below the folder that is a humanoid's, its first minute."""
    for path in sorted(folder.rglob("*.bvh")):
        try:
            clip = read_bvh(path)
            yield encode(canonical_clip(Clip(clip, match_bones(clip.skeleton))).motion)[0][:_LONGEST]
        except PanacheError as error:
            print(f"left out {path.name}: {error}")


def nonsense() -> Iterator[tuple[str, Motion]]:
    """Clips that nobody performs."""
    rng, times = np.random.default_rng(0), np.arange(_FRAMES) / FPS
    root = np.tile([0.0, 0.9, 0.0], (_FRAMES, 1))
    rates, phases = rng.uniform(0.2, 1.0, (JOINT_COUNT, 3)), rng.uniform(0.0, 2.0 * np.pi, (JOINT_COUNT, 3))
    for size in (0.3, 0.6, 1.0):
        swings = size * np.sin(2.0 * np.pi * rates * times[:, None, None] + phases)
        yield f"swings of {size} rad", Motion(times, root, to_global(from_rotation_vector(swings)), CANONICAL)
    still = np.broadcast_to(np.array([1.0, 0.0, 0.0, 0.0]), (_FRAMES, JOINT_COUNT, 4))
    yield "T-pose", Motion(times, root, still, CANONICAL)
    upside_down = multiply(from_rotation_vector(np.array([np.pi, 0.0, 0.0])), still)
    yield "T-pose upside down", Motion(times, root, upside_down, CANONICAL)


def _some_takes(dataset: MotionDataset, split: Split) -> list[int]:
    return [int(take) for take in np.random.default_rng(0).permutation(dataset.indices(split))[:_TAKES]]


def _distances(found: list[Witnesses]) -> Array:
    return np.concatenate([np.full(len(one.bend), np.nan) if one.distance is None else one.distance for one in found])


if __name__ == "__main__":
    main()
