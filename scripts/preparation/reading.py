# SPDX-License-Identifier: GPL-3.0-or-later
"""From a recording's file to features."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from core.calibration import Calibration, calibrate
from core.canonical import to_canonical
from core.errors import PanacheError
from core.matching import match_bones
from core.motion import Motion
from core.representation import encode
from core.retarget import to_motion
from core.rig import RigMotion
from scripts.asf_amc import FPS as AMC_FPS
from scripts.asf_amc import read_amc, read_asf
from scripts.bvh import read_bvh
from scripts.preparation.gltf import read_animation, read_gltf
from scripts.preparation.recording import LeftOut, Recording, Take

# Degrees between the best pose of a clip and a standing one; above, how bones lie in the body is a guess.
MAX_POSE_ERROR: Final = 30.0
# Frames at 30 fps; training leaves shorter ones out (scripts.training.dataset).
SHORTEST: Final = 32
# Metres between which the canonical body's pelvis stays, unless the clip shows a special effect.
_LOWEST, _HIGHEST = -1.0, 4.0
# Metres; a clip in which no joint moves further holds a pose.
_MOVED: Final = 0.005
# The first frame is a T-pose that does not belong to the clip if the step after it is so many times the usual one,
# and so many degrees on the average of all bones.
_JUMP, _JUMP_DEGREES = 5.0, 3.0

RigKey = tuple[tuple[str, ...], bytes]


@dataclass(frozen=True)
class Surveyed:
    """How the bones of one file lie in the body.

    Attributes:
        key: the same for files with the same mapped bones in the same rest pose.
        calibration: the best that this file allows.
    """

    key: RigKey
    calibration: Calibration


def read_clip(recording: Recording) -> RigMotion:
    """The file's motion as it is.

    Raises:
        PanacheError: it cannot be read.
    """
    path, kind = recording.path, recording.path.suffix.lower()
    if kind == ".amc":
        return read_amc(path, read_asf(_acclaim_skeleton(path)), recording.fps or AMC_FPS)
    if kind in (".glb", ".gltf"):
        return read_animation(read_gltf(path), recording.animation)
    return read_bvh(path)


def survey(recording: Recording) -> Surveyed | None:
    """Calibrate a recording for others of the same rig; None if it cannot be used."""
    try:
        clip = read_clip(recording)
        calibration = calibrate(clip, match_bones(clip.skeleton, clip))
    except (PanacheError, OSError):
        return None
    return Surveyed(_rig_key(clip, calibration), calibration)


def best_calibrations(surveyed: list[Surveyed | None]) -> dict[RigKey, Calibration]:
    """For every rig the calibration with the least error: not every file of a set shows a standing body."""
    best: dict[RigKey, Calibration] = {}
    for entry in surveyed:
        if entry is not None and (entry.key not in best or entry.calibration.error < best[entry.key].error):
            best[entry.key] = entry.calibration
    return best


def encode_bandai(recordings: list[Recording]) -> list[Take | LeftOut]:
    """A file of the Bandai-Namco sets: one rig that is known by its names, and every clip is used whole."""
    recording = recordings[0]
    try:
        clip = read_clip(recording)
        motion = to_motion(clip, calibrate(clip, match_bones(clip.skeleton)))
        return [Take(recording, encode(to_canonical(motion).motion)[0])]
    except (PanacheError, OSError) as error:
        return [LeftOut(recording.source, recording.take, str(error))]


def encode_file(recordings: list[Recording], known: dict[RigKey, Calibration]) -> list[Take | LeftOut]:
    """Recordings of the same animation of the same file: features of each, or why there are none.

    Args:
        recordings: what to read.
        known: calibrations that other files of the same rigs allow.
    """
    try:
        clip = read_clip(recordings[0])
        calibration = calibrate(clip, match_bones(clip.skeleton, clip))
        calibration = known.get(_rig_key(clip, calibration), calibration)
        return [_encode(recording, clip, calibration) for recording in recordings]
    except (PanacheError, OSError) as error:
        return [LeftOut(recording.source, recording.take, str(error)) for recording in recordings]


def _encode(recording: Recording, clip: RigMotion, calibration: Calibration) -> Take | LeftOut:
    motion = to_canonical(to_motion(_part(without_pose(clip), recording), calibration)).motion
    reason = _unfit(motion, calibration)
    return LeftOut(recording.source, recording.take, reason) if reason else Take(recording, encode(motion)[0])


def without_pose(clip: RigMotion) -> RigMotion:
    """The clip without a first frame that is only there to show the rig's rest pose."""
    if len(clip) < SHORTEST:
        return clip
    cosines = np.abs(np.sum(clip.rotations[1:] * clip.rotations[:-1], axis=-1))
    steps = np.degrees(2.0 * np.arccos(np.clip(cosines, 0.0, 1.0))).mean(axis=1)
    jumps = steps[0] > max(_JUMP_DEGREES, _JUMP * float(np.median(steps)))
    return clip.part(slice(1, None)) if jumps else clip


def _acclaim_skeleton(path: Path) -> Path:
    """The skeleton lies beside the motion and has the part of its name before the underscore."""
    return path.with_name(path.stem.partition("_")[0] + ".asf")


def _rig_key(clip: RigMotion, calibration: Calibration) -> RigKey:
    names = tuple(sorted(calibration.bone_map.bones.values()))
    rest = clip.skeleton.rest[[clip.skeleton.index[name] for name in names]]
    return names, np.round(rest, 3).astype(np.float32).tobytes()


def _part(clip: RigMotion, recording: Recording) -> RigMotion:
    first, last = recording.frames
    clip = clip.part(slice(first, None if last < 0 else last + 1))
    begin, end = (round(share * len(clip)) for share in recording.span)
    return clip.part(slice(begin, end))


def _unfit(motion: Motion, calibration: Calibration) -> str:
    """Why a clip that could be read teaches nothing; "" if it does."""
    if calibration.error > MAX_POSE_ERROR:
        return f"shows no pose near standing ({calibration.error:.0f} degrees), so its bones' roll is a guess"
    if len(motion) < SHORTEST:
        return f"is shorter than {SHORTEST} frames at 30 per second"
    positions = motion.positions()
    if float(np.ptp(positions, axis=0).max()) < _MOVED:
        return "does not move"
    if motion.root[:, 1].min() < _LOWEST or motion.root[:, 1].max() > _HIGHEST:
        return "leaves the ground by metres"
    return ""
