# SPDX-License-Identifier: GPL-3.0-or-later
"""Which takes are for training, for validation and for the test: always whole recordings, and seeded."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scripts.preparation.recording import Recording
from scripts.preparation.sets import BANDAI_1, BANDAI_2

SEED: Final = 20261121
SHARES: Final = (0.8, 0.1, 0.1)
# Contents that every style of set 1 is tested on, and never trained on.
_HELD_OUT: Final = 2

TRAIN, VALIDATION, TEST = 0, 1, 2
Splits = NDArray[np.int8]


def split_recordings(recordings: Sequence[Recording]) -> Splits:
    """(K,) 0 train, 1 validation, 2 test; a set is divided in the same way whichever others are prepared with it."""
    split = np.zeros(len(recordings), dtype=np.int8)
    for source in dict.fromkeys(recording.source for recording in recordings):
        rows = [i for i, recording in enumerate(recordings) if recording.source == source]
        members = [recordings[i] for i in rows]
        rule = {BANDAI_1: _by_content, BANDAI_2: _by_class}.get(source, _by_group)
        split[rows] = rule(members)
    return split


def _by_class(recordings: list[Recording]) -> Splits:
    """Every (content, style) class is divided by take."""
    rng = np.random.default_rng(SEED)
    split = np.zeros(len(recordings), dtype=np.int8)
    keys = [(recording.content, recording.style) for recording in recordings]
    for key in sorted(set(keys)):
        members = rng.permutation([i for i, other in enumerate(keys) if other == key])
        train, validation = _borders(len(members))
        split[members[train:validation]] = VALIDATION
        split[members[validation:]] = TEST
    return split


def _by_content(recordings: list[Recording]) -> Splits:
    """Two contents of every style are held out, so that each is held out of some styles and seen in the others.

    There are one or two takes of each: a split by take would test little. Contents of a single style stay.
    """
    rng = np.random.default_rng(SEED)
    styles_of: dict[str, set[str]] = {}
    for recording in recordings:
        styles_of.setdefault(recording.content, set()).add(recording.style)
    contents = [str(c) for c in rng.permutation(sorted(c for c, styles in styles_of.items() if len(styles) > 1))]
    styles = sorted({recording.style for recording in recordings})
    held_out = {
        (style, contents[(number * _HELD_OUT + step) % len(contents)])
        for number, style in enumerate(styles)
        for step in range(_HELD_OUT if contents else 0)
    }
    return np.array([TEST if (r.style, r.content) in held_out else TRAIN for r in recordings], dtype=np.int8)


def _by_group(recordings: list[Recording]) -> Splits:
    """Whole groups of recordings; what the set itself divides stays divided so."""
    rng = np.random.default_rng(SEED)
    groups = rng.permutation(sorted({recording.group for recording in recordings}))
    train, validation = _borders(len(groups))
    side = {str(g): int(np.searchsorted([train, validation], i, side="right")) for i, g in enumerate(groups)}
    return np.array([side[r.group] if r.split is None else r.split for r in recordings], dtype=np.int8)


def _borders(count: int) -> tuple[int, int]:
    """Where validation and test begin among ``count`` members."""
    train, validation = (np.cumsum(SHARES)[:2] * count).round().astype(int)
    return int(train), int(validation)
