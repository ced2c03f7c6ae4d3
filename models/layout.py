# SPDX-License-Identifier: GPL-3.0-or-later
"""What the columns of a feature vector mean, as data.

The layout is declared by whoever encodes motion and travels in the weight bundle. Networks ask it for a
slice by name and never count columns themselves.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, cast

YAW_VELOCITY: Final = "root_yaw_velocity"
PLANAR_VELOCITY: Final = "root_planar_velocity"
CONTACTS: Final = "contacts"

# The autoencoder must not read contacts, which a user's clip may not have; the root predictor must not
# read the velocity it predicts.
HIDDEN_FROM_AUTOENCODER: Final = (CONTACTS,)
HIDDEN_FROM_ROOT: Final = (PLANAR_VELOCITY, CONTACTS)


@dataclass(frozen=True)
class FeatureLayout:
    """An ordered list of named column blocks, (name, width) each."""

    fields: tuple[tuple[str, int], ...]

    def __post_init__(self) -> None:
        """Refuse empty layouts, repeated names and widths below one."""
        names = [name for name, _ in self.fields]
        if not names or len(set(names)) != len(names) or any(width < 1 for _, width in self.fields):
            raise ValueError(f"A feature layout needs distinct names with positive widths, not {self.fields}.")

    @classmethod
    def parse(cls, pairs: object) -> FeatureLayout:
        """Read the layout from decoded JSON, [[name, width], ...]; ValueError if it is anything else."""
        if not isinstance(pairs, list | tuple):
            raise ValueError("A feature layout is a list of [name, width] pairs.")
        return cls(tuple(_parse_pair(pair) for pair in cast("Iterable[object]", pairs)))

    @property
    def width(self) -> int:
        """Number of columns."""
        return sum(width for _, width in self.fields)

    @property
    def signature(self) -> str:
        """JSON text that is equal exactly when two layouts are; the same as core's SIGNATURE."""
        return json.dumps([list(pair) for pair in self.fields])

    def slice(self, name: str) -> slice:
        """Columns of the named block; KeyError naming the known blocks if there is none."""
        start = 0
        for field, width in self.fields:
            if field == name:
                return slice(start, start + width)
            start += width
        raise KeyError(f"{name} is not one of {', '.join(field for field, _ in self.fields)}")

    def columns_without(self, names: Iterable[str]) -> tuple[int, ...]:
        """Indices of all columns outside the named blocks, in order."""
        hidden = {column for name in names for column in range(self.width)[self.slice(name)]}
        return tuple(column for column in range(self.width) if column not in hidden)


def _parse_pair(pair: object) -> tuple[str, int]:
    items = list(cast("Iterable[object]", pair)) if isinstance(pair, list | tuple) else []
    match items:
        case [str(name), int(width)]:
            return name, width
        case _:
            raise ValueError(f"A feature layout is a list of [name, width] pairs, but one of them is {pair!r}.")
