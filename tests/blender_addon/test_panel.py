# SPDX-License-Identifier: GPL-3.0-or-later
"""Panels and menus, drawn with a layout that remembers; every text of the interface; what the buttons hand on."""

from collections.abc import Callable, Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import bpy
import pytest

from . import rigs
from .layouts import Layout, drawn
from .texts import properties_of

pytestmark = pytest.mark.usefixtures("empty_scene")
Addon = Callable[[str], ModuleType]


def test_panels_draw(addon: Addon) -> None:
    panels = addon("panels")
    main = panels.PANACHE_PT_main
    assert drawn(main) == ["panache.stylize", "Select an armature"]
    assert not panels.PANACHE_PT_rig.poll(bpy.context)
    armature = rigs.mixamo()
    three = ["source", "style", "style", "amount", "panache.stylize"]
    assert drawn(main) == [*three, "panache.sample_variations", "variation_count"]
    bpy.ops.panache.stylize()
    assert drawn(main)[-3:] == ["panache.keep", "panache.revert", "panache.reapply"]
    bpy.ops.panache.detect_rig()
    assert "mixamorig:Hips" in drawn(panels.PANACHE_PT_bone_map)
    for panel in panels.PANELS:
        assert drawn(panel)
    assert drawn(panels.PANACHE_PT_mix, "draw_header") == ["use_mix"]
    armature.animation_data.action = None
    assert "Assign an action to the armature" in drawn(main)


def test_every_source_has_its_own_control(addon: Addon) -> None:
    settings = rigs.mixamo().panache
    main, seen = addon("panels").PANACHE_PT_main, {}
    for source in ("REFERENCE", "SAVED", "RANDOM"):
        settings.source = source
        seen[source] = drawn(main)
    assert "Choose the action to take the style from" in seen["REFERENCE"]
    assert "reference" in seen["REFERENCE"] and "panache.save_style" in seen["REFERENCE"]
    assert "Choose a saved style, or save one first" in seen["SAVED"]
    assert "panache.save_style" in seen["SAVED"] and "saved_choice" not in seen["SAVED"]
    assert "seed" in seen["RANDOM"]


def test_a_running_job_takes_the_place_of_the_buttons(addon: Addon) -> None:
    rigs.mixamo()
    job = addon("job.current").start("Stylize", work(addon("backend").Progress))
    try:
        job.advance(0.0)
        assert drawn(addon("panels").PANACHE_PT_main)[-2:] == ["Reading 25%", "panache.cancel"]
        assert "panache.stylize" not in drawn(addon("panels").PANACHE_PT_main)
    finally:
        job.end()
    assert "panache.stylize" in drawn(addon("panels").PANACHE_PT_main)


def work(progress: type) -> Iterator[Any]:
    yield progress(0.25, "Reading")
    yield progress(0.5, "Writing")


def test_variations_are_listed(addon: Addon) -> None:
    rigs.mixamo()
    bpy.ops.panache.sample_variations(count=3)
    content = drawn(addon("panels").PANACHE_PT_main)
    assert content.count("panache.keep_variation") == 3
    assert content[-1] == "panache.discard_variations"
    bpy.ops.panache.discard_variations()
    assert "panache.keep_variation" not in drawn(addon("panels").PANACHE_PT_main)


def test_a_missing_weight_file_blocks_the_button(addon: Addon, monkeypatch: pytest.MonkeyPatch) -> None:
    rigs.mixamo()
    monkeypatch.setenv("PANACHE_WEIGHTS", "/nowhere/at.all")
    assert any("weight file" in text for text in drawn(addon("panels").PANACHE_PT_main))


def test_every_operator_is_in_a_menu(addon: Addon) -> None:
    menu = drawn(addon("menu").PANACHE_MT_main)
    public = [cls for cls in classes_of(addon, bpy.types.Operator) if "INTERNAL" not in getattr(cls, "bl_options", ())]
    operators = {cls.bl_idname for cls in public}
    # Import and export have their place in the File menu.
    assert set(menu) == {name for name in operators if not name.endswith("_smpl")}
    assert len(menu) == len(set(menu))
    for parent in (bpy.types.VIEW3D_MT_pose, bpy.types.VIEW3D_MT_object_animation):
        assert addon("menu").draw_menu in parent._dyn_ui_initialize()


def classes_of(addon: Addon, kind: type) -> list[type]:
    return [cls for cls in addon("registration").CLASSES if issubclass(cls, kind)]


def test_everything_has_a_tooltip(addon: Addon) -> None:
    for cls in classes_of(addon, bpy.types.Operator):
        assert cls.bl_description and not cls.bl_description.endswith("."), cls
    for cls in addon("registration").CLASSES:
        for prop in properties_of(cls):
            assert prop.description and not prop.description.endswith("."), (cls, prop.identifier)
            for item in getattr(prop, "enum_items_static", ()):
                assert item.description and not item.description.endswith("."), (cls, prop.identifier, item.identifier)


SMALL = {"a", "an", "and", "as", "at", "by", "for", "in", "of", "on", "or", "the", "this", "to", "up", "with"}


def test_labels_are_in_title_case(addon: Addon) -> None:
    for cls in addon("registration").CLASSES:
        labels = [prop.name for prop in properties_of(cls)]
        if issubclass(cls, bpy.types.Operator | bpy.types.Panel | bpy.types.Menu):
            labels.append(cls.bl_label)
        for text in labels:
            words = [word for word in text.split() if word[0].isalpha()]
            assert all(word[0].isupper() or word in SMALL for word in words), (cls, text)


def test_the_panels_follow_the_order_of_work(addon: Addon) -> None:
    panels = classes_of(addon, bpy.types.Panel)
    assert [panel.bl_label for panel in panels] == [
        *("Panache", "Mix", "Rig", "Bone Map", "Root & Contacts", "Body Parts", "Keys", "Advanced")
    ]
    assert all("DEFAULT_CLOSED" in panel.bl_options for panel in panels[1:])


def test_body_parts_are_switched_one_by_one() -> None:
    settings = rigs.mixamo().panache
    assert list(settings.touches) == [True] * 5
    settings.touches[1] = False
    assert settings.parts == {"HEAD", "LEFT_ARM", "RIGHT_ARM", "LEGS"}
    settings.parts = {"LEGS"}
    assert list(settings.touches) == [False, False, False, False, True]


@pytest.mark.parametrize("width", [None, 180, 400])
def test_long_sentences_are_broken_into_lines(addon: Addon, width: int | None) -> None:
    region = width and SimpleNamespace(width=width)
    context = SimpleNamespace(region=region, preferences=bpy.context.preferences)
    layout, text = Layout(), "The rig does not come back exactly: check the bone map and the calibration frame."
    addon("sentences").draw_sentence(layout, context, text, "ERROR")
    assert " ".join(layout.content) == text
    assert len(layout.content) > 1


def test_every_button_of_the_sidebar_may_say_why_it_is_grey(addon: Addon) -> None:
    sidebar = SimpleNamespace(region=SimpleNamespace(type="UI"), view_layer=bpy.context.view_layer)
    armature = rigs.mixamo()
    armature.animation_data.action = None
    named = {cls.bl_idname: cls for cls in classes_of(addon, bpy.types.Operator)}
    about_the_clip = {"stylize", "sample_variations", "keep", "revert", "reapply", "preflight", "cancel"}
    for name in about_the_clip | {"keep_variation", "discard_variations", "delete_style"}:
        assert not named[f"panache.{name}"].poll(sidebar), name
    bpy.data.objects.remove(armature)
    for name in ("detect_rig", "save_style", "save_map", "load_map", "reset_map", "pick_calibration_frame"):
        assert not named[f"panache.{name}"].poll(sidebar), name


def asked(given: set[str] = frozenset()) -> SimpleNamespace:
    """An operator whose caller gave some of its properties."""
    return SimpleNamespace(properties=SimpleNamespace(is_property_set=lambda name: name in given))


def test_the_button_uses_the_panels_settings(addon: Addon) -> None:
    settings = rigs.mixamo().panache
    settings.amount, settings.seed, settings.root = 0.25, 7, "KEEP"
    settings.keys, settings.pin_end, settings.calibration_frame = "EVERY_FRAME", True, 4
    settings.weights, settings.parts = (1.0, 0.5, 0.0, 1.0, 1.0), {"HEAD", "TORSO"}
    settings.posture, settings.dynamics, settings.fade = 0.5, 1.25, False
    operator = asked({"seed"})
    addon("ordering").take_from_panel(operator, settings)
    assert (operator.amount, operator.root, operator.style) == (0.25, "KEEP", "elderly")
    assert (operator.keys, operator.pin_start, operator.pin_end) == ("EVERY_FRAME", False, True)
    assert (operator.calibration_frame, operator.parts) == (4, {"HEAD", "TORSO"})
    assert list(operator.weights) == [1.0, 0.5, 0.0, 1.0, 1.0]
    assert (operator.posture, operator.dynamics, operator.fade) == (0.5, 1.25, False)
    assert not hasattr(operator, "seed") and not hasattr(operator, "mix_style")


def test_a_mix_is_asked_for_only_where_it_is_switched_on(addon: Addon) -> None:
    settings, ordering = rigs.mixamo().panache, addon("ordering")
    settings.mix_choice, settings.mix = "exhausted", 0.25
    assert settings.mix_style == "exhausted"
    operator = asked()
    ordering.take_from_panel(operator, settings)
    assert not hasattr(operator, "mix")
    settings.use_mix = True
    ordering.take_from_panel(operator, settings)
    operator.mix_style, operator.mix = operator.mix_style, operator.mix
    found = ordering.order_of(operator_like(operator, ordering)).settings
    assert (found.mix_style, found.mix, found.mix_code) == ("exhausted", 0.25, ())


def operator_like(operator: SimpleNamespace, ordering: ModuleType) -> SimpleNamespace:
    """What take_from_panel leaves to the operator's defaults is for variations only."""
    names = [name for name in ordering.OrderProperties.__annotations__ if not hasattr(operator, name)]
    assert names == ["drawn"]
    operator.drawn = False
    return operator


def test_the_button_in_the_sidebar_is_grey_but_a_script_gets_a_sentence(addon: Addon) -> None:
    poll = addon("operators.stylize").PANACHE_OT_stylize.poll
    sidebar = {"region": SimpleNamespace(type="UI"), "view_layer": bpy.context.view_layer}
    assert not poll(SimpleNamespace(**sidebar))
    assert poll(SimpleNamespace(**sidebar | {"region": None}))
    with pytest.raises(RuntimeError, match="Error: Select"):
        bpy.ops.panache.stylize()
    rigs.mixamo()
    assert poll(SimpleNamespace(**sidebar))
