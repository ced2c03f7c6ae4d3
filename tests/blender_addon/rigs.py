# SPDX-License-Identifier: GPL-3.0-or-later
"""Armatures to test on, with keys on every bone."""

import itertools
from collections.abc import Sequence
from pathlib import Path

import addon_utils
import bpy
import numpy as np

from core.rig_maps import load_families
from core.skeleton import CANONICAL, INDEX, JOINTS, PARENTS, Skeleton

MODES = ("QUATERNION", "XYZ", "XZY", "YXZ", "YZX", "ZXY", "ZYX", "AXIS_ANGLE")
FRAMES = 24
_WALK = Path(__file__).parents[1] / "data" / "walk_normal.bvh"
_PROPERTY = {"QUATERNION": "rotation_quaternion", "AXIS_ANGLE": "rotation_axis_angle"}


def mixamo(modes: Sequence[str] = ("QUATERNION",), frames: int = FRAMES) -> bpy.types.Object:
    """A T-posed character with Mixamo's names, and one finger bone per hand that no map knows."""
    family = next(family for family in load_families() if family.name == "mixamo")
    names = {joint: f"mixamorig:{aliases[0]}" for joint, aliases in family.joints.items()}
    armature = _build(names)
    key_all(armature, modes, frames)
    return armature


def metarig(modes: Sequence[str] = ("QUATERNION",), frames: int = FRAMES) -> bpy.types.Object:
    """Rigify's human metarig with keys on all of its bones."""
    addon_utils.enable("rigify", default_set=True)
    bpy.ops.object.armature_human_metarig_add()
    armature = bpy.context.object
    key_all(armature, modes, frames)
    return armature


def walk_bvh(scale: float = 1.0, rotate_mode: str = "NATIVE", frames: int = 40) -> bpy.types.Object:
    """A real walk of the Bandai-Namco data, cut to its first frames."""
    bpy.ops.import_anim.bvh(filepath=str(_WALK), global_scale=scale, rotate_mode=rotate_mode)
    armature = bpy.context.object
    for curve in curves_of(armature):
        for point in reversed(curve.keyframe_points[frames:]):
            curve.keyframe_points.remove(point, fast=True)
        curve.update()
    return armature


def curves_of(armature: bpy.types.Object, action: bpy.types.Action | None = None) -> list[bpy.types.FCurve]:
    """Curves of the action (the assigned one by default) that belong to the armature."""
    data = armature.animation_data
    action = action or data.action
    if bpy.app.version < (4, 4, 0):
        return list(action.fcurves)
    bags = [bag for layer in action.layers for strip in layer.strips for bag in strip.channelbags]
    slot = next(slot for slot in action.slots if slot.handle == data.action_slot.handle)
    return [curve for bag in bags if bag.slot_handle == slot.handle for curve in bag.fcurves]


def place(armature: bpy.types.Object, scale: float) -> None:
    """Move, turn and scale the object."""
    armature.location = (1.0, -2.0, 0.5)
    armature.rotation_euler = (0.3, -0.2, 1.1)
    armature.scale = (scale, scale, scale)
    bpy.context.view_layer.update()


def _build(names: dict[str, str], skeleton: Skeleton = CANONICAL) -> bpy.types.Object:
    data = bpy.data.armatures.new("Character")
    armature = bpy.data.objects.new("Character", data)
    bpy.context.scene.collection.objects.link(armature)
    bpy.context.view_layer.objects.active = armature
    armature.select_set(True)
    bpy.ops.object.mode_set(mode="EDIT")
    heads = _heads(skeleton)
    for joint in JOINTS:
        if joint in names:
            _add_bone(data, names, joint, heads)
    for side, x in (("left", 0.1), ("right", -0.1)):
        finger = data.edit_bones.new(f"finger.{side}")
        finger.parent = data.edit_bones[names[f"{side}_wrist"]]
        finger.head = finger.parent.tail
        finger.tail = finger.head + type(finger.head)((x, 0.0, 0.0))
    bpy.ops.object.mode_set(mode="OBJECT")
    bpy.context.view_layer.update()
    return armature


def _heads(skeleton: Skeleton) -> np.ndarray:
    heads = np.zeros((len(JOINTS), 3))
    for joint, parent in enumerate(PARENTS):
        heads[joint] = skeleton.offsets[joint] + (heads[parent] if parent >= 0 else [0.0, 0.95, 0.0])
    return heads


def _add_bone(data: bpy.types.Armature, names: dict[str, str], joint: str, heads: np.ndarray) -> None:
    bone = data.edit_bones.new(names[joint])
    index, parent = INDEX[joint], PARENTS[INDEX[joint]]
    child = next(
        (i for i, above in enumerate(PARENTS) if above == index and JOINTS[i] not in ("left_hip", "right_hip")), None
    )
    end = heads[child] if child is not None else heads[index] + 0.5 * (heads[index] - heads[parent])
    for attribute, point in (("head", heads[index]), ("tail", end)):
        setattr(bone, attribute, (point[0], -point[2], point[1]))
    while parent >= 0 and JOINTS[parent] not in names:
        parent = PARENTS[parent]
    if parent >= 0:
        bone.parent = data.edit_bones[names[JOINTS[parent]]]


def key_all(armature: bpy.types.Object, modes: Sequence[str], frames: int = FRAMES) -> None:
    """Smooth swings on every bone, every other frame; the root bones also travel."""
    rng = np.random.default_rng(1)
    for bone, mode in zip(armature.pose.bones, itertools.cycle(modes)):
        bone.rotation_mode = mode
        name = _PROPERTY.get(mode, "rotation_euler")
        size = len(getattr(bone, name))
        swing, phase = rng.normal(0.0, 0.12, size), rng.uniform(0.0, 6.0, size)
        for frame in range(1, frames + 1, 2):
            values = swing * np.sin(0.3 * frame + phase)
            values[0] += mode == "QUATERNION"
            setattr(bone, name, values.tolist())
            bone.keyframe_insert(name, frame=frame, group=bone.name)
            if bone.parent is None:
                bone.location = (0.01 * frame, 0.02 * np.sin(frame), 0.0)
                bone.keyframe_insert("location", frame=frame, group=bone.name)
