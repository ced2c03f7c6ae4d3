# SPDX-License-Identifier: GPL-3.0-or-later
"""panache.stylize, revert and detect_rig on real armatures."""

from collections.abc import Callable
from types import ModuleType

import bpy
import numpy as np
import pytest

from . import rigs
from .snapshot import keys_of, playing, scene_state

pytestmark = pytest.mark.usefixtures("empty_scene")
Addon = Callable[[str], ModuleType]


def euler_walk() -> bpy.types.Object:
    return rigs.walk_bvh(0.01, "NATIVE")


def quaternion_walk() -> bpy.types.Object:
    return rigs.walk_bvh(100.0, "QUATERNION")


def mixed_mixamo() -> bpy.types.Object:
    armature = rigs.mixamo(rigs.MODES)
    rigs.place(armature, 0.01)
    return armature


def locked_mixamo() -> bpy.types.Object:
    """In gimbal lock on every frame."""
    armature = rigs.mixamo(("XYZ",))
    for curve in rigs.curves_of(armature):
        if curve.array_index == 1 and "rotation" in curve.data_path and "Arm" in curve.data_path:
            for point in curve.keyframe_points:
                point.co.y = np.pi / 2
            curve.update()
    return armature


def unnormalized_mixamo() -> bpy.types.Object:
    armature = rigs.mixamo()
    for curve in rigs.curves_of(armature):
        if "rotation" in curve.data_path:
            for point in curve.keyframe_points:
                point.co.y *= -3.0
            curve.update()
    return armature


def hinged_mixamo() -> bpy.types.Object:
    armature = rigs.mixamo(rigs.MODES)
    for name in ("Head", "LeftArm", "RightLeg"):
        armature.data.bones[f"mixamorig:{name}"].use_inherit_rotation = False
    armature.data.bones["mixamorig:Hips"].use_local_location = False
    return armature


RIGS = [
    euler_walk,
    quaternion_walk,
    mixed_mixamo,
    locked_mixamo,
    unnormalized_mixamo,
    hinged_mixamo,
    rigs.metarig,
]


def mapped_bones(addon: Addon, armature: bpy.types.Object) -> set[str]:
    return set(addon("rig.reader").read_rig(armature).bone_map.bones.values())


def largest_key_difference(armature: bpy.types.Object, original: bpy.types.Action, result: bpy.types.Action) -> float:
    before = {(curve.data_path, curve.array_index): curve for curve in rigs.curves_of(armature, original)}
    return max(
        abs(point.co.y - before[curve.data_path, curve.array_index].evaluate(point.co.x))
        for curve in rigs.curves_of(armature, result)
        for point in curve.keyframe_points
    )


@pytest.mark.parametrize("build", RIGS)
def test_amount_zero_is_the_original(build: Callable[[], bpy.types.Object]) -> None:
    armature = build()
    original = armature.animation_data.action
    for root, keys in (("PREDICTED", "SPARSE"), ("KEEP", "EVERY_FRAME")):
        armature.animation_data.action = original
        assert bpy.ops.panache.stylize(style="elderly", amount=0.0, root=root, keys=keys) == {"FINISHED"}
        result = armature.animation_data.action
        assert result is not original
        assert keys_of(armature, result) == keys_of(armature, original)


@pytest.mark.parametrize("build", RIGS)
def test_what_was_computed_is_what_plays(addon: Addon, build: Callable[[], bpy.types.Object]) -> None:
    armature = build()
    reader, context = addon("rig.reader"), bpy.context
    rig = reader.read_rig(armature)
    reading = reader.read_clip(context, addon("rig.take").active_take(context), rig)
    settings = addon("backend").StyleSettings(style="exhausted", amount=1.5, seed=3)
    clip = addon("backend").Clip(reading.motion, reading.bone_map, reading.cyclic)
    wanted = addon("backend").run(clip, None, settings).motion
    bpy.ops.panache.stylize(style="exhausted", amount=1.5, seed=3, keys="EVERY_FRAME")
    played = reader.read_clip(context, addon("rig.take").active_take(context), rig).motion
    size = np.abs(wanted.pose[..., :3, 3]).max() + 1.0
    assert np.abs(wanted.pose - played.pose).max() / size < 3e-6
    changed = np.abs(np.sum(wanted.rotations * reading.motion.rotations, axis=-1)) < 0.9999
    assert changed.any()


def test_euler_angles_do_not_jump() -> None:
    armature = euler_walk()
    bpy.ops.panache.stylize(style="exhausted", amount=0.2, keys="EVERY_FRAME")
    for curve in rigs.curves_of(armature):
        if curve.data_path.endswith("rotation_euler"):
            values = [point.co.y for point in curve.keyframe_points]
            assert np.abs(np.diff(values)).max() < np.pi


def test_the_armature_plays_a_new_action_and_the_rest_is_as_before() -> None:
    armature = rigs.mixamo()
    original, before = armature.animation_data.action, keys_of(armature)
    original.name = "Walk"
    state = scene_state()
    assert bpy.ops.panache.stylize(style="elderly") == {"FINISHED"}
    after = scene_state()
    result = armature.animation_data.action
    assert result.name == "Walk Elderly"
    assert keys_of(armature, original) == before
    assert original.use_fake_user
    for key in ("frame", "active", "selected", "mode"):
        assert after[key] == state[key]
    # The hidden one keeps the full style, so that another amount can be shown.
    assert after["data"]["actions"] == [".Walk Elderly", "Walk", "Walk Elderly"]


def test_curves_of_other_bones_are_untouched(addon: Addon) -> None:
    armature = rigs.metarig()
    before, mapped = keys_of(armature), mapped_bones(addon, armature)
    bpy.ops.panache.stylize(style="elderly")
    after = keys_of(armature)
    others = {key for key in before if not any(f'["{name}"]' in key[0] for name in mapped)}
    assert len(others) > 100
    assert {key: after[key] for key in others} == {key: before[key] for key in others}
    assert all(after[key] != before[key] for key in before.keys() - others if "rotation" in key[0])


@pytest.mark.skipif(bpy.app.version < (4, 4, 0), reason="actions have no slots before Blender 4.4")
def test_other_slots_of_the_action_are_kept() -> None:
    armature = rigs.mixamo()
    action = armature.animation_data.action
    camera = bpy.data.objects.new("Camera", None)
    bpy.context.scene.collection.objects.link(camera)
    bpy.context.view_layer.update()
    camera.animation_data_create().action = action
    camera.animation_data.action_slot = action.slots.new(id_type="OBJECT", name="Camera")
    for frame in (1, 90):
        camera.location.x = frame
        camera.keyframe_insert("location", frame=frame)
    bpy.ops.panache.stylize(style="elderly")
    result = armature.animation_data.action
    assert playing(camera) == (action.name, "OBCamera")
    assert [slot.identifier for slot in result.slots] == [slot.identifier for slot in action.slots]
    assert armature.animation_data.action_slot.handle == action.slots[0].handle
    assert max(point.co.x for curve in rigs.curves_of(armature) for point in curve.keyframe_points) <= rigs.FRAMES
    kept = result.layers[0].strips[0].channelbag(result.slots["OBCamera"]).fcurves
    assert [point.co.y for point in kept[0].keyframe_points] == [1.0, 90.0]


def test_modifiers_are_not_applied_twice() -> None:
    armature = rigs.mixamo(("XYZ",))
    original = armature.animation_data.action
    for curve in rigs.curves_of(armature):
        if "Spine" in curve.data_path:
            curve.modifiers.new("CYCLES")
            curve.modifiers.new("NOISE")
    bpy.ops.panache.stylize(parts=set(), keys="EVERY_FRAME")
    result = armature.animation_data.action
    assert largest_key_difference(armature, original, result) < 1e-5
    kinds = {modifier.type for curve in rigs.curves_of(armature) for modifier in curve.modifiers}
    assert kinds == {"CYCLES"}


def test_muted_and_missing_curves_play_after_all() -> None:
    armature = rigs.mixamo()
    for curve in rigs.curves_of(armature):
        if "LeftLeg" in curve.data_path and curve.array_index == 1:
            curve.mute = True
    bpy.ops.panache.stylize(style="elderly")
    assert not any(curve.mute for curve in rigs.curves_of(armature))


def test_revert_gives_the_original_back() -> None:
    armature = rigs.mixamo()
    before = playing(armature)
    bpy.ops.panache.stylize(style="elderly", amount=0.7, seed=5)
    stored = armature.animation_data.action["panache"].to_dict()
    assert (stored["style"], stored["seed"], stored["model_version"]) == ("elderly", 5, "test")
    assert stored["amount"] == pytest.approx(0.7)
    assert bpy.ops.panache.revert() == {"FINISHED"}
    assert playing(armature) == before
    with pytest.raises(RuntimeError, match="not made by Panache"):
        bpy.ops.panache.revert()


def test_reference_and_random() -> None:
    armature = rigs.mixamo()
    original = armature.animation_data.action
    other = original.copy()
    other.name = "Happy"
    assert bpy.ops.panache.stylize(source="REFERENCE", reference="Happy") == {"FINISHED"}
    assert armature.animation_data.action.name.endswith("like Happy")
    bpy.ops.panache.revert()
    actor = rigs.walk_bvh(0.01)
    actor.animation_data.action.name = "Sad"
    bpy.context.view_layer.objects.active = armature
    assert bpy.ops.panache.stylize(source="REFERENCE", reference="Sad") == {"FINISHED"}
    bpy.ops.panache.revert()
    assert bpy.ops.panache.stylize(source="RANDOM", seed=4) == {"FINISHED"}


def test_same_settings_same_keys() -> None:
    armature = rigs.mixamo(rigs.MODES)
    results = []
    for _ in range(2):
        bpy.ops.panache.stylize(style="active", seed=2)
        results.append(keys_of(armature))
        bpy.ops.panache.revert()
    assert results[0] == results[1]


def test_detect_rig_fills_the_panel() -> None:
    armature = rigs.mixamo()
    assert bpy.ops.panache.detect_rig() == {"FINISHED"}
    joints = {joint.name: joint.bone for joint in armature.panache.joints}
    assert joints["pelvis"] == "mixamorig:Hips"
    assert (armature.panache.family, armature.panache.confidence) == ("mixamo", 1.0)


def test_the_style_list_comes_from_the_weights() -> None:
    armature = rigs.mixamo()
    assert armature.panache.style == "elderly"
    armature.panache.style = "exhausted"
    assert armature.panache.style == "exhausted"


def test_undo_is_one_step() -> None:
    armature = rigs.mixamo()
    name, before = armature.name, playing(armature)
    bpy.ops.ed.undo_push(message="before")
    bpy.ops.panache.stylize("EXEC_DEFAULT", True, style="elderly")
    bpy.ops.ed.undo()
    assert playing(bpy.data.objects[name]) == before
