# SPDX-License-Identifier: GPL-3.0-or-later
"""An action to try channel values in, played by the armature for as long as it is needed."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import bpy
import numpy as np

from ...backend import Progress, Steps, finish, rotations
from ...compat import Slot, assign, assigned_slot, fcurves, new_fcurve, same_slot
from ...unfinished import passing
from ..edits import ChannelEdit
from ..pace import Pace
from ..take import Channel, Take

Array = rotations.Array

# Blender's number for linear interpolation, which foreach_set wants instead of its name.
_LINEAR: Final = 1


class Scratch:
    """The curves of one slot of an action, with a key on every frame once they are written to."""

    def __init__(self, take: Take, action: bpy.types.Action, slot: Slot, frames: Array) -> None:
        self._take, self._action, self._slot, self._frames = take, action, slot, frames
        self._curves: dict[Channel, bpy.types.FCurve] = {}

    def write(self, edits: Sequence[ChannelEdit]) -> None:
        """All of :meth:`write_steps` at once."""
        finish(self.write_steps(edits))

    def write_steps(self, edits: Sequence[ChannelEdit]) -> Steps[None]:
        """Have these values played from now on."""
        pace = Pace()
        for number, edit in enumerate(edits):
            path = self._take.armature.pose.bones[edit.bone].path_from_id(edit.name)
            for index, column in enumerate(edit.values.T):
                if (path, index) in self._take.channels:
                    self._fill((path, index), edit.bone, column)
            if pace.is_over:
                yield Progress(number / len(edits), "Trying controls")
                pace.restart()

    @contextmanager
    def played(self) -> Iterator[None]:
        """Inside, the armature plays these values; afterwards, what it did."""
        armature, data = self._take.armature, self._take.armature.animation_data
        before, before_slot = data.action, assigned_slot(armature)
        # Without an evaluation before it, Blender 4.4 to 5 can crash; later this costs nothing.
        bpy.context.view_layer.update()
        assign(armature, self._action, self._slot)
        try:
            yield
        finally:
            if before is None:
                data.action = None
            else:
                assign(armature, before, before_slot)

    def _fill(self, channel: Channel, group: str, column: Array) -> None:
        if channel not in self._curves:
            self._curves[channel] = self._fresh(channel, group)
        curve = self._curves[channel]
        points = np.stack([self._frames, column], axis=-1).astype(np.float32)
        curve.keyframe_points.foreach_set("co", points.ravel())
        curve.update()

    def _fresh(self, channel: Channel, group: str) -> bpy.types.FCurve:
        """The channel's curve, made anew: what its old one had of modifiers and muting is in the values."""
        curves = fcurves(self._action, self._slot)
        old = curves.find(channel[0], index=channel[1]) if curves is not None else None
        if old is not None:
            curves.remove(old)
        curve = new_fcurve(self._action, self._slot, channel, group)
        curve.keyframe_points.add(len(self._frames))
        curve.keyframe_points.foreach_set("interpolation", np.full(len(self._frames), _LINEAR, dtype=np.int32))
        return curve


@contextmanager
def scratch(take: Take, action: bpy.types.Action, frames: Array) -> Iterator[Scratch]:
    """A copy of ``action``, a result under construction, that is gone afterwards."""
    with passing(action.copy()) as copy:
        yield Scratch(take, copy, same_slot(copy, take.slot), frames)
