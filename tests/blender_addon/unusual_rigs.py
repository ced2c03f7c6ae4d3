# SPDX-License-Identifier: GPL-3.0-or-later
"""Small rigs that tie bones to controls in ways that riggers use, Rigify not."""

import bpy
import numpy as np

from core.matching import BoneMap

from .control_rigs import Addon, constrain, control_of, copied, in_edit_mode, leg_ik, mapped
from .rigs import FRAMES

Mapped = tuple[bpy.types.Object, BoneMap]


def loose_hand(addon: Addon) -> Mapped:
    """The left hand's control is a Child Of the forearm's, and the head's hangs on the neck's by Armature."""
    armature, bone_map = copied(addon)
    names = {
        joint: control_of(armature, bone_map.bones[joint]).name
        for joint in ("left_elbow", "left_wrist", "neck", "head")
    }
    in_edit_mode(armature, lambda bones: [_let_go(bones[names[joint]]) for joint in ("left_wrist", "head")])
    bpy.context.scene.frame_set(1)
    child = constrain(armature, names["left_wrist"], "CHILD_OF", names["left_elbow"])
    child.inverse_matrix = armature.data.bones[names["left_elbow"]].matrix_local.inverted()
    hung = armature.pose.bones[names["head"]].constraints.new("ARMATURE").targets.new()
    hung.target, hung.subtarget = armature, names["neck"]
    return armature, bone_map


def rooted(addon: Addon) -> Mapped:
    """All controls hang on a master bone, which travels and turns."""
    armature, bone_map = copied(addon)
    top = control_of(armature, bone_map.bones["pelvis"]).name
    in_edit_mode(armature, lambda bones: _hang_on_master(bones, [top]))
    _travel(armature.pose.bones["master"])
    return armature, bone_map


def rooted_feet(addon: Addon) -> Mapped:
    """Leg IK whose targets hang on a travelling master bone, as all the rest does."""
    armature, bone_map = leg_ik(addon)
    tops = [bone.name for bone in armature.data.bones if bone.parent is None]
    in_edit_mode(armature, lambda bones: _hang_on_master(bones, tops))
    _travel(armature.pose.bones["master"])
    return armature, bone_map


def turned_locally(addon: Addon) -> Mapped:
    """Bones copy the controls' rotation only, in local space; the right knee about one axis only."""
    armature, bone_map = copied(addon, tie="COPY_ROTATION")
    for name in bone_map.bones.values():
        for constraint in armature.pose.bones[name].constraints:
            if constraint.type == "COPY_ROTATION":
                constraint.owner_space = constraint.target_space = "LOCAL"
    hinge = armature.pose.bones[bone_map.bones["right_knee"]].constraints[0]
    hinge.use_y = hinge.use_z = False
    knee = control_of(armature, bone_map.bones["right_knee"])
    knee.rotation_mode = "XYZ"
    for frame in range(1, FRAMES + 1):
        knee.rotation_euler = (0.3 + 0.2 * np.sin(0.3 * frame), 0.0, 0.0)
        knee.keyframe_insert("rotation_euler", frame=frame)
    return armature, bone_map


def tracked(addon: Addon, kind: str) -> Mapped:
    """As Rigify's deform bones: limbs copy their control and then point at the next one."""
    armature, bone_map = copied(addon)
    for side in ("left", "right"):
        for upper, lower in (("hip", "knee"), ("knee", "ankle"), ("shoulder", "elbow"), ("elbow", "wrist")):
            bone, target = (bone_map.bones[f"{side}_{joint}"] for joint in (upper, lower))
            constrain(armature, bone, kind, control_of(armature, target).name)
    return armature, bone_map


def limited(addon: Addon, degrees: float) -> Mapped:
    """Plainly keyed bones, of which the right knee may only turn about one axis, and so far."""
    armature, bone_map = mapped(addon)
    limit = armature.pose.bones[bone_map.bones["right_knee"]].constraints.new("LIMIT_ROTATION")
    limit.owner_space = "LOCAL"
    limit.use_limit_x = limit.use_limit_y = limit.use_limit_z = True
    limit.min_x, limit.max_x = -np.radians(degrees), np.radians(degrees)
    return armature, bone_map


def _let_go(bone: bpy.types.EditBone) -> None:
    bone.parent = None


def _hang_on_master(bones: bpy.types.ArmatureEditBones, tops: list[str]) -> None:
    master = bones.new("master")
    master.head, master.tail = (0.0, 0.0, 0.0), (0.0, 0.3, 0.0)
    for name in tops:
        bones[name].parent = master


def _travel(master: bpy.types.PoseBone) -> None:
    master.rotation_mode = "XYZ"
    for frame in range(1, FRAMES + 1):
        master.location = (0.0, -0.03 * frame, 0.0)
        master.rotation_euler = (0.0, 0.0, 0.02 * frame)
        master.keyframe_insert("location", frame=frame)
        master.keyframe_insert("rotation_euler", frame=frame)
