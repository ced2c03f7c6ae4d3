# SPDX-License-Identifier: GPL-3.0-or-later
import pytest
import torch
from torch import nn

from scripts.training.averaging import RunningMean


def set_to(module: nn.Linear, value: float) -> nn.Linear:
    with torch.no_grad():
        module.weight.fill_(value)
        module.bias.fill_(value)
    return module


@pytest.mark.parametrize(("memory", "expected"), [(0.0, 4.0), (0.9, 2.5), (0.5, 3.125)])
def test_early_steps_count_evenly_and_old_ones_fade(memory: float, expected: float) -> None:
    layer = nn.Linear(2, 2)
    mean = RunningMean(set_to(layer, 0.0), memory)
    for value in (1.0, 2.0, 3.0, 4.0):
        mean.update(set_to(layer, value))
    mean.give(layer)
    # With much memory the mean of all four; with half of it 1, 1.5, 2.25, 3.125.
    torch.testing.assert_close(layer.weight, torch.full((2, 2), expected))


def test_a_mean_of_nothing_changes_nothing() -> None:
    layer = set_to(nn.Linear(2, 2), 5.0)
    mean = RunningMean(nn.Linear(2, 2), 0.9)
    mean.give(layer)
    assert float(layer.bias.detach()[0]) == 5.0


def test_the_mean_is_no_part_of_what_is_trained() -> None:
    assert not list(filter(lambda p: p.requires_grad, RunningMean(nn.Linear(2, 2), 0.9).parameters()))
