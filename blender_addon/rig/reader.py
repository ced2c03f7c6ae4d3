# SPDX-License-Identifier: GPL-3.0-or-later
"""From an armature and its action to core's rig and clip."""

from dataclasses import dataclass
from functools import lru_cache

import bpy
import numpy as np

from ..backend import (
    BoneMap,
    PanacheError,
    Progress,
    RigMotion,
    RigSkeleton,
    Steps,
    check_bones,
    check_placement,
    finish,
    is_loop,
    match_bones,
    rotations,
    scaled,
)
from .guards import check_modes, must_step
from .maps import stored_map
from .nla import heard_strips
from .pace import Pace
from .rotation_modes import Modes, property_of, to_quaternions
from .space import placement_of
from .span import Span, read_keys, span_of
from .stepping import Shown, basis_of, step_steps
from .take import Channel, SetupError, Take

Array = rotations.Array

_UNSCALED = 1e-6
# Below this confidence of names alone, the bones' movement is asked too; so many frames of it.
_SURE = 0.9
_SAMPLE = 16
# Of reading, what looking at the curves takes, if playing the frames turns out to be necessary too.
_CURVES = 0.5


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
        span: the frames, and whether the animation goes on outside them.
        cyclic: whether the take is meant to be looped.

    """

    take: Take
    bone_map: BoneMap
    frames: Array
    motion: RigMotion
    own: Array
    locations: Array
    modes: Modes
    span: Span
    cyclic: bool = False


def read_rig(armature: bpy.types.Object, take: Take | None = None) -> Rig:
    """Skeleton and bone map of an armature; ``take`` helps to recognise rigs without telling names.

    Raises:
        PanacheError: if it is not recognised as a humanoid.

    """
    skeleton = read_skeleton(armature)
    bone_map = stored_map(skeleton, armature) or recognise(skeleton, take)
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


def read_clip(context: bpy.types.Context, take: Take, rig: Rig, whole: bool = False) -> Reading:
    """All of :func:`read_clip_steps` at once."""
    return finish(read_clip_steps(context, take, rig, whole))


def read_clip_steps(context: bpy.types.Context, take: Take, rig: Rig, whole: bool = False) -> Steps[Reading]:
    """Sample the take on every frame and on every key of the needed bones.

    Args:
        context: whose scene is played where the curves alone do not say what is shown.
        take: what to read.
        rig: of the take's armature.
        whole: read what lies outside the preview range too.

    Raises:
        PanacheError: naming a bone whose keys are not numbers, or if frames must be stepped and cannot.

    """
    skeleton = rig.needed
    span = span_of(context.scene, take, skeleton.names, whole)
    motion, shown, modes = yield from _sample_steps(context, take, skeleton, span.frames)
    take = take.now()
    cyclic = _is_cyclic(take, span, rig.bone_map, motion)
    return Reading(take, rig.bone_map, span.frames, motion, shown.own, shown.locations, modes, span, cyclic)


def sample_motion(context: bpy.types.Context, take: Take, skeleton: RigSkeleton, frames: Array) -> RigMotion:
    """What the bones of ``skeleton`` do at ``frames`` (T,); each bone's parent must be among them.

    Raises:
        PanacheError: as :func:`read_clip`.

    """
    return finish(sample_motion_steps(context, take, skeleton, frames))


def sample_motion_steps(
    context: bpy.types.Context, take: Take, skeleton: RigSkeleton, frames: Array
) -> Steps[RigMotion]:
    """:func:`sample_motion` in steps."""
    return (yield from _sample_steps(context, take, skeleton, frames))[0]


def _sample_steps(
    context: bpy.types.Context, take: Take, skeleton: RigSkeleton, frames: Array
) -> Steps[tuple[RigMotion, Shown, Modes]]:
    """The take at ``frames`` as core wants it and as the bones' properties have it."""
    check_modes(take, skeleton.names)
    modes = tuple(bone.rotation_mode for bone in _bones(take, skeleton))
    shown, read = None, 0.0
    if not must_step(take, skeleton.names):
        read = _CURVES
        shown = yield from scaled(_curve_steps(take, skeleton, frames), 0.0, read)
        bones = _bones(take, skeleton)
        locations, scales = _plain_locations(shown.locations, bones, skeleton), shown.scales
        turns = to_quaternions(shown.own, modes)
    if shown is None or (take.is_played and _scale_is_special(bones, scales)):
        shown = yield from scaled(step_steps(context, take.armature, frames, skeleton.names), read, 1.0)
        check_bones(shown.pose, skeleton.names)
        _check_shear(_bones(take, skeleton), shown.scales)
        turns, locations, scales = basis_of(shown.pose, skeleton)
    yield Progress(1.0, "Reading")
    render = context.scene.render
    placement = placement_of(shown.world)
    check_placement(placement, take.armature.name)
    motion = RigMotion(skeleton, frames * render.fps_base / render.fps, turns, locations, scales, placement)
    motion.check()
    check_bones(motion.basis, skeleton.names)
    return motion, shown, modes


def _bones(take: Take, skeleton: RigSkeleton) -> list[bpy.types.PoseBone]:
    return [take.armature.pose.bones[name] for name in skeleton.names]


def recognise(skeleton: RigSkeleton, take: Take | None) -> BoneMap:
    """What names and the rest pose say; where that is not enough, what the movement says too."""
    found = _recognised(skeleton.names, skeleton.parents, skeleton.rest.tobytes(), skeleton.lengths.tobytes())
    if take is None or found.confidence >= _SURE:
        return found
    seen = glimpse(take, skeleton)
    return found if seen is None else match_bones(skeleton, seen)


@lru_cache(maxsize=8)
def _recognised(names: tuple[str, ...], parents: tuple[int, ...], rest: bytes, lengths: bytes) -> BoneMap:
    """What names and the rest pose say: found once, because it takes a second on a rig of 700 bones."""
    matrices = np.frombuffer(rest).reshape(-1, 4, 4)
    return match_bones(RigSkeleton(names, parents, matrices, np.frombuffer(lengths)))


def glimpse(take: Take, skeleton: RigSkeleton) -> RigMotion | None:
    """A few frames of all bones; None if some of them, which may not matter, cannot be read."""
    times = [read_keys(curve)[:, 0] for curve in take.curves.values() if not take.is_stack]
    ends = np.concatenate([*times, *([strip.frame_start, strip.frame_end] for strip in heard_strips(take.armature))])
    if not np.isfinite(ends).all():
        return None
    try:
        return sample_motion(bpy.context, take, skeleton, np.linspace(ends.min(), ends.max(), _SAMPLE))
    except PanacheError:
        return None


def _is_cyclic(take: Take, span: Span, bone_map: BoneMap, motion: RigMotion) -> bool:
    """Whether the user or the curves say that the take loops, or its last pose is its first."""
    if take.is_stack or span.cut_start or span.cut_end:
        return False
    if take.action.use_frame_range and take.action.use_cyclic:
        return True
    bones = [take.armature.pose.bones[name] for name in bone_map.bones.values()]
    paths = {bone.path_from_id(property_of(bone.rotation_mode)[0]) for bone in bones}
    curves = [curve for (path, _), curve in take.curves.items() if path in paths]
    looped = [curve for curve in curves if any(entry.type == "CYCLES" and not entry.mute for entry in curve.modifiers)]
    if len(looped) > len(curves) / 2:
        return True
    mapped = [motion.skeleton.index[name] for name in bone_map.bones.values()]
    pelvis = motion.skeleton.index[bone_map.bones["pelvis"]]
    hips = motion.placement[[0, -1]] @ motion.pose[[0, -1], pelvis]
    return is_loop(motion.rotations[:, mapped], hips[:, 1, 3])


def _curve_steps(take: Take, skeleton: RigSkeleton, frames: Array) -> Steps[Shown]:
    """As :func:`stepping.step`, from the curves alone and therefore without pose matrices.

    What has no curve stays as the bone has it now, as in playback.
    """
    own = np.zeros((len(frames), len(skeleton), 4))
    locations, scales = np.zeros((2, len(frames), len(skeleton), 3))
    columns: dict[Channel, Array] = {}
    for i, bone in enumerate(_bones(take, skeleton)):
        rotation, width = property_of(bone.rotation_mode)
        for prop, values in ((rotation, own[:, i, :width]), ("location", locations[:, i]), ("scale", scales[:, i])):
            values[:] = tuple(getattr(bone, prop))
            columns |= {(bone.path_from_id(prop), component): column for component, column in enumerate(values.T)}
    pace = Pace()
    for number, (channel, column) in enumerate(columns.items()):
        if channel in take.curves:
            column[:] = _sample(take.curves[channel], frames)
        if pace.is_over:
            yield Progress(number / len(columns), "Reading")
            take = take.now()
            pace.restart()
    world = np.tile(np.array(take.armature.matrix_world, dtype=np.float64), (len(frames), 1, 1))
    return Shown(own, locations, scales, np.empty(0), world)


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


def _check_shear(bones: list[bpy.types.PoseBone], scales: Array) -> None:
    """Refuse the one way to inherit an uneven scale in which a turned bone has no definite rotation."""
    fixed = [bone.name for bone in bones if bone.parent and bone.bone.inherit_scale == "FIX_SHEAR"]
    if fixed and np.any(np.ptp(scales, axis=-1) > _UNSCALED):
        raise SetupError(
            f'Bone "{fixed[0]}" inherits an uneven scale with Fix Shear: set its Inherit Scale to Aligned.'
        )


def _scale_is_special(bones: list[bpy.types.PoseBone], scales: Array) -> bool:
    """Whether bones are scaled and some do not inherit scale in the plain way."""
    special = any(bone.parent and bone.bone.inherit_scale != "FULL" for bone in bones)
    return bool(special and np.any(np.abs(scales - 1.0) > _UNSCALED))
