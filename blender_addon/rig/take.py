# SPDX-License-Identifier: GPL-3.0-or-later
"""A take: one action as one armature plays it, and how to find it."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import bpy

from ..backend import PanacheError
from ..compat import Slot, assigned_slot, fcurves, object_slots

Channel = tuple[str, int]
"""Data path and array index of a curve."""

TRANSFORMS: Final = ("location", "rotation_quaternion", "rotation_euler", "rotation_axis_angle", "scale")
"""Names of a bone's animated properties."""


class SetupError(PanacheError):
    """The scene is not ready; the text says what to do."""


@dataclass(frozen=True)
class Take:
    """One action on one armature object; ``slot`` is None where actions have no slots."""

    armature: bpy.types.Object
    action: bpy.types.Action
    slot: Slot

    @cached_property
    def curves(self) -> dict[Channel, bpy.types.FCurve]:
        """The curves that have an effect, by channel."""
        found: Iterable[bpy.types.FCurve] = fcurves(self.action, self.slot) or ()
        return {(curve.data_path, curve.array_index): curve for curve in found if has_effect(curve)}

    @property
    def is_played(self) -> bool:
        """Whether this is what the armature shows when the timeline runs."""
        data = self.armature.animation_data
        return data is not None and data.action == self.action and assigned_slot(self.armature) == self.slot


def has_effect(curve: bpy.types.FCurve) -> bool:
    """Whether Blender evaluates the curve: not muted, itself or by its group, and not empty."""
    return not (curve.mute or (curve.group and curve.group.mute) or curve.is_empty)


def armature_of(context: bpy.types.Context) -> bpy.types.Object | None:
    """The active armature, or the selected one if it is the only one."""
    active = context.view_layer.objects.active
    if active is not None and active.type == "ARMATURE":
        return active
    selected = [obj for obj in context.view_layer.objects.selected if obj.type == "ARMATURE"]
    return selected[0] if len(selected) == 1 else None


def require_armature(context: bpy.types.Context) -> bpy.types.Object:
    """As :func:`armature_of`, with a sentence instead of None."""
    armature = armature_of(context)
    if armature is None:
        raise SetupError("Select the armature whose action you want to stylize.")
    if armature.mode == "EDIT":
        raise SetupError(f'Leave Edit Mode of "{armature.name}" first (Tab).')
    return armature


def active_take(context: bpy.types.Context) -> Take:
    """The action that the active armature plays.

    Raises:
        SetupError: no armature, no action, or an action that does not animate this armature.

    """
    armature = require_armature(context)
    data = armature.animation_data
    if data is None or data.action is None:
        raise SetupError(f'"{armature.name}" has no action: assign one in the Action Editor.')
    take = Take(armature, data.action, assigned_slot(armature))
    if not _animates_bones(take):
        raise SetupError(
            f'"{data.action.name}" has no keys for bones of "{armature.name}": assign another action or slot.'
        )
    return take


def take_of_action(action: bpy.types.Action, fallback: bpy.types.Object) -> Take:
    """The action as played by the armature that has it assigned, else as ``fallback`` would play it.

    Raises:
        SetupError: if it animates no bones.

    """
    users = (obj for obj in bpy.data.objects if obj.type == "ARMATURE" and obj.animation_data)
    player = next((obj for obj in users if obj.animation_data.action == action), None)
    if player is not None:
        takes = [Take(player, action, assigned_slot(player))]
    else:
        takes = [Take(fallback, action, slot) for slot in object_slots(action)]
    take = next((take for take in takes if _animates_bones(take)), None)
    if take is None:
        raise SetupError(f'"{action.name}" has no keys for bones: choose another reference.')
    return take


def _animates_bones(take: Take) -> bool:
    """Whether any curve moves a bone that the armature has."""
    transforms = (bone.path_from_id(name) for bone in take.armature.pose.bones for name in TRANSFORMS)
    paths = {path for path, _ in take.curves}
    return any(path in paths for path in transforms)
