# SPDX-License-Identifier: GPL-3.0-or-later
"""What Panache refuses to touch, and what it must read by stepping frames."""

from collections.abc import Iterable, Iterator

import bpy

from ..backend import BoneMap, listed
from .nla import heard_tracks, solo_track
from .take import TRANSFORMS, SetupError, Take


def check_editable(take: Take) -> None:
    """Refuse what cannot be given a new action, or would not play it.

    Raises:
        SetupError: linked armature, rest position, tweak mode, a solo track.

    """
    armature, data = take.armature, take.armature.animation_data
    if armature.library is not None:
        raise SetupError(f'"{armature.name}" is linked: make a library override of it first.')
    if armature.override_library is not None and armature.override_library.is_system_override:
        raise SetupError(f'"{armature.name}" is a locked library override: make it editable in the Outliner first.')
    if armature.data.pose_position == "REST":
        raise SetupError(f'"{armature.name}" shows its rest position: switch it to Pose Position in the armature tab.')
    if data.use_tweak_mode:
        raise SetupError("Leave the tweak mode of the NLA Editor first (Tab).")
    alone = solo_track(armature)
    if alone is not None:
        raise SetupError(f'Switch off the solo star of track "{alone.name}" in the NLA Editor first.')


def check_modes(take: Take, bones: Iterable[str]) -> None:
    """Refuse bones whose rotation mode is animated: their curves mean one thing here and another there.

    Raises:
        SetupError: naming the first of them.

    """
    for name in bones:
        if (take.armature.pose.bones[name].path_from_id("rotation_mode"), 0) in take.channels:
            raise SetupError(f'Bone "{name}" has keys on its rotation mode: delete them, so that it keeps one mode.')


def check_led(take: Take, bone_map: BoneMap) -> None:
    """Refuse bones that something holds, if no other bone has keys that could lead them.

    Whether the keyed ones really do is seen only by trying; that takes longer, see ``controls``.

    Raises:
        SetupError: naming the bones.

    """
    mapped, held = bone_map.bones.values(), held_bones(take)
    names = [bone for bone in mapped if bone in held]
    if names and not any(bone.name not in mapped for bone in keyed_bones(take)):
        raise SetupError(
            f"Constraints or drivers hold {listed(names)}: mute them, or bake them first "
            "(Pose > Animation > Bake Action)."
        )


def keyed_bones(take: Take) -> list[bpy.types.PoseBone]:
    """The bones that the take moves by keys of their own."""
    paths = {path for path, _ in take.channels}
    return [bone for bone in take.armature.pose.bones if any(bone.path_from_id(name) in paths for name in TRANSFORMS)]


def must_step(take: Take, bones: Iterable[str]) -> bool:
    """Whether curves alone do not say how ``bones`` and the object move.

    An action that nobody plays can only be read by its curves.
    """
    if not take.is_played:
        return False
    armature, held = take.armature, held_bones(take)
    return bool(
        _object_moves(take)
        or heard_tracks(armature)
        or any(name in held or not armature.data.bones[name].use_inherit_rotation for name in bones)
    )


def held_bones(take: Take) -> set[str]:
    """Names of the bones that active constraints or drivers move."""
    return {name for bone in take.armature.pose.bones for name in _held_by(take, bone)} | set(_driven(take))


def _held_by(take: Take, bone: bpy.types.PoseBone) -> Iterator[str]:
    """The bone itself if it is constrained, and the chains of its IK constraints."""
    for constraint in bone.constraints:
        # An animated influence may be zero on this frame and one on the next.
        keyed = (f"{constraint.path_from_id()}.influence", 0) in take.channels
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
    paths = {path for path, _ in take.channels} | {curve.data_path for curve in armature.animation_data.drivers}
    return bool(transforms & paths or _is_carried(armature) or any(map(_may_move, _parents(armature))))


def _parents(obj: bpy.types.Object) -> Iterator[bpy.types.Object]:
    while (obj := obj.parent) is not None:
        yield obj


def _is_carried(obj: bpy.types.Object) -> bool:
    """Whether something other than the parent object's own transform moves the object."""
    return bool(obj.constraints or (obj.parent and obj.parent_type != "OBJECT"))


def _may_move(parent: bpy.types.Object) -> bool:
    return _is_carried(parent) or parent.animation_data is not None
