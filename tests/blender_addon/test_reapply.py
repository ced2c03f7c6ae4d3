# SPDX-License-Identifier: GPL-3.0-or-later
"""Re-apply: the run that a result remembers, once more, bit for bit."""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import bpy
import pytest

from . import control_rigs, rigs
from .snapshot import keys_of
from .stage import stack
from .test_amount import everything, key_amount, same, stylized

pytestmark = pytest.mark.usefixtures("empty_scene")
Addon = Callable[[str], ModuleType]


@pytest.mark.parametrize(
    "settings",
    [
        {"source": "RANDOM", "seed": 7, "keys": "EVERY_FRAME", "root": "IN_PLACE", "contacts": False},
        {"style": "elderly", "parts": {"HEAD", "LEFT_ARM"}, "pin_start": True, "amount": 1.4, "key_angle": 0.02},
        {"style": "active", "amount": 0.4, "calibration_frame": 3},
        {"style": "elderly", "posture": 0.5, "dynamics": 1.25, "fade": False},
    ],
)
def test_the_same_result_again(addon: Addon, settings: dict[str, object]) -> None:
    armature = rigs.mixamo(rigs.MODES)
    first = stylized(addon, armature, **settings)
    assert bpy.ops.panache.reapply() == {"FINISHED"}
    second = armature.animation_data.action
    assert second is not first and same(addon, first, second)
    assert addon("reapplying").order_of(first).settings == addon("reapplying").order_of(second).settings


def test_another_engine_is_named(addon: Addon) -> None:
    armature = rigs.mixamo()
    first = stylized(addon, armature)
    backend, again = addon("backend"), addon("reapplying").reapply_steps
    own = backend.engine().software
    assert first["panache"]["software"] == own
    assert backend.finish(again(bpy.context)).endswith("made again")
    armature.animation_data.action["panache"]["software"] = "onnxruntime 1.20.1"
    said = backend.finish(again(bpy.context))
    assert said.endswith(f"; onnxruntime 1.20.1 computed it before and {own} now, so the last digits may differ")
    # Results of older versions do not say.
    del armature.animation_data.action["panache"]["software"]
    assert backend.finish(again(bpy.context)).endswith("made again")


def test_the_amount_and_its_keys_are_kept(addon: Addon) -> None:
    armature = rigs.mixamo()
    first = stylized(addon, armature)
    armature.panache.amount = 0.35
    assert bpy.ops.panache.reapply() == {"FINISHED"}
    bpy.context.view_layer.update()
    second = armature.animation_data.action
    assert same(addon, first, second) and armature.panache.amount == pytest.approx(0.35)
    key_amount(armature, (1, 0.1), (15, 1.1))
    assert bpy.ops.panache.reapply() == {"FINISHED"}
    bpy.context.view_layer.update()
    assert keys_of(armature) == keys_of(armature, second)


def test_after_reload_and_append(addon: Addon, tmp_path: Path) -> None:
    armature = rigs.mixamo()
    name = armature.name
    stylized(addon, armature, source="RANDOM", seed=11)
    wanted = keys_of(armature)
    path = str(tmp_path / "saved.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.open_mainfile(filepath=path)
    armature = bpy.data.objects[name]
    bpy.context.view_layer.objects.active = armature
    assert bpy.ops.panache.reapply() == {"FINISHED"}
    assert keys_of(armature) == wanted
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    with bpy.data.libraries.load(path) as (_, wished):
        wished.objects = [name]
    armature = wished.objects[0]
    bpy.context.scene.collection.objects.link(armature)
    bpy.context.view_layer.objects.active = armature
    bpy.context.view_layer.update()
    assert bpy.ops.panache.reapply() == {"FINISHED"}
    assert keys_of(armature) == wanted


def test_a_renamed_reference_is_found(addon: Addon) -> None:
    armature = rigs.mixamo()
    reference = armature.animation_data.action.copy()
    reference.name = "Reference"
    first = stylized(addon, armature, source="REFERENCE", reference="Reference")
    reference.name = "Renamed"
    assert bpy.ops.panache.reapply() == {"FINISHED"}
    assert same(addon, first, armature.animation_data.action)
    bpy.data.actions.remove(reference)
    with pytest.raises(RuntimeError, match="Reference|Renamed"):
        bpy.ops.panache.reapply()


def test_an_edited_result_stays_and_the_original_is_run_again(addon: Addon) -> None:
    armature = rigs.mixamo()
    first = stylized(addon, armature)
    wanted = everything(addon, first)
    curve = next(curve for curve in rigs.curves_of(armature) if "Head" in curve.data_path)
    curve.keyframe_points[2].co.y += 0.3
    curve.update()
    bpy.context.view_layer.update()
    assert bpy.ops.panache.reapply() == {"FINISHED"}
    made = everything(addon, armature.animation_data.action)
    assert made.keys() == wanted.keys() and all(own.equals(wanted[place]) for place, own in made.items())
    assert first.name in bpy.data.actions and first.use_fake_user


def test_another_model_is_said(addon: Addon) -> None:
    armature = rigs.mixamo()
    action = stylized(addon, armature)
    action["panache"]["model_version"] = "another"
    said = addon("backend").finish(addon("reapplying").reapply_steps(bpy.context))
    assert "may differ" in said and armature.animation_data.action is not action
    said = addon("backend").finish(addon("reapplying").reapply_steps(bpy.context))
    assert "differ" not in said


def test_without_an_original_a_sentence(addon: Addon) -> None:
    armature = rigs.mixamo()
    with pytest.raises(RuntimeError, match="not made by Panache"):
        bpy.ops.panache.reapply()
    original = armature.animation_data.action
    stylized(addon, armature)
    bpy.data.actions.remove(original)
    for operator in (bpy.ops.panache.reapply, bpy.ops.panache.revert):
        with pytest.raises(RuntimeError, match="no longer in this file"):
            operator()


def test_a_stack_and_a_control_rig(addon: Addon) -> None:
    armature = stack()
    first = stylized(addon, armature)
    wanted = everything(addon, first)
    assert bpy.ops.panache.reapply() == {"FINISHED"}
    made = everything(addon, addon("amount").played_result(armature))
    assert [own.equals(other) for own, other in zip(wanted.values(), made.values(), strict=True)] == [True] * len(made)
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    armature, _ = control_rigs.copied(addon)
    first = stylized(addon, armature)
    assert bpy.ops.panache.reapply() == {"FINISHED"}
    assert same(addon, first, armature.animation_data.action)
