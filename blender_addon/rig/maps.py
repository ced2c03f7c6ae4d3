# SPDX-License-Identifier: GPL-3.0-or-later
"""The user's corrections of a bone map: with the armature in its file, and in the user's folder for other files.

What the panel of an armature shows is what is used. An armature that was never looked at takes what the user once
chose for another one with the same bones.
"""

from pathlib import Path
from typing import Final

import bpy

from ..backend import JOINTS, BoneMap, PanacheError, RigSkeleton, corrected, dump_map, parse_map, signature
from .take import SetupError

# Below extension_path_user: the extension's own folder is replaced by every update.
_EXTENSION: Final = __package__.rpartition(".blender_addon")[0]
_FOLDER: Final = "bone_maps"
# Where PanacheSettings lives on an object.
_OWNER: Final = "panache"
_NOT_REMEMBERED: Final = (
    "The bone map is kept in this file only, because Blender's user folder cannot be written: "
    "save it as JSON to use it elsewhere."
)


def check_local(armature: bpy.types.Object) -> None:
    """Refuse an armature whose panel settings cannot be changed.

    Raises:
        SetupError: it is linked.

    """
    if not armature.is_editable:
        raise SetupError(f'"{armature.name}" is linked: make a library override of it first.')


def stored_map(skeleton: RigSkeleton, armature: bpy.types.Object | None = None) -> BoneMap | None:
    """What the user chose for this armature, or for one with the same bones; None if nothing.

    Raises:
        PanacheError: what the armature's panel shows is no body.

    """
    if armature is not None and is_shown(armature, skeleton):
        return shown_map(armature, skeleton) if getattr(armature, _OWNER).is_users_map else None
    try:
        return remembered_map(skeleton)
    except PanacheError:
        # Detect Rig says so; until then the rig is simply recognised anew.
        return None


def remembered_map(skeleton: RigSkeleton) -> BoneMap | None:
    """The map in the user's folder for these bones; None if there is none.

    Raises:
        PanacheError: it cannot be read.

    """
    path = _path(skeleton)
    if path is None or not path.is_file():
        return None
    return read_map(path, skeleton)


def remember(skeleton: RigSkeleton, bone_map: BoneMap) -> None:
    """Keep a map for every armature with these bones, in all files to come.

    Raises:
        SetupError: the user's folder cannot be written.

    """
    path = _path(skeleton, create=True)
    if path is None:
        raise SetupError(_NOT_REMEMBERED)
    try:
        write_map(path, bone_map, skeleton)
    except SetupError as error:
        raise SetupError(_NOT_REMEMBERED) from error


def forget(skeleton: RigSkeleton) -> None:
    """Drop what :func:`remember` kept.

    Raises:
        SetupError: the user's folder cannot be written.

    """
    path = _path(skeleton)
    try:
        if path is not None:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise SetupError(f"The remembered bone map cannot be removed: delete {path.name} yourself.") from error


def read_map(path: Path, skeleton: RigSkeleton) -> BoneMap:
    """A map out of a JSON file.

    Raises:
        PanacheError: the file cannot be read, or is of another rig.

    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SetupError(f'"{path.name}" cannot be read: choose a bone map that Panache saved.') from error
    return parse_map(text, skeleton)


def write_map(path: Path, bone_map: BoneMap, skeleton: RigSkeleton) -> None:
    """Write a map as JSON; a file that was there is replaced only once the new one is whole.

    Raises:
        SetupError: it cannot be written.

    """
    partial = path.with_name(f"{path.name}.part")
    try:
        partial.write_text(dump_map(bone_map, skeleton), encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        raise SetupError(f'"{path.name}" cannot be written there: choose another folder.') from error


def show_map(armature: bpy.types.Object, skeleton: RigSkeleton, found: BoneMap, chosen: dict[str, str] | None) -> None:
    """Fill the armature's panel: what was recognised, and what the user chose instead of it, if that is not None."""
    settings = getattr(armature, _OWNER)
    settings.signature, settings.family, settings.confidence = signature(skeleton), found.family, found.confidence
    settings.is_users_map = chosen is not None
    used = found.bones if chosen is None else chosen
    for joint in JOINTS:
        # In place: what a library override has from its library cannot be taken out of it.
        entry = settings.joints.get(joint) or settings.joints.add()
        entry.name, entry.found, entry.chosen = joint, found.bones.get(joint, ""), used.get(joint, "")
        entry.origin = found.origins.get(joint, "")


def shown_map(armature: bpy.types.Object, skeleton: RigSkeleton) -> BoneMap:
    """The map as the armature's panel shows it.

    Raises:
        PanacheError: it is no body.

    """
    settings = getattr(armature, _OWNER)
    found = {joint.name: joint.found for joint in settings.joints if joint.found}
    origins = {joint.name: joint.origin for joint in settings.joints if joint.found}
    chosen = {joint.name: joint.chosen for joint in settings.joints if joint.chosen}
    return corrected(BoneMap(found, settings.family, settings.confidence, origins), chosen, skeleton)


def is_shown(armature: bpy.types.Object, skeleton: RigSkeleton) -> bool:
    """Whether the armature's panel has a map of the bones that it has now."""
    settings = getattr(armature, _OWNER)
    return bool(settings.joints) and settings.signature == signature(skeleton)


def _path(skeleton: RigSkeleton, *, create: bool = False) -> Path | None:
    """File of a skeleton's map; None where Blender gives the extension no folder."""
    try:
        folder = bpy.utils.extension_path_user(_EXTENSION, path=_FOLDER, create=create)
    except (OSError, ValueError):
        return None
    # An empty path, which is what Blender returns for a folder that it cannot make, would be the current one.
    return Path(folder) / f"{signature(skeleton)}.json" if folder else None
