# SPDX-License-Identifier: GPL-3.0-or-later
"""Which frames of a take are restyled.

The keys of the body say it, or the action's own frame range where the user has set one, or the strips of a stack of
NLA tracks. A preview range of the scene narrows this: what lies outside stays as it is.
"""

from dataclasses import dataclass

import bpy
import numpy as np

from ..backend import MIN_FRAMES, ClipTooShortError, check_extent, rotations
from .guards import held_bones
from .nla import heard_strips
from .take import TRANSFORMS, SetupError, Take, curves_of

Array = rotations.Array

# Keys closer than this to a whole frame, in frames, lie on it: other programs write 11.99999.
_SAME_FRAME = 1e-3


@dataclass(frozen=True)
class Span:
    """Frames to restyle.

    Attributes:
        frames: (T,) every whole frame, and every key of the body in between; increasing.
        cut_start: whether the animation begins before the first of them.
        cut_end: whether it goes on after the last.

    """

    frames: Array
    cut_start: bool = False
    cut_end: bool = False


def span_of(scene: bpy.types.Scene, take: Take, names: tuple[str, ...], whole: bool = False) -> Span:
    """The span of the named bones; ``whole`` leaves the preview range out of account.

    Raises:
        PanacheError: no keys, keys at no time, too few frames or too many.

    """
    paths = _paths(take, names)
    keys = _key_times(take, paths)
    first, last = _ends(take, keys, paths)
    start, end = first, last
    if scene.use_preview_range and not whole:
        start, end = max(first, scene.frame_preview_start), min(last, scene.frame_preview_end)
    _check_length(scene, take, (start, end), len(names))
    inside = keys[(keys >= start) & (keys <= end)]
    frames = np.unique(np.concatenate([inside, np.arange(np.ceil(start), np.floor(end) + 0.5)]))
    return Span(frames, start > first, end < last)


def frames_of(scene: bpy.types.Scene, seconds: Array) -> Array:
    """Blender frames (M,) of moments (M,) of a clip."""
    return seconds * scene.render.fps / scene.render.fps_base


def row_of(frames: Array, frame: int) -> int:
    """Which of ``frames`` (T,) is nearest to a frame that the user picked.

    Raises:
        SetupError: it lies outside of them.

    """
    if not frames[0] <= frame <= frames[-1]:
        raise SetupError(
            f"Calibration frame {frame} is not among the frames to stylize: pick one from "
            f"{np.ceil(frames[0]):.0f} to {np.floor(frames[-1]):.0f}."
        )
    return int(np.argmin(np.abs(frames - frame)))


def read_keys(curve: bpy.types.FCurve) -> Array:
    """Times and values (K, 2) of a curve's keys."""
    flat = np.empty(2 * len(curve.keyframe_points), dtype=np.float32)
    curve.keyframe_points.foreach_get("co", flat)
    return flat.reshape(-1, 2).astype(np.float64)


def _ends(take: Take, keys: Array, paths: set[str]) -> tuple[float, float]:
    """First and last frame of the take."""
    strips = heard_strips(take.armature) if _needs_strips(take, paths) else []
    times = np.concatenate([keys, *([strip.frame_start, strip.frame_end] for strip in strips)])
    if not times.size:
        raise SetupError(f'"{take.action.name}" has no keys for the body of "{take.armature.name}".')
    if not np.isfinite(times).all():
        raise SetupError(f'"{take.action.name}" has keys without a time: delete them.')
    if take.action.use_frame_range and not strips:
        return take.action.frame_start, take.action.frame_end
    return float(times.min()), float(times.max())


def _key_times(take: Take, paths: set[str]) -> Array:
    """Times of the keys of the properties, in this slot only; none in a stack, where only whole frames count."""
    if take.is_stack:
        return np.empty(0)
    times = [read_keys(curve)[:, 0] for (path, _), curve in take.curves.items() if path in paths]
    own = np.concatenate([np.empty(0), *times])
    near = np.round(own)
    return np.where(np.abs(own - near) < _SAME_FRAME, near, own)


def _needs_strips(take: Take, paths: set[str]) -> bool:
    """Whether strips below the action move some of the properties too."""
    if take.is_stack:
        return True
    own = curves_of(take.action, take.slot)
    return any(path in paths and (path, index) not in own for path, index in take.below)


def _paths(take: Take, names: tuple[str, ...]) -> set[str]:
    """Properties that move the bones: their own, or, where something else leads them, those of all bones."""
    bones, animated = take.armature.pose.bones, {path for path, _ in take.channels}
    own = {bones[name].path_from_id(prop) for name in names for prop in TRANSFORMS}
    if own & animated and held_bones(take).isdisjoint(names):
        return own
    return {bone.path_from_id(prop) for bone in bones for prop in TRANSFORMS}


def _check_length(scene: bpy.types.Scene, take: Take, ends: tuple[float, float], bones: int) -> None:
    name, length = take.action.name, ends[1] - ends[0]
    if length < 0.0:
        raise ClipTooShortError(f'The preview range has no frames of "{name}": move it, or switch it off.')
    frames = int(np.floor(ends[1]) - np.ceil(ends[0])) + 1
    if frames < MIN_FRAMES:
        raise ClipTooShortError(f'"{name}" has {frames} frames to stylize: give it at least {MIN_FRAMES} frames.')
    seconds = length * scene.render.fps_base / scene.render.fps
    check_extent(seconds, frames * bones, name, "set a preview range and stylize it in parts")
