# SPDX-License-Identifier: GPL-3.0-or-later
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from scripts.training.dataset import UNLABELLED, MotionDataset, Split, load_dataset
from scripts.training.statistics import (
    SPREAD_FLOOR,
    Change,
    ClassStatistics,
    ClassTable,
    describe,
    labelled_takes,
    style_effects,
    window_starts,
)

from .synthetic import write_dataset

LENGTH = 40


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> MotionDataset:
    path = tmp_path_factory.mktemp("statistics") / "data.npz"
    write_dataset(path)
    return load_dataset(path)


@pytest.fixture(scope="module")
def table(dataset: MotionDataset) -> ClassTable:
    def windows(length: int) -> list[tuple[int, int, Tensor]]:
        clips: list[tuple[int, int, Tensor]] = []
        for take in labelled_takes(dataset):
            clip = torch.from_numpy(dataset.take(take).T[:5].copy())
            parts = [clip[:, start : start + length] for start in window_starts(clip.shape[1], length)]
            clips.append((int(dataset.content[take]), int(dataset.style[take]), torch.stack(parts)))
        return clips

    shape = len(dataset.content_names), len(dataset.style_names)
    return ClassStatistics(shape, windows, {LENGTH}).table(LENGTH + 3)


def make_change(clips: Tensor, *, relative: bool = False, average: bool = False) -> Change:
    count = len(clips)
    return Change(
        source=clips,
        content=torch.zeros(count, dtype=torch.int64),
        style=torch.eye(3)[torch.zeros(count, dtype=torch.int64)],
        target=torch.full((count,), 2),
        reference=clips,
        reference_content=torch.zeros(count, dtype=torch.int64),
        detail=torch.zeros(count, 1),
        relative=torch.full((count, 1), relative),
        average=torch.full((count, 1), average),
        slack=torch.zeros(count, 1),
    )


def shift_only(table: ClassTable) -> ClassTable:
    """The same classes, which differ in their means over time alone."""
    keep = torch.cat([torch.ones(5), torch.zeros(5)])
    return replace(table, mean=table.mean * keep, effect=table.effect * keep)


def test_description_follows_shift_and_scale() -> None:
    clips = torch.randn(3, 4, 30)
    mean, spread = describe(clips).chunk(2, dim=1)
    moved_mean, moved_spread = describe(100.0 * clips + 1.0).chunk(2, dim=1)
    torch.testing.assert_close(moved_mean, 100.0 * mean + 1.0, atol=1e-3, rtol=1e-3)
    # What moves three times as far differs by log 3, whatever it is; only where all but nothing moves, it does not.
    thrice = describe(300.0 * clips).chunk(2, dim=1)[1]
    torch.testing.assert_close(thrice - moved_spread, torch.full_like(spread, float(np.log(3.0))), atol=1e-2, rtol=0)


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


@pytest.mark.parametrize("average", [False, True])
def test_relative_goals_are_the_source_plus_what_the_styles_differ_by(table: ClassTable, average: bool) -> None:
    clips, flat = torch.randn(4, 5, LENGTH), shift_only(table)
    step = (flat.effect[2] - flat.effect[0])[:5] if average else (flat.mean[0, 2] - flat.mean[0, 0])[:5]
    change = make_change(clips, relative=True, average=average)
    assert float(flat.distance(clips + step[:, None], change)) == pytest.approx(0.0, abs=1e-6)
    assert float(flat.distance(clips, change)) > 0.0


def test_where_no_class_is_known_the_average_says_what_to_do(table: ClassTable) -> None:
    clips, flat = torch.randn(4, 5, LENGTH), shift_only(table)
    average = float(flat.distance(clips, make_change(clips, average=True)))
    assert average > 0.0
    unknown = replace(flat, known=torch.zeros_like(flat.known))
    assert float(unknown.distance(clips, make_change(clips))) == pytest.approx(average)
    unnamed = replace(make_change(clips), content=torch.full((4,), UNLABELLED))
    assert float(flat.distance(clips, unnamed)) == pytest.approx(average)


def test_without_a_target_nothing_is_asked_for(table: ClassTable) -> None:
    clips = torch.randn(4, 5, LENGTH)
    nowhere = replace(make_change(clips), target=torch.full((4,), UNLABELLED))
    assert float(table.distance(clips + 5.0, nowhere)) == 0.0


def test_within_the_slack_anything_is_as_good(table: ClassTable) -> None:
    clips = torch.randn(4, 5, LENGTH)
    change = make_change(clips)
    near, far = (float(table.distance(clips, replace(change, slack=torch.full((4, 1), s)))) for s in (0.0, 1e6))
    assert near > 0.0
    assert far == 0.0


def test_what_is_special_about_a_reference_moves_the_goal(table: ClassTable) -> None:
    clips = torch.randn(4, 5, LENGTH)
    change = replace(make_change(clips), detail=torch.ones(4, 1), style=torch.eye(3)[torch.full((4,), 2)])
    # A reference of the source's own action, followed in all: the goal is the reference itself, if it is not too odd.
    typical = table.mean[0, 2][None].repeat(4, 1)
    usual = replace(change, reference=as_described(typical[:, :5], typical[:, 5:]))
    odd = replace(change, reference=as_described(typical[:, :5] + table.spread[0, 2][:5], typical[:, 5:]))
    assert float(table.distance(usual.reference, usual)) == pytest.approx(0.0, abs=1e-3)
    assert float(table.distance(odd.reference, odd)) == pytest.approx(0.0, abs=1e-3)
    assert float(table.distance(usual.reference, odd)) > 0.05


def as_described(mean: Tensor, log_spread: Tensor) -> Tensor:
    """(B, C, LENGTH) clips that describe() says this of."""
    wave = torch.sin(2.0 * torch.pi * torch.arange(LENGTH) / LENGTH) * 2.0**0.5
    return mean[..., None] + (log_spread.exp() - 0.05).clamp(min=0.0)[..., None] * wave


def test_style_effects_are_found_where_actions_are_missing() -> None:
    action, style = torch.randn(6, 1, 4), torch.randn(1, 5, 4)
    known = torch.rand(6, 5, generator=torch.Generator().manual_seed(1)) < 0.6
    effects = style_effects(action + style, known)
    differences = effects[:, None] - effects[None]
    torch.testing.assert_close(differences, style[0][:, None] - style[0][None], atol=0.3, rtol=0.1)


def test_spreads_have_a_floor_and_classes_come_from_training(dataset: MotionDataset, table: ClassTable) -> None:
    assert (table.spread >= SPREAD_FLOOR).all()
    takes = labelled_takes(dataset)
    assert set(takes) <= set(dataset.indices(Split.TRAIN))
    there = set(zip(dataset.content[takes].tolist(), dataset.style[takes].tolist(), strict=True))
    known = {(content, style) for content, style in np.ndindex(*table.known.shape) if table.known[content, style]}
    assert known == there
    assert len(there) < table.known.numel()
