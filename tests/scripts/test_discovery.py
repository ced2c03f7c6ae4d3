# SPDX-License-Identifier: GPL-3.0-or-later
from dataclasses import replace

import numpy as np
import pytest

from scripts.training.dataset import MotionDataset, Split, load_dataset
from scripts.training.discovery import discovered, in_pieces
from scripts.training.settings import Discovery

from .synthetic import write_dataset


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> MotionDataset:
    path = tmp_path_factory.mktemp("discovery") / "data.npz"
    write_dataset(path)
    return load_dataset(path)


def test_pieces_are_the_takes_in_order(dataset: MotionDataset) -> None:
    pieces = in_pieces(dataset, 40)
    assert pieces.lengths.max() <= 40
    assert pieces.lengths.sum() == dataset.lengths.sum()
    for number, take in enumerate(dataset.takes):
        own = [pieces.take(row) for row, name in enumerate(pieces.takes) if name == take]
        np.testing.assert_array_equal(np.concatenate(own), dataset.take(number))
    assert in_pieces(dataset, 1000).lengths.tolist() == dataset.lengths.tolist()


def test_actions_and_styles_are_found_without_their_names(dataset: MotionDataset) -> None:
    """Two actions and three styles, added to each other: what is found must be them, whatever the numbers."""
    rng, frames = np.random.default_rng(1), 60
    actions, styles = 20.0 * rng.standard_normal((2, 266)), 4.0 * rng.standard_normal((3, 266))
    truth = [(take % 2, take // 2 % 3) for take in range(48)]
    clips = [actions[a] + styles[s] + rng.standard_normal((frames, 266)) for a, s in truth]
    made = replace(
        dataset,
        features=np.concatenate(clips).astype(np.float32),
        starts=frames * np.arange(48),
        lengths=np.full(48, frames),
        content=np.full(48, -1),
        style=np.full(48, -1),
        split=np.where(np.arange(48) % 8 == 7, Split.TEST, Split.TRAIN),
        takes=tuple(f"take {take}" for take in range(48)),
    )
    found = discovered(made, Discovery(actions=2, styles=3, frames=100), seed=3)
    assert len(set(zip([a for a, _ in truth], found.content.tolist(), strict=True))) == 2
    assert len(set(zip([s for _, s in truth], found.style.tolist(), strict=True))) == 3
