# SPDX-License-Identifier: GPL-3.0-or-later
"""Under which licence the weights are and what that means, as it is drawn in the preferences and in the panel."""

import re
from typing import Final

import bpy

from .sentences import draw_sentence
from .translations import label

_NON_COMMERCIAL: Final = re.compile(r"\bNC\b|\bnon-?commercial\b", re.IGNORECASE)
_IN_BRACKETS: Final = re.compile(r"\s*\([^()]*\)")


def draw_licence(layout: bpy.types.UILayout, context: bpy.types.Context, licence: str) -> None:
    """Draw the licence, and below it the one thing in it that a user may not overlook."""
    draw_sentence(layout, context, label("Licence of the model: {licence}", licence=licence), "INFO")
    if is_non_commercial(licence):
        draw_sentence(layout, context, "For non-commercial use only", "BLANK1")


def is_non_commercial(licence: str) -> bool:
    """Whether some of the terms forbid commercial use; those of several data sets all hold."""
    return _NON_COMMERCIAL.search(licence) is not None


def short_licence(licence: str) -> str:
    """The terms without what stands in brackets: which data sets they are for, and where these come from.

    Where some of them forbid commercial use only those are said: what the others allow, they do not.
    """
    terms = [term.strip() for term in _IN_BRACKETS.sub("", licence).split(";")]
    return "; ".join([term for term in terms if is_non_commercial(term)] or terms)
