# SPDX-License-Identifier: GPL-3.0-or-later
"""From an armature and its action to core's rig and clip."""

from dataclasses import dataclass

import bpy
import numpy as np

from ..backend import MIN_FRAMES, BoneMap, ClipTooShortError, RigMotion, RigSkeleton, match_bones, rotations
from .guards import must_step
from .rotation_modes import Modes, property_of, to_quaternions
from .space import placement_of
from .stepping import Steps, basis_of, step
from .take import TRANSFORMS, SetupError, Take

Array = rotations.Array

# Keys closer than this to a whole frame, in frames, lie on it: other programs write 11.99999.
_SAME_FRAME = 1e-3
_UNSCALED = 1e-6


@dataclass(frozen=True)
class Rig:
    """An armature's skeleton and the bones that were recognised in it."""

    skeleton: RigSkeleton
    bone_map: BoneMap

    @property
    def needed(self) -> RigSkeleton:
        """The mapped bones and everything above them."""
        return self.skeleton.subset(self.skeleton.needed_for(set(self.bone_map.bones.values())))


@dataclass(frozen=True)
class Reading:
    """A take as numbers, both as core wants them and as the bones' properties have them.

    Attributes:
        take: what was read.
        bone_map: the recognised bones.
        frames: (T,) Blender frames, some of them fractional.
        motion: the clip for core.
        own: (T, B, 4) rotations in each bone's own mode.
        locations: (T, B, 3) location properties.
        modes: rotation mode of each bone.

    """

    take: Take
    bone_map: BoneMap
    frames: Array
    motion: RigMotion
    own: Array
    locations: Array
    modes: Modes


def read_rig(armature: bpy.types.Object) -> Rig:
    """Skeleton and bone map of an armature.

    Raises:
        PanacheError: if it is not recognised as a humanoid.

    """
    skeleton = read_skeleton(armature)
    bone_map = match_bones(skeleton)
    bone_map.require()
    return Rig(skeleton, bone_map)


def read_skeleton(armature: bpy.types.Object) -> RigSkeleton:
    """All bones at rest, parents before children."""
    bones: list[bpy.types.Bone] = []
    waiting = [bone for bone in reversed(armature.data.bones) if bone.parent is None]
    while waiting:
        bones.append(waiting.pop())
        waiting.extend(reversed(bones[-1].children))
    index = {bone.name: i for i, bone in enumerate(bones)}
    rest = np.array([bone.matrix_local for bone in bones], dtype=np.float64).reshape(-1, 4, 4)
    parents = tuple(index[bone.parent.name] if bone.parent else -1 for bone in bones)
    return RigSkeleton(tuple(index), parents, rest, np.array([bone.length for bone in bones], dtype=np.float64))


def read_clip(context: bpy.types.Context, take: Take, rig: Rig) -> Reading:
    """Sample the take on every frame and on every key of the needed bones.

    Raises:
        PanacheError: naming a bone whose keys are not numbers, or if frames must be stepped and cannot.

    """
    skeleton = rig.needed
    frames = sample_frames(take, skeleton.names)
    bones = [take.armature.pose.bones[name] for name in skeleton.names]
    modes = tuple(bone.rotation_mode for bone in bones)
    scales = _read_channel(take, bones, "scale", frames)
    if must_step(take, skeleton.names) or (take.is_played and _scale_is_special(bones, scales)):
        steps = step(context, take.armature, frames, skeleton.names)
        turns, locations, scales = basis_of(steps.pose, skeleton)
    else:
        steps = _steps_of_curves(take, bones, frames)
        turns = to_quaternions(steps.own, modes)
        locations, scales = _plain_locations(steps.locations, bones, skeleton), steps.scales
    render = context.scene.render
    seconds = frames * render.fps_base / render.fps
    motion = RigMotion(skeleton, seconds, turns, locations, scales, placement_of(steps.world))
    motion.check()
    _check_scales(motion)
    return Reading(take, rig.bone_map, frames, motion, steps.own, steps.locations, modes)


def sample_frames(take: Take, names: tuple[str, ...]) -> Array:
    """Every whole frame of the take, and every key of the named bones in between; increasing.

    The range is that of the bones' keys, of this slot only, and the action's own where the user has set it.

    Raises:
        PanacheError: no keys, keys at no time, or too few frames.

    """
    paths = {take.armature.pose.bones[name].path_from_id(prop) for name in names for prop in TRANSFORMS}
    keys = [read_keys(curve)[:, 0] for (path, _), curve in take.curves.items() if path in paths]
    own = np.concatenate([*keys, _set_range(take)])
    if not own.size:
        raise SetupError(f'"{take.action.name}" has no keys for the body of "{take.armature.name}".')
    if not np.isfinite(own).all():
        raise SetupError(f'"{take.action.name}" has keys without a time: delete them.')
    length = int(own.max() - own.min()) + 1
    if length < MIN_FRAMES:
        raise ClipTooShortError(
            f'"{take.action.name}" is {length} frames long: choose an action of at least {MIN_FRAMES} frames.'
        )
    near = np.round(own)
    own = np.where(np.abs(own - near) < _SAME_FRAME, near, own)
    return np.unique(np.concatenate([own, np.arange(np.ceil(own.min()), np.floor(own.max()) + 0.5)]))


def read_keys(curve: bpy.types.FCurve) -> Array:
    """Times and values (K, 2) of a curve's keys."""
    flat = np.empty(2 * len(curve.keyframe_points), dtype=np.float32)
    curve.keyframe_points.foreach_get("co", flat)
    return flat.reshape(-1, 2).astype(np.float64)


def _set_range(take: Take) -> list[float]:
    action = take.action
    return [action.frame_start, action.frame_end] if action.use_frame_range else []


def _steps_of_curves(take: Take, bones: list[bpy.types.PoseBone], frames: Array) -> Steps:
    """As :func:`stepping.step`, from the curves alone and therefore without pose matrices."""
    own = np.zeros((len(frames), len(bones), 4))
    for i, bone in enumerate(bones):
        name, width = property_of(bone.rotation_mode)
        own[:, i, :width] = _read_channel(take, [bone], name, frames)[:, 0]
    locations = _read_channel(take, bones, "location", frames)
    scales = _read_channel(take, bones, "scale", frames)
    world = np.tile(np.array(take.armature.matrix_world, dtype=np.float64), (len(frames), 1, 1))
    return Steps(own, locations, scales, np.empty(0), world)


def _read_channel(take: Take, bones: list[bpy.types.PoseBone], name: str, frames: Array) -> Array:
    """(T, B, width) values of one property; what has no curve stays as the bone has it now, as in playback."""
    now = np.array([tuple(getattr(bone, name)) for bone in bones], dtype=np.float64)
    values = np.tile(now, (len(frames), 1, 1))
    for i, bone in enumerate(bones):
        path = bone.path_from_id(name)
        for component in range(now.shape[1]):
            curve = take.curves.get((path, component))
            if curve is not None:
                values[:, i, component] = _sample(curve, frames)
    return values


def _sample(curve: bpy.types.FCurve, frames: Array) -> Array:
    """Values (T,) of a curve."""
    keys = read_keys(curve)
    # Motion capture has a key on every frame: its values are the answer, without evaluating thousands of times.
    if not curve.modifiers and len(keys) == len(frames) and np.array_equal(keys[:, 0], frames):
        return keys[:, 1]
    return np.array([curve.evaluate(frame) for frame in frames.tolist()])


def _plain_locations(own: Array, bones: list[bpy.types.PoseBone], skeleton: RigSkeleton) -> Array:
    """Location properties as core's rule wants them: in the bone's rest axes, none for connected bones."""
    plain = own.copy()
    for i, bone in enumerate(bones):
        if bone.bone.use_connect:
            plain[:, i] = 0.0
        elif not bone.bone.use_local_location:
            plain[:, i] = own[:, i] @ skeleton.relative_rest[i, :3, :3]
    return plain


def _scale_is_special(bones: list[bpy.types.PoseBone], scales: Array) -> bool:
    """Whether bones are scaled and some do not inherit scale in the plain way."""
    special = any(bone.parent and bone.bone.inherit_scale != "FULL" for bone in bones)
    return bool(special and np.any(np.abs(scales - 1.0) > _UNSCALED))


def _check_scales(motion: RigMotion) -> None:
    """Refuse bones without extent: what hangs on them has no orientation of its own."""
    flat = np.flatnonzero((np.abs(motion.scales) < _UNSCALED).any(axis=(0, 2)))
    if flat.size:
        raise SetupError(f'Bone "{motion.skeleton.names[flat[0]]}" is scaled to zero: give it its size back first.')
