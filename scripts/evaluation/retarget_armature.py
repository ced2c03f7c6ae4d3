# SPDX-License-Identifier: GPL-3.0-or-later
"""Armatures and their keys out of numbers, in a running Blender."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import bpy
import numpy as np

from core.rig import RigMotion
from core.rotations import Array, continuous

# Core's world is Y up, Blender's Z up.
_UPRIGHT: Final = np.array([[1.0, 0.0, 0.0, 0.0], [0.0, 0.0, -1.0, 0.0], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]])
_LINEAR: Final = 1


def build_armature(name: str, motion: RigMotion, channels: Sequence[Sequence[str]] = ()) -> Any:  # noqa: ANN401
    """An armature with the bones and the keys of a rig motion, one key a frame.

    Args:
        name: of the object.
        motion: bones and channels; its placement becomes the object's.
        channels: of each bone, such as ``("RX", "RZ")``: it gets these curves only, as Euler angles.
    """
    armature = empty_armature(name)
    with editing(armature) as bones:
        for bone, matrix, length in zip(
            motion.skeleton.names, motion.skeleton.rest, motion.skeleton.lengths.tolist(), strict=True
        ):
            edit = bones.new(bone)
            edit.tail = (0.0, length, 0.0)
            edit.matrix = as_matrix(matrix)
        for bone, parent in zip(motion.skeleton.names, motion.skeleton.parents, strict=True):
            if parent >= 0:
                bones[bone].parent = bones[motion.skeleton.names[parent]]
    armature.matrix_world = as_matrix(_UPRIGHT @ motion.placement[0])
    for index, bone in enumerate(motion.skeleton.names):
        own = channels[index] if channels else None
        _key_bone(armature.pose.bones[bone], motion, index, own)
    return armature


def empty_armature(name: str) -> Any:  # noqa: ANN401
    """A new armature without bones, active."""
    data: Any = bpy.data
    armature = data.objects.new(name, data.armatures.new(name))
    scene: Any = bpy.context.scene
    scene.collection.objects.link(armature)
    bpy.context.view_layer.objects.active = armature
    armature.select_set(True)
    return armature


@contextmanager
def editing(armature: Any) -> Generator[Any]:  # noqa: ANN401
    """The armature's edit bones."""
    operators: Any = bpy.ops
    bpy.context.view_layer.objects.active = armature
    operators.object.mode_set(mode="EDIT")
    try:
        yield armature.data.edit_bones
    finally:
        operators.object.mode_set(mode="OBJECT")
        bpy.context.view_layer.update()


def as_matrix(numbers: Array) -> Any:  # noqa: ANN401
    """Numbers (4, 4) as Blender's own matrix."""
    scene: Any = bpy.context.scene
    return type(scene.cursor.matrix)(numbers.tolist())


def first_frames(motion: RigMotion, count: int) -> RigMotion:
    """The clip's beginning."""
    return motion.rows(range(min(count, len(motion))))


def key_channel(bone: Any, name: str, frames: Array, values: Array) -> None:  # noqa: ANN401
    """Curves of one property of a pose bone, with keys (T,) of values (T, width); NaN columns get no curve."""
    armature = bone.id_data
    used = [column for column in range(values.shape[1]) if np.isfinite(values[:, column]).all()]
    for column in used:
        bone.keyframe_insert(name, index=column, frame=float(frames[0]), group=bone.name)
    path = bone.path_from_id(name)
    own = [curve for curve in curves_of(armature.animation_data.action) if curve.data_path == path]
    for curve in own:
        points = curve.keyframe_points
        points.add(len(frames) - len(points))
        points.foreach_set("co", np.stack([frames, values[:, curve.array_index]], axis=-1).astype(np.float32).ravel())
        points.foreach_set("interpolation", np.full(len(frames), _LINEAR, dtype=np.int32))
        curve.update()


def curves_of(action: Any) -> list[Any]:  # noqa: ANN401
    """All curves of an action."""
    if bpy.app.version < (4, 4, 0):
        return list(action.fcurves)
    strips = [strip for layer in action.layers for strip in layer.strips]
    return [curve for strip in strips for bag in strip.channelbags for curve in bag.fcurves]


def _key_bone(bone: Any, motion: RigMotion, index: int, channels: Sequence[str] | None) -> None:  # noqa: ANN401
    scene: Any = bpy.context.scene
    frames = 1.0 + motion.times * scene.render.fps / scene.render.fps_base
    turns, moves = motion.rotations[:, index], motion.locations[:, index]
    if channels is None:
        bone.rotation_mode = "QUATERNION"
        key_channel(bone, "rotation_quaternion", frames, continuous(turns))
        if np.abs(moves).max() > 0.0:
            key_channel(bone, "location", frames, moves)
        return
    bone.rotation_mode = "XYZ"
    for kind, name, values in (("R", "rotation_euler", _euler(turns)), ("T", "location", moves.copy())):
        for column, letter in enumerate("XYZ"):
            if kind + letter not in channels:
                values[:, column] = np.nan
        key_channel(bone, name, frames, values)


def _euler(turns: Array) -> Array:
    """Angles (T, 3), X first, without jumps."""
    w, x, y, z = np.moveaxis(turns, -1, 0)
    angles = np.stack(
        [
            np.arctan2(2.0 * (w * x + y * z), 1.0 - 2.0 * (x * x + y * y)),
            np.arcsin(np.clip(2.0 * (w * y - z * x), -1.0, 1.0)),
            np.arctan2(2.0 * (w * z + x * y), 1.0 - 2.0 * (y * y + z * z)),
        ],
        axis=-1,
    )
    return np.unwrap(angles, axis=0)
