# SPDX-License-Identifier: GPL-3.0-or-later
"""Bone names as data: one JSON file for each rig family, and the words of bodies in ``words`` for all other rigs.

``{side}`` in a joint and in its names stands for left and right; ``sides`` lists how the family writes them. ``spine``
lists the bones between pelvis and neck upwards, as many as the family ever has; ``prefixes``, where it is there, lists
what may stand before every name, the best first (other prefixes and suffixes are found by themselves).
"""

import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

_HERE = Path(__file__).parent


@dataclass(frozen=True)
class RigFamily:
    """Names of one rig family.

    Attributes:
        name: the file's name.
        joints: canonical joint to the bone names to try, in order.
        spine: names of the bones between pelvis and neck, upwards.
        prefixes: prefixes to prefer, in order.
    """

    name: str
    joints: dict[str, tuple[str, ...]]
    spine: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Words:
    """Words in bone names, lower case, without separators and digits.

    Attributes:
        sides: word to "left" or "right".
        fused_sides: the same for words that are also written without anything between them and the part.
        parts: word to the parts that it may mean, each with its rank among that part's words, 0 the best.
        helpers: words of bones that are never a joint.
    """

    sides: dict[str, str]
    fused_sides: dict[str, str]
    parts: dict[str, dict[str, int]] = field(default_factory=dict)
    helpers: frozenset[str] = frozenset()


@cache
def load_families() -> tuple[RigFamily, ...]:
    """All families beside this file, by file name."""
    return tuple(_parse(path.stem, path.read_text(encoding="utf-8")) for path in sorted(_HERE.glob("*.json")))


@cache
def load_words() -> Words:
    """The words for sides and body parts."""
    data: dict[str, Any] = json.loads((_HERE / "words" / "body.json").read_text(encoding="utf-8"))
    parts: dict[str, dict[str, int]] = {}
    for part, words in data["parts"].items():
        for rank, word in enumerate(words):
            parts.setdefault(word, {})[part] = rank
    sides, fused = (
        {word: side for side, words in data[key].items() for word in words} for key in ("sides", "fused_sides")
    )
    return Words(sides, fused, parts, frozenset(data["helpers"]))


def _parse(name: str, text: str) -> RigFamily:
    data: dict[str, Any] = json.loads(text)
    spine = tuple(data["spine"])
    joints = {joint: (bone,) for joint, bone in _three(spine).items()}
    for joint, aliases in data["joints"].items():
        if "{side}" not in joint:
            joints[joint] = tuple(aliases)
            continue
        for side, written in data["sides"].items():
            joints[joint.format(side=side)] = tuple(alias.format(side=written) for alias in aliases)
    return RigFamily(name, joints, spine, tuple(data.get("prefixes", ())))


def _three(spine: tuple[str, ...]) -> dict[str, str]:
    """The usual names of spine1-3; a rig with more or fewer bones is dealt with by the matcher."""
    chosen = spine[:3]
    joints = {1: ("spine3",), 2: ("spine1", "spine3")}.get(len(chosen), ("spine1", "spine2", "spine3"))
    return dict(zip(joints, chosen, strict=False))
