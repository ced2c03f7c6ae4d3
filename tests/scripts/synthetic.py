# SPDX-License-Identifier: GPL-3.0-or-later
"""A dataset file in the format of scripts.prepare_data with a few made-up takes, and settings for small networks."""

import json
from pathlib import Path

import numpy as np

from core.representation import FEATURES, WIDTH
from core.skeleton import CANONICAL, PARENTS

CONTENTS = ("walk", "wave")
STYLES = ("calm", "old", "proud")
TAKES = 36
UNNAMED = (8, 9, 22)
SMALL = """
crop_frames = [64, 40]
[network]
autoencoder_width = 24
latent_channels = 16
content_width = 16
style_width = 16
generator_width = 24
root_width = 16
[stylizer]
batch = 8
"""


def write_small_run(folder: Path) -> None:
    """What scripts.train reads: data.npz and small.toml."""
    write_dataset(folder / "data.npz")
    (folder / "small.toml").write_text(SMALL, encoding="utf-8")


def write_dataset(path: Path) -> None:
    """Smooth random features; one take in six is held out, one is too short to be used, three have no labels."""
    rng = np.random.default_rng(0)
    lengths = rng.integers(64, 110, TAKES)
    lengths[0] = 20
    loose = np.isin(np.arange(TAKES), UNNAMED)
    clips = [make_clip(rng, int(length)) for length in lengths]
    np.savez(
        path,
        features=np.concatenate(clips),
        starts=np.concatenate([[0], np.cumsum(lengths)[:-1]]).astype(np.int64),
        lengths=lengths.astype(np.int64),
        content=np.where(loose, -1, np.arange(TAKES) % len(CONTENTS)).astype(np.int16),
        style=np.where(loose, -1, np.arange(TAKES) // 2 % len(STYLES)).astype(np.int16),
        split=np.array([2 if i % 12 == 5 else 1 if i % 12 == 11 else 0 for i in range(TAKES)], np.int8),
        takes=np.array([f"take_{i:03d}" for i in range(TAKES)]),
        content_names=np.array(CONTENTS),
        style_names=np.array(STYLES),
        layout=json.dumps([list(pair) for pair in FEATURES]),
        info=json.dumps({"fps": 30, "licence": "none", "source": "made up", "split_seed": 1}),
        offsets=CANONICAL.offsets.astype(np.float32),
        parents=np.array(PARENTS),
    )


def make_clip(rng: np.random.Generator, frames: int) -> np.ndarray:
    """A sum of two waves per column, (frames, WIDTH)."""
    phase = np.arange(frames)[:, None] * rng.uniform(0.05, 0.3, WIDTH) + rng.uniform(0, 6, WIDTH)
    return (np.sin(phase) + 0.3 * np.sin(2.3 * phase)).astype(np.float32)
