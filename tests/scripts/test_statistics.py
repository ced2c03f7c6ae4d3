# SPDX-License-Identifier: GPL-3.0-or-later
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from scripts.training.dataset import MotionDataset, Split, load_dataset
from scripts.training.statistics import SPREAD_FLOOR, Change, ClassStatistics, ClassTable, describe, window_starts

from .synthetic import write_dataset

LENGTH = 40


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> MotionDataset:
    path = tmp_path_factory.mktemp("statistics") / "data.npz"
    write_dataset(path)
    return load_dataset(path)


@pytest.fixture(scope="module")
def table(dataset: MotionDataset) -> ClassTable:
    def windows(take: int, length: int) -> Tensor:
        clip = torch.from_numpy(dataset.take(take).T[:5].copy())
        return torch.stack([clip[:, start : start + length] for start in window_starts(clip.shape[1], length)])

    return ClassStatistics(dataset, windows, {LENGTH}).table(LENGTH + 3)


def make_change(clips: Tensor, relative: bool) -> Change:
    count = len(clips)
    return Change(
        source=clips,
        content=torch.zeros(count, dtype=torch.int64),
        style=torch.zeros(count, dtype=torch.int64),
        target=torch.full((count,), 2),
        reference=clips,
        reference_content=torch.zeros(count, dtype=torch.int64),
        detail=torch.zeros(count, 1),
        relative=torch.full((count, 1), relative),
    )


def test_description_follows_shift_and_scale() -> None:
    clips = torch.randn(3, 4, 30)
    mean, spread = describe(clips).chunk(2, dim=1)
    moved_mean, moved_spread = describe(3.0 * clips + 1.0).chunk(2, dim=1)
    torch.testing.assert_close(moved_mean, 3.0 * mean + 1.0, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(moved_spread, 3.0 * spread, atol=1e-3, rtol=1e-3)


def test_description_has_a_gradient_where_nothing_moves() -> None:
    still = torch.ones(1, 2, 10, requires_grad=True)
    describe(still).sum().backward()
    assert still.grad is not None
    assert torch.isfinite(still.grad).all()


@pytest.mark.parametrize(("available", "length"), [(40, 40), (41, 40), (300, 40)])
def test_windows_fit_and_reach_both_ends(available: int, length: int) -> None:
    starts = window_starts(available, length)
    assert starts[0] == 0
    assert starts[-1] == available - length
    assert len(np.unique(starts)) == len(starts)


def test_a_clip_that_is_its_target_is_at_no_distance(table: ClassTable) -> None:
    clips = torch.randn(4, 5, LENGTH)
    stay = replace(make_change(clips, relative=True), target=torch.zeros(4, dtype=torch.int64))
    assert float(table.distance(clips, stay)) == pytest.approx(0.0, abs=1e-9)
    assert float(table.distance(clips + 1.0, stay)) > 0.1


def test_relative_goals_are_the_source_plus_the_difference_of_the_classes(table: ClassTable) -> None:
    clips = torch.randn(4, 5, LENGTH)
    step = (table.mean[0, 2] - table.mean[0, 0])[:5]
    flat = ClassTable(
        torch.cat([table.mean[..., :5], torch.zeros_like(table.mean[..., 5:])], -1), table.spread, table.known
    )
    moved = clips + step[:, None]
    assert float(flat.distance(moved, make_change(clips, relative=True))) == pytest.approx(0.0, abs=1e-6)
    assert float(flat.distance(clips, make_change(clips, relative=True))) > 0.0


def test_classes_without_takes_say_nothing(table: ClassTable) -> None:
    clips = torch.randn(4, 5, LENGTH)
    unknown = ClassTable(table.mean, table.spread, torch.zeros_like(table.known))
    assert float(unknown.distance(clips, make_change(clips, relative=False))) == 0.0


def test_spreads_have_a_floor_and_classes_come_from_training(dataset: MotionDataset, table: ClassTable) -> None:
    assert (table.spread >= SPREAD_FLOOR).all()
    takes = dataset.indices(Split.TRAIN)
    there = set(zip(dataset.content[takes].tolist(), dataset.style[takes].tolist(), strict=True))
    known = {(content, style) for content, style in np.ndindex(*table.known.shape) if table.known[content, style]}
    assert known == there
    assert len(there) < table.known.numel()
