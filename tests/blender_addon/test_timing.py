# SPDX-License-Identifier: GPL-3.0-or-later
"""Timing: results that take longer or shorter than their originals, at any amount, and the way back."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import bpy
import numpy as np
import pytest

from models.bundle import read_bundle, write_bundle
from models.manifest import TEMPO

from . import rigs
from .snapshot import keys_of
from .stage import stack
from .test_amount import captured, everything, key_amount, mixed, same
from .test_bad_input import refused
from .test_trained import WEIGHTS as TRAINED
from .turns import angles, fastest_turn, own_turns, poses, turns_between

pytestmark = pytest.mark.usefixtures("empty_scene")
Addon = Callable[[str], ModuleType]
Build = Callable[[], bpy.types.Object]

RATES = {"active": 1.25, "elderly": 0.7, "exhausted": 0.8}
_SETTINGS = {"style": "elderly", "seed": 3, "timing": True, "fade": False}


@pytest.fixture(autouse=True)
def timed_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trained_with_tempo(tmp_path / "timed.safetensors", RATES, monkeypatch)


def stylized(**settings: Any) -> bpy.types.Action:
    assert bpy.ops.panache.stylize(**(_SETTINGS | settings)) == {"FINISHED"}
    bpy.context.view_layer.update()
    return bpy.context.object.animation_data.action


def warp_of(addon: Addon, action: bpy.types.Action, amount: float) -> Any:
    return addon("amount.timing").warp_at(action, amount)


def times_of(armature: bpy.types.Object, action: bpy.types.Action | None = None) -> list[np.ndarray]:
    found = []
    for curve in rigs.curves_of(armature, action):
        flat = np.empty(2 * len(curve.keyframe_points), dtype=np.float32)
        curve.keyframe_points.foreach_get("co", flat)
        found.append(flat[::2])
    return found


@pytest.mark.parametrize("keys", ["SPARSE", "EVERY_FRAME"])
@pytest.mark.parametrize("build", [rigs.mixamo, mixed, captured])
def test_off_is_what_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, build: Build, keys: str) -> None:
    """With weights that know nothing of timing, and with those that do."""
    armature = build()
    original = armature.animation_data.action
    off = keys_of(armature, stylized(timing=False, keys=keys))
    armature.animation_data.action = original
    trained_with_tempo(tmp_path / "plain.safetensors", {}, monkeypatch)
    assert keys_of(armature, stylized(timing=False, keys=keys)) == off
    armature.animation_data.action = original
    assert keys_of(armature, stylized(timing=True, keys=keys)) == off


@pytest.mark.parametrize("style", ["elderly", "active"])
@pytest.mark.parametrize("keys", ["SPARSE", "EVERY_FRAME"])
@pytest.mark.parametrize("build", [rigs.mixamo, mixed, captured])
def test_the_result_is_the_plain_one_in_another_time(
    addon: Addon, say: Callable[[str], None], build: Build, keys: str, style: str
) -> None:
    armature = build()
    original = armature.animation_data.action
    first, last = original.frame_range
    plain_action = stylized(timing=False, keys=keys, style=style)
    armature.animation_data.action = original
    action = stylized(keys=keys, style=style)
    warp = warp_of(addon, action, 1.0)
    rate = RATES[style]
    assert abs((last - first) / rate - (action.frame_range[1] - first)) <= 0.5
    assert tuple(action.frame_range) == (first, warp.shown[-1])
    assert tuple(original.frame_range) == (first, last)
    for times in times_of(armature):
        assert np.array_equal(times, np.round(times)) and (np.diff(times) > 0.0).all()
    frames = np.arange(first, warp.shown[-1] + 0.5)
    slowed = own_turns(armature, np.append(frames, frames[-1] + 5.0))
    armature.animation_data.action = plain_action
    sources = warp.back(frames)
    plain, fastest = own_turns(armature, sources), fastest_turn(armature, first, last)
    if keys == "EVERY_FRAME" or build is captured:
        plain = turns_between(armature, sources)
    off = angles(slowed[:-1], plain)
    say(f"{build.__name__} {keys} {style}: {off.max():.2f} and {off.mean():.3f} of {fastest:.1f} degrees a frame")
    limit = 0.15 if keys == "EVERY_FRAME" else 0.4 if build is captured else 0.05
    assert off.max() < limit * fastest
    assert off.mean() < 0.02 * fastest
    assert off[[0, -1]].max() < 0.1
    assert angles(slowed[-1], slowed[-2]).max() < 0.1


def planted_slip(armature: bpy.types.Object, frames: np.ndarray) -> float:
    """Mean way (metres) of the feet over the floor per frame of rest in the original's time, while they rest."""
    names = [bone.name for bone in armature.pose.bones if bone.name.startswith("Foot")]
    assert len(names) == 2
    rows = [armature.pose.bones.find(name) for name in names]
    path = np.array(armature.matrix_world) @ poses(armature, frames)[:, rows]
    path = path[..., :3, 3]
    step = np.linalg.norm(np.diff(path, axis=0), axis=-1)
    resting = step < 0.3 * np.median(step)
    assert resting.mean() > 0.15
    return float(step[resting].mean())


def trained_with_tempo(path: Path, rates: dict[str, float], monkeypatch: pytest.MonkeyPatch) -> None:
    """The shipped weights with these rates of the styles, or without any knowledge of timing."""
    bundle = read_bundle(TRAINED)
    tensors = {name: tensor for name, tensor in bundle.tensors.items() if name != TEMPO}
    if rates:
        tempo = np.zeros(bundle.config.style_channels + len(bundle.info.styles), dtype=np.float32)
        for style, rate in rates.items():
            tempo[bundle.config.style_channels + bundle.info.styles.index(style)] = np.log(rate)
        tensors[TEMPO] = tempo
    write_bundle(path, replace(bundle, tensors=tensors))
    monkeypatch.setenv("PANACHE_WEIGHTS", str(path))


@pytest.mark.parametrize("keys", ["SPARSE", "EVERY_FRAME"])
def test_planted_feet_and_the_way_over_the_floor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, say: Callable[[str], None], keys: str
) -> None:
    trained_with_tempo(tmp_path / "trained.safetensors", {"elderly": 0.75}, monkeypatch)
    armature = rigs.walk_bvh(0.01, frames=160)
    original, hips = armature.animation_data.action, armature.pose.bones.find("Hips")
    found = {}
    for timing in (False, True):
        armature.animation_data.action = original
        action = stylized(timing=timing, keys=keys)
        played = np.arange(1.0, action.frame_range[1] + 0.5)
        path = (np.array(armature.matrix_world) @ poses(armature, played)[:, hips])[:, :2, 3]
        way = float(np.linalg.norm(path[-1] - path[0]))
        found[timing] = planted_slip(armature, played), way, len(played), sum(map(len, times_of(armature)))
    slips, ways, lengths, counts = (
        dict(zip(found, column, strict=True)) for column in zip(*found.values(), strict=True)
    )
    say(f"{keys}: slip per frame {slips}, way {ways}, frames {lengths}, keys {counts}")
    assert lengths[True] - 1 == round((lengths[False] - 1) / 0.75)
    assert ways[True] == pytest.approx(ways[False], abs=1e-3)
    assert slips[True] < slips[False] * 1.1 + 1e-4
    assert lengths[False] == 160


@pytest.mark.parametrize("keys", ["SPARSE", "EVERY_FRAME"])
@pytest.mark.parametrize("build", [mixed, captured])
def test_the_slider_changes_style_and_time(addon: Addon, build: Build, keys: str) -> None:
    armature = build()
    original = armature.animation_data.action
    first, last = original.frame_range
    action = stylized(keys=keys)
    full = keys_of(armature, action)
    for amount in (0.5, 0.0, 1.5, 1.0, 0.25, 1.0, 0.0):
        armature.panache.amount = amount
        assert addon("amount").locked_reason(armature) == ""
        assert same(addon, action, original) == (amount == 0.0)
        assert (keys_of(armature, action) == full) == (amount == 1.0)
        assert action.frame_range[1] == first + round((last - first) * RATES["elderly"] ** -amount)
        assert not addon("record").is_edited(action)


def test_half_an_amount_is_the_plain_half_in_another_time(addon: Addon) -> None:
    armature = captured()
    original = armature.animation_data.action
    plain = stylized(timing=False, amount=0.5)
    armature.animation_data.action = original
    action = stylized(amount=0.5)
    assert armature.panache.amount == pytest.approx(0.5)
    warp = warp_of(addon, action, 0.5)
    assert warp.shown[-1] == 1.0 + round(39.0 * RATES["elderly"] ** -0.5)
    frames = np.arange(1.0, warp.shown[-1] + 0.5)
    slowed = own_turns(armature, frames)
    armature.animation_data.action = plain
    wanted = turns_between(armature, warp.back(frames))
    assert angles(slowed, wanted).max() < 0.35 * fastest_turn(armature, 1.0, 40.0)


def test_keys_on_the_slider_change_the_pace_along_the_way(addon: Addon) -> None:
    armature = captured()
    original = armature.animation_data.action
    plain = own_turns(armature, np.arange(1.0, 41.0))
    action = stylized()
    curve = key_amount(armature, (1, 0.0), (20, 0.0), (30, 1.0))
    rates = [RATES["elderly"] ** curve.evaluate(frame) for frame in np.arange(1.05, 80.0, 0.1)]
    passed = 0.1 * np.cumsum(rates)
    end = 1.0 + 0.1 * (np.searchsorted(passed, 39.0) + 1)
    assert abs(action.frame_range[1] - end) < 0.7
    assert not addon("record").is_edited(action)
    # Where the amount is 0 it plays as the original does, but for what brings the last frame onto a whole one.
    fastest = angles(plain[1:], plain[:-1]).max()
    assert angles(own_turns(armature, np.arange(1.0, 19.0)), plain[:18]).max() < 0.5 * fastest
    assert armature.animation_data.action != original
    for times in times_of(armature):
        assert np.array_equal(times, np.round(times))


def test_reapply_revert_and_keep() -> None:
    armature = mixed()
    original = armature.animation_data.action
    action = stylized()
    wanted, length = keys_of(armature, action), action.frame_range[1]
    assert bpy.ops.panache.reapply() == {"FINISHED"}
    again = armature.animation_data.action
    assert again != action and keys_of(armature, again) == wanted
    armature.panache.amount = 0.5
    half = keys_of(armature)
    assert bpy.ops.panache.reapply() == {"FINISHED"}
    assert keys_of(armature) == half
    armature.panache.amount = 1.0
    assert keys_of(armature) == wanted
    assert bpy.ops.panache.revert() == {"FINISHED"}
    assert armature.animation_data.action == original
    stylized()
    assert bpy.ops.panache.keep() == {"FINISHED"}
    kept = armature.animation_data.action
    assert "panache" not in kept and keys_of(armature) == wanted and kept.frame_range[1] == length


def test_work_on_a_result_is_never_overwritten(addon: Addon) -> None:
    armature = rigs.mixamo()
    action = stylized()
    curve = next(curve for curve in rigs.curves_of(armature) if "finger" in curve.data_path)
    curve.keyframe_points[3].co.y += 0.2
    curve.update()
    bpy.context.view_layer.update()
    before = keys_of(armature, action)
    armature.panache.amount = 0.4
    assert keys_of(armature, action) == before
    assert "edited by hand" in addon("amount").locked_reason(armature)


@pytest.mark.parametrize("amount", [1.0, 0.5, 0.0])
def test_ranges_loops_and_markers_follow(amount: float) -> None:
    armature = rigs.mixamo()
    original = armature.animation_data.action
    for curve in rigs.curves_of(armature):
        curve.keyframe_points[-1].co.y = curve.keyframe_points[0].co.y
        curve.modifiers.new("CYCLES")
        curve.update()
    original.use_frame_range, original.use_cyclic = True, True
    original.frame_start, original.frame_end = 1.0, 23.0
    original.pose_markers.new("Touch").frame = 12
    action = stylized(amount=amount, root="KEEP")
    end = 1.0 + round(22.0 * RATES["elderly"] ** -amount)
    assert (action.use_frame_range, action.use_cyclic) == (True, True)
    assert (action.frame_start, action.frame_end) == (1.0, end)
    assert action.pose_markers[0].frame == round(1.0 + 11.0 * (end - 1.0) / 22.0)
    assert (original.frame_end, original.pose_markers[0].frame) == (23.0, 12)
    basis = []
    for frame in (1.0, end, 2.0 * end - 1.0):
        bpy.context.scene.frame_set(int(frame))
        basis.append([bone.matrix_basis.copy() for bone in armature.pose.bones])
    assert np.abs(np.array(basis[1]) - basis[0]).max() < 1e-4
    assert np.abs(np.array(basis[2]) - basis[0]).max() < 1e-4


def with_modifiers() -> bpy.types.Object:
    """Finger curves, which no style touches, with everything that depends on the frame."""
    armature = rigs.mixamo(("XYZ",))
    fingers = [curve for curve in rigs.curves_of(armature) if "finger" in curve.data_path]
    kinds = ("NOISE", "GENERATOR", "ENVELOPE", "FNGENERATOR", "STEPPED", "LIMITS")
    for curve, kind in zip(fingers, kinds, strict=True):
        modifier = curve.modifiers.new(kind)
        if kind == "ENVELOPE":
            modifier.control_points.add(4.0)
            modifier.control_points.add(15.0)
            modifier.control_points.foreach_set("min", [-0.4, -0.9])
        elif kind == "NOISE":
            modifier.strength, modifier.scale, modifier.offset = 0.3, 5.0, 2.0
        elif kind == "GENERATOR":
            modifier.poly_order = 2
            modifier.use_additive = True
            for i, value in enumerate((0.1, -0.02, 0.003)):
                modifier.coefficients[i] = value
        elif kind == "FNGENERATOR":
            modifier.use_additive, modifier.phase_multiplier, modifier.phase_offset = True, 0.7, 0.3
        elif kind == "STEPPED":
            modifier.frame_step, modifier.frame_offset = 4.0, 1.0
        else:
            modifier.use_min_x, modifier.min_x = True, 6.0
    modifier = fingers[1].modifiers[0]
    modifier.use_restricted_range, modifier.frame_start, modifier.frame_end, modifier.blend_in = True, 5.0, 15.0, 4.0
    return armature


def test_modifiers_follow(addon: Addon) -> None:
    armature = with_modifiers()
    original = armature.animation_data.action
    before = {(curve.data_path, curve.array_index): curve for curve in rigs.curves_of(armature, original)}
    action = stylized()
    warp = warp_of(addon, action, 1.0)
    for curve in rigs.curves_of(armature, action):
        if "finger" in curve.data_path:
            kind = curve.modifiers[0].type
            # The middle of a frame of the original: at its ends a step may fall either way.
            moments = np.arange(1.5, 23.0)
            old = [before[curve.data_path, curve.array_index].evaluate(moment) for moment in moments]
            new = [curve.evaluate(moment) for moment in warp.at(moments)]
            near = {"STEPPED": 0.35, "NOISE": 0.1}.get(kind, 0.03) * np.ptp(old)
            assert np.abs(np.array(new) - old).max() < near + 1e-4, kind


def test_a_baked_curve_follows(addon: Addon) -> None:
    armature = rigs.mixamo()
    finger = next(curve for curve in rigs.curves_of(armature) if "finger" in curve.data_path)
    path, index = finger.data_path, finger.array_index
    finger.convert_to_samples(1, 24)
    values = [finger.evaluate(frame) for frame in range(1, 24)]
    action = stylized()
    curve = next(c for c in rigs.curves_of(armature) if (c.data_path, c.array_index) == (path, index))
    assert len(curve.sampled_points) and not len(curve.keyframe_points)
    new = [curve.evaluate(frame) for frame in warp_of(addon, action, 1.0).at(np.arange(1.0, 24.0))]
    assert np.abs(np.array(new) - values).max() < 0.05 * np.ptp(values)


def test_what_cannot_be_stretched_is_refused() -> None:
    armature = rigs.mixamo()
    bpy.context.scene.use_preview_range = True
    bpy.context.scene.frame_preview_start, bpy.context.scene.frame_preview_end = 4, 20
    refused("preview range", style="elderly", timing=True)
    bpy.context.scene.frame_preview_start, bpy.context.scene.frame_preview_end = 1, 23
    assert stylized() == armature.animation_data.action
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    stack()
    refused("NLA tracks", style="elderly", timing=True)


def test_ghosts_take_their_time_and_are_kept_in_it(addon: Addon) -> None:
    armature = captured()
    assert bpy.ops.panache.sample_variations(count=2, style="elderly", seed=5, timing=True) == {"FINISHED"}
    state = addon("variations.state").active()
    warp = state.warps[0]
    assert warp.shown[-1] == 1.0 + round(39.0 / RATES["elderly"])
    right = np.array([1.0, 0.0, 0.0])
    frame = float(warp.at(np.array([20.0]))[0])
    row = state.points_at(1.0, right) - state.points[:, 0]
    assert np.abs(state.points_at(frame, right) - state.points[:, 19] - row).max() < 1e-5
    assert bpy.ops.panache.keep_variation(index=1) == {"FINISHED"}
    assert armature.animation_data.action.frame_range[1] == warp.shown[-1]


def test_a_file_is_read_again_with_its_times(addon: Addon, tmp_path: Path) -> None:
    armature = mixed()
    name = armature.name
    action = stylized()
    armature.panache.amount = 0.5
    half, path = everything(addon, action), str(tmp_path / "file.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.open_mainfile(filepath=path)
    armature = bpy.data.objects[name]
    action = armature.animation_data.action
    assert all(curve.equals(half[place]) for place, curve in everything(addon, action).items())
    for amount in (1.0, 0.5):
        armature.panache.amount = amount
    assert all(curve.equals(half[place]) for place, curve in everything(addon, action).items())
    armature.panache.amount = 0.0
    assert same(addon, action, action["panache"]["original"])
