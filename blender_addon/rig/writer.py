# SPDX-License-Identifier: GPL-3.0-or-later
"""A result as keys: whole curves at a time, into a copy of the original action."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import bpy
import numpy as np

from ..backend import RigMotion, rotation_part, rotations
from ..compat import Slot, assign, fcurves, new_fcurve, same_slot
from .reader import Reading
from .rotation_modes import property_of, turned
from .take import Take

Array = rotations.Array

# Numbers of Blender's enums, which foreach_set wants instead of their names.
# Linear: keys lie on every frame, and Bezier handles would swing past them where a foot stops.
_LINEAR: Final = 1
_AUTO_CLAMPED: Final = 4
# Below this, armature units, a location differs only by rounding on its way through core.
_UNMOVED: Final = 1e-8
# Adds to the keys' ends only, so it is still right for the new keys; every other modifier is in them already.
_KEPT_MODIFIERS: Final = {"CYCLES"}


@contextmanager
def discard_on_error(action: bpy.types.Action) -> Iterator[bpy.types.Action]:
    """Remove a new action if it could not be finished."""
    try:
        yield action
    except BaseException:
        bpy.data.actions.remove(action)
        raise


def write_action(action: bpy.types.Action, reading: Reading, result: RigMotion) -> None:
    """Replace the mapped bones' rotation curves, and the locations that changed, in a copy of the original.

    ``result`` says how far each bone turned and moved against ``reading.motion``; that difference goes onto the
    bone's own numbers, so an untouched bone keeps them to the last digit.
    """
    writer = _Curves(action, same_slot(action, reading.take.slot), reading.frames)
    own, locations = _own_channels(reading, result)
    mapped = set(reading.bone_map.bones.values())
    for i, name in enumerate(reading.motion.skeleton.names):
        bone = reading.take.armature.pose.bones[name]
        prop, width = property_of(reading.modes[i])
        if name in mapped:
            writer.replace(bone, prop, own[:, i, :width], reading.own[:, i, :width])
        if name == reading.bone_map.bones["pelvis"] or np.any(locations[:, i] != reading.locations[:, i]):
            writer.replace(bone, "location", locations[:, i], reading.locations[:, i])


def play(context: bpy.types.Context, take: Take, action: bpy.types.Action) -> None:
    """Let the armature play a finished copy of the take's action, and keep the original in the file."""
    if take.action.library is None:
        take.action.use_fake_user = True
    play_action(context, take.armature, action, same_slot(action, take.slot))


def play_action(context: bpy.types.Context, armature: bpy.types.Object, action: bpy.types.Action, slot: Slot) -> None:
    """Assign an action with its slot."""
    # Without this Blender 4.4 to 5 can crash on armatures that were never evaluated.
    context.view_layer.update()
    assign(armature, action, slot)
    context.view_layer.update()


class _Curves:
    """The curves of one slot of an action under construction."""

    def __init__(self, action: bpy.types.Action, slot: Slot, frames: Array) -> None:
        self._action = action
        self._slot = slot
        self._frames = frames
        self._curves = {(curve.data_path, curve.array_index): curve for curve in fcurves(action, slot)}

    def replace(self, bone: bpy.types.PoseBone, name: str, values: Array, before: Array) -> None:
        """Key a property (T, width) on every frame; a property without curves that stays as it was gets none."""
        path = bone.path_from_id(name)
        channels = [(path, i) for i in range(values.shape[1])]
        if not any(channel in self._curves for channel in channels) and np.array_equal(values, before):
            return
        for channel, column in zip(channels, values.T, strict=True):
            write_keys(self._empty(channel, bone.name), self._frames, column)

    def _empty(self, channel: tuple[str, int], group: str) -> bpy.types.FCurve:
        """The channel's curve without keys, able to play."""
        curve = self._curves.get(channel)
        if curve is None or not len(curve.keyframe_points):
            if curve is not None:
                # Baked samples cannot be cleared, only removed.
                fcurves(self._action, self._slot).remove(curve)
            return new_fcurve(self._action, self._slot, channel, group)
        curve.keyframe_points.clear()
        for modifier in [entry for entry in curve.modifiers if entry.type not in _KEPT_MODIFIERS]:
            curve.modifiers.remove(modifier)
        curve.mute = False
        if curve.group and curve.group.mute:
            curve.group = None
        return curve


def write_keys(curve: bpy.types.FCurve, frames: Array, values: Array) -> None:
    """Fill an empty curve with keys at ``frames`` (T,)."""
    points = curve.keyframe_points
    points.add(len(frames))
    points.foreach_set("co", np.stack([frames, values], axis=-1).astype(np.float32).ravel())
    for name, number in (
        ("interpolation", _LINEAR),
        ("handle_left_type", _AUTO_CLAMPED),
        ("handle_right_type", _AUTO_CLAMPED),
    ):
        points.foreach_set(name, np.full(len(frames), number, dtype=np.int32))
    curve.update()


def _own_channels(reading: Reading, result: RigMotion) -> tuple[Array, Array]:
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
    return turned(reading.own, reading.modes, turns), reading.locations + moves


def _turns_in_armature(old: RigMotion, result: RigMotion) -> Array:
    """How bones turned (T, B, 4) when their parents' turning does not carry them."""
    before, after = (rotations.from_matrix(rotation_part(motion.pose)) for motion in (old, result))
    return rotations.multiply(rotations.conjugate(before), after)
