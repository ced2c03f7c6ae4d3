# SPDX-License-Identifier: GPL-3.0-or-later
"""Preflight on rigs with known defects: what the panel says before any run."""

import math
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import bpy
import pytest

from . import rigs
from .snapshot import scene_state

pytestmark = pytest.mark.usefixtures("empty_scene")
Addon = Callable[[str], ModuleType]
WEIGHTS = Path(__file__).parents[2] / "models" / "weights" / "bandai-namco.safetensors"


@pytest.fixture(autouse=True)
def trained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PANACHE_WEIGHTS", str(WEIGHTS))


def checked(addon: Addon) -> object:
    """The figures, by the operator; the scene stays as it was."""
    # So that the pose is the one of the curves as they are now.
    bpy.context.scene.frame_set(bpy.context.scene.frame_current)
    before = scene_state()
    assert bpy.ops.panache.preflight() == {"FINISHED"}
    assert scene_state() == before
    return addon("preflight").finding_of(bpy.context.view_layer.objects.active).result


def test_a_real_walk_is_known(addon: Addon) -> None:
    rigs.walk_bvh(0.01, frames=120)
    found = checked(addon)
    assert found.matched >= 20
    assert found.confidence == 1.0
    assert found.round_trip_degrees < 0.1
    assert found.round_trip_centimetres < 0.1
    assert (found.frames, found.outside, found.warnings) == (120, 0.0, ())
    assert found.seconds == pytest.approx(119 / 24)


def test_a_walk_on_the_ceiling_is_not_known(addon: Addon) -> None:
    armature = rigs.walk_bvh(0.01, frames=60)
    armature.rotation_euler.x += math.pi
    assert checked(addon).outside == 1.0


def test_swings_that_nobody_performs_are_not(addon: Addon) -> None:
    armature = rigs.mixamo(frames=60)
    for curve in rigs.curves_of(armature):
        if curve.data_path.endswith("rotation_quaternion") and curve.array_index:
            for point in curve.keyframe_points:
                point.co.y *= 5.0
            curve.update()
    found = checked(addon)
    assert found.outside > 0.9
    assert any("model" in warning for warning in found.warnings)


def test_a_stretched_spine_does_not_come_back(addon: Addon) -> None:
    armature = rigs.mixamo(frames=60)
    assert checked(addon).round_trip_degrees < 0.1
    armature.pose.bones["mixamorig:Spine1"].scale = (1.0, 1.8, 1.0)
    found = checked(addon)
    assert found.round_trip_degrees > 0.1
    assert any("bone map" in warning for warning in found.warnings)


def test_a_missing_hand_is_counted(addon: Addon) -> None:
    armature = rigs.mixamo()
    bpy.ops.panache.detect_rig()
    armature.panache.joints["left_wrist"].bone = ""
    assert checked(addon).matched == 21
    bpy.ops.panache.reset_map()
    assert checked(addon).matched == 22


def test_a_long_clip_is_sampled(addon: Addon) -> None:
    armature = rigs.walk_bvh(0.01, frames=60)
    for curve in rigs.curves_of(armature):
        curve.keyframe_points[-1].co.x = 5000.0
        curve.update()
    found = checked(addon)
    assert found.frames == 5000
    assert found.seconds == pytest.approx(4999 / 24)


def test_rigs_that_must_be_played_are_not_played_unasked(addon: Addon) -> None:
    armature, preflight = rigs.mixamo(frames=200), addon("preflight")
    target = bpy.data.objects.new("Carrier", None)
    bpy.context.scene.collection.objects.link(target)
    armature.constraints.new("COPY_LOCATION").target = target
    played: list[int] = []
    bpy.app.handlers.frame_change_post.append(lambda scene, *_: played.append(scene.frame_current))
    try:
        assert preflight.check_active(bpy.context, unasked=True) is None
        assert not played
        assert checked(addon).round_trip_degrees < 0.1
        assert 8 <= len(played) <= 60
    finally:
        bpy.app.handlers.frame_change_post.pop()


def test_figures_belong_to_what_is_played(addon: Addon) -> None:
    armature, preflight = rigs.mixamo(frames=40), addon("preflight")
    assert preflight.finding_of(armature) is None
    first = checked(addon)
    action = armature.animation_data.action
    armature.animation_data.action = action.copy()
    assert preflight.finding_of(armature) is None
    armature.animation_data.action = action
    assert preflight.finding_of(armature).result is first
    armature.panache.calibration_frame = 3
    assert preflight.finding_of(armature) is None


def test_a_problem_blocks_the_button_until_it_is_solved(addon: Addon, monkeypatch: pytest.MonkeyPatch) -> None:
    armature, preflight, blocking = rigs.mixamo(), addon("preflight"), addon("blocking")
    armature.data.pose_position = "REST"
    with pytest.raises(RuntimeError, match="rest position"):
        bpy.ops.panache.preflight()
    assert "rest position" in blocking.blocked_reason(bpy.context)
    assert not preflight.finding_of(armature).is_stale
    armature.data.pose_position = "POSE"
    later = time.monotonic() + 60.0
    monkeypatch.setattr(preflight.time, "monotonic", lambda: later)
    assert preflight.finding_of(armature).is_stale
    while preflight._check_unasked() is not None:
        pass
    assert blocking.blocked_reason(bpy.context) == ""
    assert preflight.finding_of(armature).result.matched == 22


def test_a_calibration_frame_is_picked_and_dropped(addon: Addon) -> None:
    armature = rigs.walk_bvh(0.01, frames=60)
    automatic = checked(addon).calibration_error
    bpy.context.scene.frame_set(31)
    assert bpy.ops.panache.pick_calibration_frame() == {"FINISHED"}
    assert armature.panache.calibration_frame == 31
    assert checked(addon).calibration_error != automatic
    assert bpy.ops.panache.reset_calibration_frame() == {"FINISHED"}
    assert checked(addon).calibration_error == automatic


@pytest.mark.parametrize("frame", [-3, 900])
def test_a_frame_that_cannot_calibrate_is_refused(frame: int) -> None:
    armature = rigs.walk_bvh(0.01, frames=60)
    bpy.context.scene.frame_set(frame)
    with pytest.raises(RuntimeError, match="Error: .*frame"):
        bpy.ops.panache.pick_calibration_frame()
    assert armature.panache.calibration_frame == -1


def test_without_an_armature() -> None:
    with pytest.raises(RuntimeError, match="Select the armature"):
        bpy.ops.panache.preflight()
