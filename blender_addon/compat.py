# SPDX-License-Identifier: GPL-3.0-or-later
"""Actions across Blender versions: 4.2 has bare curves, 4.4 and later keep them in the channelbag of a slot.

Everywhere else a slot is an opaque value that is ``None`` on Blender 4.2 and 4.3.
"""

from typing import Any, Final

import bpy

LAYERED: Final = bpy.app.version >= (4, 4, 0)
GROUP_IN_NEW: Final = bpy.app.version >= (5, 0, 0)

# bpy.types.ActionSlot, which older versions do not have.
Slot = Any
# The collection of curves of an action or of a channelbag.
Curves = Any
# Handle of a slot (0 without slots), data path and array index of a curve: the same in an action and its copies.
Place = tuple[int, str, int]
# bpy.types.ActionChannelbag, likewise.
Channelbag = Any


def assigned_slot(id_: bpy.types.ID) -> Slot:
    """Slot of the assigned action that animates ``id_``."""
    return id_.animation_data.action_slot if LAYERED else None


def same_slot(action: bpy.types.Action, slot: Slot) -> Slot:
    """The slot of a copied action that corresponds to ``slot`` of the original."""
    if slot is None:
        return None
    return next((own for own in action.slots if own.handle == slot.handle), None)


def slot_named(action: bpy.types.Action, identifier: str) -> Slot:
    """The slot with this identifier, None where there is none."""
    return action.slots.get(identifier) if LAYERED and identifier else None


def slot_identifier(slot: Slot) -> str:
    """Name to find a slot by, empty without slots."""
    return slot.identifier if slot is not None else ""


def object_slots(action: bpy.types.Action) -> list[Slot]:
    """Slots that can animate an object; ``[None]`` where actions have none."""
    return [slot for slot in action.slots if slot.target_id_type in {"OBJECT", "UNSPECIFIED"}] if LAYERED else [None]


def fcurves(action: bpy.types.Action, slot: Slot) -> Curves | None:
    """Collection of the curves that animate the user of ``slot``, None if there are none."""
    if not LAYERED:
        return action.fcurves
    bag = _channelbag(action, slot)
    return bag.fcurves if bag else None


def all_fcurves(action: bpy.types.Action) -> list[bpy.types.FCurve]:
    """The curves of all slots."""
    if not LAYERED:
        return list(action.fcurves)
    strips = [strip for layer in action.layers for strip in layer.strips]
    return [curve for strip in strips for bag in strip.channelbags for curve in bag.fcurves]


def placed_fcurves(action: bpy.types.Action) -> dict[Place, bpy.types.FCurve]:
    """The curves of all slots by where they are."""
    if not LAYERED:
        return {(0, curve.data_path, curve.array_index): curve for curve in action.fcurves}
    bags = [bag for layer in action.layers for strip in layer.strips for bag in strip.channelbags]
    return {(bag.slot_handle, curve.data_path, curve.array_index): curve for bag in bags for curve in bag.fcurves}


def find_fcurve(action: bpy.types.Action, path: str) -> bpy.types.FCurve | None:
    """The first curve with this data path in any slot. Quick: Blender itself looks for it."""
    if not LAYERED:
        return action.fcurves.find(path)
    bags = (bag for layer in action.layers for strip in layer.strips for bag in strip.channelbags)
    return next(filter(None, (bag.fcurves.find(path) for bag in bags)), None)


def slot_with_handle(action: bpy.types.Action, handle: int) -> Slot:
    """The slot of a :data:`Place`."""
    return next((slot for slot in action.slots if slot.handle == handle), None) if LAYERED else None


def new_fcurve(action: bpy.types.Action, slot: Slot, channel: tuple[str, int], group: str) -> bpy.types.FCurve:
    """Add a curve for ``(data path, index)``; the slot must already have curves."""
    path, index = channel
    if not LAYERED:
        return action.fcurves.new(path, index=index, action_group=group)
    bag = _channelbag(action, slot)
    if GROUP_IN_NEW:
        return bag.fcurves.new(path, index=index, group_name=group)
    curve = bag.fcurves.new(path, index=index)
    curve.group = bag.groups.get(group) or bag.groups.new(group)
    return curve


def assign(id_: bpy.types.ID, action: bpy.types.Action, slot: Slot) -> None:
    """Make ``id_`` play the action; without an explicit slot Blender may pick none at all."""
    id_.animation_data.action = action
    if LAYERED and slot is not None:
        id_.animation_data.action_slot = slot


def blank_action(name: str, user: bpy.types.Object) -> tuple[bpy.types.Action, Slot]:
    """A new action without curves, with a slot that fits ``user`` and takes new curves."""
    action = bpy.data.actions.new(name)
    if not LAYERED:
        action.id_root = user.id_type
        return action, None
    slot = action.slots.new(id_type=user.id_type, name=user.name)
    action.layers.new("Layer").strips.new(type="KEYFRAME").channelbag(slot, ensure=True)
    return action, slot


def strip_slot(strip: bpy.types.NlaStrip) -> Slot:
    """Slot of the strip's action that the strip plays."""
    return strip.action_slot if LAYERED else None


def set_strip_slot(strip: bpy.types.NlaStrip, slot: Slot) -> None:
    """Make the strip play this slot of its action."""
    if LAYERED and slot is not None:
        strip.action_slot = slot


def _channelbag(action: bpy.types.Action, slot: Slot) -> Channelbag | None:
    """The slot's curves; Blender has at most one layer with one strip so far."""
    if slot is None or not action.layers or not action.layers[0].strips:
        return None
    return action.layers[0].strips[0].channelbag(slot)
