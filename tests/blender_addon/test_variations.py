# SPDX-License-Identifier: GPL-3.0-or-later
"""Variations: what is shown is what is kept, and the file knows nothing of them."""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import bpy
import numpy as np
import pytest

from core.rotations import Array

from . import rigs
from .snapshot import keys_of, playing, scene_state
from .stage import push

pytestmark = pytest.mark.usefixtures("empty_scene")
Addon = Callable[[str], ModuleType]
ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def trained(monkeypatch: pytest.MonkeyPatch) -> None:
    """The weights of the product: untrained ones leave legs so straight that rounding decides where a knee points."""
    monkeypatch.setenv("PANACHE_WEIGHTS", str(ROOT / "models/weights/bandai-namco.safetensors"))


@pytest.fixture
def active(addon: Addon) -> Callable[[], Any]:
    """Asks for the variations that are shown."""
    return addon("variations.state").active


def handlers() -> list[Any]:
    """Everything of Panache's variations that Blender would call."""
    names = ("load_pre", "depsgraph_update_post", "undo_post", "redo_post")
    found = [handler for name in names for handler in getattr(bpy.app.handlers, name)]
    return [handler for handler in found if handler.__module__.endswith("variations.preview")]


def heads(armature: bpy.types.Object, bones: list[str], frames: Array) -> Array:
    """(T, B, 3) where Blender shows the bones' heads."""
    places = []
    for frame in frames.tolist():
        whole = int(np.floor(frame))
        bpy.context.scene.frame_set(whole, subframe=frame - whole)
        places.append([armature.matrix_world @ armature.pose.bones[name].head for name in bones])
    return np.array(places)


def distance_to_shown(addon: Addon, armature: bpy.types.Object, state: Any, index: int) -> float:
    """Largest distance, metres, between a ghost's joints and what the armature now plays."""
    joints = np.flatnonzero(~state.body.offsets.any(axis=-1))
    played = heads(armature, [state.body.bones[joint] for joint in joints], state.frames)
    ghost = addon("rig.space").to_blender(state.points[index][:, joints].astype(np.float64))
    return float(np.abs(played - ghost).max())


def test_sampling_changes_nothing(active: Callable[[], Any]) -> None:
    rigs.walk_bvh(0.01)
    before = scene_state()
    assert bpy.ops.panache.sample_variations(count=4, style="exhausted", seed=7) == {"FINISHED"}
    assert scene_state() == before
    entries = active().entries
    assert [(entry.index, entry.number, entry.seed, entry.style) for entry in entries] == [
        (i, i + 1, 7 + i, "Exhausted") for i in range(4)
    ]
    assert len({entry.colour for entry in entries}) == 4
    assert bpy.ops.panache.discard_variations() == {"FINISHED"}
    assert scene_state() == before
    assert active() is None
    assert not handlers()


@pytest.mark.parametrize("source", ["LABEL", "RANDOM"])
def test_the_variations_differ(active: Callable[[], Any], source: str) -> None:
    rigs.walk_bvh(0.01)
    bpy.ops.panache.sample_variations(count=3, source=source)
    points = active().points
    assert points.dtype == np.float32 and points.shape[:2] == (3, len(active().frames))
    for one, other in ((0, 1), (1, 2), (0, 2)):
        assert np.abs(points[one] - points[other]).max() > 0.01


def euler_walk() -> bpy.types.Object:
    return rigs.walk_bvh(0.01)


def placed_mixamo() -> bpy.types.Object:
    armature = rigs.mixamo(rigs.MODES)
    rigs.place(armature, 0.3)
    return armature


def tracks() -> bpy.types.Object:
    armature = rigs.walk_bvh(0.01)
    push(armature)
    return armature


@pytest.mark.parametrize("build", [euler_walk, placed_mixamo, rigs.metarig, tracks])
@pytest.mark.parametrize("kind", [("LABEL", "EVERY_FRAME", 2e-5), ("RANDOM", "SPARSE", 6e-3)])
def test_what_was_shown_is_kept(
    addon: Addon, active: Callable[[], Any], build: Callable[[], bpy.types.Object], kind: tuple[str, str, float]
) -> None:
    armature, (source, keys, tolerance) = build(), kind
    # Of random swings of all bones the model knows little: there the style would fade out.
    bpy.ops.panache.sample_variations(count=3, source=source, style="active", seed=5, keys=keys, fade=False)
    state = active()
    assert distance_to_shown(addon, armature, state, 2) > 0.01
    assert bpy.ops.panache.keep_variation(index=2) == {"FINISHED"}
    assert active() is None
    assert distance_to_shown(addon, armature, state, 2) < tolerance


@pytest.mark.parametrize("amount", [0.4, 1.4])
def test_the_amount_is_shown_too(addon: Addon, active: Callable[[], Any], amount: float) -> None:
    armature = rigs.walk_bvh(0.01)
    bpy.ops.panache.sample_variations(count=2, style="active", amount=amount, keys="EVERY_FRAME")
    state = active()
    bpy.ops.panache.keep_variation(index=1)
    assert distance_to_shown(addon, armature, state, 1) < 2e-3


def test_keeping_is_stylizing_with_its_seed() -> None:
    armature = rigs.mixamo(rigs.MODES)
    bpy.ops.panache.stylize(style="active", seed=12)
    plain = keys_of(armature)
    bpy.ops.panache.revert()
    bpy.ops.panache.sample_variations(count=4, style="active", seed=10)
    bpy.ops.panache.keep_variation(index=2)
    assert keys_of(armature) == plain
    assert armature.animation_data.action["panache"]["seed"] == 12


def test_a_result_gives_way_to_its_original(addon: Addon, active: Callable[[], Any]) -> None:
    armature = rigs.walk_bvh(0.01)
    bpy.ops.panache.sample_variations(count=2, style="active")
    plain = active().points
    bpy.ops.panache.keep_variation(index=0)
    result = playing(armature)
    bpy.ops.panache.sample_variations(count=2, style="active")
    assert playing(armature) == result
    assert np.abs(active().points - plain).max() < 1e-6
    state = active()
    bpy.ops.panache.keep_variation(index=1)
    assert distance_to_shown(addon, armature, state, 1) < 6e-3


def test_one_keep_is_one_undo_step(active: Callable[[], Any]) -> None:
    armature = rigs.mixamo()
    name, before = armature.name, playing(armature)
    bpy.ops.panache.sample_variations(count=2)
    bpy.ops.ed.undo_push(message="before")
    bpy.ops.panache.keep_variation("EXEC_DEFAULT", True, index=1)
    assert playing(bpy.data.objects[name]) != before
    bpy.ops.ed.undo()
    assert playing(bpy.data.objects[name]) == before
    assert active() is None


@pytest.mark.parametrize("count", [-1, 0, 17, 500])
def test_too_many_or_none_are_refused(active: Callable[[], Any], count: int) -> None:
    rigs.mixamo()
    before = scene_state()
    with pytest.raises(RuntimeError, match=f"shows 1 to 16 variations, not {count}"):
        bpy.ops.panache.sample_variations(count=count)
    assert scene_state() == before and active() is None
    assert bpy.ops.panache.sample_variations(count=1) == {"FINISHED"}


def test_variations_of_an_action_are_styles_like_its_own(active: Callable[[], Any]) -> None:
    reference = rigs.walk_bvh(0.01, frames=80).animation_data.action.name
    armature = rigs.walk_bvh(0.01)
    asked = {"source": "REFERENCE", "reference": reference, "seed": 3, "keys": "EVERY_FRAME"}
    bpy.ops.panache.sample_variations(count=3, **asked)
    points = active().points
    assert min(np.abs(points[one] - points[other]).max() for one, other in ((0, 1), (1, 2), (0, 2))) > 0.01
    assert bpy.ops.panache.keep_variation(index=1) == {"FINISHED"}
    kept, record = keys_of(armature), armature.animation_data.action["panache"]
    assert (record["drawn"], record["seed"]) == (True, 4)
    assert bpy.ops.panache.reapply() == {"FINISHED"}
    assert keys_of(armature) == kept
    bpy.ops.panache.revert()
    bpy.ops.panache.stylize(**{**asked, "seed": 4}, drawn=True)
    assert keys_of(armature) == kept
    bpy.ops.panache.revert()
    bpy.ops.panache.stylize(**asked)
    assert keys_of(armature) != kept


def test_a_refused_sampling_leaves_the_last_one(active: Callable[[], Any]) -> None:
    armature = rigs.mixamo()
    bpy.ops.panache.sample_variations(count=2)
    shown = active()
    with pytest.raises(RuntimeError, match="There is no style"):
        bpy.ops.panache.sample_variations(count=2, style="nobody")
    assert active() is shown
    bpy.ops.panache.sample_variations(count=3)
    assert active() is not shown and len(handlers()) == 4
    for index in (-1, 3):
        with pytest.raises(RuntimeError, match="There are 3 variations"):
            bpy.ops.panache.keep_variation(index=index)
    assert playing(armature) is not None and active() is not None


def test_without_variations_nothing_is_kept_or_dropped() -> None:
    rigs.mixamo()
    for operator in (bpy.ops.panache.keep_variation, bpy.ops.panache.discard_variations):
        assert not operator.poll()
        with pytest.raises(RuntimeError, match="poll"):
            operator()


def test_another_selection_and_another_mode_do_not_matter(addon: Addon, active: Callable[[], Any]) -> None:
    armature = rigs.walk_bvh(0.01)
    bpy.ops.panache.sample_variations(count=2, keys="EVERY_FRAME")
    state = active()
    bpy.ops.object.mode_set(mode="POSE")
    bpy.ops.object.mode_set(mode="OBJECT")
    bpy.ops.object.select_all(action="DESELECT")
    bpy.ops.object.empty_add()
    other = bpy.context.object
    bpy.context.scene.frame_set(13)
    assert bpy.ops.panache.keep_variation(index=1) == {"FINISHED"}
    assert bpy.context.view_layer.objects.active == other and not armature.select_get()
    assert bpy.context.scene.frame_current == 13
    assert distance_to_shown(addon, armature, state, 1) < 2e-5


def test_changed_keys_are_noticed(active: Callable[[], Any]) -> None:
    armature = rigs.mixamo()
    bpy.ops.panache.sample_variations(count=2)
    curve = rigs.curves_of(armature)[5]
    value = curve.keyframe_points[3].co.y
    curve.keyframe_points[3].co.y = value + 0.1
    bpy.context.scene.frame_set(1)
    before = scene_state()
    with pytest.raises(RuntimeError, match="has changed since"):
        bpy.ops.panache.keep_variation(index=1)
    assert scene_state() == before and active() is not None
    curve.keyframe_points[3].co.y = value
    assert bpy.ops.panache.keep_variation(index=1) == {"FINISHED"}


def test_a_deleted_armature_ends_them(active: Callable[[], Any]) -> None:
    armature = rigs.mixamo()
    bpy.ops.panache.sample_variations(count=2)
    armature.name = "Renamed"
    bpy.context.view_layer.update()
    assert active() is not None
    bpy.data.objects.remove(armature)
    bpy.context.view_layer.update()
    assert active() is None and not handlers()


def test_undo_and_redo_do_not_end_them_unless_they_take_the_armature(active: Callable[[], Any]) -> None:
    armature = rigs.mixamo()
    bpy.ops.ed.undo_push(message="armature")
    bpy.ops.panache.sample_variations(count=2)
    armature.location.x += 1.0
    bpy.ops.ed.undo_push(message="moved")
    bpy.ops.ed.undo()
    assert active() is not None
    bpy.ops.ed.redo()
    assert active() is not None
    bpy.ops.ed.undo()
    bpy.ops.ed.undo()
    assert not bpy.data.objects
    assert active() is None and not handlers()


def test_a_saved_file_knows_nothing_of_them(active: Callable[[], Any], tmp_path: Path) -> None:
    rigs.walk_bvh(0.01)
    before, path = scene_state(), tmp_path / "during.blend"
    bpy.ops.panache.sample_variations(count=2)
    bpy.ops.wm.save_as_mainfile(filepath=str(path), check_existing=False)
    assert active() is not None
    bpy.ops.wm.open_mainfile(filepath=str(path))
    assert active() is None and not handlers()
    assert scene_state()["data"] == before["data"]
    assert bpy.ops.panache.sample_variations(count=2) == {"FINISHED"}


def test_a_disabled_extension_leaves_nothing_behind(extension: str) -> None:
    rigs.mixamo()
    bpy.ops.panache.sample_variations(count=2)
    assert handlers()
    bpy.ops.preferences.addon_disable(module=extension)
    try:
        assert not handlers()
    finally:
        bpy.ops.preferences.addon_enable(module=extension)


def test_ghosts_follow_the_timeline(addon: Addon, active: Callable[[], Any]) -> None:
    rigs.walk_bvh(0.01)
    bpy.ops.panache.sample_variations(count=2)
    state, right = active(), np.array([1.0, 0.0, 0.0])
    row = state.points_at(1.0, right) - state.points[:, 0]
    assert np.ptp(row, axis=1).max() < 1e-6
    assert np.abs(state.points_at(4.0, right) - state.points[:, 3] - row).max() < 1e-6
    middle = 0.5 * (state.points[:, 3] + state.points[:, 4])
    assert np.abs(state.points_at(4.5, right) - middle - row).max() < 1e-5
    assert np.array_equal(state.points_at(-50.0, right), state.points_at(1.0, right))
    assert np.array_equal(state.points_at(5000.0, right), state.points_at(40.0, right))
    assert state.points_at(1.0, right)[0, 0, 0] < state.original_at(1.0)[0, 0] < state.points_at(1.0, right)[1, 0, 0]
    behind = state.points_at(1.0, -right)
    assert behind[0, 0, 0] > behind[1, 0, 0]
    bpy.context.scene.frame_set(7, subframe=0.25)
    assert addon("variations.drawing").frame_of(bpy.context.scene) == 7.25


def test_long_clips_are_sampled_in_batches(
    addon: Addon, active: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    rigs.walk_bvh(0.01)
    bpy.ops.panache.sample_variations(count=5)
    together = active().points
    monkeypatch.setattr(addon("variations.sampling"), "_HELD", 90)
    bpy.ops.panache.sample_variations(count=5)
    assert np.abs(active().points - together).max() < 1e-4


def test_closed_half_way_sampling_leaves_no_trace(addon: Addon, active: Callable[[], Any]) -> None:
    rigs.walk_bvh(0.01)
    before = scene_state()
    order = addon("order").Order(addon("backend").StyleSettings(style="active"))
    steps = addon("variations.sampling").sample_steps(bpy.context, order, 3)
    for _ in range(12):
        next(steps)
        assert scene_state() == before
    steps.close()
    assert scene_state() == before and active() is None and not handlers()


@pytest.mark.skipif(bpy.app.version < (5, 2, 0), reason="Blender draws without a window from 5.2 on")
def test_ghosts_and_labels_are_drawn(addon: Addon, active: Callable[[], Any]) -> None:
    import gpu
    from mathutils import Matrix

    rigs.walk_bvh(0.01)
    bpy.ops.panache.sample_variations(count=4)
    gpu.init()
    drawing, labels, viewing = (addon(f"variations.{name}") for name in ("drawing", "labels", "viewing"))
    state, size = active(), (480, 270)
    view = Matrix.Translation((0.0, 0.0, -8.0)) @ Matrix.Rotation(-np.pi / 2, 4, "X") @ Matrix.Translation((0, 0, -1.0))
    window = Matrix(((2.0, 0, 0, 0), (0, 3.55, 0, 0), (0, 0, -1.0, -0.2), (0, 0, -1.0, 0)))
    to_world = addon("rig.space").TO_WORLD
    seen = addon("backend").View(np.array(window @ view) @ to_world, size)
    axes = np.array(view)[:3, :3] @ to_world[:3, :3]
    eye = viewing.Eye(seen, *axes)
    offscreen = gpu.types.GPUOffScreen(*size)
    with offscreen.bind():
        buffer = gpu.state.active_framebuffer_get()
        buffer.clear(color=(0.2, 0.2, 0.2, 1.0), depth=1.0)
        with gpu.matrix.push_pop():
            gpu.matrix.load_matrix(view)
            gpu.matrix.load_projection_matrix(window)
            drawing.draw(state, eye, 5.0)
        bodies = np.array(buffer.read_color(0, 0, *size, 4, 0, "FLOAT").to_list())
        plates = labels.plates(state, eye, 5.0, labels.press_of(bpy.context))
        with gpu.matrix.push_pop():
            gpu.matrix.load_matrix(Matrix.Diagonal((2 / size[0], 2 / size[1], 1, 1)) @ Matrix.Identity(4))
            gpu.matrix.load_projection_matrix(Matrix.Translation((-1, -1, 0)))
            labels.draw_plates(plates, 1, 1.0)
        labelled = np.array(buffer.read_color(0, 0, *size, 4, 0, "FLOAT").to_list())
    offscreen.free()
    painted = np.abs(bodies[..., :3] - 0.2).max(axis=-1) > 0.02
    columns = painted.any(axis=0).astype(int)
    assert 0.01 < painted.mean() < 0.5
    assert np.count_nonzero(np.diff(columns) == 1) == 4
    assert len(plates) == 5 and (np.abs(labelled - bodies) > 0.02).any()
