# SPDX-License-Identifier: GPL-3.0-or-later
"""Rigify's human, as Blender makes it: the metarig, its deform bones, and the control rig."""

from collections.abc import Callable
from typing import Any, Final

import addon_utils
import bpy

from scripts.evaluation.retarget_armature import editing, empty_armature

_LIMBS: Final = ("upper_arm_parent.L", "upper_arm_parent.R", "thigh_parent.L", "thigh_parent.R")
_TRUNK: Final = {"torso": "spine", "chest": "spine.003", "neck": "spine.004", "head": "spine.006"}
# What an animator keys, control to bone of the metarig, of each kind of control rig.
CONTROLS: Final[dict[str, dict[str, str]]] = {
    "rigify-fk": _TRUNK | {
        f"{bone}{end}.{side}": f"{bone}.{side}" for side in "LR" for bone, end in (
            ("shoulder", ""), ("upper_arm", "_fk"), ("forearm", "_fk"), ("hand", "_fk"),
            ("thigh", "_fk"), ("shin", "_fk"), ("foot", "_fk"), ("toe", "_fk"))
    },
    "rigify-ik": _TRUNK | {
        f"{control}.{side}": f"{bone}.{side}" for side in "LR" for control, bone in (
            ("shoulder", "shoulder"), ("hand_ik", "hand"), ("foot_ik", "foot"),
            ("upper_arm_ik_target", "upper_arm"), ("thigh_ik_target", "thigh"))
    },
}  # fmt: skip


def metarig() -> Any:  # noqa: ANN401
    """The bones that a Rigify character begins with."""
    addon_utils.enable("rigify", default_set=True)
    operators: Any = bpy.ops
    operators.object.armature_human_metarig_add()
    return bpy.context.object


def control_rig(*, use_fk: bool) -> Any:  # noqa: ANN401
    """The generated rig with its limbs switched to FK or to IK."""
    base = metarig()
    operators: Any = bpy.ops
    operators.pose.rigify_generate()
    rig = bpy.context.object
    bpy.data.objects.remove(base)
    for name in _LIMBS:
        rig.pose.bones[name]["IK_FK"] = float(use_fk)
        rig.pose.bones[name]["pole_vector"] = not use_fk
    # Drivers do not see properties that scripts set until they are told.
    rig.update_tag()
    bpy.context.view_layer.update()
    return rig


def key_controls(rig: Any, controls: dict[str, str], animate: Callable[[Any], bool]) -> None:  # noqa: ANN401
    """Key each control on every frame, so that it goes with its bone of a metarig that ``animate`` has keyed."""
    guide = metarig()
    with editing(guide) as bones:
        for control, bone in controls.items():
            handle = bones.new(f"handle-{control}")
            handle.head, handle.tail = rig.data.bones[control].head_local, rig.data.bones[control].tail_local
            handle.matrix = rig.data.bones[control].matrix_local
            handle.parent = bones[bone]
    animate(guide)
    first, last = (round(frame) for frame in guide.animation_data.action.frame_range)
    for bone in rig.pose.bones:
        _select(rig, bone, chosen=bone.name in controls)
        if bone.name in controls:
            constraint = bone.constraints.new("COPY_TRANSFORMS")
            constraint.target, constraint.subtarget = guide, f"handle-{bone.name}"
    _bake(rig, first, last)
    for name in controls:
        bone = rig.pose.bones[name]
        for constraint in [own for own in bone.constraints if own.type == "COPY_TRANSFORMS" and own.target == guide]:
            bone.constraints.remove(constraint)
    bpy.data.objects.remove(guide)


def _bake(rig: Any, first: int, last: int) -> None:  # noqa: ANN401
    operators: Any = bpy.ops
    bpy.context.view_layer.objects.active = rig
    for obj in bpy.context.view_layer.objects:
        obj.select_set(obj == rig)
    operators.object.mode_set(mode="POSE")
    operators.nla.bake(frame_start=first, frame_end=last, only_selected=True, visual_keying=True, bake_types={"POSE"})
    operators.object.mode_set(mode="OBJECT")


def _select(rig: Any, bone: Any, *, chosen: bool) -> None:  # noqa: ANN401
    """Selection moved from bones to pose bones in Blender 5."""
    owner = bone if hasattr(bone, "select") else rig.data.bones[bone.name]
    owner.select = chosen


def deform_rig() -> Any:  # noqa: ANN401
    """What games get of a generated rig: its deform bones, hung on one another."""
    rig = control_rig(use_fk=True)
    rest = {
        bone.name: (bone.head_local.copy(), bone.tail_local.copy(), bone.matrix_local.copy(), _deform_parent(bone))
        for bone in rig.data.bones
        if bone.name.startswith("DEF-")
    }
    bpy.data.objects.remove(rig)
    armature = empty_armature("deform")
    with editing(armature) as bones:
        for name, (head, tail, matrix, _) in rest.items():
            bone = bones.new(name)
            bone.head, bone.tail = head, tail
            bone.matrix = matrix
        for name, (_, _, _, parent) in rest.items():
            bones[name].parent = bones[parent] if parent else None
    return armature


def _deform_parent(bone: Any) -> str | None:  # noqa: ANN401
    """The deform bone that stands for the nearest bone above: ORG-spine has DEF-spine."""
    names = bone.id_data.bones
    for above in bone.parent_recursive:
        name = "DEF-" + above.name.removeprefix("DEF-").removeprefix("ORG-").removeprefix("MCH-")
        if name in names and name != bone.name:
            return name
    return None
