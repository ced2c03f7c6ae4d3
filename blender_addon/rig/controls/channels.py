# SPDX-License-Identifier: GPL-3.0-or-later
"""The channels of a control that may change: keyed, and not locked."""

from dataclasses import dataclass, replace
from functools import cached_property

import bpy
import numpy as np

from ...backend import rotations
from ..rotation_modes import property_of, to_quaternions, turned
from ..take import Take

Array = rotations.Array
Flags = tuple[bool, ...]

# The order in which Blender takes quaternions apart to lock one of their axes.
_LOCK_ORDER = "XYZ"


@dataclass(frozen=True)
class Channels:
    """What of one bone may change.

    Attributes:
        bone: its name.
        mode: its rotation mode.
        held: which components of the rotation property stay as they are.
        held_axes: which axes stay, of rotations with four components whose locks are meant as Euler angles.
        held_location: which components of the location stay.
        limited: whether constraints may keep the bone from what its channels say.
        limits: lowest and highest angles (2, 3) that are shown, in the order ``limit_order``; None if any are.
        limit_order: of Euler angles.

    """

    bone: str
    mode: str
    held: Flags
    held_axes: Flags
    held_location: Flags
    limited: bool = False
    limits: Array | None = None
    limit_order: str = _LOCK_ORDER

    @property
    def rotation_property(self) -> tuple[str, int]:
        """Name and width of the rotation property."""
        return property_of(self.mode)

    @cached_property
    def free_axes(self) -> tuple[int, ...]:
        """Own axes that the bone can be turned about."""
        if all(self.held):
            return ()
        held = self.held if len(self.held) == len("XYZ") else self.held[1:]
        return tuple(axis for axis in range(3) if not (held[axis] or self.held_axes[axis]))

    @property
    def moves(self) -> bool:
        """Whether anything of the location may change."""
        return not all(self.held_location)

    @property
    def is_free(self) -> bool:
        """Whether all of the rotation may change, and of the location all or nothing, as far as one likes."""
        return not self.limited and len(self.free_axes) == len("XYZ") and not (self.moves and any(self.held_location))

    def turning_about(self, axes: tuple[int, ...]) -> "Channels":
        """The same with only these of its own axes free."""
        idle = [axis not in axes for axis in range(3)]
        if not axes or not any(idle):
            return self
        if len(self.held) == len(idle):
            return replace(self, held=tuple(map(any, zip(self.held, idle, strict=True))))
        return replace(self, held_axes=tuple(map(any, zip(self.held_axes, idle, strict=True))))

    def rotation(self, original: Array, target: Array) -> Array:
        """The property (T, 4), of four columns in every mode, nearest to rotations (T, 4) that may be reached."""
        quaternion = to_quaternions(original[:, None], (self.mode,))
        target = self._within_limits(self._without_held_axes(quaternion, target[:, None]))
        spin = rotations.multiply(rotations.conjugate(quaternion), target)
        values = turned(original[:, None], (self.mode,), spin)[:, 0]
        columns = [i for i, held in enumerate(self.held) if held]
        values[:, columns] = original[:, columns]
        return values

    def quaternion(self, values: Array) -> Array:
        """Rotations (T, 4) of the property's values (T, 4)."""
        return to_quaternions(values[:, None], (self.mode,))[:, 0]

    def location(self, original: Array, target: Array) -> Array:
        """The location (T, 3) nearest to ``target`` that may be reached."""
        return np.where(self.held_location, original, target)

    def _within_limits(self, target: Array) -> Array:
        if self.limits is None:
            return target
        modes = (self.limit_order,)
        angles = turned(np.zeros_like(target), modes, target)
        inside = angles.copy()
        inside[..., :3] = np.clip(angles[..., :3], *self.limits)
        return np.where(np.any(inside != angles, axis=-1, keepdims=True), to_quaternions(inside, modes), target)

    def _without_held_axes(self, original: Array, target: Array) -> Array:
        if not any(self.held_axes):
            return target
        modes = (_LOCK_ORDER,)
        before = turned(np.zeros_like(original), modes, original)
        after = turned(before, modes, rotations.multiply(rotations.conjugate(original), target))
        after[..., :3] = np.where(self.held_axes, before[..., :3], after[..., :3])
        return to_quaternions(after, modes)


def channels_of(take: Take, bone: bpy.types.PoseBone) -> Channels:
    """The channels of a bone that the take's keys reach."""
    name, width = property_of(bone.rotation_mode)
    locks = tuple(bone.lock_rotation)
    keyed = [(bone.path_from_id(name), i) in take.channels for i in range(width)]
    moved = [(bone.path_from_id("location"), i) in take.channels for i in range(3)]
    axes = (False, False, False)
    if width == len(locks):
        held = tuple(lock or not key for lock, key in zip(locks, keyed, strict=True))
    elif bone.lock_rotations_4d:
        held = (bone.lock_rotation_w, *locks) if any(keyed) else (True,) * width
    else:
        held = (not any(keyed),) * width
        axes = locks
    held_location = tuple(lock or not key for lock, key in zip(bone.lock_location, moved, strict=True))
    return Channels(bone.name, bone.rotation_mode, held, axes, held_location, *_limits(bone))


def _limits(bone: bpy.types.PoseBone) -> tuple[bool, Array | None, str]:
    """Whether a bone is limited; and lowest and highest Euler angles, with their order, if these are its own."""
    found = [entry for entry in bone.constraints if entry.type.startswith("LIMIT_") and not entry.mute]
    turning = next((entry for entry in found if entry.type == "LIMIT_ROTATION" and entry.owner_space == "LOCAL"), None)
    if turning is None or turning.influence < 1.0:
        return bool(found), None, _LOCK_ORDER
    order = bone.rotation_mode if turning.euler_order == "AUTO" else turning.euler_order
    used = (turning.use_limit_x, turning.use_limit_y, turning.use_limit_z)
    low, high = ([getattr(turning, f"{end}_{axis}") for axis in "xyz"] for end in ("min", "max"))
    limits = np.array([np.where(used, low, -np.inf), np.where(used, high, np.inf)])
    return True, limits, order if len(order) == len(_LOCK_ORDER) else _LOCK_ORDER
