# SPDX-License-Identifier: GPL-3.0-or-later
"""From Bandai-Namco BVH files to one compact dataset of features, split by take.

``python -m scripts.prepare_data ../shared/data/bandai-namco.tar.xz`` writes ``build/data/bandai-namco.npz``.
"""

import argparse
import json
import re
import tarfile
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.calibration import calibrate
from core.canonical import to_canonical
from core.errors import PanacheError
from core.matching import match_bones
from core.representation import FPS, SIGNATURE, encode
from core.retarget import to_motion
from core.skeleton import CANONICAL, PARENTS
from scripts.bvh import read_bvh

SPLIT_SEED = 20261121
SPLIT_SHARES = (0.8, 0.1, 0.1)
SOURCE = "Bandai-Namco-Research-Motiondataset-2"
LICENCE = "CC BY-NC 4.0"

_NAME = re.compile(r"(?P<set>dataset-2)_(?P<content>[a-z-]+)_(?P<style>[a-z-]+)_(?P<take>\d+)\.bvh$")


@dataclass(frozen=True)
class Take:
    """One file of the dataset, encoded: features (T, 266)."""

    name: str
    content: str
    style: str
    features: NDArray[np.float32]


def main() -> None:
    """Parse the command line and write the dataset."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", type=Path, help="the archive, or the folder of its BVH files")
    parser.add_argument("--out", type=Path, default=Path("build/data/bandai-namco.npz"))
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = unpack(options.source, Path(scratch))
        files = sorted(path for path in folder.rglob("*.bvh") if _NAME.search(path.name))
        with ProcessPoolExecutor(options.workers) as pool:
            takes = [take for take in pool.map(read_take, files, chunksize=16) if take]
    save(takes, options.out)
    print(f"{len(takes)} of {len(files)} takes, {sum(len(t.features) for t in takes)} frames -> {options.out}")


def unpack(source: Path, scratch: Path) -> Path:
    """The folder that holds the BVH files: the source itself, or its contents in ``scratch``."""
    if source.is_dir():
        return source
    with tarfile.open(source) as archive:
        archive.extractall(scratch, filter="data")
    return scratch


def read_take(path: Path) -> Take | None:
    """One file as features; None, with a line on the terminal, if the file cannot be used."""
    match = _NAME.search(path.name)
    if match is None:
        return None
    try:
        clip = read_bvh(path)
        motion = to_motion(clip, calibrate(clip, match_bones(clip.skeleton)))
        features, _ = encode(to_canonical(motion).motion)
    except PanacheError as error:
        print(f"left out {path.name}: {error}")
        return None
    return Take(path.stem, match["content"], match["style"], features)


def split_takes(takes: list[Take]) -> NDArray[np.int8]:
    """(K,) 0 train, 1 validation, 2 test: every (content, style) class is divided by take, seeded."""
    rng = np.random.default_rng(SPLIT_SEED)
    split = np.zeros(len(takes), dtype=np.int8)
    for key in sorted({(t.content, t.style) for t in takes}):
        members = rng.permutation([i for i, t in enumerate(takes) if (t.content, t.style) == key])
        train, validation = (np.cumsum(SPLIT_SHARES)[:2] * len(members)).round().astype(int)
        split[members[train:validation]] = 1
        split[members[validation:]] = 2
    return split


def save(takes: list[Take], out: Path) -> None:
    """Write the compact dataset; the arrays are described in :mod:`scripts.training.data`."""
    contents = sorted({take.content for take in takes})
    styles = sorted({take.style for take in takes})
    lengths = np.array([len(take.features) for take in takes], dtype=np.int64)
    info = {"fps": FPS, "licence": LICENCE, "source": SOURCE, "split_seed": SPLIT_SEED, "split_shares": SPLIT_SHARES}
    out.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        out,
        features=np.concatenate([take.features for take in takes]),
        starts=np.concatenate([[0], np.cumsum(lengths)[:-1]]),
        lengths=lengths,
        content=np.array([contents.index(t.content) for t in takes], dtype=np.int16),
        style=np.array([styles.index(t.style) for t in takes], dtype=np.int16),
        split=split_takes(takes),
        takes=np.array([t.name for t in takes]),
        content_names=np.array(contents),
        style_names=np.array(styles),
        layout=np.array(SIGNATURE),
        info=np.array(json.dumps(info)),
        offsets=CANONICAL.offsets.astype(np.float32),
        parents=np.array(PARENTS),
    )


if __name__ == "__main__":
    main()
