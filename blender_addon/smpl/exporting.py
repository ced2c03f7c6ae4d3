# SPDX-License-Identifier: GPL-3.0-or-later
"""The use case behind panache.export_smpl: what the armature plays, as a motion file."""

from pathlib import Path

import bpy
import numpy as np

from ..backend import SmplFileError, amass_template, fill_template, off_bones, rotations, smpl_from_humanoid
from ..rig.reader import read_rig, read_skeleton, sample_motion
from ..rig.space import TO_CORE
from ..rig.span import read_keys, span_of
from ..rig.take import SetupError, Take, active_take
from .importing import frame_step, scene_rate
from .source import Source, source_of

Array = rotations.Array

# A key this near to a time, in frames, is meant to lie on it.
_SAME_TIME = 0.01


def export_motion(context: bpy.types.Context, path: Path) -> str:
    """Write what the active armature plays, and say in words what was written.

    An imported armature gives its own file again, with what it plays now; any other humanoid gives an AMASS file.

    Raises:
        PanacheError: with a sentence that says what to do; then no file is written.

    """
    take = active_take(context)
    source = source_of(take.armature)
    data, said = _humanoid(context, take) if source is None else _imported(context, take, source)
    _write(path, data)
    return said


def _imported(context: bpy.types.Context, take: Take, source: Source) -> tuple[bytes, str]:
    """The file that the armature came from, with its motion replaced."""
    skeleton = read_skeleton(take.armature)
    frames = _frames(context.scene, take, frame_step(context.scene, source.fps))
    motion = sample_motion(context, take, skeleton, frames)
    poses, trans = off_bones(motion, source.template.model, TO_CORE, source.path)
    data, stale = fill_template(source.template, poses, trans, source.fps)
    left_out = f"; without {', '.join(stale)}, which had another number of frames" if stale else ""
    return data, f"{len(trans)} frames at {source.fps:g} per second, laid out as the imported file{left_out}"


def _humanoid(context: bpy.types.Context, take: Take) -> tuple[bytes, str]:
    """A new AMASS file, at the scene's frame rate, of any rig with a bone map."""
    rig = read_rig(take.armature, take)
    motion = sample_motion(context, take, rig.needed, _frames(context.scene, take, 1.0))
    fps = scene_rate(context.scene)
    data, _ = fill_template(amass_template(fps), *smpl_from_humanoid(motion, rig.bone_map), fps)
    return data, f"{len(motion)} frames at {fps:g} per second as AMASS SMPL-H on the mean body"


def _frames(scene: bpy.types.Scene, take: Take, step: float) -> Array:
    """Times (T,) from the take's first key to its last, ``step`` frames apart; not only whole frames."""
    if take.is_stack or take.action.use_frame_range:
        keys = span_of(scene, take, tuple(take.armature.pose.bones.keys()), whole=True).frames
    else:
        curves = [curve for (path, _), curve in take.curves.items() if path.startswith("pose.bones")]
        keys = np.unique(np.concatenate([read_keys(curve)[:, 0] for curve in curves]))
    if not np.isfinite(keys).all():
        raise SetupError(f'"{take.action.name}" has keys without a time: delete them.')
    times = keys[0] + step * np.arange(round((keys[-1] - keys[0]) / step) + 1)
    # Keys lie in single precision; to be read to the last digit they must be met exactly.
    nearest = keys[np.clip(np.searchsorted(keys, times - _SAME_TIME), 0, len(keys) - 1)]
    return np.where(np.abs(nearest - times) < _SAME_TIME, nearest, times)


def _write(path: Path, data: bytes) -> None:
    """Replace the file in one step, so that a full disk leaves the old one."""
    partial = path.with_name(f"{path.name}.part")
    try:
        partial.write_bytes(data)
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise SmplFileError(f"{path} cannot be written ({error.strerror or error}): choose another folder.") from error
