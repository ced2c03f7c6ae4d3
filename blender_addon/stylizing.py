# SPDX-License-Identifier: GPL-3.0-or-later
"""The use case behind panache.stylize: read, restyle, write."""

from dataclasses import replace

import bpy

from .backend import Clip, RigMotion, StyleSettings, run
from .order import Order
from .record import write_record
from .results import giving_way, put, start_action, target_take
from .rig.controls import Controls, find_controls, solve_controls
from .rig.edits import ChannelEdit
from .rig.guards import check_editable, check_led
from .rig.reader import Reading, Rig, read_clip, read_rig
from .rig.root import place_root
from .rig.seeding import seeded
from .rig.span import frames_of, row_of
from .rig.take import SetupError, Take, active_take, take_of_action
from .rig.writer import discard_on_error, edits_of, write_edits


def restyle_active(context: bpy.types.Context, order: Order) -> bpy.types.Action:
    """Restyle what the active armature plays; it then plays the new action, which is returned.

    Nothing in the file changes before the result is complete.

    Raises:
        PanacheError: with a sentence that says what to do.

    """
    take = active_take(context)
    check_editable(take)
    with giving_way(context, take) as original:
        rig = prepare(original)
        controls = find_controls(context, original, rig)
        reading = read_clip(context, original, rig)
        settings = _joined(order.settings, reading)
        other = _read_reference(context, original, order.reference) if settings.source == "REFERENCE" else None
        styled = run(_clip(reading, order.calibration_frame), other, settings)
        action, slot = start_action(reading, f"{_name(original)} {_suffix(order)}")
        keys = replace(order.keys, moments=frames_of(context.scene, styled.moments))
        with discard_on_error(action):
            if controls:
                edits = _lead(context, reading, styled.motion, controls, action)
            else:
                edits = edits_of(reading, place_root(reading, styled.motion, settings.root))
            write_edits(action, target_take(reading.take, action, slot), reading.frames, edits, keys)
            write_record(action, original, order)
        put(context, reading, action, slot)
    return action


def prepare(take: Take) -> Rig:
    """The take's rig, if nothing stands in the way of new keys.

    Raises:
        PanacheError: no humanoid, or bones that cannot be keyed.

    """
    rig = read_rig(take.armature, take)
    check_led(take, rig.bone_map)
    return rig


def _lead(
    context: bpy.types.Context, reading: Reading, result: RigMotion, controls: Controls, action: bpy.types.Action
) -> list[ChannelEdit]:
    """What the controls must do for the mapped bones to follow ``result``."""
    if not reading.take.is_stack:
        return solve_controls(context, reading, result, controls, action)
    with seeded(context, reading, controls) as (passing, slot):
        alone = replace(reading, take=target_take(reading.take, passing, slot))
        return solve_controls(context, alone, result, controls, passing)


def _name(take: Take) -> str:
    """What a result is named after: the action, or the character whose tracks play together."""
    return str(take.armature.name if take.is_stack else take.action.name)


def _read_reference(context: bpy.types.Context, take: Take, name: str) -> Clip:
    action = bpy.data.actions.get(name)
    if action is None:
        raise SetupError(f'There is no action "{name}" in this file: choose another reference.')
    other = take_of_action(action, take.armature)
    return _clip(read_clip(context, other, read_rig(other.armature, other), whole=True))


def _clip(reading: Reading, calibration_frame: int | None = None) -> Clip:
    row = None if calibration_frame is None else row_of(reading.frames, calibration_frame)
    return Clip(reading.motion, reading.bone_map, reading.cyclic, row)


def _joined(settings: StyleSettings, reading: Reading) -> StyleSettings:
    """Settings with which the restyled frames join what the preview range leaves as it is."""
    span = reading.span
    return replace(settings, pin_start=settings.pin_start or span.cut_start, pin_end=settings.pin_end or span.cut_end)


def _suffix(order: Order) -> str:
    """What the result's name adds to the original's."""
    settings = order.settings
    if settings.source == "REFERENCE":
        return f"like {order.reference}"
    return f"Random {settings.seed}" if settings.source == "RANDOM" else settings.style.title()
