# SPDX-License-Identifier: GPL-3.0-or-later
"""Stylize in steps: whatever happens between two of them, the scene is as it was, or as the user has made it."""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import bpy
import pytest

from scripts.evaluation.retarget_rigs import empty_file

from . import control_rigs, rigs, stage
from .snapshot import keys_of, playing, scene_state

pytestmark = pytest.mark.usefixtures("empty_scene")
Addon = Callable[[str], ModuleType]
HIDDEN = ".Panache"
_PIECES = 13


def plain(_addon: Addon) -> bpy.types.Object:
    return rigs.mixamo(rigs.MODES)


def moving_object(_addon: Addon) -> bpy.types.Object:
    """Its frames must be played."""
    armature = rigs.mixamo()
    for frame in (1, 20):
        armature.location.x = 0.1 * frame
        armature.keyframe_insert("location", frame=frame)
    return armature


def legs_on_controls(addon: Addon) -> bpy.types.Object:
    return control_rigs.leg_ik(addon)[0]


def tracks(_addon: Addon) -> bpy.types.Object:
    return stage.stack()


def legs_on_tracks(addon: Addon) -> bpy.types.Object:
    armature = control_rigs.leg_ik(addon)[0]
    stage.push(armature)
    return armature


def stylized(build: Callable[[Addon], bpy.types.Object]) -> Callable[[Addon], bpy.types.Object]:
    """The same rig, playing a result."""

    def built(addon: Addon) -> bpy.types.Object:
        armature = build(addon)
        assert bpy.ops.panache.stylize(style="elderly") == {"FINISHED"}
        return armature

    built.__name__ = f"stylized_{build.__name__}"
    return built


BUILT = [plain, moving_object, legs_on_controls, tracks, legs_on_tracks]
SCENES = [*BUILT, *map(stylized, BUILT)]


@pytest.fixture
def tiny_steps(addon: Addon, monkeypatch: pytest.MonkeyPatch) -> None:
    """Few pieces of work in a step, however fast the machine is."""
    pieces = itertools.cycle([False] * (_PIECES - 1) + [True])
    monkeypatch.setattr(addon("rig.pace").Pace, "is_over", property(lambda _pace: next(pieces)))


@pytest.fixture(autouse=True)
def no_job(addon: Addon) -> Iterator[None]:
    yield
    addon("job.current").cancel()


def restyle(addon: Addon, **settings: Any) -> Any:
    """The generator behind the operator."""
    backend, order = addon("backend"), addon("order")
    style = backend.StyleSettings(style="exhausted", **settings)
    return addon("stylizing").restyle_steps(bpy.context, order.Order(style))


def job(addon: Addon, **settings: Any) -> Any:
    """The generator as a running job."""
    return addon("job.current").start("Stylize", words(restyle(addon, **settings)))


def words(steps: Any) -> Any:
    action = yield from steps
    return action.name


def taken(steps: Any, count: int) -> int:
    """Take so many steps; how many there were."""
    for number in range(count):
        try:
            next(steps)
        except StopIteration:
            return number
    return count


def picture() -> dict[str, Any]:
    """All of the scene that a user may care about; actions under construction belong to nobody."""
    state = scene_state()
    state["data"]["actions"] = [name for name in state["data"]["actions"] if not name.startswith(HIDDEN)]
    # How many use an action is not the user's business: the record of an unfinished result is one.
    own = {name: value for name, value in state["actions"].items() if not name.startswith(HIDDEN)}
    state["actions"] = {name: (fake, *rest) for name, (fake, _, *rest) in own.items()}
    armature = bpy.context.view_layer.objects.active
    state["keys"] = {name: keys_of(armature, bpy.data.actions[name]) for name in own_actions(armature)}
    state["tracks"] = stage.tracks(armature)
    state["bones"] = [bone.name for bone in bpy.context.selected_pose_bones or ()]
    state["auto"] = bpy.context.scene.tool_settings.use_keyframe_insert_auto
    return state


def own_actions(armature: bpy.types.Object) -> list[str]:
    played = playing(armature)
    return [played[0]] if played else []


def hidden() -> list[str]:
    return [action.name for action in bpy.data.actions if action.name.startswith(HIDDEN)]


@pytest.mark.usefixtures("tiny_steps")
@pytest.mark.parametrize("build", SCENES)
def test_at_every_step_the_scene_is_as_before(addon: Addon, build: Callable[[Addon], bpy.types.Object]) -> None:
    armature = build(addon)
    bpy.context.scene.frame_set(7, subframe=0.25)
    # A pose that nobody keyed, such as one that is being set while the job runs.
    armature.pose.bones[-1].location.x += 0.125
    bpy.context.view_layer.update()
    before, steps, count = picture(), restyle(addon), 0
    for _ in steps:
        count += 1
        assert picture() == before
    assert count > 20
    assert picture() != before
    assert not hidden()


@pytest.mark.usefixtures("tiny_steps")
@pytest.mark.parametrize("build", [plain, stylized(plain), stylized(legs_on_controls), stylized(tracks)])
def test_closed_at_any_step_nothing_has_happened(addon: Addon, build: Callable[[Addon], bpy.types.Object]) -> None:
    build(addon)
    total = taken(restyle(addon, amount=0.5), 10**6)
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    build(addon)
    before = picture()
    for count in range(0, total, max(1, total // 12)):
        steps = restyle(addon, amount=0.5)
        taken(steps, count)
        steps.close()
        assert picture() == before
        assert not hidden()


@pytest.mark.usefixtures("tiny_steps")
def test_steps_give_what_one_step_gives(addon: Addon) -> None:
    armature = plain(addon)
    original = armature.animation_data.action
    stepped = addon("backend").finish(restyle(addon))
    keys = keys_of(armature, stepped)
    armature.animation_data.action = original
    assert bpy.ops.panache.stylize(style="exhausted") == {"FINISHED"}
    assert keys_of(armature) == keys


def deleted_armature(armature: bpy.types.Object) -> None:
    bpy.data.objects.remove(armature)


def unlinked_armature(armature: bpy.types.Object) -> None:
    bpy.context.scene.collection.objects.unlink(armature)


def deleted_action(armature: bpy.types.Object) -> None:
    bpy.data.actions.remove(armature.animation_data.action)


def other_action(armature: bpy.types.Object) -> None:
    armature.animation_data.action = bpy.data.actions.new("Other")


def no_animation(armature: bpy.types.Object) -> None:
    armature.animation_data_clear()


def edit_mode(_armature: bpy.types.Object) -> None:
    bpy.ops.object.mode_set(mode="EDIT")


def rest_position(armature: bpy.types.Object) -> None:
    armature.data.pose_position = "REST"


def lost_bones(armature: bpy.types.Object) -> None:
    bpy.ops.object.mode_set(mode="EDIT")
    armature.data.edit_bones.remove(armature.data.edit_bones["mixamorig:LeftArm"])
    bpy.ops.object.mode_set(mode="OBJECT")


OBSTACLES = [
    deleted_armature,
    unlinked_armature,
    deleted_action,
    other_action,
    no_animation,
    edit_mode,
    rest_position,
    lost_bones,
]


@pytest.mark.usefixtures("tiny_steps")
@pytest.mark.parametrize("obstacle", OBSTACLES)
def test_what_cannot_go_on_ends_with_a_sentence(addon: Addon, obstacle: Callable[[bpy.types.Object], None]) -> None:
    total = taken(restyle(addon), 10**6) if plain(addon) else 0
    for share in (0.02, 0.3, 0.6, 0.98):
        empty_file()
        armature, steps = plain(addon), restyle(addon)
        taken(steps, max(int(share * total), 8))
        obstacle(armature)
        actions = {action.name for action in bpy.data.actions if not action.name.startswith(HIDDEN)}
        with pytest.raises(addon("backend").PanacheError, match="[.]$"):
            taken(steps, 10**6)
        assert {action.name for action in bpy.data.actions} == actions


def test_another_scene_ends_it(addon: Addon) -> None:
    plain(addon)
    steps = restyle(addon)
    taken(steps, 2)
    other = bpy.data.scenes.new("Other")
    with bpy.context.temp_override(scene=other), pytest.raises(addon("backend").PanacheError, match="scene"):
        next(steps)


@pytest.mark.usefixtures("tiny_steps")
@pytest.mark.parametrize("build", [plain, moving_object, legs_on_controls])
def test_one_can_go_on_working(addon: Addon, build: Callable[[Addon], bpy.types.Object]) -> None:
    """Scrubbing, selecting, other objects, and keys of the very action that is read."""
    armature = build(addon)
    original = armature.animation_data.action
    collection = (
        original.fcurves if bpy.app.version < (4, 4, 0) else original.layers[0].strips[0].channelbags[0].fcurves
    )
    for number, _ in enumerate(restyle(addon)):
        bpy.context.scene.frame_set(number % 20, subframe=0.5)
        bpy.data.objects.new(f"Empty {number}", None)
        armature.panache.seed = number
        if number % 3 == 0 and len(collection) > 60:
            collection.remove(collection[-1])
        frame, subframe = bpy.context.scene.frame_current, bpy.context.scene.frame_subframe
    assert (bpy.context.scene.frame_current, bpy.context.scene.frame_subframe) == (frame, subframe)
    assert playing(armature) != original.name


@pytest.mark.usefixtures("tiny_steps")
def test_a_file_saved_meanwhile_knows_nothing_of_it(addon: Addon, tmp_path: Path) -> None:
    armature = plain(addon)
    before, saved, running = picture(), [], job(addon, amount=0.5)
    while running.advance(0.0) is None:
        if hidden() and len(saved) < 8:
            saved.append(tmp_path / f"{len(saved)}.blend")
            bpy.ops.wm.save_as_mainfile(filepath=str(saved[-1]), copy=True)
    assert saved
    assert playing(armature) != before["playing"][armature.name]
    for path in saved:
        bpy.ops.wm.open_mainfile(filepath=str(path))
        bpy.context.view_layer.objects.active = bpy.data.objects[before["active"]]
        assert not hidden()
        assert not [action.name for action in bpy.data.actions if action.name.startswith(".")]
        assert picture()["keys"] == before["keys"]
        assert addon("job.current").current() is None


@pytest.mark.usefixtures("tiny_steps")
def test_an_undo_ends_it(addon: Addon) -> None:
    plain(addon)
    bpy.ops.ed.undo_push(message="Rig")
    bpy.context.scene.frame_set(3)
    bpy.ops.ed.undo_push(message="Frame")
    running = job(addon)
    while not hidden():
        running.advance(0.0)
    # What the user did meanwhile has an undo step with the unfinished action in it.
    bpy.context.scene.frame_set(5)
    bpy.ops.ed.undo_push(message="Frame again")
    bpy.context.scene.frame_set(6)
    bpy.ops.ed.undo_push(message="And again")
    bpy.ops.ed.undo()
    assert running.is_over
    assert running.reason
    assert not hidden()
    assert addon("job.current").current() is None
    bpy.ops.ed.redo()
    assert not hidden()
    assert bpy.ops.panache.stylize() == {"FINISHED"}


@pytest.mark.usefixtures("tiny_steps")
def test_another_file_ends_it(addon: Addon) -> None:
    plain(addon)
    running = job(addon)
    while not hidden():
        running.advance(0.0)
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    assert running.is_over
    assert not bpy.data.actions
    assert running.advance(1.0) is None


def test_disabling_the_extension_ends_it(addon: Addon) -> None:
    plain(addon)
    before, running, handlers = picture(), job(addon), addon("job.handlers")
    running.advance(0.0)
    closed = []
    running.kept.callback(closed.append, True)
    handlers.remove_handlers()
    try:
        assert running.is_over
        assert closed
        assert picture() == before
    finally:
        handlers.add_handlers()


def test_a_second_job_is_refused(addon: Addon) -> None:
    plain(addon)
    before, running = picture(), job(addon)
    running.advance(0.0)
    with pytest.raises(RuntimeError, match="still running"):
        bpy.ops.panache.stylize()
    assert addon("job.current").current().title == "Stylize"
    assert bpy.ops.panache.cancel() == {"FINISHED"}
    assert running.is_over
    assert addon("job.current").current() is None
    assert not bpy.ops.panache.cancel.poll()
    assert picture() == before
    assert bpy.ops.panache.stylize() == {"FINISHED"}


def test_progress_only_grows(addon: Addon) -> None:
    plain(addon)
    shares = [progress.share for progress in restyle(addon, amount=0.5)]
    assert all(0.0 <= share <= 1.0 for share in shares)
    assert shares[-1] > 0.9


def test_a_job_that_fails_is_over(addon: Addon) -> None:
    current, progress = addon("job.current"), addon("backend").Progress

    def steps() -> Any:
        yield progress(0.5, "Half")
        raise ValueError("by half")

    running = current.start("Test", steps())
    assert running.advance(0.0) is None
    assert current.current() == current.JobState("Test", 0.5, "Half")
    with pytest.raises(ValueError, match="by half"):
        running.advance(0.0)
    assert running.is_over
    assert current.current() is None


def test_waiting_takes_one_step_per_tick(addon: Addon) -> None:
    """Who waits for another process must not keep the window busy."""
    current, progress = addon("job.current"), addon("backend").Progress
    asked: list[int] = []

    def steps() -> Any:
        for number in range(5):
            asked.append(number)
            yield progress(0.5, "Waiting")
        return "done"

    running = current.start("Test", steps())
    running.advance(10.0)
    assert len(asked) == 2
    running.advance(10.0)
    assert len(asked) == 3
    running.end("enough")
    assert running.reason == "enough"
