# SPDX-License-Identifier: GPL-3.0-or-later
"""What is judged, in Python: the network alone, the network's change on the rig, and the whole path without Blender."""

from collections.abc import Callable
from dataclasses import replace

from core.calibration import calibrate
from core.canonical import to_canonical
from core.engines import Cue
from core.engines.engine import StyleEngine
from core.motion import Motion
from core.pipeline import PREDICTED, Clip, StyleSettings, canonical_clip, stylize
from core.representation import decode, encode
from core.retarget import to_motion, to_rig
from core.rotations import Array
from core.steps import finish

from .cases import Case
from .joints import rig_joints
from .library import read_clip

System = Callable[[Case], Array]
"""From a case to the joints of its result, (T, 22, 3)."""


def decoded(engine: StyleEngine) -> System:
    """What the network puts out, posed on the rig as it is: no delta, no foot lock."""

    def run(case: Case) -> Array:
        clip = read_clip(case.take.path)
        calibration = calibrate(clip.motion, clip.bone_map)
        original = to_motion(clip.motion, calibration)
        canonical = to_canonical(original)
        features, start = encode(canonical.motion)
        reference = encode(canonical_clip(read_clip(case.reference.path)).motion)[0] if case.reference else None
        cue = Cue(case.source, case.target, reference, seed=case.seed)
        _, (result,) = finish(engine.stylize(features, [cue]))
        styled = decode(result, start)
        posed = Motion(original.times, styled.root / canonical.scale, styled.rotations, original.skeleton)
        return rig_joints(to_rig(posed, clip.motion, calibration), clip.bone_map)

    return run


def network(engine: StyleEngine) -> System:
    """The network's change laid over the original; no foot lock."""
    return _pipeline(engine, contacts=False)


def pipeline(engine: StyleEngine) -> System:
    """Everything that the extension does between reading a rig and writing keys."""
    return _pipeline(engine, contacts=True)


def settings_of(case: Case) -> StyleSettings:
    """What a user would ask for."""
    style = case.target if case.reference is None else ""
    return StyleSettings(source=case.source, style=style, amount=1.0, seed=case.seed, root=PREDICTED, contacts=True)


def restyled(engine: StyleEngine, case: Case, settings: StyleSettings) -> Array:
    """The joints (T, 22, 3) of a case's result, made with any settings."""
    clip = read_clip(case.take.path)
    reference: Clip | None = read_clip(case.reference.path) if case.reference else None
    return rig_joints(stylize(clip, reference, engine, settings).motion, clip.bone_map)


def _pipeline(engine: StyleEngine, *, contacts: bool) -> System:
    return lambda case: restyled(engine, case, replace(settings_of(case), contacts=contacts))
