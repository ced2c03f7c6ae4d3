# SPDX-License-Identifier: GPL-3.0-or-later
"""What an armature plays and shows, and NLA tracks to play it from."""

from collections.abc import Iterable
from typing import Any

import bpy
import numpy as np

from . import rigs

SLOTS = bpy.app.version >= (4, 4, 0)


def shown(armature: bpy.types.Object, frames: Iterable[int]) -> np.ndarray:
    """World matrices (T, B, 4, 4) of all bones as Blender evaluates them."""
    poses = []
    for frame in frames:
        bpy.context.scene.frame_set(int(frame))
        poses.append([armature.matrix_world @ bone.matrix for bone in armature.pose.bones])
    return np.array(poses)


def bone_index(armature: bpy.types.Object, name: str) -> int:
    return armature.pose.bones.find(name)


def push(armature: bpy.types.Object, **strip_settings: Any) -> bpy.types.NlaStrip:
    """Move the active action into a track, as Push Down Action does."""
    data = armature.animation_data
    action, slot = data.action, getattr(data, "action_slot", None)
    strip = data.nla_tracks.new().strips.new(action.name, 1, action)
    if slot is not None:
        strip.action_slot = slot
    for name, value in strip_settings.items():
        setattr(strip, name, value)
    data.action = None
    bpy.context.view_layer.update()
    return strip


def tracks(armature: bpy.types.Object) -> list[tuple[Any, ...]]:
    """All that counts of the NLA, bottom first."""
    return [
        (track.name, track.mute, track.is_solo, *[_strip(strip) for strip in track.strips])
        for track in armature.animation_data.nla_tracks
    ]


def _strip(strip: bpy.types.NlaStrip) -> tuple[Any, ...]:
    action = strip.action.name if strip.action else None
    return strip.name, action, strip.frame_start, strip.frame_end, strip.blend_type, strip.extrapolation


def stack() -> bpy.types.Object:
    armature = rigs.mixamo(rigs.MODES)
    push(armature)
    return armature


def heard(armature: bpy.types.Object) -> list[bpy.types.NlaTrack]:
    return [track for track in armature.animation_data.nla_tracks if not track.mute]


def curves_of_track(armature: bpy.types.Object) -> list[bpy.types.FCurve]:
    """Curves of the topmost track's action."""
    action = armature.animation_data.nla_tracks[-1].strips[0].action
    if not SLOTS:
        return list(action.fcurves)
    return list(action.layers[0].strips[0].channelbags[0].fcurves)


def hips_of(bones: Any) -> Any:
    return next(bone for bone in bones if bone.name.endswith("Hips"))
