# SPDX-License-Identifier: GPL-3.0-or-later
"""An action that says alone what a stack of NLA tracks says together, for the controls of a rig."""

from typing import Final

import bpy

from ..backend import Progress, Steps, scaled
from ..compat import Slot
from .controls import Controls
from .keying import Curves, every_frame
from .pace import Pace
from .reader import Reading
from .rotation_modes import property_of
from .stepping import step_steps
from .take import SetupError, Take

# Of the whole work, what playing the stack takes.
_PLAYING: Final = 0.9


def check_alone(take: Take) -> None:
    """Refuse a stack that a passing action would not play like.

    Raises:
        SetupError: an active action that blends with the tracks would blend with that one too.

    """
    if take.armature.animation_data.action == take.action:
        raise SetupError(
            f'Push "{take.action.name}" down into an NLA track first: its controls blend with other tracks.'
        )


def seed_steps(
    context: bpy.types.Context, reading: Reading, controls: Controls, seed: tuple[bpy.types.Action, Slot]
) -> Steps[None]:
    """Fill a blank action with keys on every frame of the controls, as the stack plays them."""
    take = reading.take
    shown = yield from scaled(step_steps(context, take.armature, reading.frames, controls.names), 0.0, _PLAYING)
    curves, pace = Curves(*seed), Pace()
    for control, name in enumerate(controls.names):
        if pace.is_over:
            yield Progress(_PLAYING + (1.0 - _PLAYING) * control / len(controls.names), "Reading controls")
            pace.restart()
        bone = take.armature.pose.bones[name]
        prop, width = property_of(bone.rotation_mode)
        columns = {(prop, i): shown.own[:, control, i] for i in range(width)}
        columns |= {("location", i): shown.locations[:, control, i] for i in range(3)}
        for (own, i), column in columns.items():
            path = bone.path_from_id(own)
            if (path, i) in take.channels:
                curves.write((path, i), name, every_frame(reading.frames, column))
