# SPDX-License-Identifier: GPL-3.0-or-later
"""Taking bone names apart: namespaces, separators, camel case, digits, full-width letters, marks of left and right."""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from .rig_maps import load_words

# A word in more than this share of the names says nothing about any one bone.
_COMMON = 0.5
# The same for words of the body: half of a rig's bones may be fingers of a "hand".
_EVERYWHERE = 0.9
# Marks of a side that Japanese writes without a separator.
_SINGLE = re.compile("([左右])")


@dataclass(frozen=True)
class NameLabel:
    """What a bone's name says.

    Attributes:
        side: "left", "right" or "" for none.
        part: the other words in one, without digits and common words.
        numbers: the digits, in order.
        helper: whether a word marks it as no joint of the body.
    """

    side: str
    part: str
    numbers: tuple[int, ...]
    helper: bool


def canonical_name(bone: str) -> str:
    """A bone name without namespace, case, width and separators: ``mixamorig1:LeftArm`` -> ``leftarm``."""
    return re.sub(r"[\s_.\-]", "", _bare(bone)).lower()


def split_name(bone: str) -> list[str]:
    """Lower-case words and numbers of a bone name: ``mixamorig:LeftUpLeg_01`` -> ``left up leg 01``."""
    spaced = _SINGLE.sub(r" \1 ", _bare(bone))
    pieces: list[str] = []
    for before, char, after in zip(" " + spaced, spaced, spaced[1:] + " ", strict=False):
        if not char.isalnum():
            pieces.append(" ")
            continue
        starts = char.isdigit() != before.isdigit() or (
            char.isupper() and (before.islower() or (before.isupper() and after.islower()))
        )
        pieces.append(" " + char if starts else char)
    return "".join(pieces).lower().split()


def read_names(bones: Sequence[str]) -> list[NameLabel]:
    """What the names of a whole rig say; words that most of them share are left out."""
    words = load_words()
    split = [split_name(bone) for bone in bones]
    counts = Counter(word for pieces in split for word in set(pieces))
    common = {
        word
        for word, count in counts.items()
        if count > max((_EVERYWHERE if word in words.parts else _COMMON) * len(bones), 2)
        and word not in words.sides
        and not word.isdigit()
    }
    return [_label([piece for piece in pieces if piece not in common]) for pieces in split]


def _label(pieces: list[str]) -> NameLabel:
    words = load_words()
    numbers = tuple(int(piece) for piece in pieces if piece.isdecimal())
    plain = [piece for piece in pieces if not piece.isdigit()]
    sides = [words.sides[piece] for piece in plain if piece in words.sides]
    rest = [piece for piece in plain if piece not in words.sides]
    side, part = (sides[0] if len(set(sides)) == 1 else ""), "".join(rest)
    if not side and part not in words.parts:
        side, part = _fused_side(part)
    helper = any(piece in words.helpers for piece in rest)
    return NameLabel(side, part, numbers, helper)


def _fused_side(part: str) -> tuple[str, str]:
    """``lthigh`` or ``thighl`` taken apart, if what remains is a known word."""
    words = load_words()
    for mark, side in words.fused_sides.items():
        for rest in (part.removeprefix(mark), part.removesuffix(mark)):
            if rest != part and rest in words.parts:
                return side, rest
    return "", part


def _bare(bone: str) -> str:
    """Without namespace, in plain letters and digits."""
    return re.split(r"[:|]", unicodedata.normalize("NFKC", bone))[-1]
