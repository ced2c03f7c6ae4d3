# SPDX-License-Identifier: GPL-3.0-or-later
"""Registration, and what a file remembers."""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import addon_utils
import bpy
import pytest

from . import rigs
from .snapshot import keys_of, playing, scene_state

pytestmark = pytest.mark.usefixtures("empty_scene")
Addon = Callable[[str], ModuleType]


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
