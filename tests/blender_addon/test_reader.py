# SPDX-License-Identifier: GPL-3.0-or-later
"""What the reader says a clip is, is what Blender shows."""

from collections.abc import Callable
from types import ModuleType
from typing import Any

import bpy
import numpy as np
import pytest

from . import rigs

pytestmark = pytest.mark.usefixtures("empty_scene")
Addon = Callable[[str], ModuleType]
EVEN, UNEVEN = (1.2, 1.2, 1.2), (1.2, 0.9, 0.8)


def read(addon: Addon, armature: bpy.types.Object) -> Any:
    context = bpy.context
    context.view_layer.objects.active = armature
    rig = addon("rig.reader").read_rig(armature)
    return addon("rig.reader").read_clip(context, addon("rig.take").active_take(context), rig)


def difference_to_blender(addon: Addon, armature: bpy.types.Object) -> float:
    """Largest difference of a world matrix, relative to the size of the character."""
    reading = read(addon, armature)
    mine = reading.motion.placement[:, None] @ reading.motion.pose
    shown = np.empty_like(mine)
    for t, frame in enumerate(reading.frames):
        whole = int(np.floor(frame))
        bpy.context.scene.frame_set(whole, subframe=float(frame - whole))
        world = np.array(armature.matrix_world)
        for i, name in enumerate(reading.motion.skeleton.names):
            shown[t, i] = addon("rig.space").TO_CORE @ world @ np.array(armature.pose.bones[name].matrix)
    size = np.abs(shown[..., :3, 3]).max() + np.abs(shown[..., :3, :3]).max()
    return float(np.abs(mine - shown).max() / size)


@pytest.mark.parametrize("scale", [1.0, 0.01, 100.0])
def test_all_rotation_modes(addon: Addon, scale: float) -> None:
    armature = rigs.mixamo(rigs.MODES)
    rigs.place(armature, scale)
    assert difference_to_blender(addon, armature) < 2e-6


def test_metarig_and_bvh(addon: Addon) -> None:
    assert difference_to_blender(addon, rigs.metarig()) < 2e-6
    assert difference_to_blender(addon, rigs.walk_bvh(0.01)) < 2e-6


def test_fractional_keys_modifiers_and_muted_curves(addon: Addon) -> None:
    armature = rigs.mixamo(("XYZ",))
    curves = rigs.curves_of(armature)
    curves[0].keyframe_points[3].co.x += 0.4
    curves[0].update()
    curves[5].modifiers.new("NOISE")
    curves[7].mute = True
    assert any(frame % 1 for frame in read(addon, armature).frames)
    assert difference_to_blender(addon, armature) < 2e-6


def test_locations_outside_the_bone_axes(addon: Addon) -> None:
    armature = rigs.mixamo()
    hips = armature.data.bones["mixamorig:Hips"]
    hips.use_local_location = False
    assert difference_to_blender(addon, armature) < 2e-6


def hinge(armature: bpy.types.Object) -> None:
    armature.data.bones["mixamorig:Head"].use_inherit_rotation = False


def move_object(armature: bpy.types.Object) -> None:
    armature.keyframe_insert("location", frame=1)
    armature.location.x += 2.0
    armature.keyframe_insert("location", frame=20)


def squash(armature: bpy.types.Object) -> None:
    armature.pose.bones["mixamorig:Spine"].scale = (1.2, 1.2, 1.2)
    for name in ("mixamorig:Spine1", "mixamorig:Neck"):
        armature.data.bones[name].inherit_scale = "NONE"


@pytest.mark.parametrize("change", [hinge, move_object, squash])
def test_stepping_is_used_and_right(addon: Addon, change: Callable[[bpy.types.Object], None]) -> None:
    armature = rigs.mixamo()
    change(armature)
    bpy.context.scene.frame_set(7, subframe=0.25)
    bpy.context.view_layer.update()
    read(addon, armature)
    assert (bpy.context.scene.frame_current, bpy.context.scene.frame_subframe) == (7, 0.25)
    assert difference_to_blender(addon, armature) < 5e-6


@pytest.mark.parametrize("mode", ["FULL", "FIX_SHEAR", "ALIGNED", "AVERAGE", "NONE", "NONE_LEGACY"])
@pytest.mark.parametrize("scale", [EVEN, UNEVEN])
def test_all_ways_to_inherit_scale(addon: Addon, mode: str, scale: tuple[float, float, float]) -> None:
    """What is computed for bones below a stretched one plays as it was computed, squash and stretch included."""
    armature = rigs.mixamo(rigs.MODES)
    stretch(armature, mode, scale)
    if (mode, scale) == ("FIX_SHEAR", UNEVEN):
        with pytest.raises(RuntimeError, match="Fix Shear"):
            bpy.ops.panache.stylize()
        return
    before = read(addon, armature)
    rotations, heads = before.motion.world()
    angles, gaps = difference_to_shown(addon, armature, before, rotations, heads)
    assert angles < 1e-4 and gaps < 1e-5
    settings = addon("backend").StyleSettings(style="exhausted", root="KEEP")
    clip = addon("backend").Clip(before.motion, before.bone_map, before.cyclic)
    wanted = addon("backend").run(clip, None, settings).motion
    bpy.ops.panache.stylize(style="exhausted", root="KEEP", keys="EVERY_FRAME")
    angles, gaps = difference_to_shown(addon, armature, before, *wanted.world())
    assert angles < 1e-4 and gaps < 1e-5


def stretch(armature: bpy.types.Object, mode: str, scale: tuple[float, float, float]) -> None:
    """Give two bones a scale that ends, and all bones a way to inherit it."""
    for bone in armature.data.bones:
        bone.inherit_scale = mode
    for name in ("mixamorig:Spine", "mixamorig:LeftArm"):
        bone = armature.pose.bones[name]
        for frame, size in ((1, scale), (20, (1.0, 1.0, 1.0))):
            bone.scale = size
            bone.keyframe_insert("scale", frame=frame)


def difference_to_shown(
    addon: Addon, armature: bpy.types.Object, reading: Any, rotations: np.ndarray, heads: np.ndarray
) -> tuple[float, float]:
    """Largest angle, radians, and distance of a mapped bone from what Blender shows."""
    core, rows = addon("backend").rotations, []
    for frame in reading.frames:
        bpy.context.scene.frame_set(int(frame))
        world = np.array(armature.matrix_world)
        names = reading.motion.skeleton.names
        rows.append([addon("rig.space").TO_CORE @ world @ np.array(armature.pose.bones[name].matrix) for name in names])
    shown = np.array(rows)
    mapped = [reading.motion.skeleton.index[name] for name in reading.bone_map.bones.values()]
    turned = core.angle_between(rotations, core.from_matrix(addon("backend").rotation_part(shown)))
    away = np.linalg.norm(heads - shown[..., :3, 3], axis=-1)
    return float(turned[:, mapped].max()), float(away[:, mapped].max())


def test_stepping_equals_curves(addon: Addon) -> None:
    armature = rigs.mixamo(rigs.MODES)
    by_curves = read(addon, armature)
    rigs_step = addon("rig.stepping").step(bpy.context, armature, by_curves.frames, by_curves.motion.skeleton.names)
    turns, locations, scales = addon("rig.stepping").basis_of(rigs_step.pose, by_curves.motion.skeleton)
    assert np.abs(rigs_step.own - by_curves.own).max() < 1e-6
    assert np.abs(np.abs(np.sum(turns * by_curves.motion.rotations, axis=-1)) - 1.0).max() < 1e-6
    assert np.abs(locations - by_curves.motion.locations).max() < 1e-6
    assert np.abs(scales - by_curves.motion.scales).max() < 1e-5


def test_range_is_the_keys_and_what_the_user_set(addon: Addon) -> None:
    armature = rigs.mixamo(frames=11)
    assert read(addon, armature).frames.tolist() == list(range(1, 12))
    action = armature.animation_data.action
    action.use_frame_range = True
    action.frame_start, action.frame_end = 1, 20
    assert read(addon, armature).frames.tolist() == list(range(1, 21))


def test_moving_parents_and_resting_ones(addon: Addon) -> None:
    armature = rigs.mixamo()
    parent = bpy.data.objects.new("Parent", None)
    bpy.context.scene.collection.objects.link(parent)
    armature.parent = parent
    parent.location.z = 2.0
    bpy.context.view_layer.update()
    take = addon("rig.take").active_take(bpy.context)
    assert not addon("rig.guards").must_step(take, ())
    assert difference_to_blender(addon, armature) < 5e-6
    parent.keyframe_insert("location", frame=1)
    parent.location.x = 3.0
    parent.keyframe_insert("location", frame=20)
    assert addon("rig.guards").must_step(take, ())
    assert difference_to_blender(addon, armature) < 5e-6


def test_nla_tracks_below_the_action(addon: Addon) -> None:
    armature = rigs.mixamo()
    add_track(armature, "mixamorig:Spine")
    assert difference_to_blender(addon, armature) < 5e-6
    shown = read(addon, armature).motion.pose
    bpy.ops.panache.stylize(amount=0.0)
    assert np.abs(read(addon, armature).motion.pose - shown).max() < 1e-5


def add_track(armature: bpy.types.Object, name: str) -> None:
    """Move a bone's curves from the action to an NLA track below it."""
    action = armature.animation_data.action
    below = action.copy()
    strip = armature.animation_data.nla_tracks.new().strips.new("Below", 1, below)
    if hasattr(strip, "action_slot"):
        strip.action_slot = below.slots[0]
    for curve in rigs.curves_of(armature):
        if f'"{name}"' in curve.data_path:
            curve.mute = True
