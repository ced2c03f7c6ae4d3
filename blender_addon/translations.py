# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts in the user's language: Blender translates labels and tooltips itself, this module sentences with values.

A language is a file in ``locale``: English text to translated text. What is missing there is shown in English.
"""

import json
from pathlib import Path
from typing import Final

import bpy

# The extension's own package is one above this one.
_EXTENSION: Final = __package__.rpartition(".")[0]
_FOLDER: Final = Path(__file__).parent / "locale"
# For words that mean something else to Blender, such as the style "Normal": it looks up nothing of its own here.
CONTEXT: Final = "Panache"
# Blender looks up what is on buttons of operators in a context of its own.
_CONTEXTS: Final = ("*", "Operator", CONTEXT)


def say(template: str, **values: object) -> str:
    """A report in the language of the interface; ``template`` is the English text with ``{names}`` for values."""
    return bpy.app.translations.pgettext_rpt(template).format(**values)


def label(template: str, **values: object) -> str:
    """As :func:`say`, for what is drawn in panels."""
    return bpy.app.translations.pgettext_iface(template).format(**values)


def shown(text: str, context: str = "*") -> str:
    """A text without values, which may have braces of its own, for what is drawn in panels."""
    return bpy.app.translations.pgettext_iface(text, context)


def noted(text: str) -> str:
    """The text itself: marks one that is translated later, where it is shown."""
    return text


def add_translations() -> None:
    """Make all languages known to Blender."""
    bpy.app.translations.register(_EXTENSION, _dictionary())


def remove_translations() -> None:
    """Mirror of :func:`add_translations`."""
    bpy.app.translations.unregister(_EXTENSION)


def _dictionary() -> dict[str, dict[tuple[str, str], str]]:
    return {
        path.stem: {
            (context, english): text
            for english, text in json.loads(path.read_text(encoding="utf-8")).items()
            for context in _CONTEXTS
        }
        for path in sorted(_FOLDER.glob("*.json"))
    }
