# SPDX-License-Identifier: GPL-3.0-or-later
"""A few takes cut out of one real walk, their labels as scripts.prepare_data writes them, and weights to fit."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from core.pipeline import canonical_clip
from core.representation import FEATURES, FPS, encode
from core.skeleton import CANONICAL, PARENTS
from models.bundle import read_bundle, write_bundle
from scripts.evaluation.judges import JudgeConfig
from scripts.evaluation.library import TEST, Library, read_clip
from tests.blender_addon.weights import STYLES, write_test_weights

WALK = Path(__file__).parents[1] / "data/walk_normal.bvh"
CONTENTS = ("walk", "wave")
SOURCE = "Made-up motions"
# Judges that know next to nothing, in no time.
QUICK = JudgeConfig(steps=3, batch=4, width=8, dilations=(1, 2))


def write_takes(folder: Path) -> None:
    """Four takes of each of eight classes: the styles differ by a bend that they add."""
    head, _, body = WALK.read_text(encoding="utf-8").partition("Frames:")
    time, frames = body.splitlines()[1], np.loadtxt(body.splitlines()[2:])
    for i, content in enumerate(CONTENTS):
        for j, style in enumerate(STYLES):
            for take in range(4):
                part = frames[20 * take + 30 * i :][:60].copy()
                part[:, 15::6] += 4.0 * j + 0.1 * take
                rows = "\n".join(" ".join(f"{value:.4f}" for value in row) for row in part)
                name = f"{content}_{style}_{take}.bvh"
                (folder / name).write_text(f"{head}Frames: {len(part)}\n{time}\n{rows}\n", encoding="utf-8")


def write_labels(path: Path, folder: Path) -> None:
    """The last take of every class is held out."""
    names = sorted(file.stem for file in folder.glob("*.bvh"))
    np.savez(
        path,
        takes=np.array(names),
        content=np.array([CONTENTS.index(name.split("_")[0]) for name in names]),
        style=np.array([STYLES.index(name.split("_")[1]) for name in names]),
        split=np.array([(0, 0, 1, 2)[int(name[-1])] for name in names]),
        source=np.zeros(len(names), dtype=np.int16),
        content_names=np.array(CONTENTS),
        style_names=np.array(STYLES),
        source_names=np.array(["made-up"]),
        info=np.array(json.dumps({"licence": "CC0-1.0", "source": SOURCE})),
    )


def write_motions(path: Path, folder: Path) -> None:
    """The same with the takes' features, for training."""
    write_labels(path, folder)
    with np.load(path, allow_pickle=False) as file:
        labels = {name: file[name] for name in file.files}
    clips = [encode(canonical_clip(read_clip(folder / f"{name}.bvh")).motion)[0] for name in labels["takes"]]
    lengths = np.array([len(clip) for clip in clips])
    info = {**json.loads(str(labels["info"])), "fps": FPS, "split_seed": 1}
    np.savez(
        path,
        **labels | {"info": np.array(json.dumps(info))},
        features=np.concatenate(clips).astype(np.float32),
        starts=np.cumsum(lengths) - lengths,
        lengths=lengths,
        layout=np.array(json.dumps([list(pair) for pair in FEATURES])),
        offsets=CANONICAL.offsets.astype(np.float32),
        parents=np.array(PARENTS),
    )


def write_weights(path: Path, library: Library) -> Path:
    """Untrained weights that say that they were trained on the same data, without the held-out takes."""
    bundle = read_bundle(write_test_weights(path))
    held_out = tuple(take.name for take in library.of(TEST))
    write_bundle(path, replace(bundle, info=replace(bundle.info, held_out_takes=held_out, training_data=(SOURCE,))))
    return path
