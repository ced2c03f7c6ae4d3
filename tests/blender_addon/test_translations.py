# SPDX-License-Identifier: GPL-3.0-or-later
"""Languages: every text of the interface has its translation, and Blender shows it when the language changes."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import bpy
import pytest

from models.bundle import read_bundle

from . import rigs
from .layouts import drawn
from .texts import texts_of_classes, texts_of_sources

pytestmark = pytest.mark.usefixtures("empty_scene")
Addon = Callable[[str], ModuleType]
ROOT = Path(__file__).parents[2]
LANGUAGES = sorted(path.stem for path in (ROOT / "blender_addon" / "locale").glob("*.json"))
# A text needs a translation only if it has words.
WORD = re.compile(r"[^\W\d_]{2,}")
VALUE = re.compile(r"\{\w*\}")


def table(language: str) -> dict[str, str]:
    return json.loads((ROOT / "blender_addon" / "locale" / f"{language}.json").read_text(encoding="utf-8"))


def all_texts(addon: Addon) -> set[str]:
    texts = {*texts_of_classes(addon("registration").CLASSES)}
    for package in ("blender_addon", "core"):
        texts |= {*texts_of_sources(ROOT / package)}
    return {text for text in texts if WORD.search(VALUE.sub("", text))}


@pytest.fixture
def german(extension: str) -> Iterator[None]:
    assert extension
    if not bpy.app.build_options.international:
        pytest.skip("Blender's Python module is built without languages; its windows have them")
    view = bpy.context.preferences.view
    view.language = "de_DE"
    view.use_translate_interface = view.use_translate_tooltips = view.use_translate_reports = True
    yield
    view.language = "en_US"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_translated(language: str, addon: Addon) -> None:
    missing = sorted(all_texts(addon) - table(language).keys())
    assert not missing, "\n" + "\n".join(missing)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_translation_is_of_a_text_that_is_gone(language: str, addon: Addon) -> None:
    assert not sorted(table(language).keys() - all_texts(addon) - style_titles(addon))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_style_is_translated(language: str, addon: Addon) -> None:
    assert not sorted(style_titles(addon) - table(language).keys())


def style_titles(addon: Addon) -> set[str]:
    """How the styles of the shipped weights are shown."""
    weights = (ROOT / "models" / "weights").glob("*.safetensors")
    return {addon("choices").style_title(style) for path in weights for style in read_bundle(path).info.styles}


@pytest.mark.parametrize("language", LANGUAGES)
def test_translations_have_the_same_values_and_no_full_stops(language: str) -> None:
    for english, text in table(language).items():
        assert sorted(VALUE.findall(english)) == sorted(VALUE.findall(text)), english
        assert text.strip() and text.endswith(".") == english.endswith("."), english


def test_the_dictionary_is_what_blender_asks_for(addon: Addon) -> None:
    known = addon("translations")._dictionary()
    assert sorted(known) == LANGUAGES
    for language, texts in known.items():
        for english, text in table(language).items():
            # On buttons of operators, and everywhere else.
            assert texts["Operator", english] == texts["*", english] == text


@pytest.mark.usefixtures("german")
def test_blender_shows_the_language(addon: Addon) -> None:
    translations = bpy.app.translations
    german = table("de_DE")
    assert translations.pgettext_iface("Stylize", "Operator") == german["Stylize"] != "Stylize"
    assert translations.pgettext_iface("Root & Contacts") == german["Root & Contacts"]
    tooltip = addon("operators.stylize").PANACHE_OT_stylize.bl_description
    assert translations.pgettext_tip(tooltip) == german[tooltip]
    assert drawn(addon("panels").PANACHE_PT_main)[-1] == german["Select an armature"]


@pytest.mark.usefixtures("german")
def test_sentences_with_values_are_translated(addon: Addon) -> None:
    say = addon("translations").say
    template = 'The armature plays "{name}"; the original is kept'
    assert say(template, name="Walk {1}") == table("de_DE")[template].format(name="Walk {1}")


def test_a_text_without_a_translation_stays(addon: Addon) -> None:
    assert addon("translations").say("Not there: {what}", what=1) == "Not there: 1"
    assert addon("translations").shown("{braces} of its own") == "{braces} of its own"


@pytest.mark.usefixtures("german")
def test_off_and_on_again_in_another_language(addon: Addon) -> None:
    translations = addon("translations")
    translations.remove_translations()
    assert bpy.app.translations.pgettext_iface("Root & Contacts") == "Root & Contacts"
    translations.add_translations()
    assert bpy.app.translations.pgettext_iface("Root & Contacts") != "Root & Contacts"


@pytest.mark.usefixtures("german")
def test_a_run_in_another_language() -> None:
    armature = rigs.mixamo()
    assert bpy.ops.panache.stylize(style="elderly") == {"FINISHED"}
    assert armature.animation_data.action.name.endswith("Elderly")
