# SPDX-License-Identifier: GPL-3.0-or-later
"""The use case behind panache.import_smpl: read the file, build the armature, key it."""

from dataclasses import dataclass, replace
from pathlib import Path

import bpy
import numpy as np

from ..backend import (
    BodyMesh,
    RigMotion,
    SmplClip,
    SmplPath,
    bone_shape,
    find_body_model,
    guess_up_axis,
    mean_body,
    on_bones,
    read_body_model,
    read_smpl,
    rotations,
)
from ..compat import assign, blank_action, new_fcurve
from ..rig.keying import write_keys
from ..rig.reader import read_skeleton
from ..rig.space import TO_CORE
from .armature import build_armature, build_mesh
from .source import Source, keep_source

Array = rotations.Array
AUTO = "AUTO"

# 29.97 and 30 differ by ten times as much.
_SAME_RATE = 1e-4


@dataclass(frozen=True)
class ImportSettings:
    """What the user chose.

    Attributes:
        up_axis: which axis is up in the file; AUTO asks the body.
        fps: the file's frames per second if it does not say so itself.
        frame_start: frame of the first pose.
        body_models: folder of the licensed body models, None for the mean skeleton.
        set_rate: give the scene the file's frame rate.
        set_range: give the scene the take's frame range.

    """

    up_axis: str
    fps: float
    frame_start: int
    body_models: Path | None
    set_rate: bool
    set_range: bool


def import_motion(context: bpy.types.Context, path: Path, settings: ImportSettings) -> tuple[bpy.types.Object, str]:
    """The new armature, which plays the file's motion, and which body it has, in words.

    Nothing in the scene changes before the files are read.

    Raises:
        PanacheError: with a sentence that says what is wrong with a file.

    """
    clip = read_smpl(path)
    clip = clip if clip.fps else replace(clip, fps=settings.fps)
    mesh, said = _body_of(clip, settings.body_models)
    body = mesh.body if mesh else mean_body(clip.model)
    up_axis = guess_up_axis(clip) if settings.up_axis == AUTO else settings.up_axis
    shape = bone_shape(body, mesh.lowest if mesh else None)
    armature = build_armature(context, path.stem, body, shape)
    if mesh:
        build_mesh(armature, mesh, shape.lift)
    keep_source(armature, Source(clip.template, SmplPath(up_axis, body.rest[0]), clip.fps))
    if settings.set_rate:
        _set_rate(context.scene, clip.fps)
    motion = on_bones(clip, body, up_axis, read_skeleton(armature), TO_CORE)
    frames = settings.frame_start + frame_step(context.scene, clip.fps) * np.arange(len(motion))
    _key(armature, path.stem, motion, frames)
    if settings.set_range:
        context.scene.frame_start, context.scene.frame_end = int(frames[0]), int(np.ceil(frames[-1]))
    context.view_layer.update()
    return armature, said


def scene_rate(scene: bpy.types.Scene) -> float:
    """Frames per second."""
    return float(scene.render.fps / scene.render.fps_base)


def frame_step(scene: bpy.types.Scene, fps: float) -> float:
    """Scene frames from one frame of a file to its next; rates that differ by Blender's rounding only are the same."""
    step = scene_rate(scene) / fps
    return 1.0 if abs(step - 1.0) < _SAME_RATE else step


def _body_of(clip: SmplClip, folder: Path | None) -> tuple[BodyMesh | None, str]:
    """The user's body model of the clip's shape, if there is one, and what to say about it."""
    if folder is None:
        return None, "the mean skeleton"
    file = find_body_model(folder, clip.model, clip.gender)
    if file is None:
        wanted = f"{clip.model.upper()}_{clip.gender.upper()}.npz"
        return None, f"the mean skeleton, since there is no {wanted} in the body model folder"
    return read_body_model(file, clip.model, clip.betas), f"the body of {file.name}"


def _key(armature: bpy.types.Object, name: str, motion: RigMotion, frames: Array) -> None:
    """A new action with the motion's own frames, whole or not; rotations of all bones, and the pelvis' location."""
    action, slot = blank_action(name, armature)
    for i, bone in enumerate(motion.skeleton.names):
        channels = {"rotation_quaternion": motion.rotations[:, i]}
        if motion.skeleton.parents[i] < 0:
            channels["location"] = motion.locations[:, i]
        for prop, values in channels.items():
            data_path = armature.pose.bones[bone].path_from_id(prop)
            for index, column in enumerate(values.T):
                write_keys(new_fcurve(action, slot, (data_path, index), bone), frames, column)
    armature.animation_data_create()
    assign(armature, action, slot)


def _set_rate(scene: bpy.types.Scene, fps: float) -> None:
    scene.render.fps = max(round(fps), 1)
    scene.render.fps_base = scene.render.fps / fps
