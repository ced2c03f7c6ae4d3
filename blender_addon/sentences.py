# SPDX-License-Identifier: GPL-3.0-or-later
"""Sentences in panels, which Blender itself would cut off at the edge of the sidebar."""

import textwrap
from typing import Final

import bpy

from .translations import shown

# Pixels of one letter and of icon and margins, at a user interface scale of 1.
_LETTER: Final = 6.6
_MARGIN: Final = 52
_NARROWEST: Final = 16
_UNKNOWN_WIDTH: Final = 40


def draw_sentence(layout: bpy.types.UILayout, context: bpy.types.Context, text: str, icon: str) -> None:
    """Labels below each other, as many as the sentence needs in this region."""
    column = layout.column(align=True)
    # Closer together than rows of buttons, so that the lines read as one sentence.
    column.scale_y = 0.8
    # Names of actions and licences are read better in one piece than torn apart at a hyphen.
    lines = textwrap.wrap(shown(text), _letters(context), break_on_hyphens=False)
    for number, line in enumerate(lines):
        column.label(text=line, translate=False, icon="BLANK1" if number else icon)


def _letters(context: bpy.types.Context) -> int:
    """How many letters fit beside an icon."""
    scale = context.preferences.system.ui_scale
    if context.region is None or not scale:
        return _UNKNOWN_WIDTH
    return max(int((context.region.width / scale - _MARGIN) / _LETTER), _NARROWEST)
