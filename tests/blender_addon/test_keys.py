# SPDX-License-Identifier: GPL-3.0-or-later
"""Sparse keys in a real Blender: what they play is within the bound of what was wanted, and they can be edited."""

from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import Any

import bpy
import numpy as np
import pytest

from . import rigs
from .snapshot import keys_of

pytestmark = pytest.mark.usefixtures("empty_scene")

Addon = Callable[[str], ModuleType]
Build = Callable[[], bpy.types.Object]
DEGREE = float(np.radians(1.0))


def euler_walk() -> bpy.types.Object:
    return rigs.walk_bvh(0.01, frames=90)


def quaternion_walk() -> bpy.types.Object:
    return rigs.walk_bvh(0.01, "QUATERNION", frames=90)


def in_centimetres() -> bpy.types.Object:
    return rigs.walk_bvh(1.0, frames=60)


def mixed_mixamo() -> bpy.types.Object:
    return rigs.mixamo(rigs.MODES)


def posed(frames: tuple[float, ...] = (1, 9, 20.5, 34, 50), interpolation: str = "BEZIER") -> bpy.types.Object:
    """A character with keys of an animator's kind: few, on poses."""
    armature = rigs.mixamo(("XYZ", "QUATERNION"))
    for curve in rigs.curves_of(armature):
        values = [curve.evaluate(float(frame)) for frame in frames]
        curve.keyframe_points.clear()
        curve.keyframe_points.add(len(frames))
        for point, frame, value in zip(curve.keyframe_points, frames, values, strict=True):
            point.co, point.interpolation = (frame, value), interpolation
        curve.update()
    return armature


def read(addon: Addon, armature: bpy.types.Object) -> Any:
    reader = addon("rig.reader")
    take = addon("rig.take").active_take(bpy.context)
    return reader.read_clip(bpy.context, take, reader.read_rig(armature))


def restyled(addon: Addon, reading: Any, size: float = 0.15) -> Any:
    """The clip with slow swings of every mapped bone, and hips that bob."""
    rotations, motion = addon("backend").rotations, reading.motion
    mapped = [motion.skeleton.index[name] for name in reading.bone_map.bones.values()]
    phase = np.random.default_rng(5).uniform(0.0, 6.0, (len(mapped), 3))
    swing = size * np.sin(6.0 * motion.times[:, None, None] + phase)
    turned, moved = motion.rotations.copy(), motion.locations.copy()
    turned[:, mapped] = rotations.multiply(turned[:, mapped], rotations.from_rotation_vector(swing))
    hips = motion.skeleton.index[reading.bone_map.bones["pelvis"]]
    scale = np.linalg.norm(motion.placement[0, :3, 0]) / np.ptp(motion.pose[0, :, :3, 3], axis=0).max()
    moved[:, hips, 1] += 0.1 * size * np.sin(5.0 * motion.times) / scale
    return motion.with_channels(turned, moved)


def edits_of(addon: Addon, reading: Any, result: Any) -> Any:
    return addon("backend").finish(addon("rig.writer").edits_steps(reading, result))


def write_edits(addon: Addon, target: tuple[Any, ...], edits: Any, keys: Any) -> None:
    addon("backend").finish(addon("rig.writer").write_edits_steps(*target, edits, keys))


def write(addon: Addon, reading: Any, result: Any, **settings: Any) -> bpy.types.Action:
    """A copy of the take's action with the result's keys, played."""
    writer, keys = addon("rig.writer"), addon("backend").KeySettings(**settings)
    action = reading.take.action.copy()
    write_edits(addon, (action, reading.take, reading.frames), edits_of(addon, reading, result), keys)
    slot = addon("compat").same_slot(action, reading.take.slot)
    writer.play_action(bpy.context, reading.take.armature, action, slot)
    return action


def times_of(armature: bpy.types.Object, path: str) -> set[float]:
    curves = [curve for curve in rigs.curves_of(armature) if curve.data_path == path]
    assert curves
    times = [{round(point.co.x, 3) for point in curve.keyframe_points} for curve in curves]
    assert all(own == times[0] for own in times), "the components of a property share their keys"
    return times[0]


@pytest.mark.parametrize("build", [euler_walk, quaternion_walk, in_centimetres, mixed_mixamo, rigs.metarig, posed])
def test_what_plays_is_within_the_bound(addon: Addon, build: Build) -> None:
    armature = build()
    reading = read(addon, armature)
    result = restyled(addon, reading)
    write(addon, reading, result)
    rotations = addon("backend").rotations
    bones = armature.pose.bones
    shown = []
    for frame in reading.frames:
        bpy.context.scene.frame_set(int(np.floor(frame)), subframe=float(frame % 1.0))
        shown.append([bones[name].matrix.copy() for name in result.skeleton.names])
    pose = np.array(shown, dtype=np.float64)
    basis, _, _ = addon("rig.stepping").basis_of(pose, result.skeleton)
    off = np.degrees(rotations.angle_between(basis, result.rotations)).max()
    assert off < 0.26
    # The bones' own errors add up along the legs, but less than in proportion: feet are worth more keys.
    feet = [result.skeleton.index[reading.bone_map.bones[f"{side}_ankle"]] for side in ("left", "right")]
    size = np.ptp(result.pose[0, :, :3, 3], axis=0).max()
    gap = np.linalg.norm(pose[:, feet, :3, 3] - result.pose[:, feet, :3, 3], axis=-1).max() / size
    print(f"{build.__name__}: {off:.2f} degrees, feet {1700 * gap:.1f} mm")  # noqa: T201 - figures for whoever runs it with -s
    assert gap < 0.004


def test_real_motion_capture_gets_few_keys_with_handles(addon: Addon) -> None:
    armature = rigs.walk_bvh(0.01, frames=200)
    reading = read(addon, armature)
    write(addon, reading, restyled(addon, reading, size=0.05))
    mapped = set(reading.bone_map.bones.values())
    shares, types = [], set()
    for curve in rigs.curves_of(armature):
        if "Head" in curve.data_path and "location" in curve.data_path:
            # The capture has keys of it on every frame, all alike.
            assert len(curve.keyframe_points) == 2
        if "rotation" in curve.data_path and any(f'"{name}"' in curve.data_path for name in mapped):
            shares.append(len(curve.keyframe_points) / len(reading.frames))
            types |= {kind for key in curve.keyframe_points for kind in (key.handle_left_type, key.handle_right_type)}
            assert {key.interpolation for key in curve.keyframe_points} == {"BEZIER"}
            assert curve.group is not None
    assert np.mean(shares) < 0.35
    assert types <= {"ALIGNED", "FREE"}
    assert "ALIGNED" in types


def test_keys_of_an_animator_stay_where_they_were(addon: Addon) -> None:
    armature = posed()
    reading = read(addon, armature)
    result = restyled(addon, reading)
    leg = armature.pose.bones[reading.bone_map.bones["left_hip"]]
    edits = {(edit.bone, edit.name): edit for edit in edits_of(addon, reading, result)}
    planted = next(edit.planted for (bone, name), edit in edits.items() if bone == leg.name and "rotation" in name)
    moment = float(reading.frames[1:][planted[1:] != planted[:-1]][0])
    write(addon, reading, result, moments=np.array([moment]))
    path = leg.path_from_id("rotation_euler" if leg.rotation_mode == "XYZ" else "rotation_quaternion")
    times = times_of(armature, path)
    assert {1.0, 9.0, 20.5, 34.0, 50.0, moment} <= times
    assert len(times) < 0.35 * len(reading.frames)
    assert all(time == round(time) for time in times - {20.5})
    arm = armature.pose.bones[reading.bone_map.bones["left_elbow"]]
    path = arm.path_from_id("rotation_euler" if arm.rotation_mode == "XYZ" else "rotation_quaternion")
    assert {1.0, 9.0, 20.5, 34.0, 50.0} <= times_of(armature, path)


def test_what_kind_a_key_is_stays(addon: Addon) -> None:
    armature = posed()
    for curve in rigs.curves_of(armature):
        curve.keyframe_points[1].type, curve.keyframe_points[3].type = "BREAKDOWN", "EXTREME"
    reading = read(addon, armature)
    mapped = set(reading.bone_map.bones.values())
    write(addon, reading, restyled(addon, reading))
    for curve in rigs.curves_of(armature):
        if "rotation" in curve.data_path and any(f'"{name}"' in curve.data_path for name in mapped):
            kinds = {round(key.co.x, 3): key.type for key in curve.keyframe_points}
            assert (kinds[9.0], kinds[34.0]) == ("BREAKDOWN", "EXTREME")
            assert {kinds[time] for time in set(kinds) - {9.0, 34.0}} == {"KEYFRAME"}


@pytest.mark.parametrize("mode", ["SPARSE", "EVERY_FRAME"])
def test_components_that_nobody_keyed_and_nothing_turns_get_no_curves(addon: Addon, mode: str) -> None:
    armature = posed()
    joints = read(addon, armature).bone_map.bones
    name = next(bone for bone in joints.values() if armature.pose.bones[bone].rotation_mode == "XYZ")
    path = armature.pose.bones[name].path_from_id("rotation_euler")
    compat = addon("compat")
    container = compat.fcurves(armature.animation_data.action, compat.assigned_slot(armature))
    for curve in list(container):
        if curve.data_path == path and curve.array_index != 0:
            container.remove(curve)
    armature.pose.bones[name].rotation_euler = (0.0, 0.0, 0.0)
    reading = read(addon, armature)
    rotations, motion = addon("backend").rotations, reading.motion
    turns, bone = motion.rotations.copy(), motion.skeleton.index[name]
    swing = rotations.from_axis_angle(np.array([1.0, 0.0, 0.0]), 0.2 * np.sin(4.0 * motion.times))
    turns[:, bone] = rotations.multiply(turns[:, bone], swing)
    write(addon, reading, replace(motion, rotations=turns), mode=mode)
    curves = {curve.array_index: curve for curve in rigs.curves_of(armature) if curve.data_path == path}
    assert set(curves) == {0}
    assert len(curves[0].keyframe_points) > 5
    turns[:, bone] = rotations.multiply(
        turns[:, bone], rotations.from_axis_angle(np.array([0.0, 1.0, 0.0]), swing[:, 1])
    )
    write(addon, reading, replace(motion, rotations=turns), mode=mode)
    assert {curve.array_index for curve in rigs.curves_of(armature) if curve.data_path == path} >= {0, 1}


@pytest.mark.parametrize("build", [euler_walk, mixed_mixamo, posed])
def test_what_did_not_change_keeps_its_curves(addon: Addon, build: Build) -> None:
    armature = build()
    reading = read(addon, armature)
    before, handles = keys_of(armature), handles_of(armature)
    write(addon, reading, reading.motion)
    assert keys_of(armature) == before
    assert handles_of(armature) == handles


def handles_of(armature: bpy.types.Object) -> dict[Any, Any]:
    return {
        (curve.data_path, curve.array_index): [
            (tuple(key.handle_left), tuple(key.handle_right), key.handle_left_type, key.interpolation)
            for key in curve.keyframe_points
        ]
        for curve in rigs.curves_of(armature)
    }


def test_one_changed_bone_is_one_changed_property(addon: Addon) -> None:
    armature = posed()
    reading = read(addon, armature)
    before = handles_of(armature)
    turned = reading.motion.rotations.copy()
    head = reading.bone_map.bones["head"]
    bone = reading.motion.skeleton.index[head]
    turned[:, bone] = restyled(addon, reading).rotations[:, bone]
    write(addon, reading, replace(reading.motion, rotations=turned))
    changed = {path for (path, index), keys in handles_of(armature).items() if keys != before[path, index]}
    assert {path.rpartition(".")[0] for path in changed} == {f'pose.bones["{head}"]'}


def test_blocking_stays_blocking(addon: Addon) -> None:
    frames = (1.0, 9.0, 21.0, 34.0)
    armature = posed(frames, "CONSTANT")
    reading = read(addon, armature)
    result = restyled(addon, reading)
    write(addon, reading, result, moments=np.array([13.0]))
    for curve in rigs.curves_of(armature):
        assert tuple(key.co.x for key in curve.keyframe_points) == frames
        assert {key.interpolation for key in curve.keyframe_points} == {"CONSTANT"}
        assert curve.evaluate(20.9) == curve.evaluate(9.0)


def test_stepped_channels_of_an_exporter_are_no_blocking(addon: Addon) -> None:
    # glTF writes a channel in which nothing moves as two stepped keys.
    armature = posed()
    head = read(addon, armature).bone_map.bones["head"]
    for curve in rigs.curves_of(armature):
        if f'"{head}"' in curve.data_path:
            for key in curve.keyframe_points:
                key.co.y, key.interpolation = curve.keyframe_points[0].co.y, "CONSTANT"
            curve.update()
    reading = read(addon, armature)
    result = restyled(addon, reading)
    write(addon, reading, result)
    played = read(addon, armature).motion
    bone = played.skeleton.index[head]
    off = addon("backend").rotations.angle_between(played.rotations[:, bone], result.rotations[:, bone])
    assert np.degrees(off).max() < 0.26


def test_keys_outside_the_frames_and_modifiers_of_cycles_stay(addon: Addon) -> None:
    armature = posed((1, 5, 15, 21, 30, 42, 50))
    for curve in rigs.curves_of(armature):
        curve.modifiers.new("CYCLES")
    reading = read(addon, armature)
    original = armature.animation_data.action
    inside = (reading.frames >= 9) & (reading.frames <= 34)
    result = restyled(addon, reading)
    # The ends of the restyled frames are pinned to the original, as in a preview range.
    pins = np.flatnonzero(inside)[[0, -1]]
    result.rotations[pins], result.locations[pins] = reading.motion.rotations[pins], reading.motion.locations[pins]
    edits = [
        replace(
            edit,
            values=edit.values[inside],
            before=edit.before[inside],
            planted=None if edit.planted is None else edit.planted[inside],
        )
        for edit in edits_of(addon, reading, result)
    ]
    for mode in ("SPARSE", "EVERY_FRAME"):
        action, settings, compared = original.copy(), addon("backend").KeySettings(mode=mode), 0
        write_edits(addon, (action, reading.take, reading.frames[inside]), edits, settings)
        before = {(curve.data_path, curve.array_index): curve for curve in rigs.curves_of(armature, original)}
        for curve in rigs.curves_of(armature, action):
            old, keys = before[curve.data_path, curve.array_index].keyframe_points, curve.keyframe_points
            assert (keys[0].co, keys[-1].co) == (old[0].co, old[-1].co)
            assert (keys[0].handle_left, keys[-1].handle_right) == (old[0].handle_left, old[-1].handle_right)
            kept = before[curve.data_path, curve.array_index]
            step = curve.evaluate(9.0) - kept.evaluate(9.0), curve.evaluate(34.0) - kept.evaluate(34.0)
            if max(np.abs(step)) < 1e-6:
                sides = [*np.linspace(1.0, 9.0, 17), *np.linspace(34.0, 50.0, 17)]
                gaps = [abs(curve.evaluate(float(time)) - kept.evaluate(float(time))) for time in sides]
                assert max(gaps) < 1e-5
                compared += 1
            assert {modifier.type for modifier in curve.modifiers} == {"CYCLES"}
        assert compared


def test_a_loop_stays_a_loop(addon: Addon) -> None:
    armature = posed((1, 9, 17, 25, 33, 41, 49))
    armature.animation_data.action.use_frame_range = armature.animation_data.action.use_cyclic = True
    for curve in rigs.curves_of(armature):
        for key in curve.keyframe_points:
            key.co.y = curve.keyframe_points[0].co.y + 0.05 * np.sin((key.co.x - 1.0) / 48.0 * 2.0 * np.pi)
        curve.update()
    reading = read(addon, armature)
    rotations, phase = addon("backend").rotations, (reading.frames - 1.0) / 48.0 * 2.0 * np.pi
    swing = rotations.from_axis_angle(np.array([1.0, 0.0, 0.0]), 0.3 * np.sin(phase + 0.5))
    write(
        addon, reading, replace(reading.motion, rotations=rotations.multiply(reading.motion.rotations, swing[:, None]))
    )
    for curve in rigs.curves_of(armature):
        if "rotation" in curve.data_path and "finger" not in curve.data_path:
            first, last = curve.keyframe_points[0], curve.keyframe_points[-1]
            assert first.co.y == pytest.approx(last.co.y, abs=1e-4)
            leaving = (first.handle_right - first.co).y / (first.handle_right - first.co).x
            arriving = (last.handle_left - last.co).y / (last.handle_left - last.co).x
            assert leaving == pytest.approx(arriving, abs=1e-4)


def test_angles_and_signs_are_continuous(addon: Addon) -> None:
    armature = mixed_mixamo()
    reading = read(addon, armature)
    rotations = addon("backend").rotations
    spin = rotations.from_axis_angle(np.array([0.0, 1.0, 0.0]), 8.0 * reading.motion.times)
    write(
        addon, reading, replace(reading.motion, rotations=rotations.multiply(reading.motion.rotations, spin[:, None]))
    )
    for bone in armature.pose.bones:
        if bone.name not in reading.bone_map.bones.values() or bone.rotation_mode == "AXIS_ANGLE":
            continue
        name, width = addon("rig.rotation_modes").property_of(bone.rotation_mode)
        path = bone.path_from_id(name)
        curves = {c.array_index: c for c in rigs.curves_of(armature) if c.data_path == path}
        values = np.array([[curves[i].evaluate(float(f)) for i in range(width)] for f in reading.frames])
        if width == 4:
            assert np.sum(values[1:] * values[:-1], axis=-1).min() > 0.0
        else:
            assert np.abs(np.diff(values, axis=0)).max() < np.pi


def test_every_frame_is_keyed_on_request(addon: Addon) -> None:
    armature = posed()
    reading = read(addon, armature)
    write(addon, reading, restyled(addon, reading), mode="EVERY_FRAME")
    path = armature.pose.bones[reading.bone_map.bones["head"]].path_from_id("rotation_euler")
    bone = armature.pose.bones[reading.bone_map.bones["head"]]
    if bone.rotation_mode == "QUATERNION":
        path = bone.path_from_id("rotation_quaternion")
    assert times_of(armature, path) == {round(float(frame), 3) for frame in reading.frames}
