# SPDX-License-Identifier: GPL-3.0-or-later
"""The use case behind panache.stylize: read, restyle, write."""

import bpy

from .backend import Clip, StyleSettings, run
from .record import write_record
from .rig.guards import check_editable, check_free
from .rig.reader import Reading, read_clip, read_rig
from .rig.take import SetupError, Take, active_take, take_of_action
from .rig.writer import discard_on_error, play, write_action


def restyle_active(context: bpy.types.Context, settings: StyleSettings, reference: str) -> bpy.types.Action:
    """Restyle what the active armature plays; it then plays the new action, which is returned.

    Nothing in the file changes before the result is complete.

    Raises:
        PanacheError: with a sentence that says what to do.

    """
    take = active_take(context)
    check_editable(take)
    rig = read_rig(take.armature)
    check_free(take, rig.bone_map)
    reading = read_clip(context, take, rig)
    other = _read_reference(context, take, reference) if settings.source == "REFERENCE" else None
    result = run(_clip(reading), other, settings)
    with discard_on_error(take.action.copy()) as action:
        action.name = f"{take.action.name} {_suffix(settings, reference)}"
        write_action(action, reading, result)
        write_record(action, take, settings, reference)
    play(context, take, action)
    return action


def _read_reference(context: bpy.types.Context, take: Take, name: str) -> Clip:
    action = bpy.data.actions.get(name)
    if action is None:
        raise SetupError(f'There is no action "{name}" in this file: choose another reference.')
    other = take_of_action(action, take.armature)
    return _clip(read_clip(context, other, read_rig(other.armature)))


def _clip(reading: Reading) -> Clip:
    return Clip(reading.motion, reading.bone_map)


def _suffix(settings: StyleSettings, reference: str) -> str:
    """What the result's name adds to the original's."""
    if settings.source == "REFERENCE":
        return f"like {reference}"
    return f"Random {settings.seed}" if settings.source == "RANDOM" else settings.style.title()
