# SPDX-License-Identifier: GPL-3.0-or-later
"""Which bone takes the way over the floor: the hips, or a root bone that carried them in the original."""

import bpy

from ..backend import RigMotion, carry, find_carrier, lift
from .guards import held_bones
from .reader import Reading


def place_root(reading: Reading, result: RigMotion, root: str) -> RigMotion:
    """``result`` with its way on the bones that can take it; in the world the body stays where it is."""
    pelvis = reading.bone_map.bones["pelvis"]
    bone, held = reading.take.armature.data.bones[pelvis], held_bones(reading.take)
    if not _can_move(reading, bone.name, held):
        above = next((name for name in _names_above(bone) if _can_move(reading, name, held)), None)
        return lift(result, reading.motion, pelvis, above) if above else result
    carrier = find_carrier(reading.motion, reading.bone_map)
    if carrier is None or not _can_move(reading, carrier, held):
        return result
    return carry(result, reading.motion, (pelvis, carrier), root)


def _names_above(bone: bpy.types.Bone) -> list[str]:
    return [parent.name for parent in bone.parent_recursive]


def _can_move(reading: Reading, name: str, held: set[str]) -> bool:
    """Whether location keys move the bone: connected bones hang on their parent's tail."""
    bone = reading.take.armature.data.bones[name]
    return not (bone.use_connect and bone.parent) and name not in held
