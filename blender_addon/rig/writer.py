# SPDX-License-Identifier: GPL-3.0-or-later
"""A result as keys: whole curves at a time, into a copy of the original action."""

from collections.abc import Sequence
from typing import Final

import bpy
import numpy as np

from ..backend import (
    SPARSE,
    KeySettings,
    Progress,
    RigMotion,
    Steps,
    foot_reach,
    planted_below,
    rotation_part,
    rotations,
    scaled,
)
from ..compat import Slot, assign, same_slot
from .edits import ChannelEdit
from .fitting import Fitter
from .keying import Curves, every_frame, fitted
from .pace import Pace
from .reader import Reading
from .rotation_modes import property_of, turned_steps
from .take import Channel, Take

Array = rotations.Array

# Below this, armature units, a location differs only by rounding on its way through core.
_UNMOVED: Final = 1e-8
# Components that differ by no more than this from what they were are the same; single precision knows no better.
_SAME: Final = 1e-7
# Share of the work that goes into finding out where keys are needed.
_FITTING: Final = 0.9
# And where all of them are written.
_KEYED: Final = 0.97
_FOOT_JOINTS: Final = ("left_ankle", "right_ankle", "left_foot", "right_foot")


def edits_steps(reading: Reading, result: RigMotion) -> Steps[list[ChannelEdit]]:
    """The result as changes of the mapped bones' own properties.

    ``result`` says how far each bone turned and moved against ``reading.motion``; that difference goes onto the
    bone's own numbers, so an untouched bone keeps them to the last digit.
    """
    own, locations = yield from scaled(_own_channels(reading, result), 0.0, 1.0)
    yield Progress(1.0, "Writing keys")
    bones = reading.bone_map.bones
    mapped, skeleton = set(bones.values()), reading.motion.skeleton
    feet = {bones[joint] for joint in _FOOT_JOINTS if joint in bones}
    reach, planted = foot_reach(skeleton, feet), planted_below(result, feet)
    edits = []
    for i, name in enumerate(skeleton.names):
        prop, width = property_of(reading.modes[i])
        if name in mapped:
            turns = own[:, i, :width], reading.own[:, i, :width]
            edits.append(ChannelEdit(name, prop, *turns, float(reach[i]), planted[:, i]))
        if name == bones["pelvis"] or np.any(locations[:, i] != reading.locations[:, i]):
            moves = locations[:, i], reading.locations[:, i]
            edits.append(ChannelEdit(name, "location", *moves, float(reach[i]), planted[:, i]))
    return edits


def write_edits_steps(
    action: bpy.types.Action, take: Take, frames: Array, edits: Sequence[ChannelEdit], keys: KeySettings
) -> Steps[None]:
    """Key properties in a copy of the take's action.

    Args:
        action: the copy.
        take: whose action's keys say which times to keep.
        frames: (T,) of the edits, increasing; what the curves do outside them stays.
        edits: properties; one without curves that stays as it was gets none.
        keys: how many.

    """
    fitter = Fitter(take, frames, keys) if keys.mode == SPARSE else None
    fits = (yield from scaled(fitter.fit_steps(edits), 0.0, _FITTING)) if fitter else [None] * len(edits)
    curves = Curves(action, same_slot(action, take.slot))
    still: dict[str, float] = {}
    pace = Pace()
    for number, (edit, fit) in enumerate(zip(edits, fits, strict=True)):
        if pace.is_over:
            yield Progress(_FITTING + (_KEYED - _FITTING) * number / len(edits), "Writing keys")
            pace.restart()
        bone = take.armature.pose.bones[edit.bone]
        path = bone.path_from_id(edit.name)
        channels = [(path, i) for i in range(edit.values.shape[1])]
        if (fitter and fit is None) or _is_idle(curves, channels, edit, slice(None)):
            continue
        for i, channel in enumerate(channels):
            if _is_idle(curves, [channel], edit, i):
                continue
            rows = fitted(fit, i) if fit else every_frame(frames, edit.values[:, i])
            curves.write(channel, edit.bone, rows)
        if fitter:
            still |= fitter.still(bone)
    yield from scaled(curves.clear_idle_steps(still, (frames[0], frames[-1])), _KEYED, 1.0)


def play_action(context: bpy.types.Context, armature: bpy.types.Object, action: bpy.types.Action, slot: Slot) -> None:
    """Assign an action with its slot."""
    # Without this Blender 4.4 to 5 can crash on armatures that were never evaluated.
    context.view_layer.update()
    assign(armature, action, slot)
    context.view_layer.update()


def _is_idle(curves: Curves, channels: list[Channel], edit: ChannelEdit, components: int | slice) -> bool:
    """Whether some ``components`` have no curves and need none: what nobody keyed stays without keys if it can."""
    difference = edit.values[:, components] - edit.before[:, components]
    return not any(channel in curves for channel in channels) and np.abs(difference).max(initial=0.0) <= _SAME


def _own_channels(reading: Reading, result: RigMotion) -> Steps[tuple[Array, Array]]:
    """The result as the bones' own rotation (T, B, 4) and location (T, B, 3) properties."""
    old, armature = reading.motion, reading.take.armature
    turns = rotations.multiply(rotations.conjugate(old.rotations), result.rotations)
    moves = result.locations - old.locations
    moves[np.abs(moves) < _UNMOVED] = 0.0
    for i, name in enumerate(old.skeleton.names):
        bone = armature.data.bones[name]
        if not bone.use_inherit_rotation:
            turns[:, i] = _turns_in_armature(old, result)[:, i]
        if not bone.use_local_location:
            moves[:, i] = moves[:, i] @ old.skeleton.relative_rest[i, :3, :3].T
    return (yield from turned_steps(reading.own, reading.modes, turns)), reading.locations + moves


def _turns_in_armature(old: RigMotion, result: RigMotion) -> Array:
    """How bones turned (T, B, 4) when their parents' turning does not carry them."""
    before, after = (rotations.from_matrix(rotation_part(motion.pose)) for motion in (old, result))
    return rotations.multiply(rotations.conjugate(before), after)
