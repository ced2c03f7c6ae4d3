# SPDX-License-Identifier: GPL-3.0-or-later
"""A take: what one armature plays, one action or a stack of NLA tracks, and how to find it."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import bpy

from ..backend import PanacheError
from ..compat import Slot, assigned_slot, fcurves, object_slots
from .nla import blends_with_tracks, heard_strips, played_by, solo_track

Channel = tuple[str, int]
"""Data path and array index of a curve."""

TRANSFORMS: Final = ("location", "rotation_quaternion", "rotation_euler", "rotation_axis_angle", "scale")
"""Names of a bone's animated properties."""


class SetupError(PanacheError):
    """The scene is not ready; the text says what to do."""


@dataclass(frozen=True)
class Take:
    """What one armature object plays.

    Attributes:
        armature: the object.
        action: the action; of a stack the one on top that moves bones.
        slot: what of the action is played; None where actions have no slots.
        is_stack: whether NLA tracks, or an action that blends with them, say together what is played. The times of
            the curves' keys then mean nothing, and a result needs a track of its own.

    """

    armature: bpy.types.Object
    action: bpy.types.Action
    slot: Slot
    is_stack: bool = False

    @cached_property
    def curves(self) -> dict[Channel, bpy.types.FCurve]:
        """The curves that have an effect, by channel; of a stack those of all its actions, the upper ones first."""
        own = curves_of(self.action, self.slot)
        return self.below | own if self.is_stack else own

    def now(self) -> "Take":
        """The take after others may have worked on it: with the curves that there are now, if some were removed.

        Removed ones must not be touched any more: Blender keeps no count of who looks at a curve.
        """
        played = played_by(heard_strips(self.armature)) if self.is_played else []
        owners = [(self.action, self.slot), *played]
        there = {curve.as_pointer() for action, slot in owners for curve in fcurves(action, slot) or ()}
        return self if all(curve.as_pointer() in there for curve in self.curves.values()) else replace(self)

    @cached_property
    def below(self) -> dict[Channel, bpy.types.FCurve]:
        """Curves of the NLA strips that play under the action, or in the stack; nothing if this take is not played."""
        found: dict[Channel, bpy.types.FCurve] = {}
        for action, slot in played_by(heard_strips(self.armature)) if self.is_played else ():
            found |= curves_of(action, slot)
        return found

    @cached_property
    def channels(self) -> set[Channel]:
        """Everything of the armature that is animated while the take plays."""
        return self.curves.keys() | self.below.keys()

    @property
    def is_played(self) -> bool:
        """Whether this is what the armature shows when the timeline runs."""
        data = self.armature.animation_data
        plays = data is not None and data.action == self.action and assigned_slot(self.armature) == self.slot
        return self.is_stack or plays


def curves_of(action: bpy.types.Action, slot: Slot) -> dict[Channel, bpy.types.FCurve]:
    """The action's curves that have an effect, by channel."""
    found: Iterable[bpy.types.FCurve] = fcurves(action, slot) or ()
    return {(curve.data_path, curve.array_index): curve for curve in found if has_effect(curve)}


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
    """What the active armature plays.

    Raises:
        SetupError: no armature, no action, or nothing that animates this armature.

    """
    return played_take(require_armature(context))


def played_take(armature: bpy.types.Object) -> Take:
    """What an armature plays.

    Raises:
        SetupError: no action, or nothing that animates this armature.

    """
    data = armature.animation_data
    if data is None or not (data.action or heard_strips(armature)):
        raise SetupError(f'"{armature.name}" has no action: assign one in the Action Editor.')
    take = _active_action(armature) or _stack(armature)
    if take is None:
        name = data.action.name if data.action else data.nla_tracks[-1].name
        raise SetupError(f'"{name}" has no keys for bones of "{armature.name}": assign another action or slot.')
    return take


def _active_action(armature: bpy.types.Object) -> Take | None:
    """The assigned action, if it moves bones and is heard."""
    data = armature.animation_data
    if data.action is None or solo_track(armature):
        return None
    take = Take(armature, data.action, assigned_slot(armature), is_stack=blends_with_tracks(armature))
    return take if _animates_bones(take) else None


def _stack(armature: bpy.types.Object) -> Take | None:
    """The NLA tracks, if one of them moves bones."""
    takes = (Take(armature, action, slot) for action, slot in reversed(played_by(heard_strips(armature))))
    top = next((take for take in takes if _animates_bones(take)), None)
    return replace(top, is_stack=True) if top else None


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
