# SPDX-License-Identifier: GPL-3.0-or-later
"""What Panache refuses to touch, and what it must read by stepping frames."""

from collections.abc import Iterable, Iterator

import bpy

from ..backend import BoneMap
from .take import TRANSFORMS, SetupError, Take

_SHOWN = 4


def check_editable(take: Take) -> None:
    """Refuse what cannot be given a new action.

    Raises:
        SetupError: linked armature, tweak mode, or an action that is only one layer of several.

    """
    armature, data = take.armature, take.armature.animation_data
    if armature.library is not None:
        raise SetupError(f'"{armature.name}" is linked: make a library override of it first.')
    if data.use_tweak_mode:
        raise SetupError("Leave the tweak mode of the NLA Editor first (Tab).")
    if data.action_blend_type != "REPLACE" or data.action_influence < 1.0:
        raise SetupError("Set the action's blending to Replace and its influence to 1 in the NLA Editor first.")


def check_free(take: Take, bone_map: BoneMap) -> None:
    """Refuse bones whose keys something else overrules.

    Raises:
        SetupError: naming the bones.

    """
    held = held_bones(take)
    names = [bone for bone in bone_map.bones.values() if bone in held]
    if names:
        shown = ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")
        raise SetupError(
            f"Constraints or drivers hold {shown}: mute them, or bake them first (Pose > Animation > Bake Action)."
        )


def must_step(take: Take, bones: Iterable[str]) -> bool:
    """Whether curves alone do not say how ``bones`` and the object move.

    An action that nobody plays can only be read by its curves.
    """
    if not take.is_played:
        return False
    armature, held = take.armature, held_bones(take)
    return (
        _object_moves(take)
        or any(track.strips and not track.mute for track in armature.animation_data.nla_tracks)
        or any(name in held or not armature.data.bones[name].use_inherit_rotation for name in bones)
    )


def held_bones(take: Take) -> set[str]:
    """Names of the bones that active constraints or drivers move."""
    return {name for bone in take.armature.pose.bones for name in _held_by(take, bone)} | set(_driven(take))


def _held_by(take: Take, bone: bpy.types.PoseBone) -> Iterator[str]:
    """The bone itself if it is constrained, and the chains of its IK constraints."""
    for constraint in bone.constraints:
        # An animated influence may be zero on this frame and one on the next.
        keyed = (f"{constraint.path_from_id()}.influence", 0) in take.curves
        if constraint.mute or not (keyed or constraint.influence > 0.0):
            continue
        yield bone.name
        if constraint.type in {"IK", "SPLINE_IK"}:
            yield from (parent.name for parent in _chain(bone, constraint))


def _chain(bone: bpy.types.PoseBone, constraint: bpy.types.Constraint) -> list[bpy.types.PoseBone]:
    """The bones above ``bone`` that its IK constraint bends; a length of 0 means all."""
    count = constraint.chain_count
    # Without its tail the chain begins one bone higher.
    own = 1 if getattr(constraint, "use_tail", True) else 0
    return bone.parent_recursive[: count - own] if count else bone.parent_recursive


def _driven(take: Take) -> Iterator[str]:
    paths = {curve.data_path for curve in take.armature.animation_data.drivers if not curve.mute}
    for bone in take.armature.pose.bones if paths else ():
        if any(bone.path_from_id(name) in paths for name in TRANSFORMS):
            yield bone.name


def _object_moves(take: Take) -> bool:
    """Whether the object may move during the take, itself or with its parents."""
    armature = take.armature
    transforms = {*TRANSFORMS, *(f"delta_{name}" for name in TRANSFORMS)}
    paths = {path for path, _ in take.curves} | {curve.data_path for curve in armature.animation_data.drivers}
    return bool(transforms & paths or _is_carried(armature) or any(map(_may_move, _parents(armature))))


def _parents(obj: bpy.types.Object) -> Iterator[bpy.types.Object]:
    while (obj := obj.parent) is not None:
        yield obj


def _is_carried(obj: bpy.types.Object) -> bool:
    """Whether something other than the parent object's own transform moves the object."""
    return bool(obj.constraints or (obj.parent and obj.parent_type != "OBJECT"))


def _may_move(parent: bpy.types.Object) -> bool:
    return _is_carried(parent) or parent.animation_data is not None
