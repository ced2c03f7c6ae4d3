# SPDX-License-Identifier: GPL-3.0-or-later
"""How far the shipped autoencoder bends frames that it knows and frames that it does not.

    python -m scripts.evaluation.known_motion build/data/bandai-namco.npz FOLDER_OF_BVH ...

``core.preflight.OUTSIDE_DEGREES`` was read off this table: the worst frame of the takes that training never saw.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from core.canonical import to_canonical
from core.engines.engine import StyleEngine
from core.engines.numpy_engine import NumpyNetwork
from core.errors import PanacheError
from core.kinematics import to_global
from core.matching import match_bones
from core.motion import Motion
from core.pipeline import Clip, canonical_clip
from core.preflight import OUTSIDE_DEGREES, bend
from core.representation import FPS, encode
from core.rotations import Array, from_rotation_vector, multiply
from core.skeleton import CANONICAL, JOINT_COUNT
from models.bundle import read_bundle
from scripts.bvh import read_bvh
from scripts.training.dataset import Split, load_dataset

_WEIGHTS = Path(__file__).parents[2] / "models/weights/bandai-namco.safetensors"
_SHARES = (0.5, 0.9, 0.99, 0.999, 1.0)
_FRAMES = 300
_LONGEST = 1800


def main() -> None:
    """Print one line per set of frames."""
    parser = argparse.ArgumentParser(prog="scripts.evaluation.known_motion", description=__doc__)
    parser.add_argument("dataset", type=Path, help="what scripts.prepare_data wrote")
    parser.add_argument("folders", type=Path, nargs="*", help="BVH files of other origin")
    options = parser.parse_args()
    engine = StyleEngine(NumpyNetwork(read_bundle(_WEIGHTS)))
    print(f"{'degrees, quantiles':<28}{'frames':>8}" + "".join(f"{share:>8.1%}" for share in _SHARES) + " outside")
    dataset = load_dataset(options.dataset)
    for split in Split:
        bends = [bend(dataset.take(int(take)), engine) for take in dataset.indices(split)]
        print(line(split.name.lower(), np.concatenate(bends)))
    for folder in options.folders:
        print(line(folder.name, np.concatenate(list(bends_of_files(folder, engine)) or [np.full(1, np.nan)])))
    for name, motion in nonsense():
        print(line(name, bend(encode(to_canonical(motion).motion)[0], engine)))


def line(name: str, bends: Array) -> str:
    """One line of the table."""
    quantiles = "".join(f"{value:>8.1f}" for value in np.quantile(bends, _SHARES))
    return f"{name:<28}{len(bends):>8}{quantiles}{(bends > OUTSIDE_DEGREES).mean():>8.1%}"


def bends_of_files(folder: Path, engine: StyleEngine) -> Iterator[Array]:
    """Degrees per frame of every BVH file below the folder that is a humanoid's, its first minute."""
    for path in sorted(folder.rglob("*.bvh")):
        try:
            clip = read_bvh(path)
            features = encode(canonical_clip(Clip(clip, match_bones(clip.skeleton))).motion)[0]
        except PanacheError as error:
            print(f"left out {path.name}: {error}")
            continue
        yield bend(features[:_LONGEST], engine)


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


if __name__ == "__main__":
    main()
