# SPDX-License-Identifier: GPL-3.0-or-later
"""Animation that is not one plain action: slots, overrides, ranges, loops, results of results."""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import bpy
import numpy as np
import pytest

from . import rigs
from .snapshot import keys_of, playing, scene_state
from .stage import SLOTS, hips_of, push, shown, stack, tracks
from .test_bad_input import link

pytestmark = pytest.mark.usefixtures("empty_scene")
Addon = Callable[[str], ModuleType]


@pytest.mark.parametrize("on_track", [False, True])
def test_the_movement_helps_to_recognise_a_rig(addon: Addon, on_track: bool) -> None:
    armature = rigs.walk_bvh(0.01)
    reader, take = addon("rig.reader"), addon("rig.take")
    expected = reader.read_rig(armature).bone_map.bones
    names = {bone.name: f"b{number:03}" for number, bone in enumerate(armature.data.bones)}
    for bone in armature.data.bones:
        bone.name = names[bone.name]
    if on_track:
        push(armature)
    bpy.context.scene.frame_set(5)
    found = reader.read_rig(armature, take.active_take(bpy.context)).bone_map.bones
    assert bpy.context.scene.frame_current == 5
    limbs = [joint for joint in expected if joint.startswith(("left", "right")) and "collar" not in joint]
    assert {joint: found.get(joint) for joint in limbs} == {joint: names[expected[joint]] for joint in limbs}


def test_once_more_starts_from_the_original() -> None:
    armature = rigs.mixamo()
    original = armature.animation_data.action
    bpy.ops.panache.stylize(style="active")
    wanted = keys_of(armature)
    bpy.ops.panache.revert()
    bpy.ops.panache.stylize(style="exhausted")
    bpy.ops.panache.stylize(style="active")
    assert keys_of(armature) == wanted
    assert armature.animation_data.action["panache"]["original"] == original
    assert bpy.ops.panache.revert() == {"FINISHED"}
    assert armature.animation_data.action == original


def test_an_edited_result_is_a_performance_of_its_own() -> None:
    armature = rigs.mixamo()
    bpy.ops.panache.stylize(style="active")
    edited = armature.animation_data.action
    curve = next(curve for curve in rigs.curves_of(armature) if "LeftArm" in curve.data_path)
    curve.keyframe_points[1].co.y += 0.1
    bpy.ops.panache.stylize(style="exhausted")
    assert armature.animation_data.action["panache"]["original"] == edited
    assert edited.use_fake_user


def test_a_result_without_its_original_is_stylized_itself() -> None:
    armature = rigs.mixamo()
    original = armature.animation_data.action
    bpy.ops.panache.stylize(style="active")
    result = armature.animation_data.action
    bpy.data.actions.remove(original)
    bpy.ops.panache.stylize(style="exhausted")
    assert armature.animation_data.action["panache"]["original"] == result


@pytest.mark.parametrize("build", [rigs.mixamo, stack])
def test_a_refusal_leaves_the_result_playing(build: Callable[[], bpy.types.Object]) -> None:
    armature = build()
    bpy.ops.panache.stylize(style="active")
    state, before = scene_state(), tracks(armature)
    with pytest.raises(RuntimeError, match="no style"):
        bpy.ops.panache.stylize(style="grumpy")
    assert (scene_state(), tracks(armature)) == (state, before)


def test_results_are_recognised_after_saving(addon: Addon, tmp_path: Path) -> None:
    armature = rigs.mixamo(rigs.MODES)
    bpy.ops.panache.stylize(style="active")
    name = armature.animation_data.action.name
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "file.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "file.blend"))
    assert not addon("record").is_edited(bpy.data.actions[name])


def second_armature(action: bpy.types.Action, name: str) -> bpy.types.Object:
    """Another character that plays the action by a slot of its own."""
    armature = rigs.mixamo(frames=30)
    armature.name = name
    own = armature.animation_data.action
    slot = action.slots.new(id_type="OBJECT", name=name)
    bag = action.layers[0].strips[0].channelbag(slot, ensure=True)
    for curve in rigs.curves_of(armature):
        points = np.array([point.co for point in curve.keyframe_points])
        copy = bag.fcurves.new(curve.data_path, index=curve.array_index)
        copy.keyframe_points.add(len(points))
        copy.keyframe_points.foreach_set("co", points.ravel())
        copy.update()
    armature.animation_data.action = action
    armature.animation_data.action_slot = slot
    bpy.data.actions.remove(own)
    bpy.context.view_layer.update()
    return armature


def all_keys(action: bpy.types.Action) -> dict[tuple[str, str, int], bytes]:
    """Keys and handles of all slots, bit for bit."""
    found = {}
    for bag in action.layers[0].strips[0].channelbags:
        for curve in bag.fcurves:
            flat = np.empty((3, 2 * len(curve.keyframe_points)), dtype=np.float32)
            for row, name in zip(flat, ("co", "handle_left", "handle_right"), strict=True):
                curve.keyframe_points.foreach_get(name, row)
            found[bag.slot.identifier, curve.data_path, curve.array_index] = flat.tobytes()
    return found


@pytest.mark.skipif(not SLOTS, reason="actions have no slots before Blender 4.4")
def test_two_characters_and_a_twin_in_one_action() -> None:
    first = rigs.mixamo()
    action = first.animation_data.action
    second, twin = second_armature(action, "Second"), rigs.mixamo()
    twin.animation_data.action = action
    twin.animation_data.action_slot = first.animation_data.action_slot
    before = all_keys(action)
    for armature, other in ((first, second), (second, first)):
        bpy.context.view_layer.objects.active = armature
        own, another = (obj.animation_data.action_slot.identifier for obj in (armature, other))
        assert bpy.ops.panache.stylize(style="active", root="KEEP") == {"FINISHED"}
        result = armature.animation_data.action
        assert armature.animation_data.action_slot.identifier == own
        after = all_keys(result)
        assert {key: after[key] for key in after if key[0] == another} == {
            k: before[k] for k in before if k[0] == another
        }
        assert any(after[key] != before[key] for key in after if key[0] == own)
        assert playing(twin) == (action.name, first_slot(action))
        assert all_keys(action) == before
        bpy.ops.panache.revert()
        assert playing(armature) == (action.name, own)


def first_slot(action: bpy.types.Action) -> str:
    return str(action.slots[0].identifier)


def test_a_library_override(tmp_path: Path) -> None:
    armature = link(rigs.mixamo(), tmp_path).override_create(remap_local_usages=True)
    if armature.name not in bpy.context.scene.collection.objects:
        bpy.context.scene.collection.objects.link(armature)
    bpy.context.view_layer.objects.active = armature
    armature.override_library.is_system_override = False
    linked, before = armature.animation_data.action, shown(armature, range(1, 24))
    assert linked.library is not None
    assert bpy.ops.panache.stylize(style="exhausted", amount=1.5) == {"FINISHED"}
    result = armature.animation_data.action
    assert result.library is None and linked.library is not None
    assert np.abs(shown(armature, range(1, 24)) - before).max() > 0.01
    assert bpy.ops.panache.revert() == {"FINISHED"}
    assert armature.animation_data.action == linked
    assert np.array_equal(shown(armature, range(1, 24)), before)


def test_a_linked_action(tmp_path: Path) -> None:
    """The character is local, its action comes from a library: the result is local."""
    action = rigs.mixamo().animation_data.action
    path = str(tmp_path / "actions.blend")
    bpy.data.libraries.write(path, {action})
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    with bpy.data.libraries.load(path, link=True) as (source, target):
        target.actions = list(source.actions)
    armature = rigs.mixamo()
    own = armature.animation_data.action
    armature.animation_data.action = linked = target.actions[0]
    if SLOTS:
        armature.animation_data.action_slot = linked.slots[0]
    bpy.data.actions.remove(own)
    assert bpy.ops.panache.stylize(style="active") == {"FINISHED"}
    assert armature.animation_data.action.library is None
    assert bpy.ops.panache.revert() == {"FINISHED"}
    assert armature.animation_data.action == linked


@pytest.mark.parametrize("every", [1, 5])
@pytest.mark.parametrize("keys", ["EVERY_FRAME", "SPARSE"])
def test_a_preview_range_limits_an_action(keys: str, every: int) -> None:
    armature = rigs.mixamo(frames=60)
    thin_out(armature, every)
    scene = bpy.context.scene
    scene.use_preview_range, scene.frame_preview_start, scene.frame_preview_end = True, 20, 40
    before, original = points_of(armature), shown(armature, range(1, 60))
    bpy.ops.panache.stylize(style="exhausted", amount=1.5, root="KEEP", keys=keys)
    after, result = points_of(armature), shown(armature, range(1, 60))
    for channel, points in before.items():
        outside = [[point for point in some if not 20 <= point[0] <= 40] for some in (points, after[channel])]
        assert outside[0] == outside[1]
    moved = np.abs(result - original).max(axis=(1, 2, 3))
    assert moved[:19].max() < 1e-5 and moved[40:].max() < 1e-5
    assert moved[25:35].max() > 0.005
    across = [np.abs(np.diff(poses, axis=0)).max(axis=(1, 2, 3))[[18, 39]] for poses in (original, result)]
    assert np.abs(across[1] - across[0]).max() < 1e-3


def thin_out(armature: bpy.types.Object, every: int) -> None:
    """Leave but every so many keys, as hand-made animation has them."""
    for curve in rigs.curves_of(armature):
        for index in reversed(range(1, len(curve.keyframe_points) - 1)):
            if index % every:
                curve.keyframe_points.remove(curve.keyframe_points[index])
        curve.update()


def points_of(armature: bpy.types.Object) -> dict[tuple[str, int], list[tuple[float, float]]]:
    return {
        (curve.data_path, curve.array_index): [tuple(point.co) for point in curve.keyframe_points]
        for curve in rigs.curves_of(armature)
    }


def test_the_actions_own_range_limits_it() -> None:
    armature = rigs.mixamo(frames=60)
    action = armature.animation_data.action
    action.use_frame_range, action.frame_start, action.frame_end = True, 11, 41
    before = points_of(armature)
    bpy.ops.panache.stylize(style="exhausted", amount=1.5, keys="EVERY_FRAME")
    for channel, points in points_of(armature).items():
        assert [point for point in points if not 11 <= point[0] <= 41] == [
            point for point in before[channel] if not 11 <= point[0] <= 41
        ]
    assert points_of(armature) != before


def by_setting(armature: bpy.types.Object) -> None:
    action = armature.animation_data.action
    action.use_frame_range, action.frame_start, action.frame_end = True, 1, 60
    action.use_cyclic = True


def by_modifiers(armature: bpy.types.Object) -> None:
    for curve in rigs.curves_of(armature):
        curve.modifiers.new("CYCLES")


def by_pose(armature: bpy.types.Object) -> None:
    hips = hips_of(armature.pose.bones).path_from_id("location")
    for curve in rigs.curves_of(armature):
        if (curve.data_path, curve.array_index) != (hips, 0):
            curve.keyframe_points[-1].co.y = curve.keyframe_points[0].co.y
            curve.update()


@pytest.mark.parametrize("mark", [by_setting, by_modifiers, by_pose])
def test_loops_are_recognised(addon: Addon, mark: Callable[[bpy.types.Object], None]) -> None:
    armature, reader = rigs.mixamo(frames=60), addon("rig.reader")

    def is_cyclic() -> bool:
        take = addon("rig.take").active_take(bpy.context)
        return bool(reader.read_clip(bpy.context, take, reader.read_rig(armature, take)).cyclic)

    assert not is_cyclic()
    mark(armature)
    assert is_cyclic()
    bpy.context.scene.use_preview_range, bpy.context.scene.frame_preview_end = True, 30
    assert not is_cyclic()
