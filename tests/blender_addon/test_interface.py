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
from .snapshot import keys_of, playing

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

    def operator(self, name: str, **_options: Any) -> None:
        self.content.append(name)

    menu = operator

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
    assert "mixamorig:Hips" in drawn(panel.PANACHE_PT_rig)
    for name in ("root", "parts", "advanced"):
        assert drawn(getattr(panel, f"PANACHE_PT_{name}"))
    armature.animation_data.action = None
    assert "Assign an action to the armature" in drawn(panel.PANACHE_PT_main)


def test_a_missing_weight_file_blocks_the_button(addon: Addon, monkeypatch: pytest.MonkeyPatch) -> None:
    rigs.mixamo()
    monkeypatch.setenv("PANACHE_WEIGHTS", "/nowhere/at.all")
    assert any("weight file" in text for text in drawn(addon("panel").PANACHE_PT_main))


def test_every_operator_is_in_a_menu(addon: Addon) -> None:
    menu = drawn(addon("menu").PANACHE_MT_main)
    assert menu == ["panache.stylize", "panache.revert", "panache.detect_rig"]
    for parent in (bpy.types.VIEW3D_MT_pose, bpy.types.VIEW3D_MT_object_animation):
        assert addon("menu").draw_menu in parent._dyn_ui_initialize()


def test_the_button_uses_the_panels_settings(addon: Addon) -> None:
    armature = rigs.mixamo()
    armature.panache.amount, armature.panache.seed, armature.panache.root = 0.25, 7, "KEEP"
    given = SimpleNamespace(is_property_set=lambda name: name == "seed")
    operator = SimpleNamespace(properties=given, reference="", execute=lambda _context: {"FINISHED"})
    addon("operators.stylize").PANACHE_OT_stylize.invoke(operator, bpy.context, None)
    assert (operator.amount, operator.root, operator.style) == (0.25, "KEEP", "elderly")
    assert not hasattr(operator, "seed")


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
