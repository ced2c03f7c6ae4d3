# SPDX-License-Identifier: GPL-3.0-or-later
"""Brings rig files of every kind into a running Blender, each as one armature with an action.

Needs a Python with bpy. What a file does not say is chosen here: which of its actions, how many frames of it, and
what a rig without any animation does (see ``retarget_motion``).
"""

import json
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import addon_utils
import bpy

from scripts.asf_amc import FPS as AMC_FPS
from scripts.asf_amc import read_amc, read_asf
from scripts.evaluation.retarget_armature import build_armature, curves_of, editing, empty_armature, first_frames
from scripts.evaluation.retarget_rigify import control_rig, deform_rig, metarig
from scripts.evaluation.retarget_sources import RigSource

# Longer clips are cut to so many frames: a table of many rigs is wanted, not of long clips.
MAX_FRAMES: Final = 240
# A BVH character taller than this, in file units, is taken to be in centimetres.
_TALL: Final = 10.0
_BVH_COUNT: Final = re.compile(r"^\s*Frames:\s*(\d+)", flags=re.MULTILINE)
_MIN_FRAMES: Final = 12
_WALK: Final = re.compile("walk", flags=re.IGNORECASE)


class RigFileError(RuntimeError):
    """A file holds no rig; the text says why."""


def load_rig(source: RigSource) -> Any:  # noqa: ANN401
    """The armature of a source, alone in an empty scene, with the action that it plays, or with none.

    Raises:
        RigFileError: the file holds no armature, or cannot be read.
    """
    empty_file()
    try:
        armature = _LOADERS[source.kind](source.path)
    except RuntimeError as error:
        raise RigFileError(f"{source.name}: {str(error).strip().splitlines()[-1]}") from error
    if armature is None:
        raise RigFileError(f"{source.name}: no armature.")
    scene: Any = bpy.context.scene
    bpy.context.view_layer.objects.active = armature
    armature.select_set(True)
    _choose_action(armature)
    scene.frame_set(scene.frame_current)
    return armature


def empty_file() -> None:
    """A file with nothing in it, in a process that has seen others."""
    operators: Any = bpy.ops
    operators.wm.read_homefile(use_factory_startup=True, use_empty=True)
    # Without a window the undo history outlives its file, and 4.2 crashes on old steps when Edit Mode is entered.
    operators.ed.undo_push(message="Empty file")
    # Reading this, as Rigify does, makes 4.2 take bpy.context for a part of the scene, and to crash when that scene is
    # gone and somebody sets the window's, as the glTF importer does. Read again, it is a part of the new one.
    _ = bpy.context.layer_collection


def _armature() -> Any | None:  # noqa: ANN401
    """The armature with the most bones."""
    data: Any = bpy.data
    found = [obj for obj in data.objects if obj.type == "ARMATURE"]
    return max(found, key=lambda obj: len(obj.data.bones), default=None)


def _load_gltf(path: Path) -> Any | None:  # noqa: ANN401
    operators: Any = bpy.ops
    operators.import_scene.gltf(filepath=str(path))
    return _armature()


def _load_fbx(path: Path) -> Any | None:  # noqa: ANN401
    operators: Any = bpy.ops
    addon_utils.enable("io_scene_fbx", default_set=True)
    operators.import_scene.fbx(filepath=str(path))
    return _armature()


def _load_blend(path: Path) -> Any | None:  # noqa: ANN401
    data: Any = bpy.data
    scene: Any = bpy.context.scene
    with data.libraries.load(str(path)) as (inside, wanted):
        wanted.objects = inside.objects
        wanted.actions = inside.actions
    for obj in data.objects:
        scene.collection.objects.link(obj)
    return _armature()


def _load_bvh(path: Path) -> Any | None:  # noqa: ANN401
    operators: Any = bpy.ops
    addon_utils.enable("io_anim_bvh", default_set=True)
    with tempfile.TemporaryDirectory() as scratch:
        cut = Path(scratch) / path.name
        cut.write_text(_cut(path.read_text(encoding="utf-8", errors="replace")), encoding="utf-8")
        operators.import_anim.bvh(filepath=str(cut), update_scene_fps=True)
    armature = _armature()
    if armature is not None and max(armature.dimensions) > _TALL:
        armature.scale = (0.01, 0.01, 0.01)
    return armature


def _cut(text: str) -> str:
    head, found, body = text.partition("Frame Time:")
    count = _BVH_COUNT.search(head)
    if not found or count is None:
        return text
    lines = body.splitlines()
    kept = min(int(count[1]), MAX_FRAMES)
    return f"{head[: count.start()]}\nFrames: {kept}\n{found}" + "\n".join(lines[: kept + 1]) + "\n"


def _load_amc(path: Path) -> Any:  # noqa: ANN401
    """The skeleton lies beside the motion and has the part of its name before the underscore."""
    skeleton = path.with_name(path.stem.partition("_")[0] + ".asf")
    character = read_asf(skeleton)
    motion = first_frames(read_amc(path, character), MAX_FRAMES)
    scene: Any = bpy.context.scene
    scene.render.fps = round(AMC_FPS)
    return build_armature(path.stem, motion, [bone.channels for bone in character.bones])


def _load_mpfb(path: Path) -> Any:  # noqa: ANN401
    """A rig definition of MakeHuman's plugin: its bones at their default places."""
    definition: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    bones: dict[str, Any] = definition.get("bones", definition)
    armature = empty_armature(path.stem.removeprefix("rig."))
    edit = armature.data.edit_bones
    with editing(armature):
        for name, entry in bones.items():
            bone = edit.new(name)
            bone.head, bone.tail = entry["head"]["default_position"], entry["tail"]["default_position"]
            bone.roll = entry["roll"]
        for name, entry in bones.items():
            if entry["parent"]:
                edit[name].parent = edit[entry["parent"]]
    return armature


def _choose_action(armature: Any) -> None:  # noqa: ANN401
    """Play the action that shows most: a walk, else the longest; none if all of them are single poses."""
    data: Any = bpy.data
    bones = {bone.path_from_id("rotation_quaternion").rpartition(".")[0] for bone in armature.pose.bones}
    actions = [action for action in data.actions if bones & _paths(action)]
    lengths = {action.name: action.frame_range[1] - action.frame_range[0] for action in actions}
    moving = [action for action in actions if lengths[action.name] >= _MIN_FRAMES]
    if not moving:
        armature.animation_data_clear()
        return
    best = max(moving, key=lambda action: (bool(_WALK.search(action.name)), lengths[action.name]))
    animation = armature.animation_data or armature.animation_data_create()
    for track in list(animation.nla_tracks):
        animation.nla_tracks.remove(track)
    animation.action = best
    if getattr(animation, "action_suitable_slots", None) and animation.action_slot is None:
        animation.action_slot = animation.action_suitable_slots[0]


def _paths(action: Any) -> set[str]:  # noqa: ANN401
    """Data paths of the bones that an action has curves for."""
    return {curve.data_path.rpartition(".")[0] for curve in curves_of(action)}


_LOADERS: Final[dict[str, Callable[[Path], Any]]] = {
    ".glb": _load_gltf, ".gltf": _load_gltf, ".fbx": _load_fbx, ".bvh": _load_bvh, ".amc": _load_amc,
    ".json": _load_mpfb, ".blend": _load_blend,
    "rigify-metarig": lambda _: metarig(),
    "rigify-deform": lambda _: deform_rig(),
    "rigify-fk": lambda _: control_rig(use_fk=True),
    "rigify-ik": lambda _: control_rig(use_fk=False),
}  # fmt: skip
