# SPDX-License-Identifier: GPL-3.0-or-later
"""The bone map in the panel: corrected, remembered, saved, loaded, and forgotten."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import bpy
import pytest

from . import rigs
from .snapshot import keys_of, scene_state

Addon = Callable[[str], ModuleType]

HAND = "mixamorig:LeftHand"


@pytest.fixture(autouse=True)
def nothing_remembered(empty_scene: None, addon: Addon) -> Iterator[Path]:
    """The folder of remembered maps, empty before and after each test."""
    del empty_scene
    folder = Path(bpy.utils.extension_path_user(addon("rig.maps")._EXTENSION, path="bone_maps"))
    for _ in range(2):
        if folder.is_file():
            folder.unlink()
        for path in folder.glob("*") if folder.is_dir() else ():
            path.unlink()
        if _ == 0:
            yield folder


def joint(armature: bpy.types.Object, name: str) -> bpy.types.PropertyGroup:
    return armature.panache.joints[name]


def detected() -> bpy.types.Object:
    armature = rigs.mixamo()
    assert bpy.ops.panache.detect_rig() == {"FINISHED"}
    return armature


def without_hand() -> bpy.types.Object:
    """A character whose left hand the user took out of the map."""
    armature = detected()
    joint(armature, "left_wrist").bone = ""
    return armature


def hand_is_styled(armature: bpy.types.Object) -> bool:
    """Whether Stylize changes the left hand's keys; the original is played again afterwards."""
    original = armature.animation_data.action
    before = keys_of(armature, original)
    assert bpy.ops.panache.stylize(style="elderly", keys="EVERY_FRAME") == {"FINISHED"}
    result = armature.animation_data.action
    curves = {(curve.data_path, curve.array_index): curve for curve in rigs.curves_of(armature, result)}
    channel = (armature.pose.bones[HAND].path_from_id("rotation_quaternion"), 2)
    old = {point.co.x: point.co.y for curve in rigs.curves_of(armature, original) for point in curve.keyframe_points
           if (curve.data_path, curve.array_index) == channel}  # fmt: skip
    assert channel in before
    change = max(abs(curves[channel].evaluate(frame) - value) for frame, value in old.items())
    bpy.ops.panache.revert()
    return change > 1e-3


def test_detect_rig_says_how_each_bone_was_found() -> None:
    armature = detected()
    assert len(armature.panache.joints) == 22
    assert joint(armature, "pelvis").bone == "mixamorig:Hips"
    assert {entry.origin for entry in armature.panache.joints} == {"name"}
    assert armature.panache.confidence > 0.9


def test_a_correction_changes_what_is_styled(addon: Addon) -> None:
    armature = detected()
    assert hand_is_styled(armature)
    joint(armature, "left_wrist").bone = ""
    assert not armature.panache.map_problem
    assert not hand_is_styled(armature)
    reader = addon("rig.reader")
    assert "left_wrist" in reader.read_rig(armature).bone_map.missing
    joint(armature, "left_wrist").bone = HAND
    assert reader.read_rig(armature).bone_map.bones["left_wrist"] == HAND
    assert hand_is_styled(armature)


def test_a_chosen_bone_is_the_users(addon: Addon) -> None:
    armature = detected()
    joint(armature, "left_wrist").bone = "finger.left"
    found = addon("rig.reader").read_rig(armature).bone_map
    assert found.bones["left_wrist"] == "finger.left"
    assert found.origins["left_wrist"] == "user"
    assert found.origins["right_wrist"] == "name"


def test_a_saved_file_carries_the_map(tmp_path: Path, nothing_remembered: Path) -> None:
    name = without_hand().name
    path = str(tmp_path / "studio.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    for remembered in nothing_remembered.glob("*.json"):
        remembered.unlink()
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    bpy.ops.wm.open_mainfile(filepath=path)
    armature = bpy.data.objects[name]
    assert joint(armature, "left_wrist").bone == ""
    assert not hand_is_styled(armature)


def test_a_new_file_with_such_a_rig_knows_the_map() -> None:
    without_hand()
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    armature = rigs.mixamo()
    assert not hand_is_styled(armature)
    bpy.ops.panache.detect_rig()
    assert joint(armature, "left_wrist").bone == ""
    assert bpy.ops.panache.reset_map() == {"FINISHED"}
    assert joint(armature, "left_wrist").bone == HAND
    assert hand_is_styled(armature)


@pytest.mark.parametrize("detected_in_library", [False, True])
def test_a_library_override_has_a_map_of_its_own(
    tmp_path: Path, nothing_remembered: Path, detected_in_library: bool
) -> None:
    if bpy.app.version >= (5, 0, 0) and not detected_in_library:
        pytest.skip("Blender 5 loses, on loading, an override of settings that the library's object never had")
    armature = rigs.mixamo()
    if detected_in_library:
        bpy.ops.panache.detect_rig()
    library, path = str(tmp_path / "library.blend"), str(tmp_path / "shot.blend")
    bpy.data.libraries.write(library, {armature})
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    with bpy.data.libraries.load(library, link=True) as (source, target):
        target.objects = list(source.objects)
    armature = target.objects[0].override_create(remap_local_usages=True)
    armature.override_library.is_system_override = False
    if armature.name not in bpy.context.scene.collection.objects:
        bpy.context.scene.collection.objects.link(armature)
    bpy.context.view_layer.objects.active = armature
    assert bpy.ops.panache.detect_rig() == {"FINISHED"}
    joint(armature, "left_wrist").bone = ""
    armature.panache.amount = 0.5
    bpy.ops.wm.save_as_mainfile(filepath=path)
    for remembered in nothing_remembered.glob("*.json"):
        remembered.unlink()
    bpy.ops.wm.open_mainfile(filepath=path)
    armature = next(obj for obj in bpy.data.objects if obj.override_library)
    assert armature.panache.amount == 0.5
    assert len(armature.panache.joints) == 22
    assert joint(armature, "left_wrist").bone == ""
    assert joint(armature, "right_wrist").bone == "mixamorig:RightHand"


def test_a_linked_armature_is_refused(tmp_path: Path) -> None:
    library = str(tmp_path / "library.blend")
    bpy.data.libraries.write(library, {rigs.mixamo()})
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    with bpy.data.libraries.load(library, link=True) as (source, target):
        target.objects = list(source.objects)
    bpy.context.scene.collection.objects.link(target.objects[0])
    bpy.context.view_layer.objects.active = target.objects[0]
    for operator in (bpy.ops.panache.detect_rig, bpy.ops.panache.reset_map, bpy.ops.panache.pick_calibration_frame):
        with pytest.raises(RuntimeError, match="library override"):
            operator()


def test_other_skeletons_are_recognised_by_themselves() -> None:
    without_hand()
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    armature = rigs.walk_bvh(0.01)
    bpy.ops.panache.detect_rig()
    assert joint(armature, "left_wrist").bone


def test_a_wrong_choice_is_explained_and_not_remembered(nothing_remembered: Path) -> None:
    armature = detected()
    joint(armature, "left_hip").bone = joint(armature, "right_hip").bone
    problem = armature.panache.map_problem
    assert problem.endswith(".")
    assert not list(nothing_remembered.glob("*.json"))
    before = scene_state()
    with pytest.raises(RuntimeError, match="Error: "):
        bpy.ops.panache.stylize()
    assert scene_state() == before
    joint(armature, "left_hip").bone = "mixamorig:LeftUpLeg"
    assert not armature.panache.map_problem
    assert bpy.ops.panache.stylize() == {"FINISHED"}


def test_a_map_goes_through_a_json_file(tmp_path: Path) -> None:
    path = tmp_path / "map.json"
    without_hand()
    assert bpy.ops.panache.save_map(filepath=str(path)) == {"FINISHED"}
    assert "mixamorig:Hips" in path.read_text(encoding="utf-8")
    bpy.ops.panache.reset_map()
    armature = bpy.context.view_layer.objects.active
    assert joint(armature, "left_wrist").bone == HAND
    assert bpy.ops.panache.load_map(filepath=str(path)) == {"FINISHED"}
    assert joint(armature, "left_wrist").bone == ""
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    assert not hand_is_styled(rigs.mixamo())


@pytest.mark.parametrize("content", [b"", b"no JSON", b"[1, 2]", b'{"bones": 3}', b"\xff\xfe\x00", None])
def test_files_that_are_no_maps_are_refused(tmp_path: Path, content: bytes | None) -> None:
    armature, path = detected(), tmp_path / "foreign.json"
    if content is not None:
        path.write_bytes(content)
    before = [entry.bone for entry in armature.panache.joints]
    with pytest.raises(RuntimeError, match=r"Error: .*\.\n?$") as refused:
        bpy.ops.panache.load_map(filepath=str(path))
    assert "Traceback" not in str(refused.value)
    assert [entry.bone for entry in armature.panache.joints] == before


def test_the_map_of_another_rig_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "map.json"
    detected()
    bpy.ops.panache.save_map(filepath=str(path))
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    armature = rigs.walk_bvh(0.01)
    with pytest.raises(RuntimeError, match="Error: "):
        bpy.ops.panache.load_map(filepath=str(path))
    assert not armature.panache.joints


def test_a_broken_memory_stops_nobody(nothing_remembered: Path) -> None:
    without_hand()
    (remembered,) = nothing_remembered.glob("*.json")
    json.loads(remembered.read_text(encoding="utf-8"))
    remembered.write_text("{", encoding="utf-8")
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    armature = rigs.mixamo()
    assert hand_is_styled(armature)
    assert bpy.ops.panache.detect_rig() == {"FINISHED"}
    assert joint(armature, "left_wrist").bone == HAND
    joint(armature, "left_wrist").bone = ""
    assert not hand_is_styled(armature)


def test_without_a_user_folder_the_file_still_carries_the_map(tmp_path: Path, nothing_remembered: Path) -> None:
    # A file where the folder should be: not even root can write below it.
    if nothing_remembered.is_dir():
        nothing_remembered.rmdir()
    nothing_remembered.parent.mkdir(parents=True, exist_ok=True)
    nothing_remembered.touch()
    armature = without_hand()
    assert "JSON" in armature.panache.map_problem
    assert not hand_is_styled(armature)
    name, path = armature.name, str(tmp_path / "scene.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.open_mainfile(filepath=path)
    assert not hand_is_styled(bpy.data.objects[name])


def test_what_is_no_body_leaves_the_choice_to_the_user(nothing_remembered: Path) -> None:
    armature = rigs.mixamo()
    names = {joint.name: joint.bone for joint in detected_joints()}
    bpy.ops.object.mode_set(mode="EDIT")
    for side in ("Left", "Right"):
        armature.data.edit_bones.remove(armature.data.edit_bones[f"mixamorig:{side}UpLeg"])
    bpy.ops.object.mode_set(mode="OBJECT")
    with pytest.raises(RuntimeError, match="Error: "):
        bpy.ops.panache.detect_rig()
    assert [entry.name for entry in armature.panache.joints] == list(names)
    assert armature.panache.map_problem
    with pytest.raises(RuntimeError, match="Error: "):
        bpy.ops.panache.confirm_map()
    assert not list(nothing_remembered.glob("*.json"))


def detected_joints() -> list[bpy.types.PropertyGroup]:
    bpy.ops.panache.detect_rig()
    return list(bpy.context.view_layer.objects.active.panache.joints)


def test_a_confirmed_map_is_the_users(addon: Addon, nothing_remembered: Path) -> None:
    armature = detected()
    assert not armature.panache.is_users_map
    assert bpy.ops.panache.confirm_map() == {"FINISHED"}
    assert armature.panache.is_users_map
    assert len(list(nothing_remembered.glob("*.json"))) == 1
    assert addon("rig.reader").read_rig(armature).bone_map.family == "custom"


def test_undo_takes_a_correction_back(addon: Addon) -> None:
    armature = detected()
    name = armature.name
    bpy.ops.ed.undo_push(message="detected")
    joint(armature, "left_wrist").bone = ""
    bpy.ops.ed.undo_push(message="corrected")
    assert "left_wrist" not in addon("rig.reader").read_rig(armature).bone_map.bones
    bpy.ops.ed.undo()
    armature = bpy.data.objects[name]
    assert joint(armature, "left_wrist").bone == HAND
    # What the panel shows is what is used, whatever is remembered for other files.
    assert addon("rig.reader").read_rig(armature).bone_map.bones["left_wrist"] == HAND
