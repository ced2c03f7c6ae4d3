# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts in the user's language: Blender translates labels and tooltips itself, this module sentences with values."""

import bpy


def say(template: str, **values: object) -> str:
    """A sentence in the language of the interface; ``template`` is the English text with ``{names}`` for values."""
    return bpy.app.translations.pgettext_rpt(template).format(**values)
