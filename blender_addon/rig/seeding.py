# SPDX-License-Identifier: GPL-3.0-or-later
"""An action that says alone what a stack of NLA tracks says together, for the controls of a rig."""

from collections.abc import Iterator
from contextlib import contextmanager

import bpy

from ..compat import Slot, blank_action
from .controls import Controls
from .keying import Curves, every_frame
from .reader import Reading
from .rotation_modes import property_of
from .stepping import step
from .take import SetupError


@contextmanager
def seeded(context: bpy.types.Context, reading: Reading, controls: Controls) -> Iterator[tuple[bpy.types.Action, Slot]]:
    """A passing action with keys on every frame of the controls, as the stack plays them.

    Raises:
        SetupError: an active action that blends with the tracks would blend with this one too.

    """
    take = reading.take
    if take.armature.animation_data.action == take.action:
        raise SetupError(
            f'Push "{take.action.name}" down into an NLA track first: its controls blend with other tracks.'
        )
    steps = step(context, take.armature, reading.frames, controls.names)
    action, slot = blank_action("Panache", take.armature)
    try:
        curves = Curves(action, slot)
        for control, name in enumerate(controls.names):
            bone = take.armature.pose.bones[name]
            prop, width = property_of(bone.rotation_mode)
            columns = {(prop, i): steps.own[:, control, i] for i in range(width)}
            columns |= {("location", i): steps.locations[:, control, i] for i in range(3)}
            for (own, i), column in columns.items():
                path = bone.path_from_id(own)
                if (path, i) in take.channels:
                    curves.write((path, i), name, every_frame(reading.frames, column))
        yield action, slot
    finally:
        bpy.data.actions.remove(action)
