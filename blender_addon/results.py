# SPDX-License-Identifier: GPL-3.0-or-later
"""Results in the scene: put in place of what was played, or above it, and taken away again.

The result of one action takes its place in the armature's action slot. The result of a stack of NLA tracks gets a
track of its own on top, which replaces what the body does below; everything else keeps playing from below. An active
action that blends with the tracks is pushed down into a track first, where it plays as it did.
"""

import bpy

from .compat import Slot, blank_action, same_slot
from .record import KEY, is_edited, is_result, is_track_result, original_of, pushed_for, remember_pushed
from .rig.nla import Track, add_track, heard_strips, heard_tracks, pull_up, push_down
from .rig.reader import Reading
from .rig.take import SetupError, Take
from .rig.writer import play_action
from .unkeyed import restore_unkeyed


def start_action(reading: Reading, name: str) -> tuple[bpy.types.Action, Slot]:
    """The action to write a result into: a copy of the original, or an empty one for a stack, over the same frames."""
    take = reading.take
    if not take.is_stack:
        action = take.action.copy()
        action.name = name
        return action, same_slot(action, take.slot)
    action, slot = blank_action(name, take.armature)
    action.use_frame_range = True
    action.frame_start, action.frame_end = reading.frames[0], reading.frames[-1]
    return action, slot


def target_take(take: Take, action: bpy.types.Action, slot: Slot) -> Take:
    """The take whose keys a result shall keep: of a stack's empty action there are none."""
    return Take(take.armature, action, slot) if take.is_stack else take


def put(context: bpy.types.Context, reading: Reading, action: bpy.types.Action, slot: Slot) -> None:
    """Let the armature play a finished result, and keep the original in the file."""
    take, armature = reading.take, reading.take.armature
    if not take.is_stack:
        if take.action.library is None:
            take.action.use_fake_user = True
        play_action(context, armature, action, slot)
        return
    if armature.animation_data.action == take.action:
        remember_pushed(action, push_down(armature).name)
    context.view_layer.update()
    add_track(armature, action, slot, _extrapolation(reading))
    context.view_layer.update()


def plays_result(armature: bpy.types.Object) -> bool:
    """Whether there is something to take back. Cheap enough to call while drawing."""
    data = armature.animation_data
    if data is None:
        return False
    return is_result(data.action) if data.action else result_track(armature) is not None


def take_back(context: bpy.types.Context, take: Take) -> str:
    """Play again what the played result was made from.

    Returns:
        Its name.

    Raises:
        SetupError: what is played is no result, or its original is gone.

    """
    if not take.is_stack:
        original = play_original(context, take)
        if is_edited(take.action):
            # It holds work of the animator, and nothing plays it any more.
            take.action.use_fake_user = True
        return str(original.name)
    track = result_track(take.armature)
    if track is None:
        raise SetupError(
            "The top NLA track was not made by Panache: choose in its strip the action that you want back."
        )
    pushed = _track_named(take.armature, pushed_for(_action_of(track)))
    take.armature.animation_data.nla_tracks.remove(track)
    if pushed is not None:
        pull_up(take.armature, pushed)
    context.view_layer.update()
    return "NLA tracks"


def play_original(context: bpy.types.Context, take: Take) -> bpy.types.Action:
    """Assign what a result was made from, which is returned.

    Raises:
        SetupError: it is no result, or its original is gone.

    """
    original, slot = original_of(take.action)
    unkeyed = take.action[KEY].get("unkeyed", "")
    play_action(context, take.armature, original, slot)
    # What the result keys and the original does not would stay as the result left it.
    restore_unkeyed(take.armature, unkeyed)
    context.view_layer.update()
    return original


def result_track(armature: bpy.types.Object) -> Track | None:
    """The topmost heard track, if it is a result's own."""
    tracks = heard_tracks(armature)
    action = _action_of(tracks[-1]) if tracks else None
    return tracks[-1] if action is not None and is_track_result(action) else None


def _action_of(track: Track) -> bpy.types.Action | None:
    return track.strips[0].action


def _track_named(armature: bpy.types.Object, name: str) -> Track | None:
    return armature.animation_data.nla_tracks.get(name) if name else None


def _extrapolation(reading: Reading) -> str:
    """Whether the result holds its last pose: only if nothing else was to be seen before and after it."""
    ends = reading.span.cut_start or reading.span.cut_end
    held = any(strip.extrapolation != "NOTHING" for strip in heard_strips(reading.take.armature))
    return "HOLD" if held and not ends else "NOTHING"
