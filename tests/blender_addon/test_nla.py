# SPDX-License-Identifier: GPL-3.0-or-later
"""NLA stacks: read as they play, and written as a track of their own on top, which revert takes away again."""

from collections.abc import Callable
from types import ModuleType

import bpy
import numpy as np
import pytest

from . import rigs
from .snapshot import playing
from .stage import SLOTS, bone_index, curves_of_track, heard, push, shown, stack, tracks
from .test_bad_input import refused

pytestmark = pytest.mark.usefixtures("empty_scene")
Addon = Callable[[str], ModuleType]


def reversed_and_slow() -> bpy.types.Object:
    armature = rigs.mixamo()
    push(armature, use_reverse=True, scale=1.5, repeat=1.5)
    return armature


def layers() -> bpy.types.Object:
    """Two layers, the upper one combined and blended in, and a silent track on top."""
    armature = rigs.mixamo()
    action = armature.animation_data.action
    push(armature)
    armature.animation_data.action = action.copy()
    push(armature, blend_type="COMBINE", blend_in=10.0)
    armature.animation_data.action = action.copy()
    push(armature, scale=4.0)
    armature.animation_data.nla_tracks[-1].mute = True
    return armature


def meta_strip() -> bpy.types.Object:
    """Two strips, one after the other, in a meta strip."""
    armature = rigs.mixamo()
    push(armature)
    track = armature.animation_data.nla_tracks[0]
    second = track.strips.new("Second", 30, track.strips[0].action)
    if SLOTS:
        second.action_slot = track.strips[0].action_slot
    window = bpy.context.window_manager.windows[0]
    area = window.screen.areas[0]
    area.type = "NLA_EDITOR"
    region = next(region for region in area.regions if region.type == "WINDOW")
    for strip in track.strips:
        strip.select = True
    with bpy.context.temp_override(window=window, area=area, region=region):
        assert bpy.ops.nla.meta_add() == {"FINISHED"}
    assert [strip.type for strip in track.strips] == ["META"]
    return armature


@pytest.mark.parametrize("build", [stack, reversed_and_slow, layers, meta_strip])
def test_a_stack_gets_a_track_of_its_own(build: Callable[[], bpy.types.Object]) -> None:
    armature = build()
    before, last = tracks(armature), int(max(s.frame_end for t in heard(armature) for s in t.strips))
    frames = range(1, last + 1)
    original = shown(armature, frames)
    assert bpy.ops.panache.stylize(style="exhausted", amount=1.5) == {"FINISHED"}
    assert armature.animation_data.action is None
    assert tracks(armature)[:-1] == before
    _, _, _, (name, _, start, end, blend, _) = tracks(armature)[-1]
    assert (name, start, end, blend) == ("Character Exhausted", 1.0, last, "REPLACE")
    result = shown(armature, frames)
    assert np.abs(result - original).max() > 0.01
    own = {curve.data_path for curve in curves_of_track(armature)}
    assert own and not any("finger" in path for path in own)
    assert bpy.ops.panache.revert() == {"FINISHED"}
    assert tracks(armature) == before
    assert np.array_equal(shown(armature, frames), original)


@pytest.mark.parametrize("build", [stack, reversed_and_slow, layers])
def test_what_was_computed_for_a_stack_is_what_plays(addon: Addon, build: Callable[[], bpy.types.Object]) -> None:
    armature = build()
    reader, backend, context = addon("rig.reader"), addon("backend"), bpy.context
    rig = reader.read_rig(armature)
    reading = reader.read_clip(context, addon("rig.take").active_take(context), rig)
    settings = backend.StyleSettings(style="exhausted", amount=1.5, seed=3)
    wanted = backend.run(backend.Clip(reading.motion, reading.bone_map, reading.cyclic), None, settings).motion
    bpy.ops.panache.stylize(style="exhausted", amount=1.5, seed=3, keys="EVERY_FRAME")
    played = reader.read_clip(context, addon("rig.take").active_take(context), rig).motion
    assert np.abs(wanted.pose - played.pose).max() < 1e-5


@pytest.mark.parametrize("build", [stack, layers])
def test_amount_zero_on_a_stack_is_the_original(build: Callable[[], bpy.types.Object]) -> None:
    armature = build()
    before, original = tracks(armature), shown(armature, range(1, 30))
    bpy.ops.panache.stylize(style="elderly", amount=0.0)
    assert np.abs(shown(armature, range(1, 30)) - original).max() < 1e-6
    assert bpy.ops.panache.revert() == {"FINISHED"}
    assert tracks(armature) == before


def test_fingers_keep_playing_from_below() -> None:
    armature = stack()
    original = [bone_basis(armature, "finger.left", frame) for frame in range(1, 24)]
    bpy.ops.panache.stylize(style="exhausted", amount=1.5)
    assert np.array_equal([bone_basis(armature, "finger.left", frame) for frame in range(1, 24)], original)
    assert np.ptp(original, axis=0).max() > 0.01


def bone_basis(armature: bpy.types.Object, name: str, frame: int) -> np.ndarray:
    bpy.context.scene.frame_set(frame)
    return np.array(armature.pose.bones[name].matrix_basis)


@pytest.mark.parametrize(("blend", "influence"), [("ADD", 1.0), ("COMBINE", 0.5), ("REPLACE", 0.5)])
def test_a_blended_action_is_pushed_down_and_comes_back(blend: str, influence: float) -> None:
    armature = rigs.mixamo()
    data, action = armature.animation_data, armature.animation_data.action
    push(armature)
    data.action = layer = action.copy()
    data.action_blend_type, data.action_influence = blend, influence
    bpy.context.view_layer.update()
    before, assigned, original = tracks(armature), playing(armature), shown(armature, range(1, 24))
    bpy.ops.panache.stylize(style="elderly", amount=0.0)
    assert data.action is None
    assert [name for name, *_ in tracks(armature)][1] == f"{layer.name} (pushed down)"
    assert np.abs(shown(armature, range(1, 24)) - original).max() < 1e-6
    bpy.ops.panache.stylize(style="elderly", amount=1.0)
    assert len(data.nla_tracks) == 3
    assert np.abs(shown(armature, range(1, 24)) - original).max() > 0.01
    bpy.ops.panache.revert()
    assert (tracks(armature), playing(armature)) == (before, assigned)
    assert (data.action_blend_type, round(data.action_influence, 6)) == (blend, influence)
    assert np.abs(shown(armature, range(1, 24)) - original).max() < 1e-6


def test_body_from_below_a_short_action() -> None:
    """The action keys one hand for a few frames; the body's walk below is restyled all the same, to its end."""
    armature = rigs.mixamo(frames=40)
    data, walk = armature.animation_data, armature.animation_data.action
    push(armature)
    data.action = walk.copy()
    for curve in rigs.curves_of(armature):
        if "LeftHand" not in curve.data_path:
            curve.mute = True
        for point in reversed(curve.keyframe_points[5:]):
            curve.keyframe_points.remove(point)
    original = shown(armature, range(1, 40))
    bpy.ops.panache.stylize(style="exhausted", amount=1.5)
    assert data.action.name.endswith("Exhausted")
    difference = np.abs(shown(armature, range(1, 40)) - original).max(axis=(1, 2, 3))
    assert difference[20:].max() > 0.01
    assert np.abs(np.diff(shown(armature, range(1, 40)), axis=0))[20:, 1].max() > 1e-3


def test_solo_and_tweak_mode_are_refused() -> None:
    armature = stack()
    data, track = armature.animation_data, armature.animation_data.nla_tracks[0]
    track.is_solo = True
    refused("solo")
    track.is_solo = False
    data.nla_tracks.active = track
    track.strips[0].select = True
    data.use_tweak_mode = True
    assert data.use_tweak_mode
    refused("tweak mode")
    data.use_tweak_mode = False
    track.mute = True
    refused("no action")


def test_switched_off_tracks_are_not_heard() -> None:
    armature = rigs.mixamo()
    action = armature.animation_data.action
    push(armature)
    armature.animation_data.action = action.copy()
    armature.animation_data.use_nla = False
    armature.animation_data.action_influence = 0.5
    bpy.ops.panache.stylize()
    assert armature.animation_data.action.name.endswith("Elderly")
    assert len(armature.animation_data.nla_tracks) == 1


def test_a_preview_range_limits_a_stack() -> None:
    armature = rigs.mixamo(frames=60)
    push(armature)
    scene = bpy.context.scene
    scene.use_preview_range, scene.frame_preview_start, scene.frame_preview_end = True, 20, 40
    original = shown(armature, range(1, 60))
    bpy.ops.panache.stylize(style="exhausted", amount=1.5, root="KEEP")
    result = shown(armature, range(1, 60))
    difference = np.abs(result - original).max(axis=(1, 2, 3))
    assert np.array_equal(result[:19], original[:19])
    assert np.array_equal(result[40:], original[40:])
    assert difference[19] < 1e-4 and difference[39] < 1e-4
    assert difference[25:35].max() > 0.005


def test_undo_of_a_track_is_one_step() -> None:
    armature = stack()
    name, before = armature.name, tracks(armature)
    bpy.ops.ed.undo_push(message="before")
    bpy.ops.panache.stylize("EXEC_DEFAULT", True, style="elderly")
    bpy.ops.ed.undo()
    assert tracks(bpy.data.objects[name]) == before


def controlled() -> bpy.types.Object:
    """A character whose bones follow keyed controls of the same shape."""
    armature = rigs.mixamo(frames=20)
    bpy.ops.object.mode_set(mode="EDIT")
    bones = armature.data.edit_bones
    names = [bone.name for bone in bones if "finger" not in bone.name]
    for name in names:
        control = bones.new(name.replace("mixamorig:", "CTL-"))
        control.head, control.tail, control.roll = bones[name].head, bones[name].tail, bones[name].roll
    for name in names:
        if bones[name].parent:
            bones[name.replace("mixamorig:", "CTL-")].parent = bones[
                bones[name].parent.name.replace("mixamorig:", "CTL-")
            ]
    bpy.ops.object.mode_set(mode="OBJECT")
    for curve in rigs.curves_of(armature):
        curve.data_path = curve.data_path.replace("mixamorig:", "CTL-")
    for name in names:
        constraint = armature.pose.bones[name].constraints.new("COPY_TRANSFORMS")
        constraint.target, constraint.subtarget = armature, name.replace("mixamorig:", "CTL-")
    bpy.context.view_layer.update()
    return armature


@pytest.mark.parametrize("on_track", [False, True])
def test_controls_are_keyed_instead_of_what_follows_them(on_track: bool) -> None:
    armature = controlled()
    if on_track:
        push(armature)
    original, before = shown(armature, range(1, 21)), tracks(armature)
    assert bpy.ops.panache.stylize(style="exhausted", root="KEEP") == {"FINISHED"}
    curves = curves_of_track(armature) if on_track else rigs.curves_of(armature)
    keyed = {curve.data_path.split('"')[1] for curve in curves}
    assert keyed and not any(name.startswith("mixamorig") for name in keyed)
    result = shown(armature, range(1, 21))
    assert np.abs(result - original).max() > 0.01
    head, control = (bone_index(armature, name) for name in ("mixamorig:Head", "CTL-Head"))
    assert np.abs(result[:, head] - result[:, control]).max() < 1e-5
    bpy.ops.panache.revert()
    assert tracks(armature) == before
    assert np.array_equal(shown(armature, range(1, 21)), original)
    bpy.ops.panache.stylize(style="exhausted", amount=0.0)
    assert np.abs(shown(armature, range(1, 21)) - original).max() < 1e-5


def test_a_blended_action_of_controls_is_refused() -> None:
    armature = controlled()
    action = armature.animation_data.action
    push(armature)
    armature.animation_data.action = action.copy()
    armature.animation_data.action_blend_type = "ADD"
    before = tracks(armature)
    refused("down into an NLA track")
    assert tracks(armature) == before
