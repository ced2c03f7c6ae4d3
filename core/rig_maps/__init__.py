# SPDX-License-Identifier: GPL-3.0-or-later
"""Rig families as data: one JSON file each, canonical joint to the bone names that family uses.

``{side}`` in a joint and in its names stands for left and right; ``sides`` lists how the family writes them.
"""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class RigFamily:
    """Names of one rig family: canonical joint to the bone names to try, in order."""

    name: str
    joints: dict[str, tuple[str, ...]]


@cache
def load_families() -> tuple[RigFamily, ...]:
    """All families beside this file, by file name."""
    return tuple(
        _parse(path.stem, path.read_text(encoding="utf-8")) for path in sorted(Path(__file__).parent.glob("*.json"))
    )


def _parse(name: str, text: str) -> RigFamily:
    data: dict[str, Any] = json.loads(text)
    joints: dict[str, tuple[str, ...]] = {}
    for joint, aliases in data["joints"].items():
        if "{side}" not in joint:
            joints[joint] = tuple(aliases)
            continue
        for side, written in data["sides"].items():
            joints[joint.format(side=side)] = tuple(alias.format(side=written) for alias in aliases)
    return RigFamily(name, joints)
