# SPDX-License-Identifier: GPL-3.0-or-later
"""How far frames lie outside of what a bundle knows, and how much of the style they lose for it.

    python -m scripts.evaluation.known_motion build/data/bandai-namco.npz FOLDER_OF_BVH ...

Takes that training never saw should keep their style, clips that nobody performs should lose it: between which values
it fades is said by the bundle, or else by ``core.out_of_range``. Where the bundle does not say where training's content
codes lie, the dataset says it. ``--write`` puts both into the bundle, fitted anew: for weights that were trained before
bundles had them.
"""

import argparse
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from core.canonical import to_canonical
from core.engines import Features
from core.engines.engine import StyleEngine
from core.engines.numpy_engine import NumpyNetwork
from core.errors import PanacheError
from core.matching import match_bones
from core.motion import Motion
from core.out_of_range import Witnesses, score, witnesses_steps
from core.pipeline import Clip, canonical_clip
from core.representation import encode
from core.rotations import Array, from_rotation_vector, multiply
from core.steps import finish
from models.bundle import Bundle, read_bundle, write_bundle
from models.manifest import RANGE_MEAN, RANGE_WHITENING
from scripts.bvh import read_bvh
from scripts.training.dataset import MotionDataset, Split, load_dataset
from scripts.training.export import fit_range
from scripts.training.fading import SMALL, swings, with_bounds

_WEIGHTS = Path(__file__).parents[2] / "models/weights/bandai-namco.safetensors"
_SHARES = (0.5, 0.99, 1.0)
_LONGEST = 1800
# So many takes of a split stand for all of it.
_TAKES = 400


def main() -> None:
    """Print one line per set of frames."""
    parser = argparse.ArgumentParser(prog="scripts.evaluation.known_motion", description=__doc__)
    parser.add_argument("dataset", type=Path, help="what scripts.prepare_data wrote")
    parser.add_argument("folders", type=Path, nargs="*", help="BVH files of other origin")
    parser.add_argument("--weights", type=Path, default=_WEIGHTS, help="bundle that is asked")
    parser.add_argument("--write", action="store_true", help="write range and bounds into the bundle")
    options = parser.parse_args()
    dataset, bundle = load_dataset(options.dataset), read_bundle(options.weights)
    bundle = bundle if bundle.content_range else with_range(bundle, dataset)
    if options.write:
        bundle = with_bounds(bundle, dataset)
        write_bundle(options.weights, bundle)
    engine = StyleEngine(NumpyNetwork(bundle))
    print(f"bounds: {engine.fade_bounds or 'those of core.out_of_range'}")
    titles = "".join(f"{f'{what} {share:.0%}':>11}" for what in ("bend", "distance") for share in _SHARES)
    print(f"{'':<22}{'frames':>8}{titles}{'lost':>9}{'clip':>9}")
    for split in Split:
        print(line(split.name.lower(), [dataset.take(int(take)) for take in _some_takes(dataset, split)], engine))
    for folder in options.folders:
        print(line(folder.name, features_of_files(folder), engine))
    for name, motion in nonsense():
        print(line(name, [encode(to_canonical(motion).motion)[0]], engine))


def with_range(bundle: Bundle, dataset: MotionDataset) -> Bundle:
    """The bundle with mean and whitening of the content codes of takes that training saw."""
    network = NumpyNetwork(bundle)
    codes = [network.content_code(dataset.take(take)) for take in _some_takes(dataset, Split.TRAIN)]
    found = fit_range(np.concatenate(codes))
    return replace(bundle, tensors={**bundle.tensors, RANGE_MEAN: found.mean, RANGE_WHITENING: found.whitening})


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
    for size in (SMALL, 0.6, 1.0):
        yield f"swings of {size} rad", swings(size)
    clip = swings(0.0)
    yield "T-pose", clip
    upside_down = multiply(from_rotation_vector(np.array([np.pi, 0.0, 0.0])), clip.rotations)
    yield "T-pose upside down", clip.with_pose(clip.root, upside_down)


def _some_takes(dataset: MotionDataset, split: Split) -> list[int]:
    return [int(take) for take in np.random.default_rng(0).permutation(dataset.indices(split))[:_TAKES]]


def _distances(found: list[Witnesses]) -> Array:
    return np.concatenate([np.full(len(one.bend), np.nan) if one.distance is None else one.distance for one in found])


if __name__ == "__main__":
    main()
