# SPDX-License-Identifier: GPL-3.0-or-later
"""The use cases behind the bone map: recognise, correct, confirm, save, load, start over."""

from pathlib import Path

import bpy

from .backend import BoneMap, PanacheError, RigSkeleton
from .rig import maps
from .rig.reader import read_skeleton, recognise
from .rig.take import SetupError, active_take


def detect(context: bpy.types.Context, armature: bpy.types.Object) -> tuple[BoneMap, str]:
    """Fill the armature's panel with what is recognised, and with what the user chose before.

    Returns:
        The map, and a sentence about a remembered map that cannot be used; empty if there is none.

    Raises:
        PanacheError: that is no body; the panel is filled all the same, for the user to choose bones.

    """
    skeleton = _skeleton_of(armature)
    chosen, problem = _chosen_before(armature, skeleton)
    found = _found(context, armature, skeleton)
    maps.show_map(armature, skeleton, found, chosen)
    bone_map = found if chosen is None else maps.shown_map(armature, skeleton)
    armature.panache.map_problem = _problem_of(bone_map)
    bone_map.require()
    return bone_map, problem


def correct(armature: bpy.types.Object) -> None:
    """Remember what the user chose in the panel, or leave a sentence there that says why it cannot be used."""
    skeleton, settings = read_skeleton(armature), armature.panache
    settings.is_users_map = True
    try:
        bone_map = maps.shown_map(armature, skeleton)
        bone_map.require()
        maps.remember(skeleton, bone_map)
    except PanacheError as error:
        settings.map_problem = str(error)
    else:
        settings.map_problem = ""


def confirm(armature: bpy.types.Object) -> None:
    """Take the map in the panel for the right one, however unsure its recognition was.

    Raises:
        PanacheError: it is no body.

    """
    skeleton = _skeleton_of(armature)
    if not maps.is_shown(armature, skeleton):
        raise SetupError("There is no bone map to confirm: press Detect Rig first.")
    maps.shown_map(armature, skeleton).require()
    correct(armature)


def save(context: bpy.types.Context, armature: bpy.types.Object, path: Path) -> None:
    """Write the armature's map as JSON, with corrections if there are any.

    Raises:
        PanacheError: no map, or no place to write to.

    """
    skeleton = _skeleton_of(armature)
    if not maps.is_shown(armature, skeleton):
        detect(context, armature)
    maps.write_map(path, maps.shown_map(armature, skeleton), skeleton)


def load(context: bpy.types.Context, armature: bpy.types.Object, path: Path) -> BoneMap:
    """Use a map out of a JSON file, from now on.

    Raises:
        PanacheError: the file cannot be used; nothing changes then.

    """
    skeleton = _skeleton_of(armature)
    bone_map = maps.read_map(path, skeleton)
    bone_map.require()
    maps.show_map(armature, skeleton, _found(context, armature, skeleton), bone_map.bones)
    correct(armature)
    return bone_map


def reset(context: bpy.types.Context, armature: bpy.types.Object) -> None:
    """Drop the user's map, here and for files to come, and recognise the bones anew.

    Raises:
        PanacheError: the remembered map cannot be removed, or no body is recognised.

    """
    skeleton = _skeleton_of(armature)
    armature.panache.is_users_map = False
    maps.forget(skeleton)
    detect(context, armature)


def _skeleton_of(armature: bpy.types.Object) -> RigSkeleton:
    maps.check_local(armature)
    return read_skeleton(armature)


def _found(context: bpy.types.Context, armature: bpy.types.Object, skeleton: RigSkeleton) -> BoneMap:
    """What is recognised, by the movement too if there is any."""
    try:
        take = active_take(context)
    except SetupError:
        take = None
    return recognise(skeleton, take if take and take.armature == armature else None)


def _chosen_before(armature: bpy.types.Object, skeleton: RigSkeleton) -> tuple[dict[str, str] | None, str]:
    """The bones that the user chose, here or for such a rig; None if none, and why not."""
    if maps.is_shown(armature, skeleton) and armature.panache.is_users_map:
        return {joint.name: joint.chosen for joint in armature.panache.joints}, ""
    try:
        remembered = maps.remembered_map(skeleton)
    except PanacheError as error:
        return None, str(error)
    return (remembered.bones if remembered else None), ""


def _problem_of(bone_map: BoneMap) -> str:
    try:
        bone_map.require()
    except PanacheError as error:
        return str(error)
    return ""
