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
