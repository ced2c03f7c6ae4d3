# SPDX-License-Identifier: GPL-3.0-or-later
"""Root motion on a bone above the hips: a changed way over the floor goes where the original's way is.

Game engines move a character by its root bone. Where such a bone carries the hips over the floor, retargeting alone,
which writes the hips' place in the world, would leave it on the old path and push the hips away from it.
"""

from dataclasses import replace

import numpy as np

from .matching import BoneMap
from .representation import FPS, gaussian_smooth
from .resample import even_times, interpolate, interpolate_smooth
from .rig import RigMotion
from .root_motion import IN_PLACE, KEEP
from .rotations import ON_FLOOR, Array

# A carrier goes at least this share of the body's height, and all but this share of the hips' way is its own.
_LEAST_TRAVEL = 0.3
_MOST_REST = 0.5
# Frames of smoothing at 30 fps: the sway of a step stays with the hips, the root bone glides.
_SMOOTH = 10.0


def find_carrier(clip: RigMotion, bone_map: BoneMap) -> str | None:
    """The bone above the hips whose own locations carry them over the floor, None if there is none."""
    mapped = {clip.skeleton.index[name] for name in bone_map.bones.values()}
    pelvis = clip.skeleton.index[bone_map.bones["pelvis"]]
    if any(bone != pelvis and pelvis not in clip.skeleton.ancestors(bone) for bone in mapped):
        return None
    heights = (clip.placement[0] @ clip.pose[0])[:, 1, 3]
    way = _from_start(_heads(clip, pelvis)) * ON_FLOOR
    for bone in reversed(clip.skeleton.ancestors(pelvis)):
        own = _own_way(clip, bone)
        travel = np.linalg.norm(own, axis=-1).max()
        rest = np.linalg.norm(way - own, axis=-1).max()
        if bone not in mapped and travel > _LEAST_TRAVEL * np.ptp(heights) and rest < _MOST_REST * travel:
            return clip.skeleton.names[bone]
    return None


def carry(result: RigMotion, original: RigMotion, bones: tuple[str, str], root: str) -> RigMotion:
    """``result`` with the change of its way over the floor on the carrier; the body is where it was in the world.

    Args:
        result: the clip with the hips at their place.
        original: the clip before, at the same times.
        bones: of the hips, and of :func:`find_carrier` above them.
        root: KEEP, PREDICTED or IN_PLACE; in place the carrier rests where it began.
    """
    hips, bone = (result.skeleton.index[name] for name in bones)
    if root == KEEP:
        return result
    if root == IN_PLACE:
        shift = -_own_way(original, bone)
    else:
        shift = _gliding((_heads(result, hips) - _heads(original, hips)) * ON_FLOOR, result.times)
    return _shifted(_shifted(result, bone, shift), hips, -shift)


def lift(result: RigMotion, original: RigMotion, pelvis: str, carrier: str) -> RigMotion:
    """``result`` with all that the hips moved on ``carrier`` instead, for hips that cannot move by themselves."""
    hips, bone = result.skeleton.index[pelvis], result.skeleton.index[carrier]
    shift = _heads(result, hips) - _heads(original, hips)
    return _shifted(_shifted(result, bone, shift), hips, -shift)


def _shifted(clip: RigMotion, bone: int, shift: Array) -> RigMotion:
    """The clip with one bone, and all below it, moved by ``shift`` (T, 3) in the world."""
    if not shift.any():
        return clip
    locations = clip.locations.copy()
    locations[:, bone] += np.linalg.solve(_axes(clip, bone), shift[..., None])[..., 0]
    return replace(clip, locations=locations)


def _axes(clip: RigMotion, bone: int) -> Array:
    """(T, 3, 3) the world's view of the axes in which a bone's location is given."""
    parent = clip.skeleton.parents[bone]
    above = clip.placement if parent < 0 else clip.placement @ clip.pose[:, parent]
    return np.asarray((above @ clip.skeleton.relative_rest[bone])[:, :3, :3])


def _own_way(clip: RigMotion, bone: int) -> Array:
    """(T, 3) how the bone's own locations move it over the floor, since the first frame."""
    return np.asarray((_axes(clip, bone) @ _from_start(clip.locations[:, bone])[..., None])[..., 0] * ON_FLOOR)


def _heads(clip: RigMotion, bone: int) -> Array:
    return np.asarray((clip.placement @ clip.pose[:, bone])[:, :3, 3])


def _from_start(values: Array) -> Array:
    return np.asarray(values - values[:1])


def _gliding(shift: Array, times: Array) -> Array:
    """The smooth part of a change of way, exact at both ends, where pinned clips and cycles join."""
    even = even_times(times, FPS)
    smooth = interpolate_smooth(gaussian_smooth(interpolate(shift, times, even), _SMOOTH), even, times)
    share = ((times - times[0]) / (times[-1] - times[0]))[:, None]
    gap = shift - smooth
    return np.asarray(smooth + (1.0 - share) * gap[0] + share * gap[-1])
