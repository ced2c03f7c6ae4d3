# SPDX-License-Identifier: GPL-3.0-or-later
"""Panels, menus, registration, and what a file remembers."""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import addon_utils
import bpy
import pytest

from . import rigs
from .snapshot import keys_of, playing, scene_state

pytestmark = pytest.mark.usefixtures("empty_scene")
Addon = Callable[[str], ModuleType]


class Layout:
    """A layout that remembers its texts, properties and operators; Blender has no other without a window."""

    def __init__(self, content: list[str] | None = None) -> None:
        self.content = content if content is not None else []
        self.enabled = True

    def row(self, **_options: Any) -> "Layout":
        return Layout(self.content)

    column = split = row

    def label(self, *, text: str, **_options: Any) -> None:
        self.content.append(text)

    def prop(self, data: Any, name: str, **_options: Any) -> None:
        assert name in data.bl_rna.properties
        self.content.append(name)

    def prop_search(self, data: Any, name: str, source: Any, bones: str, **_options: Any) -> None:
        assert getattr(data, name) in {"", *getattr(source, bones).keys()}
        self.content.append(getattr(data, name))

    def operator(self, name: str, **_options: Any) -> None:
        assert hasattr(bpy.types, name.replace("panache.", "PANACHE_OT_"))
        self.content.append(name)

    def menu(self, name: str, **_options: Any) -> None:
        self.content.append(name)

    def separator(self) -> None:
        pass


def drawn(panel: type) -> list[str]:
    layout = Layout()
    panel.draw(SimpleNamespace(layout=layout), bpy.context)
    return layout.content


def test_panels_draw(addon: Addon) -> None:
    panel = addon("panel")
    assert "Select an armature" in drawn(panel.PANACHE_PT_main)
    assert not panel.PANACHE_PT_rig.poll(bpy.context)
    armature = rigs.mixamo()
    assert drawn(panel.PANACHE_PT_main) == ["style", "amount", "panache.stylize"]
    armature.panache.source = "REFERENCE"
    assert "Choose a reference action" in drawn(panel.PANACHE_PT_main)
    bpy.ops.panache.stylize()
    bpy.ops.panache.detect_rig()
    assert "panache.revert" in drawn(panel.PANACHE_PT_main)
    assert "mixamorig:Hips" in drawn(panel.PANACHE_PT_bone_map)
    for name in ("rig", "root", "keys", "parts", "advanced"):
        assert drawn(getattr(panel, f"PANACHE_PT_{name}"))
    armature.animation_data.action = None
    assert "Assign an action to the armature" in drawn(panel.PANACHE_PT_main)


def test_a_missing_weight_file_blocks_the_button(addon: Addon, monkeypatch: pytest.MonkeyPatch) -> None:
    rigs.mixamo()
    monkeypatch.setenv("PANACHE_WEIGHTS", "/nowhere/at.all")
    assert any("weight file" in text for text in drawn(addon("panel").PANACHE_PT_main))


def test_every_operator_is_in_a_menu(addon: Addon) -> None:
    menu = drawn(addon("menu").PANACHE_MT_main)
    classes = addon("registration").CLASSES
    operators = {cls.bl_idname for cls in classes if issubclass(cls, bpy.types.Operator)}
    # Import and export have their place in the File menu.
    assert set(menu) == {name for name in operators if not name.endswith("_smpl")}
    assert len(menu) == len(set(menu))
    for parent in (bpy.types.VIEW3D_MT_pose, bpy.types.VIEW3D_MT_object_animation):
        assert addon("menu").draw_menu in parent._dyn_ui_initialize()


def test_the_button_uses_the_panels_settings(addon: Addon) -> None:
    armature = rigs.mixamo()
    armature.panache.amount, armature.panache.seed, armature.panache.root = 0.25, 7, "KEEP"
    armature.panache.keys, armature.panache.pin_end, armature.panache.calibration_frame = "EVERY_FRAME", True, 4
    given = SimpleNamespace(is_property_set=lambda name: name == "seed")
    operator = SimpleNamespace(
        properties=given, reference="", execute=lambda _context: {"FINISHED"}, report=lambda _kind, _text: None
    )
    addon("operators.stylize").PANACHE_OT_stylize.invoke(operator, bpy.context, None)
    assert (operator.amount, operator.root, operator.style) == (0.25, "KEEP", "elderly")
    assert (operator.keys, operator.pin_start, operator.pin_end) == ("EVERY_FRAME", False, True)
    assert operator.calibration_frame == 4
    assert not hasattr(operator, "seed")


def test_texts_are_sentences_without_full_stops(addon: Addon) -> None:
    for cls in addon("registration").CLASSES:
        description = getattr(cls, "bl_description", "")
        assert not description.endswith(".")
        if issubclass(cls, bpy.types.Operator | bpy.types.Panel | bpy.types.Menu):
            small = {"on", "of", "to", "and", "or", "this", "as"}
            words = [word for word in cls.bl_label.split() if word[0].isalpha()]
            assert all(word[0].isupper() or word in small for word in words), cls.bl_label
        for prop in cls.bl_rna.properties:
            # Blender's own have theirs.
            assert not (prop.is_runtime and prop.description.endswith(".")), (cls, prop.identifier)


def test_the_panels_follow_the_order_of_work(addon: Addon) -> None:
    panels = [cls for cls in addon("registration").CLASSES if issubclass(cls, bpy.types.Panel)]
    assert [panel.bl_label for panel in panels][:3] == ["Panache", "Rig", "Bone Map"]
    assert all("DEFAULT_CLOSED" in panel.bl_options for panel in panels[1:])


@pytest.mark.parametrize("width", [None, 180, 400])
def test_long_sentences_are_broken_into_lines(addon: Addon, width: int | None) -> None:
    region = width and SimpleNamespace(width=width)
    context = SimpleNamespace(region=region, preferences=bpy.context.preferences)
    layout, text = Layout(), "The rig does not come back exactly: check the bone map and the calibration frame."
    addon("sentences").draw_sentence(layout, context, text, "ERROR")
    assert " ".join(layout.content) == text
    assert len(layout.content) > 1


def test_the_button_in_the_sidebar_is_grey_but_a_script_gets_a_sentence(addon: Addon) -> None:
    poll = addon("operators.stylize").PANACHE_OT_stylize.poll
    sidebar = {"region": SimpleNamespace(type="UI"), "view_layer": bpy.context.view_layer}
    assert not poll(SimpleNamespace(**sidebar))
    assert poll(SimpleNamespace(**sidebar | {"region": None}))
    with pytest.raises(RuntimeError, match="Error: Select"):
        bpy.ops.panache.stylize()
    rigs.mixamo()
    assert poll(SimpleNamespace(**sidebar))


def test_the_new_settings_are_kept_with_the_result() -> None:
    armature = rigs.walk_bvh(0.01, frames=60)
    settings = {"keys": "EVERY_FRAME", "key_angle": 0.02, "key_distance": 0.25, "pin_end": True, "calibration_frame": 7}
    assert bpy.ops.panache.stylize(**settings) == {"FINISHED"}
    stored = armature.animation_data.action["panache"]
    assert {name: stored[name] for name in settings} == pytest.approx(settings)
    assert not stored["pin_start"]


def test_the_calibration_frame_reaches_the_result() -> None:
    armature = rigs.walk_bvh(0.01, frames=60)
    original, results = armature.animation_data.action, []
    for frame in (-1, 20):
        armature.animation_data.action = original
        bpy.ops.panache.stylize(style="elderly", keys="EVERY_FRAME", calibration_frame=frame)
        results.append([p.co.y for curve in rigs.curves_of(armature) for p in curve.keyframe_points])
    assert results[0] != pytest.approx(results[1], abs=1e-3)


def test_a_calibration_frame_outside_the_action_is_refused() -> None:
    rigs.walk_bvh(0.01, frames=60)
    before = scene_state()
    with pytest.raises(RuntimeError, match="Calibration frame 90 .* from 1 to 60"):
        bpy.ops.panache.stylize(calibration_frame=90)
    assert scene_state() == before


def test_both_engines_give_the_same_keys(addon: Addon, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch", reason="this Blender's environment has no torch")
    armature, backend = rigs.mixamo(), addon("backend")
    found = []
    for has_torch in (True, False):
        monkeypatch.setattr(backend, "_has_torch", lambda has_torch=has_torch: has_torch)
        backend._engine.cache_clear()
        bpy.ops.panache.stylize(style="elderly")
        found.append([p.co.y for curve in rigs.curves_of(armature) for p in curve.keyframe_points])
        bpy.ops.panache.revert()
    backend._engine.cache_clear()
    assert found[0] == pytest.approx(found[1], abs=1e-3)


def test_a_saved_file_knows_the_way_back(tmp_path: Path) -> None:
    armature = rigs.mixamo()
    name, before, keys = armature.name, playing(armature), keys_of(armature)
    bpy.ops.panache.stylize(style="elderly")
    path = str(tmp_path / "scene.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.open_mainfile(filepath=path)
    bpy.ops.panache.revert()
    armature = bpy.data.objects[name]
    assert playing(armature) == before
    assert keys_of(armature) == keys


def test_off_and_on_again(extension: str) -> None:
    addon_utils.disable(extension)
    assert not hasattr(bpy.types.Object, "panache")
    addon_utils.enable(extension)
    rigs.mixamo()
    assert bpy.ops.panache.stylize() == {"FINISHED"}
