# SPDX-License-Identifier: GPL-3.0-or-later
"""Amount after the run: the slider, its keys, and what becomes of them in files, copies and undo."""

import itertools
from collections.abc import Callable
from types import ModuleType
from typing import Any

import bpy
import numpy as np
import pytest

from . import control_rigs, rigs
from .snapshot import keys_of
from .stage import shown, stack

pytestmark = pytest.mark.usefixtures("empty_scene")
Addon = Callable[[str], ModuleType]
Build = Callable[[], bpy.types.Object]


def mixed() -> bpy.types.Object:
    return rigs.mixamo(rigs.MODES)


def captured() -> bpy.types.Object:
    return rigs.walk_bvh(0.01, "NATIVE")


def decorated() -> bpy.types.Object:
    """Modifiers, stepped keys, other easings, a muted and a baked curve, and a bone without keys on one axis."""
    armature = rigs.mixamo(("XYZ", "QUATERNION"))
    curves = [curve for curve in rigs.curves_of(armature) if "finger" not in curve.data_path]
    for curve, kind in zip(curves[::7], itertools.cycle(("NOISE", "GENERATOR", "ENVELOPE", "CYCLES")), strict=False):
        modifier = curve.modifiers.new(kind)
        if kind == "ENVELOPE":
            modifier.control_points.add(4.0)
            modifier.control_points.foreach_set("min", [-0.4])
        elif kind == "NOISE":
            modifier.strength = 0.05
        elif kind == "GENERATOR":
            modifier.coefficients[0] = 0.01
    for curve in curves[3::9]:
        for point in curve.keyframe_points:
            point.interpolation = "ELASTIC"
    curves[5].mute = True
    curves[11].convert_to_samples(1, 24)
    return armature


def stylized(addon: Addon, armature: bpy.types.Object, **settings: Any) -> bpy.types.Action:
    """The result of a run, with its companion."""
    assert bpy.ops.panache.stylize(**({"style": "exhausted", "seed": 3} | settings)) == {"FINISHED"}
    action = addon("amount").played_result(armature)
    if "shown" not in action["panache"]:
        addon("amount").keep_full(action, max(1.0, settings.get("amount", 1.0)))
        addon("amount").show(action, settings.get("amount", 1.0))
    bpy.context.view_layer.update()
    return action


def everything(addon: Addon, action: bpy.types.Action) -> dict[Any, Any]:
    """All curves but the slider's, with all that they have."""
    placed = addon("compat").placed_fcurves(action)
    read = addon("amount.curves").read_curve
    return {place: read(curve) for place, curve in placed.items() if place[1] != "panache.amount"}


def same(addon: Addon, one: bpy.types.Action, other: bpy.types.Action) -> bool:
    first, second = everything(addon, one), everything(addon, other)
    return first.keys() == second.keys() and all(curve.equals(second[place]) for place, curve in first.items())


def worst(addon: Addon, action: bpy.types.Action, shares: np.ndarray | float) -> tuple[float, float]:
    """Largest and mean deviation, degrees, of played rotations from the frame-wise blend on whole frames."""
    blending, curves = addon("backend").blending, addon("compat").placed_fcurves(action)
    found = []
    for change in addon("amount.changes").CACHE.changes(action):
        given = change.track.given
        if not given.mode:
            continue
        rows = np.flatnonzero(given.times == np.round(given.times))
        own = shares if np.isscalar(shares) else np.interp(given.times, np.arange(len(shares)) + 1.0, shares)
        wanted = blending.framewise(change.track, own)[rows]
        played = wanted.copy()
        for index in range(wanted.shape[1]):
            curve = curves.get((change.slot, change.path, index))
            if curve is not None:
                played[:, index] = [curve.evaluate(time) for time in given.times[rows]]
        found.append(np.degrees(blending.distance(given.mode, played, wanted)))
    return max(own.max() for own in found), float(np.mean([own.mean() for own in found]))


@pytest.mark.parametrize("keys", ["SPARSE", "EVERY_FRAME"])
@pytest.mark.parametrize("build", [rigs.mixamo, mixed, captured, decorated, rigs.metarig])
def test_the_slider_is_exact_at_both_ends_and_close_between(addon: Addon, build: Build, keys: str) -> None:
    armature = build()
    original = armature.animation_data.action
    action = stylized(addon, armature, keys=keys)
    full = action["panache"]["full"]
    assert same(addon, action, full) and not same(addon, action, original)
    for amount in (0.5, 0.0, 1.5, 0.25, 1.0, 0.0, 0.7):
        armature.panache.amount = amount
        assert addon("amount").locked_reason(armature) == ""
        assert same(addon, action, original) == (amount == 0.0)
        assert same(addon, action, full) == (amount == 1.0)
        if amount not in (0.0, 1.0):
            assert worst(addon, action, amount)[0] < 0.6
        assert not addon("record").is_edited(action)


def test_what_is_shown_does_not_depend_on_what_was(addon: Addon) -> None:
    armature = mixed()
    action = stylized(addon, armature)
    armature.panache.amount = 0.5
    wanted = keys_of(armature, action)
    for amount in (0.0, 0.9, 1.0, 1.3):
        armature.panache.amount = amount
        armature.panache.amount = 0.5
        assert keys_of(armature, action) == wanted


def test_half_an_amount_is_half_the_turn(addon: Addon) -> None:
    armature = rigs.mixamo()
    original = armature.animation_data.action
    action = stylized(addon, armature, keys="EVERY_FRAME")
    path = 'pose.bones["mixamorig:Head"].rotation_quaternion'

    def turns(source: bpy.types.Action) -> np.ndarray:
        own = {curve.array_index: curve for curve in rigs.curves_of(armature, source) if curve.data_path == path}
        return np.array([[own[i].evaluate(frame) for i in range(4)] for frame in range(1, 24)])

    rot = addon("backend").rotations
    before, after = (rot.normalize(turns(source)) for source in (original, action))
    armature.panache.amount = 0.5
    wanted = rot.angle_between(before, after) / 2.0
    assert np.allclose(rot.angle_between(before, rot.normalize(turns(action))), wanted, atol=1e-4)
    assert wanted.max() > 0.01


def test_a_run_beyond_full_is_computed_there(addon: Addon) -> None:
    armature = rigs.mixamo()
    action = stylized(addon, armature, amount=1.3)
    assert action["panache"]["computed"] == pytest.approx(1.3)
    assert armature.panache.amount == pytest.approx(1.3)
    armature.panache.amount = 0.65
    assert worst(addon, action, 0.5)[0] < 0.6


def test_controls_of_a_rig_that_copies_are_blended(addon: Addon) -> None:
    armature, _ = control_rigs.copied(addon, rigs.MODES)
    original = armature.animation_data.action
    action = stylized(addon, armature)
    full = action["panache"]["full"]
    armature.panache.amount = 0.5
    assert worst(addon, action, 0.5)[0] < 0.6
    armature.panache.amount = 0.0
    assert same(addon, action, original)
    armature.panache.amount = 1.0
    assert same(addon, action, full)


def test_edited_keys_are_never_overwritten(addon: Addon) -> None:
    armature = rigs.mixamo()
    action = stylized(addon, armature)
    curve = next(curve for curve in rigs.curves_of(armature) if "Head" in curve.data_path)
    curve.keyframe_points[3].co.y += 0.2
    curve.update()
    bpy.context.view_layer.update()
    before = keys_of(armature, action)
    armature.panache.amount = 0.4
    assert keys_of(armature, action) == before
    assert "edited by hand" in addon("amount").locked_reason(armature)


def test_edited_fingers_do_not_lock_the_slider_but_are_work(addon: Addon) -> None:
    armature = rigs.mixamo()
    action = stylized(addon, armature)
    curve = next(curve for curve in rigs.curves_of(armature) if "finger" in curve.data_path)
    curve.keyframe_points[3].co.y += 0.2
    curve.update()
    bpy.context.view_layer.update()
    value = curve.keyframe_points[3].co.y
    armature.panache.amount = 0.0
    assert curve.keyframe_points[3].co.y == value
    assert addon("amount").locked_reason(armature) == "" and addon("record").is_edited(action)


def test_a_changed_or_deleted_original_locks_the_slider(addon: Addon) -> None:
    armature = rigs.mixamo()
    original = armature.animation_data.action
    action = stylized(addon, armature)
    curve = next(curve for curve in rigs.curves_of(armature, original) if "Head" in curve.data_path)
    curve.keyframe_points[3].co.y += 0.2
    armature.panache.amount = 0.4
    before = keys_of(armature, action)
    assert "Re-apply" in addon("amount").locked_reason(armature)
    bpy.data.actions.remove(original)
    armature.panache.amount = 0.2
    bpy.context.view_layer.update()
    assert keys_of(armature, action) == before
    assert "no longer in this file" in addon("amount").locked_reason(armature)


def test_the_slider_alone_is_a_number_and_follows_results(addon: Addon) -> None:
    armature = rigs.mixamo()
    original = armature.animation_data.action
    armature.panache.amount = 0.3
    assert addon("amount").locked_reason(armature) == ""
    first = stylized(addon, armature)
    armature.panache.amount = 0.6
    armature.animation_data.action = original
    bpy.context.view_layer.update()
    second = stylized(addon, armature, style="elderly")
    assert armature.panache.amount == pytest.approx(1.0)
    armature.animation_data.action = first
    bpy.context.view_layer.update()
    assert armature.panache.amount == pytest.approx(0.6)
    armature.animation_data.action = second
    bpy.context.view_layer.update()
    assert armature.panache.amount == pytest.approx(1.0)


def key_amount(armature: bpy.types.Object, *keys: tuple[int, float]) -> bpy.types.FCurve:
    """As hover and I do it."""
    for frame, amount in keys:
        armature.panache.amount = amount
        armature.keyframe_insert("panache.amount", frame=frame)
        bpy.context.view_layer.update()
    return next(curve for curve in rigs.curves_of(armature) if curve.data_path == "panache.amount")


@pytest.mark.parametrize("keys", ["SPARSE", "EVERY_FRAME"])
@pytest.mark.parametrize("build", [rigs.mixamo, captured])
def test_a_keyed_slider_is_baked_into_the_keys(addon: Addon, build: Build, keys: str) -> None:
    armature = build()
    action = stylized(addon, armature, keys=keys)
    steady = keys_of(armature, action)
    curve = key_amount(armature, (3, 0.0), (12, 1.2), (20, 0.5))
    shares = np.array([curve.evaluate(frame) for frame in range(1, 41)])
    assert worst(addon, action, shares)[0] < 0.6
    assert not addon("record").is_edited(action)
    curve.keyframe_points[1].co.y = 0.8
    curve.update()
    bpy.context.view_layer.update()
    assert worst(addon, action, np.array([curve.evaluate(frame) for frame in range(1, 41)]))[0] < 0.6
    armature.animation_data.action = action
    addon("compat").fcurves(action, addon("compat").assigned_slot(armature)).remove(curve)
    armature.panache.amount = 1.0
    bpy.context.scene.frame_set(2)
    bpy.context.view_layer.update()
    armature.keyframe_insert("panache.amount", frame=1)
    bpy.context.view_layer.update()
    assert {place: own for place, own in keys_of(armature, action).items() if "amount" not in place[0]} == steady


def test_a_step_of_the_slider_steps(addon: Addon) -> None:
    armature = rigs.mixamo()
    action = stylized(addon, armature)
    curve = key_amount(armature, (1, 0.0), (12, 1.0))
    for point in curve.keyframe_points:
        point.interpolation = "CONSTANT"
    curve.update()
    bpy.context.view_layer.update()
    assert worst(addon, action, np.where(np.arange(1, 41) < 12, 0.0, 1.0))[0] < 0.6


def test_undo_and_redo_of_a_key_on_the_slider(addon: Addon) -> None:
    armature = rigs.mixamo()
    name = armature.name
    stylized(addon, armature)
    key_amount(armature, (1, 0.2))
    states = []
    for frame, amount in ((10, 1.0), (20, 0.4)):
        bpy.ops.ed.undo_push(message="Before")
        states.append(keys_of(bpy.data.objects[name]))
        key_amount(bpy.data.objects[name], (frame, amount))
        bpy.ops.ed.undo_push(message="Insert Keyframe")
    last = keys_of(bpy.data.objects[name])
    for _ in range(2):
        bpy.ops.ed.undo()
        assert keys_of(bpy.data.objects[name]) == states[1]
        bpy.ops.ed.undo()
        bpy.ops.ed.undo()
        assert keys_of(bpy.data.objects[name]) == states[0]
        for _ in range(3):
            bpy.ops.ed.redo()
        assert keys_of(bpy.data.objects[name]) == last
    assert addon("amount").locked_reason(bpy.data.objects[name]) == ""


def test_what_was_not_baked_before_undo_is_baked_after_it(addon: Addon) -> None:
    """Blender notes the undo step of a key before anything can be baked."""
    armature = rigs.mixamo()
    name = armature.name
    stylized(addon, armature)
    bpy.ops.ed.undo_push(message="Before")
    armature.keyframe_insert("panache.amount", frame=1)
    armature.panache.amount = 0.3
    armature.keyframe_insert("panache.amount", frame=20)
    bpy.ops.ed.undo_push(message="Insert Keyframe")
    bpy.context.view_layer.update()
    wanted = keys_of(armature)
    bpy.ops.ed.undo()
    bpy.ops.ed.redo()
    assert keys_of(bpy.data.objects[name]) == wanted


def test_playing_looks_at_nothing(addon: Addon, monkeypatch: pytest.MonkeyPatch) -> None:
    armature = rigs.mixamo()
    stylized(addon, armature)
    key_amount(armature, (1, 0.2), (20, 1.0))
    followed: list[bpy.types.Object] = []
    monkeypatch.setattr(addon("amount.watching"), "_follow", followed.append)
    for frame in range(1, 20):
        bpy.context.scene.frame_set(frame)
    assert followed == []
    assert armature.panache.amount == pytest.approx(0.2 + 0.8 * 18 / 19, abs=0.2)


def test_keep_leaves_a_plain_action(addon: Addon) -> None:
    armature = rigs.mixamo()
    original = armature.animation_data.action
    action = stylized(addon, armature)
    key_amount(armature, (1, 0.2), (20, 1.0))
    full = action["panache"]["full"].name
    wanted = {place: keys for place, keys in keys_of(armature).items() if place[0] != "panache.amount"}
    assert bpy.ops.panache.keep() == {"FINISHED"}
    bpy.context.view_layer.update()
    assert full not in bpy.data.actions and "panache" not in action
    assert keys_of(armature) == wanted
    armature.panache.amount = 0.5
    assert keys_of(armature) == wanted and original.name in bpy.data.actions
    with pytest.raises(RuntimeError, match="not made by Panache"):
        bpy.ops.panache.keep()


def test_revert_gives_properties_without_keys_their_values_back(addon: Addon) -> None:
    armature = rigs.mixamo()
    for curve in [curve for curve in rigs.curves_of(armature) if "Head" in curve.data_path]:
        curves = addon("compat").fcurves(armature.animation_data.action, addon("compat").assigned_slot(armature))
        curves.remove(curve)
    head = armature.pose.bones["mixamorig:Head"]
    head.rotation_quaternion = (0.96, 0.28, 0.0, 0.0)
    bpy.context.view_layer.update()
    action = stylized(addon, armature)
    bpy.context.scene.frame_set(7)
    assert any("Head" in curve.data_path for curve in rigs.curves_of(armature))
    armature.panache.amount = 0.0
    assert same(addon, action, action["panache"]["original"])
    armature.panache.amount = 1.0
    assert bpy.ops.panache.revert() == {"FINISHED"}
    assert tuple(head.rotation_quaternion) == pytest.approx((0.96, 0.28, 0.0, 0.0))


def test_the_result_of_a_stack_has_its_influence(addon: Addon) -> None:
    armature = stack()
    frames = range(1, 24)
    original = shown(armature, frames)
    stylized(addon, armature)
    full = shown(armature, frames)
    armature.panache.amount = 0.0
    assert np.abs(shown(armature, frames) - original).max() < 1e-6
    armature.panache.amount = 0.5
    half = shown(armature, frames)
    assert 1e-3 < np.abs(half - original).max() < np.abs(full - original).max()
    armature.panache.amount = 1.0
    assert np.array_equal(shown(armature, frames), full)
    key_amount(armature, (1, 0.0), (20, 1.0))
    keyed = shown(armature, frames)
    assert np.abs(keyed[0] - original[0]).max() < 1e-6
    assert np.abs(keyed[20] - full[20]).max() < 1e-6
