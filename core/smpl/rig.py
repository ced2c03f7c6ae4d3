# SPDX-License-Identifier: GPL-3.0-or-later
"""SMPL poses as rig motion, and the same motion on bones that lie differently at rest.

SMPL's joints have no frames of their own: at rest every one is aligned with the model's space, which is oriented as
core's world. An armature's bones point to their children instead. Both rest in the same pose, so what ties the bones
of one to the other is one constant rotation per bone.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..rig import RigMotion, RigSkeleton, rotation_part
from ..rotations import (
    Array,
    conjugate,
    continuous,
    from_matrix,
    from_rotation_vector,
    multiply,
    rotate,
    to_rotation_vector,
)
from .archive import SmplFileError
from .clip import SmplClip
from .joints import SmplBody, mean_body

UpAxis = Literal["Z", "Y", "-Y"]
UP_AXES: tuple[UpAxis, ...] = ("Z", "Y", "-Y")

# From the file's world to core's, for each axis that may point up in the file.
_TO_CORE: dict[UpAxis, Array] = {
    "Z": np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]]),
    "Y": np.eye(3),
    "-Y": np.diag([1.0, -1.0, -1.0]),
}


@dataclass(frozen=True)
class SmplPath:
    """What ties the pelvis' way in a file to core's world.

    Attributes:
        up_axis: which axis of the file's world points up.
        pelvis: (3,) rest position of the pelvis in the model's space, metres.
    """

    up_axis: UpAxis
    pelvis: Array


def guess_up_axis(clip: SmplClip) -> UpAxis:
    """The axis of the file's world along which the body stands on average.

    AMASS is Z up; what is fitted to video is Y up, or Y down where the camera's own axes were kept. A body that
    lies most of the time says nothing: then it is Z, as in AMASS.
    """
    up = rotate(from_rotation_vector(clip.poses[:, 0]), np.array([0.0, 1.0, 0.0])).mean(axis=0)
    scores: dict[UpAxis, float] = {"Z": float(up[2]), "Y": float(up[1]), "-Y": -float(up[1])}
    best = max(UP_AXES, key=lambda axis: scores[axis])
    return best if scores[best] > 0.5 else "Z"


def on_bones(clip: SmplClip, body: SmplBody, up_axis: UpAxis, target: RigSkeleton, upright: Array) -> RigMotion:
    """The clip on the bones of an armature that rests in the body's own pose and stands at the world's origin.

    Args:
        clip: with a frame rate.
        body: the joints that the armature was built from.
        up_axis: of the clip's world.
        target: bones with the joints' names.
        upright: (4, 4) armature space to core's world.

    """
    placement = np.broadcast_to(upright, (len(clip.trans), 4, 4))
    return carried_over(to_rig_motion(clip, body, up_axis), target, (np.eye(4), upright), placement)


def off_bones(motion: RigMotion, model: str, upright: Array, path: SmplPath) -> tuple[Array, Array]:
    """Axis-angle poses (T, J, 3) and trans (T, 3) of what such an armature does; the inverse of :func:`on_bones`.

    Args:
        motion: of bones with all of the model's joint names.
        model: one of ``MODELS``.
        upright: (4, 4) armature space to core's world, of the armature at rest.
        path: of the file that the armature was built from.

    Raises:
        SmplFileError: a bone is missing.
    """
    placement = np.broadcast_to(np.eye(4), motion.placement.shape)
    plain = plain_skeleton(mean_body(model))
    return from_rig_motion(carried_over(motion, plain, (upright, np.eye(4)), placement), path)


def to_rig_motion(clip: SmplClip, body: SmplBody, up_axis: UpAxis) -> RigMotion:
    """The clip, which must have a frame rate, on bones that are aligned with the model's space at rest."""
    placement = np.eye(4)
    placement[:3, :3] = _TO_CORE[up_axis]
    frames, count = clip.poses.shape[:2]
    locations = np.zeros((frames, count, 3))
    locations[:, 0] = clip.trans
    rotations = continuous(from_rotation_vector(clip.poses))
    return RigMotion(
        plain_skeleton(body),
        np.arange(frames) / clip.fps,
        rotations,
        locations,
        np.ones_like(locations),
        np.broadcast_to(placement, (frames, 4, 4)),
    )


def from_rig_motion(motion: RigMotion, path: SmplPath) -> tuple[Array, Array]:
    """Axis-angle poses (T, J, 3) and trans (T, 3) of a motion on the plain skeleton."""
    world = world_rotations(motion)
    file = np.broadcast_to(from_matrix(_TO_CORE[path.up_axis]), world[:, 0].shape)
    local = [
        multiply(conjugate(file if parent < 0 else world[:, parent]), world[:, joint])
        for joint, parent in enumerate(motion.skeleton.parents)
    ]
    trans = head_path(motion, 0) @ _TO_CORE[path.up_axis] - path.pelvis
    return to_rotation_vector(np.stack(local, axis=1)), trans


def plain_skeleton(body: SmplBody) -> RigSkeleton:
    """The body's joints as bones that are aligned with the model's space at rest."""
    rest = np.tile(np.eye(4), (len(body.names), 1, 1))
    rest[:, :3, 3] = body.rest
    return RigSkeleton(body.names, body.parents, rest, np.full(len(body.names), 0.1))


def carried_over(motion: RigMotion, target: RigSkeleton, upright: tuple[Array, Array], placement: Array) -> RigMotion:
    """The same motion on the bones of another skeleton that rests in the same pose.

    Args:
        motion: of a skeleton with bones of the target's names; further bones are looked through.
        target: the bones to move. Those without a parent also get the location of their namesake.
        upright: two (4, 4) ways to core's world, of both skeletons at rest, in which these rest poses agree.
        placement: (T, 4, 4) the target's armature space to core's world.

    Raises:
        SmplFileError: a bone is missing.
    """
    lacking = [name for name in target.names if name not in motion.skeleton.index]
    if lacking:
        raise SmplFileError(f'Bone "{lacking[0]}" of the imported skeleton is gone: give it its name back.')
    source = [motion.skeleton.index[name] for name in target.names]
    before = _turns(upright[0] @ motion.skeleton.rest[source])
    after = _turns(upright[1] @ target.rest)
    world = multiply(world_rotations(motion)[:, source], multiply(conjugate(before), after))
    rotations, locations = np.empty_like(world), np.zeros((len(motion), len(target), 3))
    for bone, parent in enumerate(target.parents):
        above = _turns(placement) if parent < 0 else world[:, parent]
        base = multiply(above, _turns(target.relative_rest[bone]))
        rotations[:, bone] = multiply(conjugate(base), world[:, bone])
        if parent < 0:
            space = placement @ target.rest[bone]
            way = head_path(motion, source[bone]) - space[:, :3, 3]
            locations[:, bone] = np.linalg.solve(space[:, :3, :3], way[..., None])[..., 0]
    ones = np.ones_like(locations)
    return RigMotion(target, motion.times, continuous(rotations), locations, ones, placement)


def world_rotations(motion: RigMotion) -> Array:
    """(T, B, 4) rotations of all bones in core's world, without the matrices that long clips have no room for."""
    relative = _turns(motion.skeleton.relative_rest)
    placement = _turns(motion.placement)
    world: list[Array] = []
    for bone, parent in enumerate(motion.skeleton.parents):
        above = placement if parent < 0 else world[parent]
        world.append(multiply(multiply(above, relative[bone]), motion.rotations[:, bone]))
    return np.stack(world, axis=1)


def head_path(motion: RigMotion, bone: int) -> Array:
    """(T, 3) where the bone's head is in core's world, metres."""
    point = np.zeros((len(motion), 3))
    for link in (bone, *motion.skeleton.ancestors(bone)):
        rest = motion.skeleton.relative_rest[link]
        if link != bone:
            point = rotate(motion.rotations[:, link], point * motion.scales[:, link])
        point = (point + motion.locations[:, link]) @ rest[:3, :3].T + rest[:3, 3]
    return (motion.placement[:, :3, :3] @ point[..., None])[..., 0] + motion.placement[:, :3, 3]


def _turns(matrices: Array) -> Array:
    """(..., 4) rotations of (..., 4, 4) matrices."""
    return from_matrix(rotation_part(matrices))
