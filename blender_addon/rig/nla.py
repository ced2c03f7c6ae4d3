# SPDX-License-Identifier: GPL-3.0-or-later
"""NLA tracks: which of them are heard, and a track of its own on top for a result."""

import bpy

from ..compat import Slot, assign, assigned_slot, set_strip_slot, strip_slot

Strip = bpy.types.NlaStrip
Track = bpy.types.NlaTrack


def heard_tracks(armature: bpy.types.Object) -> list[Track]:
    """The tracks that Blender evaluates, bottom first."""
    data = armature.animation_data
    if data is None or not data.use_nla:
        return []
    tracks = [track for track in data.nla_tracks if track.strips]
    alone = solo_track(armature)
    return [track for track in tracks if not track.mute] if alone is None else [alone]


def solo_track(armature: bpy.types.Object) -> Track | None:
    """The track that silences all others and the active action."""
    data = armature.animation_data
    tracks = data.nla_tracks if data is not None and data.use_nla else ()
    return next((track for track in tracks if track.is_solo), None)


def heard_strips(armature: bpy.types.Object) -> list[Strip]:
    """The strips that Blender evaluates, bottom first; a meta strip counts as one."""
    return [strip for track in heard_tracks(armature) for strip in track.strips if not strip.mute]


def played_by(strips: list[Strip]) -> list[tuple[bpy.types.Action, Slot]]:
    """Actions and slots of strips and of what meta strips contain, bottom first; transitions have none."""
    found: list[tuple[bpy.types.Action, Slot]] = []
    for strip in strips:
        if strip.type == "META":
            found += played_by([inner for inner in strip.strips if not inner.mute])
        elif strip.action is not None:
            found.append((strip.action, strip_slot(strip)))
    return found


def blends_with_tracks(armature: bpy.types.Object) -> bool:
    """Whether the active action is but a layer on what the tracks play."""
    data = armature.animation_data
    # Without tracks to blend with Blender ignores both settings.
    return bool(heard_tracks(armature)) and (data.action_blend_type != "REPLACE" or data.action_influence < 1.0)


def add_track(armature: bpy.types.Object, action: bpy.types.Action, slot: Slot, extrapolation: str) -> Track:
    """Let ``action`` play from a new track above all others, over its own frame range."""
    track = armature.animation_data.nla_tracks.new()
    track.name = action.name
    strip = _new_strip(track, action, slot)
    strip.blend_type, strip.extrapolation = "REPLACE", extrapolation
    return track


def push_down(armature: bpy.types.Object) -> Track:
    """Move the active action into a new track above all others, where it plays as it did."""
    data = armature.animation_data
    action, slot = data.action, assigned_slot(armature)
    track = data.nla_tracks.new()
    track.name = f"{action.name} (pushed down)"
    strip = _new_strip(track, action, slot)
    strip.blend_type, strip.extrapolation = data.action_blend_type, data.action_extrapolation
    # A strip takes its influence from its blend-in and blend-out, unless it is animated: then from this curve.
    strip.use_animated_influence = True
    influence = strip.fcurves.find("influence")
    influence.keyframe_points[0].co = (strip.frame_start, data.action_influence)
    influence.update()
    data.action = None
    return track


def pull_up(armature: bpy.types.Object, track: Track) -> None:
    """The way back from :func:`push_down`; blending and influence of the active action were never changed."""
    strip = track.strips[0]
    action, slot = strip.action, strip_slot(strip)
    armature.animation_data.nla_tracks.remove(track)
    assign(armature, action, slot)


def _new_strip(track: Track, action: bpy.types.Action, slot: Slot) -> Strip:
    """A strip that plays the action at its own frames."""
    strip = track.strips.new(action.name, int(action.frame_range[0]), action)
    set_strip_slot(strip, slot)
    # A new strip lies on whole frames: keys between them would be shifted.
    strip.frame_start, strip.frame_end = strip.action_frame_start, strip.action_frame_end
    return strip
