# SPDX-License-Identifier: GPL-3.0-or-later
"""Weights without a single label: styles come from other actions, from saved styles and by chance."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import bpy
import numpy as np
import pytest

from . import rigs
from .layouts import drawn
from .snapshot import keys_of, scene_state
from .test_bad_input import link
from .weights import write_test_weights

pytestmark = pytest.mark.usefixtures("empty_scene", "unlabelled")
Addon = Callable[[str], ModuleType]
NO_STYLES = "This model has no styles of its own: choose Action, Saved or Random as the source"
ONE_RESULT = "A saved style gives one result only: choose Action or Random as the source"


@pytest.fixture
def unlabelled(tmp_path: Path, extension: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Such weights, and no saved styles before and after."""
    monkeypatch.setenv("PANACHE_WEIGHTS", str(write_test_weights(tmp_path / "unlabelled.safetensors", styles=())))
    yield
    folder = Path(bpy.utils.extension_path_user(extension, path="styles", create=True))
    for path in folder.iterdir():
        path.unlink()
    os.utime(folder, (0, 0))


def with_reference() -> tuple[bpy.types.Object, bpy.types.Action]:
    """A character, and the action of another one."""
    reference = rigs.walk_bvh(0.01, frames=60).animation_data.action
    return rigs.mixamo(), reference


def stylized(armature: bpy.types.Object, **settings: Any) -> list[float]:
    """Values of all keys of a result, of which nothing is left."""
    assert bpy.ops.panache.stylize(keys="EVERY_FRAME", **settings) == {"FINISHED"}
    values = [point.co.y for curve in rigs.curves_of(armature) for point in curve.keyframe_points]
    bpy.ops.panache.revert()
    return values


def sidebar() -> SimpleNamespace:
    return SimpleNamespace(region=SimpleNamespace(type="UI"), view_layer=bpy.context.view_layer)


def why(addon: Addon, reason: str) -> str:
    """What the tooltip of a button in the sidebar says, empty if it can be pressed."""
    said: list[str] = []
    operator = SimpleNamespace(poll_message_set=said.append)
    blocking = addon("blocking")
    assert blocking.greyed(operator, sidebar(), getattr(blocking, reason)) == bool(said)
    return "".join(said)


def test_a_reference_gives_its_style() -> None:
    armature, reference = with_reference()
    original = keys_of(armature)
    other = armature.animation_data.action.copy()
    # Nobody says that the style is to come from an action.
    results = [stylized(armature, reference=action.name) for action in (reference, other, reference)]
    assert keys_of(armature) == original
    assert results[0] == results[2] != pytest.approx(results[1], abs=1e-3)
    assert stylized(armature, source="REFERENCE", reference=reference.name) == results[0]


def test_what_a_run_needs_is_said_and_nothing_else_happens() -> None:
    armature, _ = with_reference()
    before = scene_state()
    with pytest.raises(RuntimeError, match=r"Choose the action to take the style from\."):
        bpy.ops.panache.stylize()
    with pytest.raises(RuntimeError, match='There is no action "Gone"'):
        bpy.ops.panache.stylize(reference="Gone")
    for call in (bpy.ops.panache.stylize, bpy.ops.panache.sample_variations):
        with pytest.raises(RuntimeError, match=NO_STYLES):
            call(source="LABEL", style="elderly")
    with pytest.raises(RuntimeError, match='no saved style "elderly"'):
        bpy.ops.panache.stylize(source="RANDOM", mix_style="elderly", mix=0.5)
    assert scene_state() == before
    assert armature.panache.source == "LABEL"  # as it is by default, and nobody wrote to it


def test_a_result_of_a_label_cannot_be_made_again_but_says_why(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    rigs.mixamo()
    with monkeypatch.context() as labelled:
        labelled.setenv("PANACHE_WEIGHTS", str(write_test_weights(tmp_path / "labelled.safetensors")))
        assert bpy.ops.panache.stylize(style="elderly") == {"FINISHED"}
    before = scene_state()
    with pytest.raises(RuntimeError, match=NO_STYLES):
        bpy.ops.panache.reapply()
    assert scene_state() == before


def test_a_random_style_follows_its_seed() -> None:
    armature = rigs.mixamo()
    one, other, again = (stylized(armature, source="RANDOM", seed=seed) for seed in (1, 2, 1))
    assert one == again != pytest.approx(other, abs=1e-3)


def test_variations_are_drawn_at_random(addon: Addon) -> None:
    armature = rigs.walk_bvh(0.01)
    assert bpy.ops.panache.sample_variations(count=3, seed=4) == {"FINISHED"}
    shown = addon("variations.state").active()
    assert [(entry.seed, entry.style) for entry in shown.entries] == [(4, "Random"), (5, "Random"), (6, "Random")]
    for one, other in ((0, 1), (1, 2), (0, 2)):
        assert np.abs(shown.points[one] - shown.points[other]).max() > 0.01
    assert bpy.ops.panache.keep_variation(index=1) == {"FINISHED"}
    kept = keys_of(armature)
    bpy.ops.panache.revert()
    assert bpy.ops.panache.stylize(source="RANDOM", seed=5) == {"FINISHED"}
    assert keys_of(armature) == kept


def test_a_saved_style_gives_no_variations_and_an_action_does(addon: Addon) -> None:
    armature, reference = with_reference()
    settings = armature.panache
    assert bpy.ops.panache.save_style(name="Calm", reference=reference.name) == {"FINISHED"}
    settings.unlabelled_source, settings.saved = "SAVED", "Calm"
    with pytest.raises(RuntimeError, match=ONE_RESULT):
        bpy.ops.panache.sample_variations(count=2, source="SAVED", style="Calm")
    assert why(addon, "unvaried_reason") == ONE_RESULT
    assert not addon("operators.sample_variations").PANACHE_OT_sample_variations.poll(sidebar())
    assert why(addon, "blocked_reason") == ""
    settings.variation_count = 1
    assert why(addon, "unvaried_reason") == ""
    settings.variation_count, settings.unlabelled_source = 4, "RANDOM"
    assert why(addon, "unvaried_reason") == ""
    assert bpy.ops.panache.sample_variations(count=2, source="REFERENCE", reference=reference.name) == {"FINISHED"}
    bpy.ops.panache.discard_variations()


def test_the_panel_offers_what_there_is(addon: Addon) -> None:
    armature, reference = with_reference()
    settings, main = armature.panache, addon("panels").PANACHE_PT_main
    offered = settings.bl_rna.properties["unlabelled_source"].enum_items
    assert [item.identifier for item in offered] == ["REFERENCE", "SAVED", "RANDOM"]
    begun = ["unlabelled_source", "reference", "panache.save_style", "amount", "panache.stylize"]
    assert drawn(main)[: len(begun)] == begun
    assert "Choose the action to take the style from" in drawn(main)
    assert why(addon, "blocked_reason") == "Choose the action to take the style from"
    settings.reference = reference
    assert why(addon, "blocked_reason") == ""
    for source, control in (("SAVED", "panache.save_style"), ("RANDOM", "seed"), ("REFERENCE", "reference")):
        settings.unlabelled_source = source
        assert settings.source == settings.unlabelled_source == source
        assert control in drawn(main) and "style" not in drawn(main) and "source" not in drawn(main)
    for panel in addon("panels").PANELS:
        assert drawn(panel)


def test_there_are_no_thumbnails_and_nobody_minds(addon: Addon) -> None:
    settings = rigs.mixamo().panache
    assert addon("choices").style_items(settings, bpy.context) == []
    assert addon("choices").panel_style(settings) == ""


def test_the_button_uses_what_the_panel_shows(addon: Addon) -> None:
    armature, reference = with_reference()
    armature.panache.reference = reference
    operator = SimpleNamespace(properties=SimpleNamespace(is_property_set=lambda _name: False))
    addon("ordering").take_from_panel(operator, armature.panache)
    assert (operator.source, operator.style, operator.reference) == ("REFERENCE", "", reference.name)


def test_a_label_of_an_older_file_is_named_and_replaced(addon: Addon, tmp_path: Path) -> None:
    armature = rigs.mixamo()
    name, armature.panache.source = armature.name, "LABEL"
    path = str(tmp_path / "older.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.open_mainfile(filepath=path)
    armature = bpy.data.objects[name]
    bpy.context.view_layer.objects.active = armature
    main = addon("panels").PANACHE_PT_main
    assert why(addon, "blocked_reason") == why(addon, "unvaried_reason") == NO_STYLES
    assert " ".join(drawn(main)).count(NO_STYLES) == 1
    assert "style" not in drawn(main)
    armature.panache.unlabelled_source = "RANDOM"
    assert why(addon, "blocked_reason") == why(addon, "unvaried_reason") == ""
    with pytest.raises(RuntimeError, match=NO_STYLES):
        bpy.ops.panache.stylize(source="LABEL")


def test_the_choice_on_a_library_override_is_kept(addon: Addon, tmp_path: Path) -> None:
    armature = rigs.mixamo()
    # Blender 5 loses, on loading, an override of settings that the library's object never had.
    name, armature.panache.seed = armature.name, 1
    override = link(armature, tmp_path).override_create(remap_local_usages=True)
    override.override_library.is_system_override = False
    if override.name not in bpy.context.scene.collection.objects:
        bpy.context.scene.collection.objects.link(override)
    assert override.panache.unlabelled_source == "REFERENCE"
    override.panache.unlabelled_source = "RANDOM"
    path = str(tmp_path / "scene.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.open_mainfile(filepath=path)
    again = next(obj for obj in bpy.data.objects if obj.name == name and obj.override_library)
    bpy.context.view_layer.objects.active = again
    assert again.panache.source == again.panache.unlabelled_source == "RANDOM"
    assert why(addon, "blocked_reason") == ""


def test_a_saved_style_is_used_and_mixed(addon: Addon) -> None:
    armature, reference = with_reference()
    settings, mix = armature.panache, addon("panels").PANACHE_PT_mix
    settings.reference, settings.use_mix = reference, True
    assert drawn(mix) == ["panache.save_style"]
    assert why(addon, "blocked_reason") == "Choose a saved style to mix in, or switch Mix off"
    assert bpy.ops.panache.save_style(name="Walk", reference=reference.name, refine=True) == {"FINISHED"}
    assert drawn(mix) == ["mix_choice", "mix"]
    settings.mix_choice = "Walk"
    assert settings.mix_style == settings.mix_choice == "Walk"
    assert why(addon, "blocked_reason") == ""
    saved, drawn_one = (stylized(armature, **one) for one in (
        {"source": "SAVED", "style": "Walk"},
        {"source": "RANDOM", "seed": 3},
    ))  # fmt: skip
    half = stylized(armature, source="RANDOM", seed=3, mix_style="Walk", mix=0.5)
    assert half != pytest.approx(saved, abs=1e-3) and half != pytest.approx(drawn_one, abs=1e-3)
    assert stylized(armature, source="RANDOM", seed=3, mix_style="Walk", mix=1.0) == pytest.approx(saved, abs=1e-4)


def test_the_engine_checks_itself() -> None:
    assert bpy.ops.panache.check_engine() == {"FINISHED"}


def test_preflight_and_warnings_need_no_label(addon: Addon) -> None:
    rigs.walk_bvh(0.01, frames=60)
    backend = addon("backend")
    assert (backend.has_weights(), backend.style_names()) == (True, ())
    assert bpy.ops.panache.preflight() == {"FINISHED"}
