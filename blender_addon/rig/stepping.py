# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading a take by playing it: slower than its curves, but sees constraints, drivers and NLA tracks."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Final

import bpy
import numpy as np

from ..backend import Progress, RigSkeleton, Steps, finish, rotation_part, rotations
from .pace import LONG, Pace
from .rotation_modes import property_of
from .take import SetupError

Array = rotations.Array

# Axes further than this from square are no rounding.
_SKEWED = 1e-4
# What makes a bone's pose, and how many numbers each has.
_POSE: Final = {
    "location": 3,
    "rotation_quaternion": 4,
    "rotation_euler": 3,
    "rotation_axis_angle": 4,
    "scale": 3,
}

Stage = Callable[[], AbstractContextManager[object]]
"""Inside, an armature plays something else than it does for the user."""


@dataclass(frozen=True)
class Shown:
    """What Blender shows: T frames of B bones.

    Attributes:
        own: (T, B, 4) rotations in each bone's own mode.
        locations: (T, B, 3) as in the bones' properties.
        scales: (T, B, 3) as in the bones' properties.
        pose: (T, B, 4, 4) pose matrices, armature space.
        world: (T, 4, 4) object matrices, Blender's world.

    """

    own: Array
    locations: Array
    scales: Array
    pose: Array
    world: Array


def step(context: bpy.types.Context, armature: bpy.types.Object, frames: Array, names: tuple[str, ...]) -> Shown:
    """All of :func:`step_steps` at once."""
    return finish(step_steps(context, armature, frames, names))


def step_steps(
    context: bpy.types.Context,
    armature: bpy.types.Object,
    frames: Array,
    names: tuple[str, ...],
    stage: Stage = nullcontext,
) -> Steps[Shown]:
    """Play the frames once; between steps, and afterwards, the scene is on the frame where it was.

    Args:
        context: whose scene is played.
        armature: what is looked at.
        frames: (T,) to play.
        names: (B,) bones to look at.
        stage: entered for every step.

    Raises:
        SetupError: if Blender does not pose the armature now.

    """
    shown: list[tuple[Array, ...]] = []
    while len(shown) < len(frames):
        _check_posed(context, armature)
        modes = [armature.pose.bones[name].rotation_mode for name in names]
        order = {bone.name: i for i, bone in enumerate(armature.pose.bones)}
        picked, pace = [order[name] for name in names], Pace(LONG)
        with scene_kept(context, armature), stage():
            for evaluated in _played(context, armature, frames[len(shown) :]):
                shown.append(_read_frame(evaluated, picked, modes))
                if pace.is_over:
                    break
        yield Progress(len(shown) / len(frames), "Playing frames")
    return Shown(*(np.stack(values) for values in zip(*shown, strict=True)))


def basis_of(pose: Array, skeleton: RigSkeleton) -> tuple[Array, Array, Array]:
    """Rotations, locations and scales that give these pose matrices by the plain rule of core's RigMotion.

    Bones that inherit an uneven scale in another way than the plain one have no such channels: then all scale is
    left out, and only where the bones are and how they are turned is right.
    """
    basis = _plain_basis(pose, skeleton)
    sizes = np.linalg.norm(basis[..., :3, :3], axis=-2)
    axes = basis[..., :3, :3] / sizes[..., None, :]
    if np.abs(np.swapaxes(axes, -1, -2) @ axes - np.eye(3)).max() > _SKEWED:
        rigid = pose.copy()
        rigid[..., :3, :3] = rotations.to_matrix(rotations.from_matrix(rotation_part(pose)))
        basis, sizes = _plain_basis(rigid, skeleton), np.ones_like(sizes)
    return rotations.from_matrix(rotation_part(basis)), basis[..., :3, 3], sizes


def _plain_basis(pose: Array, skeleton: RigSkeleton) -> Array:
    basis = np.empty_like(pose)
    for bone, parent in enumerate(skeleton.parents):
        base = skeleton.relative_rest[bone]
        base = base if parent < 0 else pose[:, parent] @ base
        basis[:, bone] = np.linalg.solve(np.broadcast_to(base, basis[:, bone].shape), pose[:, bone])
    return basis


def _check_posed(context: bpy.types.Context, armature: bpy.types.Object) -> None:
    if armature.data.pose_position == "REST":
        raise SetupError(f'"{armature.name}" shows its rest position: switch it to Pose Position in the armature tab.')
    if armature.hide_viewport or not _is_enabled(context.scene.collection, armature):
        raise SetupError(f'"{armature.name}" is disabled in viewports: enable it, or its collection, in the Outliner.')


def _is_enabled(collection: bpy.types.Collection, obj: bpy.types.Object) -> bool:
    """Whether one of the collections that hold the object is evaluated."""
    if collection.hide_viewport:
        return False
    return obj.name in collection.objects or any(_is_enabled(child, obj) for child in collection.children)


def _played(context: bpy.types.Context, armature: bpy.types.Object, frames: Array) -> Iterator[bpy.types.Object]:
    """The evaluated armature on each frame."""
    for frame in frames:
        whole = int(np.floor(frame))
        context.scene.frame_set(whole, subframe=float(frame - whole))
        yield armature.evaluated_get(context.evaluated_depsgraph_get())


@contextmanager
def scene_kept(context: bpy.types.Context, armature: bpy.types.Object) -> Iterator[None]:
    """Afterwards the scene is on the frame where it was, and the armature in its pose, keyed or not."""
    scene = context.scene
    frame, subframe = scene.frame_current, scene.frame_subframe
    put_back = pose_of(armature)
    try:
        yield
    finally:
        scene.frame_set(frame, subframe=subframe)
        put_back()


def pose_of(armature: bpy.types.Object) -> Callable[[], None]:
    """What puts the armature back into the pose that it has now, keyed or not."""
    pose = {name: _fetch(armature.pose.bones, name, width) for name, width in _POSE.items()}

    def put_back() -> None:
        bones = armature.pose.bones
        lost = [name for name, width in _POSE.items() if not np.array_equal(_fetch(bones, name, width), pose[name])]
        for name in lost:
            bones.foreach_set(name, pose[name].astype(np.float32).ravel())
        if lost:
            armature.update_tag(refresh={"DATA"})

    return put_back


def _read_frame(armature: bpy.types.Object, picked: list[int], modes: list[str]) -> tuple[Array, ...]:
    bones = armature.pose.bones
    by_property = {name: _fetch(bones, name, width) for name, width in set(map(property_of, modes))}
    own = np.zeros((len(picked), 4))
    for row, (bone, mode) in enumerate(zip(picked, modes, strict=True)):
        name, width = property_of(mode)
        own[row, :width] = by_property[name][bone]
    # Blender hands matrices out column by column.
    pose = _fetch(bones, "matrix", 16)[picked].reshape(-1, 4, 4).swapaxes(-1, -2)
    world = np.array(armature.matrix_world, dtype=np.float64)
    return own, _fetch(bones, "location", 3)[picked], _fetch(bones, "scale", 3)[picked], pose, world


def _fetch(collection: bpy.types.bpy_prop_collection, name: str, width: int) -> Array:
    values = np.empty(len(collection) * width, dtype=np.float32)
    collection.foreach_get(name, values)
    return values.reshape(-1, width).astype(np.float64)
