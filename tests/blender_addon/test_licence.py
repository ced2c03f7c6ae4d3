# SPDX-License-Identifier: GPL-3.0-or-later
"""What may be done with the weights is said in the panel and in the preferences, and what it means."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import bpy
import pytest

from models.bundle import read_bundle, write_bundle

from . import rigs
from .layouts import Layout, drawn
from .weights import write_test_weights

pytestmark = pytest.mark.usefixtures("empty_scene")
Addon = Callable[[str], ModuleType]
SHIPPED = Path(__file__).parents[2] / "models" / "weights" / "bandai-namco.safetensors"
NOT_FOR_SALE = "For non-commercial use only"
FREE = (
    "free for all uses, but not to be resold as data (mocap.cs.cmu.edu, NSF EIA-0196217) (cmu); MIT (reactidle); "
    "CC BY 4.0 (100style); CC0 1.0 (cc0)"
)


def under(licence: str, path: Path) -> str:
    """Weights with this licence."""
    bundle = read_bundle(write_test_weights(path))
    write_bundle(path, replace(bundle, info=replace(bundle.info, licence=licence)))
    return str(path)


def shown(addon: Addon) -> str:
    """What the panel says below the self-test, as one text."""
    rigs.mixamo()
    content = drawn(addon("panels").PANACHE_PT_advanced)
    return " ".join(content[content.index("panache.check_engine") + 1 :])


def test_the_shipped_weights_say_that_they_are_not_for_commercial_use(
    addon: Addon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PANACHE_WEIGHTS", str(SHIPPED))
    assert shown(addon) == f"Licence of the model: CC BY-NC 4.0 {NOT_FOR_SALE}"
    # The panel that is always open has nothing of it.
    assert not any("icence" in text or "commercial" in text for text in drawn(addon("panels").PANACHE_PT_main))


def test_free_weights_are_named_and_not_warned_of(
    addon: Addon, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PANACHE_WEIGHTS", under(FREE, tmp_path / "free.safetensors"))
    short = "free for all uses, but not to be resold as data; MIT; CC BY 4.0; CC0 1.0"
    assert shown(addon) == f"Licence of the model: {short}"


def test_the_strictest_terms_of_several_hold(addon: Addon, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PANACHE_WEIGHTS", under("CC BY 4.0 (a); CC BY-NC 4.0 (b)", tmp_path / "both.safetensors"))
    assert shown(addon) == f"Licence of the model: CC BY-NC 4.0 {NOT_FOR_SALE}"


@pytest.mark.parametrize(
    ("licence", "forbids"),
    [
        ("CC BY-NC 4.0", True),
        ("CC-BY-NC-SA-4.0", True),
        ("my own, non-commercial", True),
        ("for noncommercial research", True),
        ("CC BY 4.0", False),
        ("CC0 1.0, from NCSU", False),
        ("free, commercial use too", False),
    ],
)
def test_what_is_not_for_commercial_use(addon: Addon, licence: str, forbids: bool) -> None:
    assert addon("licence").is_non_commercial(licence) == forbids


def test_the_preferences_say_it_in_full(addon: Addon, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    licence = f"CC BY-NC 4.0 (bandai-2); {FREE}"
    monkeypatch.setenv("PANACHE_WEIGHTS", under(licence, tmp_path / "mixed.safetensors"))
    layout = Layout()
    addon("preferences")._draw_model(layout, bpy.context)
    assert " ".join(layout.content) == f"Model mixed, trained on none Licence of the model: {licence} {NOT_FOR_SALE}"


def test_weights_that_cannot_be_read_have_none(addon: Addon, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PANACHE_WEIGHTS", "/nowhere/at.all")
    assert shown(addon) == ""
