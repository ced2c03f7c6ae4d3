# SPDX-License-Identifier: GPL-3.0-or-later
"""Sparse keys for the properties of a take: what core needs to know about their curves, units and bones."""

from collections.abc import Sequence
from typing import Final

import bpy
import numpy as np

from ..backend import (
    AngleMeasure,
    DistanceMeasure,
    Keys,
    KeySettings,
    Measure,
    OriginalKeys,
    Progress,
    Samples,
    Steps,
    Task,
    closeness,
    distance_bound,
    fit_all_steps,
    location_closeness,
    own_moments,
    rotations,
    scaled,
)
from .edits import ChannelEdit
from .keying import is_blocking_steps, original_keys
from .pace import Pace
from .rotation_modes import to_quaternions
from .take import TRANSFORMS, Take

Array = rotations.Array

# Below this, in bounds, a property is what it was.
_UNCHANGED: Final = 1e-4
# Of the whole work, where the take has been looked at, and where it is clear what is to be fitted.
_LOOKED, _ASKED = 0.02, 0.1
# Captured locations are not quite at rest, of the bound.
_STILL: Final = 0.05


class Fitter:
    """Fits keys to the edits of one take."""

    def __init__(self, take: Take, frames: Array, settings: KeySettings) -> None:
        """Look at the take once for all edits; ``frames`` (T,) are theirs."""
        self._take = take.now()
        self._frames = frames
        self._settings = settings
        self._blocking = False
        rest = np.array([bone.head_local for bone in take.armature.data.bones], dtype=np.float64)
        self._distance = distance_bound(settings, rest, max(map(abs, take.armature.matrix_world.to_scale())))

    def fit_steps(self, edits: Sequence[ChannelEdit]) -> Steps[list[Keys | None]]:
        """Few keys for each property; None if it is what it was: then its curves stay, handles and all."""
        self._blocking = yield from scaled(is_blocking_steps(self._take), 0.0, _LOOKED)
        tasks, pace = [], Pace()
        for number, edit in enumerate(edits):
            self._take = self._take.now()
            tasks.append(self._task(edit))
            if pace.is_over:
                yield Progress(_LOOKED + (_ASKED - _LOOKED) * number / len(edits), "Fitting keys")
                pace.restart()
        keys = iter((yield from scaled(fit_all_steps([task for task in tasks if task]), _ASKED, 1.0)))
        return [next(keys) if task else None for task in tasks]

    def _task(self, edit: ChannelEdit) -> Task | None:
        bone = self._take.armature.pose.bones[edit.bone]
        measure = self._measure(bone, edit)
        if measure(edit.values, edit.before).max() < _UNCHANGED:
            return None
        values = edit.values
        if edit.name == "rotation_quaternion":
            values = rotations.continuous(values)
        elif edit.name == "rotation_euler":
            values = np.unwrap(values, axis=0)
        samples, original = Samples(self._frames, values), self._original(bone, edit, measure)
        return Task(samples, measure, original, self._moments(edit), self._closeness(edit))

    def _moments(self, edit: ChannelEdit) -> Array:
        if edit.reach == 0.0:
            return np.empty(0)
        moments = self._settings.moments
        return moments if edit.planted is None else own_moments(moments, self._frames, edit.planted)

    def _closeness(self, edit: ChannelEdit) -> Array:
        """(T,) how many times closer than the bound the curve must stay."""
        close = np.ones(1)
        if edit.name == "location":
            close = location_closeness(edit.planted)
        elif edit.name != "scale":
            close = closeness(self._settings, self._distance, edit.reach, edit.planted)
        return np.broadcast_to(close, len(self._frames))

    def still(self, bone: bpy.types.PoseBone) -> dict[str, float]:
        """By data path, how far apart the values of a channel are in which nothing moves."""
        tolerances = dict.fromkeys(TRANSFORMS, 0.0) | {"location": _STILL * self._distance}
        return {bone.path_from_id(name): tolerance for name, tolerance in tolerances.items()}

    def _original(self, bone: bpy.types.PoseBone, edit: ChannelEdit, measure: Measure) -> OriginalKeys:
        take, path = self._take, bone.path_from_id(edit.name)
        curves = [take.curves[path, i] for i in range(edit.values.shape[1]) if (path, i) in take.curves]
        cycles = any(modifier.type == "CYCLES" for curve in curves for modifier in curve.modifiers)
        returns = bool(measure(edit.before[:1], edit.before[-1:])[0] < _UNCHANGED)
        looped = not take.is_stack and take.action.use_cyclic
        return original_keys(curves, cycles or returns or looped, self._blocking)

    def _measure(self, bone: bpy.types.PoseBone, edit: ChannelEdit) -> Measure:
        """How far values of the property are apart, in the bounds of the settings."""
        if edit.name == "location":
            return DistanceMeasure(self._distance)
        if edit.name == "scale":
            return DistanceMeasure(self._settings.angle * float(np.linalg.norm(edit.before, axis=-1).mean()))

        mode = bone.rotation_mode

        def quaternions(values: Array) -> Array:
            own = np.zeros((len(values), 1, 4))
            own[:, 0, : values.shape[1]] = values
            return to_quaternions(own, (mode,))[:, 0]

        return AngleMeasure(quaternions, self._settings.angle)
