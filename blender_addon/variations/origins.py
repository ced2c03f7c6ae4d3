# SPDX-License-Identifier: GPL-3.0-or-later
"""What variations are made of, as a short name: it is another one as soon as Stylize would make something else."""

import hashlib

import bpy

from ..compat import assigned_slot, fcurves, slot_identifier
from ..rig.nla import heard_strips, played_by
from ..rig.span import read_keys


def keys_of(scene: bpy.types.Scene, armature: bpy.types.Object) -> str:
    """Name of all keys that the armature plays, of how tracks play them, and of the frames that are asked for."""
    digest = hashlib.blake2b(digest_size=12)
    data, render = armature.animation_data, scene.render
    preview = (scene.frame_preview_start, scene.frame_preview_end) if scene.use_preview_range else None
    digest.update(repr((render.fps, render.fps_base, preview, armature.scale[:])).encode())
    strips = heard_strips(armature) if data is not None else []
    for strip in strips:
        digest.update(repr((strip.name, strip.frame_start, strip.frame_end, strip.scale, strip.influence)).encode())
    played = list(played_by(strips))
    if data is not None and data.action:
        played.append((data.action, assigned_slot(armature)))
    for action, slot in played:
        digest.update(f"{action.session_uid} {slot_identifier(slot)}".encode())
        for curve in fcurves(action, slot) or ():
            digest.update(f"{curve.data_path}[{curve.array_index}]{curve.mute}".encode())
            digest.update(read_keys(curve).tobytes())
    return digest.hexdigest()
