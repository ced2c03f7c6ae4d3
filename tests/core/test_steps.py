# SPDX-License-Identifier: GPL-3.0-or-later
"""Progress of work that is made of parts, which are made of parts."""

import numpy as np
import pytest

from core.steps import Progress, Steps, finish, halving, scaled

RUNS = 300


def part(shares: list[float], result: int = 0) -> Steps[int]:
    for share in shares:
        yield Progress(share, "own")
    return result


def tree(random: np.random.Generator, depth: int) -> Steps[int]:
    """Any work: some parts in a row or rounds until it is good enough, each of them such work again; counts leaves."""
    if depth == 0:
        yield from part(np.sort(random.random(random.integers(0, 5))).tolist())
        return 1
    number, leaves = int(random.integers(1, 7)), 0
    in_rounds = random.random() < 0.5
    edges = np.sort(random.random(number + 1))
    for turn in range(number):
        begin, end = halving(turn) if in_rounds else (edges[turn], edges[turn + 1])
        leaves += yield from scaled(tree(random, depth - 1), begin, end)
        if random.random() < 0.5:
            yield Progress(end)
    return leaves


def test_what_is_made_of_parts_goes_forward_however_deep_and_however_many() -> None:
    for seed in range(RUNS):
        random = np.random.default_rng(seed)
        shares = [progress.share for progress in tree(random, int(random.integers(1, 5)))]
        assert shares == sorted(shares)
        assert all(0.0 <= share <= 1.0 for share in shares)


def test_rounding_leads_no_part_past_its_end() -> None:
    random = np.random.default_rng(0)
    for start, end in np.sort(random.random((RUNS, 2))):
        first, last = [progress.share for progress in scaled(part([0.0, 1.0]), start, end)]
        assert first == start
        assert end - 1e-15 < last <= end


def test_rounds_follow_one_another_and_never_reach_the_end() -> None:
    rounds = [halving(turn) for turn in range(50)]
    assert rounds[0] == (0.0, 0.5)
    assert all(before[1] == after[0] < after[1] < 1.0 for before, after in zip(rounds, rounds[1:], strict=False))


def test_a_part_keeps_its_words_unless_it_is_told_others() -> None:
    assert [progress.what for progress in scaled(part([0.0, 1.0]), 0.2, 0.3)] == ["own", "own"]
    named = list(scaled(part([0.5]), 0.2, 0.4, "Posing"))
    assert [(progress.what, round(progress.share, 9)) for progress in named] == [("Posing", 0.2), ("Posing", 0.3)]


def test_the_result_comes_through_and_closing_closes_the_part() -> None:
    assert finish(scaled(part([0.1], 7), 0.0, 1.0, "Posing")) == 7
    closed = []

    def open_part() -> Steps[None]:
        try:
            yield Progress(0.0)
            yield Progress(1.0)
        finally:
            closed.append(True)

    steps = scaled(open_part(), 0.0, 1.0)
    next(steps)
    steps.close()
    assert closed
    with pytest.raises(StopIteration):
        next(steps)
