# SPDX-License-Identifier: GPL-3.0-or-later
"""Rigs whose mapped bones follow controls, with a real walk keyed on the controls only."""

import dataclasses
import itertools
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import addon_utils
import bpy
import mathutils
import numpy as np

from core.calibration import calibrate
from core.matching import BoneMap, match_bones
from core.resample import resample
from core.retarget import to_motion, to_rig
from core.rig import RigMotion
from core.skeleton import JOINTS, PARENTS
from scripts.bvh import read_bvh

from . import rigs

_WALK = Path(__file__).parents[1] / "data" / "walk_normal.bvh"
_FPS = 24

Addon = Callable[[str], ModuleType]
Pairs = list[tuple[str, str]]

_SIDES = ("L", "R")
# (control, the mapped bone it goes with), what carries others first.
_TRUNK: Pairs = [
    ("torso", "ORG-spine"),
    ("hips", "ORG-spine"),
    ("chest", "ORG-spine.003"),
    ("neck", "ORG-spine.004"),
    ("head", "ORG-spine.006"),
    *((f"shoulder.{s}", f"ORG-shoulder.{s}") for s in _SIDES),
]
_ARM, _LEG = ("upper_arm", "forearm", "hand"), ("thigh", "shin", "foot", "toe")
LEGS_FK: Pairs = [(f"{part}_fk.{s}", f"ORG-{part}.{s}") for s in _SIDES for part in _LEG]
FK: Pairs = [*_TRUNK, *((f"{part}_fk.{s}", f"ORG-{part}.{s}") for s in _SIDES for part in _ARM), *LEGS_FK]
IK: Pairs = [*_TRUNK, *((f"{part}_ik.{s}", f"ORG-{part}.{s}") for s in _SIDES for part in ("hand", "foot"))]


def rigify_blend(folder: Path) -> Path:
    """A file with Rigify's human, generated: it takes seconds, so once is enough."""
    path = folder / "rigify.blend"
    if not path.exists():
        addon_utils.enable("rigify", default_set=True)
        bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
        bpy.ops.object.armature_human_metarig_add()
        metarig = bpy.context.object
        bpy.ops.pose.rigify_generate()
        bpy.data.objects.remove(metarig)
        bpy.ops.wm.save_as_mainfile(filepath=str(path))
    return path


def walking_blend(addon: Addon, rig: Path, kind: str, frames: int) -> Path:
    """A file with the generated rig walking, on its FK or its IK controls: keying them takes seconds, too."""
    path = rig.with_name(f"{kind}.blend")
    if not path.exists():
        bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
        armature = rigify(rig)
        switch(armature, "IK_FK", 1.0 if kind == "FK" else 0.0)
        pairs = {"FK": FK, "IK": IK, "BOTH": [*IK, *LEGS_FK]}[kind]
        key_controls(armature, pairs, walk_targets(addon, armature, frames)[1])
        bpy.data.libraries.write(str(path), {armature})
        bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    return path


def rigify(blend: Path) -> bpy.types.Object:
    """The generated rig of a file, in the present scene."""
    with bpy.data.libraries.load(str(blend)) as (found, wanted):
        wanted.objects = [name for name in found.objects if name == "rig"]
    armature = wanted.objects[0]
    bpy.context.scene.collection.objects.link(armature)
    bpy.context.view_layer.objects.active = armature
    bpy.context.scene.render.fps = _FPS
    bpy.context.view_layer.update()
    return armature


def switch(armature: bpy.types.Object, name: str, value: float) -> None:
    """Set a custom property of Rigify's limbs; IK_FK is 0 for IK and 1 for FK."""
    for limb in ("upper_arm", "thigh"):
        for side in _SIDES:
            armature.pose.bones[f"{limb}_parent.{side}"][name] = value
    armature.update_tag()
    bpy.context.view_layer.update()


def walk_targets(addon: Addon, armature: bpy.types.Object, frames: int) -> tuple[BoneMap, dict[str, np.ndarray]]:
    """The bone map, and the walk as pose matrices (T, 4, 4) of each mapped bone."""
    read = addon("rig.reader").read_skeleton(armature)
    walk = read_bvh(_WALK)
    motion = to_motion(walk, calibrate(walk, match_bones(walk.skeleton)))
    times = np.arange(frames) / _FPS
    motion = resample(motion, np.minimum(times, motion.times[-1]))
    bone_map = match_bones(read)
    skeleton = read.subset(read.needed_for(set(bone_map.bones.values())))
    shape = (frames, len(skeleton.names))
    turns = np.zeros((*shape, 4))
    turns[..., 0] = 1.0
    placement = np.tile(addon("rig.space").TO_CORE, (frames, 1, 1))
    rest = RigMotion(skeleton, times, turns, np.zeros((*shape, 3)), np.ones((*shape, 3)), placement)
    calibration = calibrate(rest, bone_map)
    # The rig's own proportions: the path is scaled to its legs, and starts over the origin.
    scale = calibration.skeleton.leg_length / motion.skeleton.leg_length
    root = motion.root * scale
    root[:, [0, 2]] -= root[:1, [0, 2]]
    motion = dataclasses.replace(motion, root=root, skeleton=calibration.skeleton)
    return bone_map, _on_joints(bone_map, rest, to_rig(motion, rest, calibration))


def _on_joints(bone_map: BoneMap, rest: RigMotion, motion: RigMotion) -> dict[str, np.ndarray]:
    """Poses of the mapped bones as if each were a child of the one above it: in control rigs few are."""
    index, poses = rest.skeleton.index, dict[str, np.ndarray]()
    for joint, parent in zip(JOINTS, PARENTS, strict=True):
        bone = bone_map.bones[joint]
        pose = motion.pose[:, index[bone]].copy()
        if parent >= 0:
            above = bone_map.bones[JOINTS[parent]]
            glue = np.linalg.inv(rest.pose[0, index[above]]) @ rest.pose[0, index[bone]]
            pose[:, :3, 3] = (poses[above] @ glue)[:, :3, 3]
        poses[bone] = pose
    return poses


def key_controls(armature: bpy.types.Object, pairs: Pairs, joints: dict[str, np.ndarray]) -> None:
    """Key each control as if it were glued to its mapped bone, on every frame from 1 on.

    ``joints`` has each mapped bone's pose (T, 4, 4); only the torso and what is free of the body is moved.
    """
    bones = armature.pose.bones
    glue = {name: bones[bone].matrix.inverted() @ bones[name].matrix for name, bone in pairs}
    for t in range(len(next(iter(joints.values())))):
        for name, bone in pairs:
            matrix = mathutils.Matrix(joints[bone][t].tolist()) @ glue[name]
            if not (name == "torso" or "_ik" in name):
                matrix.translation = bones[name].matrix.translation
            bones[name].matrix = matrix
            bpy.context.view_layer.update()
            key_transforms(bones[name], t + 1)


def key_transforms(control: bpy.types.PoseBone, frame: int) -> None:
    """Key a bone's rotation, and its location if that is free."""
    prop = {"QUATERNION": "rotation_quaternion", "AXIS_ANGLE": "rotation_axis_angle"}
    control.keyframe_insert(prop.get(control.rotation_mode, "rotation_euler"), frame=frame, group=control.name)
    if not all(control.lock_location):
        control.keyframe_insert("location", frame=frame, group=control.name)


def copied(
    addon: Addon, modes: tuple[str, ...] = ("QUATERNION",), tie: str = "COPY_TRANSFORMS"
) -> tuple[bpy.types.Object, BoneMap]:
    """A character whose bones follow controls with names that say nothing; the first constraint of each is ``tie``."""
    armature, bone_map = mapped(addon)
    names = {bone.name: f"c{i:03}" for i, bone in enumerate(armature.data.bones)}
    in_edit_mode(armature, lambda bones: _double(bones, names))
    drop_keys(armature, set(names))
    for name, control in names.items():
        constrain(armature, name, tie if armature.data.bones[name].parent else "COPY_TRANSFORMS", control)
    key_some(armature, tuple(names.values()), modes)
    return armature, bone_map


def leg_ik(
    addon: Addon, sides: tuple[str, ...] = ("left", "right"), *, poles: bool = True
) -> tuple[bpy.types.Object, BoneMap]:
    """A character with IK on its own leg bones; its other bones, and thighs without a pole, are keyed themselves."""
    armature, bone_map = mapped(addon)
    bones = bone_map.bones
    legs = {side: [bones[f"{side}_{joint}"] for joint in ("hip", "knee", "ankle")] for side in sides}
    in_edit_mode(armature, lambda edit: [_add_targets(edit, side, leg) for side, leg in legs.items()])
    drop_keys(armature, {name for leg in legs.values() for name in (leg if poles else leg[1:])})
    for side, (_, shin, foot) in legs.items():
        constraint = constrain(armature, shin, "IK", f"foot.{side}")
        constraint.chain_count = 2
        if poles:
            constraint.pole_target, constraint.pole_subtarget = armature, f"pole.{side}"
            constraint.pole_angle = -np.pi / 2.0
        constrain(armature, foot, "COPY_ROTATION", f"foot.{side}")
    for side in legs:
        for frame in range(1, rigs.FRAMES + 1):
            target, wave = armature.pose.bones[f"foot.{side}"], np.sin(0.4 * frame + (side == "left") * np.pi)
            target.rotation_mode = "XYZ"
            # The targets lie along the world's Y.
            target.location = (0.01 * frame, -0.12 * wave, 0.14 + 0.06 * wave)
            target.rotation_euler = (0.2 * wave, 0.0, 0.0)
            key_transforms(target, frame)
            if poles:
                key_transforms(armature.pose.bones[f"pole.{side}"], frame)
    return armature, bone_map


def control_of(armature: bpy.types.Object, bone: str) -> bpy.types.PoseBone:
    """The control whose transforms a bone copies."""
    return armature.pose.bones[armature.pose.bones[bone].constraints[0].subtarget]


def mapped(addon: Addon) -> tuple[bpy.types.Object, BoneMap]:
    armature = rigs.mixamo()
    return armature, addon("rig.reader").read_rig(armature).bone_map


def in_edit_mode(armature: bpy.types.Object, change: Callable[[bpy.types.ArmatureEditBones], object]) -> None:
    bpy.ops.object.mode_set(mode="EDIT")
    change(armature.data.edit_bones)
    bpy.ops.object.mode_set(mode="OBJECT")


def _double(bones: bpy.types.ArmatureEditBones, names: dict[str, str]) -> None:
    for name, control in names.items():
        own = bones.new(control)
        own.head, own.tail, own.roll = bones[name].head, bones[name].tail, bones[name].roll
    for name, control in names.items():
        if bones[name].parent:
            bones[control].parent = bones[names[bones[name].parent.name]]


def _add_targets(bones: bpy.types.ArmatureEditBones, side: str, leg: list[str]) -> None:
    """Free bones at the foot, and in front of the knee, which is bent a little so that IK knows where to."""
    _, shin, foot = (bones[name] for name in leg)
    shin.head.y -= 0.02
    for name, at in ((f"foot.{side}", foot.head.copy()), (f"pole.{side}", shin.head + mathutils.Vector((0, -0.5, 0)))):
        target = bones.new(name)
        target.head, target.tail = at, at + mathutils.Vector((0.0, 0.1, 0.0))


def drop_keys(armature: bpy.types.Object, names: set[str]) -> None:
    paths = {f'pose.bones["{name}"]' for name in names}
    curves = _curves(armature)
    for curve in [curve for curve in curves if curve.data_path.rpartition(".")[0] in paths]:
        curves.remove(curve)
    for name in names:
        armature.pose.bones[name].matrix_basis = mathutils.Matrix()


def _curves(armature: bpy.types.Object) -> bpy.types.bpy_prop_collection:
    """The collection itself, which can remove."""
    action = armature.animation_data.action
    if bpy.app.version < (4, 4, 0):
        return action.fcurves
    return action.layers[0].strips[0].channelbag(armature.animation_data.action_slot).fcurves


def constrain(armature: bpy.types.Object, name: str, kind: str, target: str) -> bpy.types.Constraint:
    constraint = armature.pose.bones[name].constraints.new(kind)
    constraint.target, constraint.subtarget = armature, target
    return constraint


def key_some(armature: bpy.types.Object, names: tuple[str, ...], modes: tuple[str, ...]) -> None:
    """Swings on the named bones; the first one travels."""
    rng = np.random.default_rng(2)
    for bone, mode in zip((armature.pose.bones[name] for name in names), itertools.cycle(modes), strict=False):
        bone.rotation_mode = mode
        name = {"QUATERNION": "rotation_quaternion", "AXIS_ANGLE": "rotation_axis_angle"}.get(mode, "rotation_euler")
        rest = np.array(getattr(bone, name))
        swing = rng.normal(0.0, 0.1, rest.shape)
        for frame in range(1, rigs.FRAMES + 1):
            setattr(bone, name, (rest + swing * np.sin(0.3 * frame)).tolist())
            bone.keyframe_insert(name, frame=frame, group=bone.name)
            if bone.name == names[0]:
                bone.location = (0.01 * frame, 0.02 * np.sin(frame), 0.0)
                bone.keyframe_insert("location", frame=frame, group=bone.name)
