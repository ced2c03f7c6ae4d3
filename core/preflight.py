# SPDX-License-Identifier: GPL-3.0-or-later
"""Before a run: how well the rig was understood, and how much of the clip the model knows. Takes a few milliseconds."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from .calibration import Calibration, calibrate
from .canonical import to_canonical
from .engines import Features
from .engines.engine import StyleEngine
from .errors import ClipTooShortError
from .out_of_range import out_of_range_steps
from .pipeline import Clip
from .representation import FPS, MIN_FRAMES, encode
from .retarget import to_motion, to_rig
from .rig import RigMotion
from .rotations import Array, angle_between
from .skeleton import CANONICAL
from .steps import Progress, Steps, finish, scaled
from .treadmill import floor_way, step_off

_MOST_POSES = 30
# Windows of this many seconds, spread over the clip, stand for all of it once it is longer than the budget.
_WINDOW, _BUDGET = 2.0, 10.0
# A step longer than this many usual ones is a hole between windows.
_HOLE = 3.0
_SURE = 0.8
_CLOSE_DEGREES, _CLOSE_CENTIMETRES = 0.1, 0.1
_MUCH_OUTSIDE = 0.25
_CENTI = 100.0


@dataclass(frozen=True)
class Preflight:
    """What is known of a clip before it is stylized.

    Attributes:
        matched: canonical joints that have a bone, of 22.
        confidence: of the bone map, 0 to 1.
        round_trip_degrees: largest error of a mapped bone on its way to the joints and back.
        round_trip_centimetres: the same of its head, on a character of human size.
        seconds: length of the clip.
        frames: frames of the clip that were looked at; whoever sampled it knows how many it has.
        calibration_error: how far the calibration pose is from a standing body with straight arms, degrees.
        outside: how much of the clip the model does not know, 0 to 1: mean of ``core.out_of_range``'s score.
        warnings: sentences for the user; empty if all is well.
    """

    matched: int
    confidence: float
    round_trip_degrees: float
    round_trip_centimetres: float
    seconds: float
    frames: int
    calibration_error: float
    outside: float
    warnings: tuple[str, ...] = ()


def preflight(clip: Clip, engine: StyleEngine) -> Preflight:
    """All of :func:`preflight_steps` at once."""
    return finish(preflight_steps(clip, engine))


def preflight_steps(clip: Clip, engine: StyleEngine) -> Steps[Preflight]:
    """Look at a clip, all of it or the frames that :func:`spread_frames` picked.

    Raises:
        PanacheError: the clip cannot be stylized; the message says what to do.
    """
    clip.motion.check()
    calibration = calibrate(clip.motion, clip.bone_map, clip.calibration_frame)
    yield Progress(0.2, "Checking")
    degrees, centimetres = round_trip(clip.motion, calibration)
    yield Progress(0.3, "Checking")
    outside = yield from scaled(outside_steps(clip.motion, calibration, engine), 0.3, 1.0)
    times = clip.motion.times
    found = Preflight(
        matched=len(clip.bone_map.bones),
        confidence=clip.bone_map.confidence,
        round_trip_degrees=degrees,
        round_trip_centimetres=centimetres,
        seconds=float(times[-1] - times[0]),
        frames=len(times),
        calibration_error=calibration.error,
        outside=outside,
    )
    return replace(found, warnings=tuple(_warnings(found)))


def spread_frames(first: float, last: float, fps: float, budget: float = _BUDGET) -> Array:
    """Frames (N,) to read of a take from ``first`` to ``last``: about 30 a second, ``budget`` seconds at most.

    Longer takes are stood for by windows that are spread evenly over them.
    """
    window = min(_WINDOW, budget)
    size = max(window * fps, float(MIN_FRAMES))
    step = max(round(fps / FPS), 1) if last - first > size else 1
    if last - first <= max(budget * fps, size):
        return np.arange(np.ceil(first), np.floor(last) + 0.5, step)
    starts = np.linspace(first, last - size, max(round(budget / window), 1))
    return np.unique(np.concatenate([np.arange(np.ceil(start), start + size, step) for start in starts]))


def round_trip(motion: RigMotion, calibration: Calibration) -> tuple[float, float]:
    """Largest error of the mapped bones, rig to joints to rig: degrees, and centimetres on a human-sized character."""
    few = motion.rows(np.unique(np.linspace(0, len(motion) - 1, _MOST_POSES).astype(int)).tolist())
    names = calibration.bone_map.bones
    mapped = [few.skeleton.index[bone] for bone in names.values()]
    # Nothing of the bones' own channels may leak past the joints into the result.
    rotations, locations = few.rotations.copy(), few.locations.copy()
    rotations[:, mapped] = (1.0, 0.0, 0.0, 0.0)
    locations[:, few.skeleton.index[names["pelvis"]]] = 0.0
    back = to_rig(to_motion(few, calibration), few.with_channels(rotations, locations), calibration)
    (turned, moved), (rotations_before, heads) = back.world(), few.world()
    angles = angle_between(turned, rotations_before)[:, mapped]
    gaps = np.linalg.norm(moved - heads, axis=-1)[:, mapped]
    human = CANONICAL.leg_length / calibration.skeleton.leg_length
    return float(np.degrees(angles.max())), _CENTI * human * float(gaps.max())


def outside_steps(motion: RigMotion, calibration: Calibration, engine: StyleEngine) -> Steps[float]:
    """How much of the clip the model does not know, 0 to 1; a clip with holes is judged piece by piece.

    Raises:
        ClipTooShortError: no piece is long enough to be judged.
    """
    pieces: list[Array] = []
    chosen = list(_pieces(motion.times))
    for number, rows in enumerate(chosen):
        features = _encoded(motion.rows(rows), calibration)
        begin, end = (number + 0.3) / len(chosen), (number + 1.0) / len(chosen)
        pieces.append((yield from scaled(out_of_range_steps(features, engine), begin, end, "Checking")))
    if not pieces:
        raise ClipTooShortError(f"The clip is shorter than {MIN_FRAMES} frames: choose a longer action.")
    return float(np.concatenate(pieces).mean())


def _encoded(motion: RigMotion, calibration: Calibration) -> Features:
    joints = to_motion(motion, calibration)
    return encode(to_canonical(step_off(joints, floor_way(joints))).motion)[0]


def _pieces(times: Array) -> Iterator[list[int]]:
    """Rows of the stretches without holes that are long enough for the model."""
    steps = np.diff(times)
    holes = np.flatnonzero(steps > _HOLE * max(float(np.median(steps)), 1.0 / FPS)) + 1
    for rows in np.split(np.arange(len(times)), holes):
        if len(rows) >= MIN_FRAMES:
            yield rows.tolist()


def _warnings(found: Preflight) -> Iterator[str]:
    if found.confidence < _SURE:
        yield "Some bones are guesses: look through the bone map."
    if found.round_trip_degrees > _CLOSE_DEGREES or found.round_trip_centimetres > _CLOSE_CENTIMETRES:
        yield "The rig does not come back exactly: check the bone map and the calibration frame."
    if found.outside > _MUCH_OUTSIDE:
        yield "The model knows little of this movement: expect less of the style, and look the result through."
