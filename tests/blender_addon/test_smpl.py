# SPDX-License-Identifier: GPL-3.0-or-later
"""panache.import_smpl and export_smpl: what Blender shows is what the file says, and the file comes back."""

from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import bpy
import numpy as np
import pytest

from core.smpl.joints import joint_tree, mean_body
from tests.core import smpl_files as files

from . import rigs
from .snapshot import scene_state

pytestmark = pytest.mark.usefixtures("empty_scene")
Addon = Callable[[str], ModuleType]

FRAMES = 24
# From the file's world to Blender's.
TURNS = {"Z": np.eye(3), "Y": np.array([[1.0, 0, 0], [0, 0, -1.0], [0, 1.0, 0]])}
FILES = {"amass_h": (files.amass_h, "Z"), "amass_x": (files.amass_x, "Z"), "smplify": (files.smplify, "Y")}


def imported(path: Path, **properties: object) -> bpy.types.Object:
    assert bpy.ops.panache.import_smpl(filepath=str(path), **properties) == {"FINISHED"}
    return bpy.context.view_layer.objects.active


def exported(path: Path) -> dict[str, np.ndarray]:
    assert bpy.ops.panache.export_smpl(filepath=str(path)) == {"FINISHED"}
    # Some of the files have a pickled member of this test's own making, which travels with the rest.
    with np.load(path, allow_pickle=True) as written:
        return dict(written)


def motion_of(arrays: files.Arrays) -> tuple[np.ndarray, np.ndarray]:
    """Poses (T, J, 3) and trans (T, 3) of a file, however it keeps them."""
    if "poses" in arrays:
        return arrays["poses"].reshape(len(arrays["poses"]), -1, 3), arrays["trans"]
    poses = np.concatenate([arrays["global_orient"], arrays["body_pose"]], axis=1)
    return poses, arrays["transl"].reshape(-1, 3)


def shown(armature: bpy.types.Object, frame: float) -> dict[str, np.ndarray]:
    """World matrices of the bones on a frame."""
    bpy.context.scene.frame_set(int(frame), subframe=frame % 1.0)
    return {bone.name: np.array(armature.matrix_world @ bone.matrix) for bone in armature.pose.bones}


@pytest.mark.parametrize("kind", FILES)
def test_blender_shows_what_the_file_says(tmp_path: Path, kind: str) -> None:
    build, up_axis = FILES[kind]
    arrays = build(FRAMES)
    armature = imported(files.write(tmp_path / "walk.npz", arrays), fps=30.0)
    assert (armature.name, armature.animation_data.action.name) == ("walk", "walk")
    poses, trans = motion_of(arrays)
    body = mean_body({24: "smpl", 52: "smplh", 55: "smplx"}[poses.shape[1]])
    assert set(body.names) == set(armature.data.bones.keys())
    world = files.posed(poses.astype(float), trans.astype(float), body.rest, body.parents)
    rate = float(arrays.get("mocap_framerate", arrays.get("mocap_frame_rate", 30.0)))
    at_rest = {bone.name: np.array(bone.matrix_local)[:3, :3] for bone in armature.data.bones}
    # Blender's armature space is the model's space, stood up.
    upright = np.array([[1.0, 0, 0], [0, 0, -1.0], [0, 1.0, 0]])
    for i in (0, 7, FRAMES - 1):
        bones = shown(armature, 1.0 + i * 24.0 / rate)
        for j, name in enumerate(body.names):
            wanted = TURNS[up_axis] @ world[i, j, :3, 3]
            assert np.abs(bones[name][:3, 3] - wanted).max() < 1e-5
            turned = TURNS[up_axis] @ world[i, j, :3, :3] @ upright.T @ at_rest[name]
            assert np.abs(bones[name][:3, :3] - turned).max() < 1e-5


@pytest.mark.parametrize("rate", [24, 30, 60])
@pytest.mark.parametrize("kind", FILES)
def test_the_file_comes_back(tmp_path: Path, kind: str, rate: int) -> None:
    bpy.context.scene.render.fps = rate
    arrays = FILES[kind][0](FRAMES)
    imported(files.write(tmp_path / "in.npz", arrays), fps=29.97, frame_start=3)
    written = exported(tmp_path / "out.npz")
    assert list(written) == list(arrays)
    animated = {"poses", "trans", "transl", "global_orient", "body_pose"}
    for name, array in arrays.items():
        assert (written[name].shape, written[name].dtype) == (array.shape, array.dtype)
        if name not in animated and not name.startswith(("pose_", "root")):
            assert np.array_equal(written[name], array)
    (poses, trans), (back, way) = motion_of(arrays), motion_of(written)
    gaps = [rotation_gap(a, b) for a, b in zip(poses.reshape(-1, 3), back.reshape(-1, 3), strict=True)]
    print(f"{kind} at {rate}: {max(gaps):.2g} rad, {np.abs(way - trans).max():.2g} m")  # noqa: T201 - with -s
    assert max(gaps) < 1e-5
    assert np.abs(way - trans).max() < 1e-6


def rotation_gap(a: np.ndarray, b: np.ndarray) -> float:
    """Angle between two axis-angle vectors, radians; twice the sine of its half is the matrices' distance by sqrt 2."""
    return float(np.linalg.norm(files.rodrigues(a.astype(float)) - files.rodrigues(b.astype(float))) / np.sqrt(2.0))


def test_a_saved_scene_remembers_the_file(tmp_path: Path) -> None:
    arrays = files.amass_x(2000, 29.97)
    layer = bpy.data.collections.new("Hidden")
    bpy.context.scene.collection.children.link(layer)
    bpy.context.view_layer.active_layer_collection = bpy.context.view_layer.layer_collection.children["Hidden"]
    bpy.context.view_layer.active_layer_collection.exclude = True
    imported(files.write(tmp_path / "in.npz", arrays))
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "scene.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "scene.blend"))
    written = exported(tmp_path / "out.npz")
    assert list(written) == list(arrays)
    assert written["poses"].shape == arrays["poses"].shape
    assert np.abs(written["poses"] - arrays["poses"]).max() < 1e-5
    # 73 metres of walking: single precision has 4 micrometres left.
    assert np.abs(written["trans"] - arrays["trans"]).max() < 1e-5
    assert written["markers_latent_vids"].item() == {"ARIEL": 9011}


def test_the_moved_and_turned_armature_is_written_as_it_stands(tmp_path: Path) -> None:
    arrays = files.amass_h(FRAMES)
    armature = imported(files.write(tmp_path / "in.npz", arrays))
    armature.location, armature.rotation_euler = (1.0, -2.0, 0.0), (0.0, 0.0, np.pi / 2)
    bpy.context.view_layer.update()
    poses, trans = motion_of(exported(tmp_path / "out.npz"))
    body = mean_body("smplh")
    before = files.posed(*motion_of(arrays), body.rest, body.parents)[..., :3, 3]
    after = files.posed(poses, trans, body.rest, body.parents)[..., :3, 3]
    turn = np.array([[0.0, -1.0, 0], [1.0, 0, 0], [0, 0, 1.0]])
    assert np.abs(before @ turn.T + [1.0, -2.0, 0.0] - after).max() < 1e-5


def test_it_is_recognised_stylized_and_written(tmp_path: Path, addon: Addon) -> None:
    arrays = files.amass_x(120, 60.0)
    armature = imported(files.write(tmp_path / "in.npz", arrays), update_scene_fps=True, update_scene_duration=True)
    scene = bpy.context.scene
    assert (scene.render.fps, scene.render.fps_base, scene.frame_start, scene.frame_end) == (60, 1.0, 1, 120)
    rig = addon("rig.reader").read_rig(armature)
    assert rig.bone_map.bones == {joint: joint for joint in joint_tree("smplx")[0][:22]}
    # Amount 0 is the file again, whatever the keys.
    assert bpy.ops.panache.stylize(style="elderly", amount=0.0) == {"FINISHED"}
    same = exported(tmp_path / "same.npz")
    assert np.abs(same["poses"] - arrays["poses"]).max() < 1e-5
    assert np.abs(same["trans"] - arrays["trans"]).max() < 1e-6
    bpy.ops.panache.revert()
    assert bpy.ops.panache.stylize(style="elderly") == {"FINISHED"}
    styled = exported(tmp_path / "styled.npz")
    assert list(styled) == list(arrays)
    assert styled["poses"].shape == arrays["poses"].shape
    assert np.abs(styled["pose_body"] - arrays["pose_body"]).max() > 0.01
    assert np.array_equal(styled["poses"][:, 3:66], styled["pose_body"])
    assert np.abs(styled["pose_hand"] - arrays["pose_hand"]).max() < 1e-6


@pytest.mark.parametrize("rate", [29.97, 59.94, 100.0, 119.88])
def test_scene_at_the_files_rate_has_whole_frames(tmp_path: Path, rate: float) -> None:
    armature = imported(files.write(tmp_path / "in.npz", files.amass_h(FRAMES, rate)), update_scene_fps=True)
    times = {point.co.x for curve in rigs.curves_of(armature) for point in curve.keyframe_points}
    assert times == set(range(1, FRAMES + 1))
    render = bpy.context.scene.render
    assert render.fps / render.fps_base == pytest.approx(rate, rel=1e-6)


def test_stylized_between_the_frames_of_the_scene(tmp_path: Path) -> None:
    # Five poses to a frame, as AMASS has them in a film scene: none may be lost.
    arrays = files.amass_h(300, 120.0)
    imported(files.write(tmp_path / "in.npz", arrays))
    assert bpy.ops.panache.stylize(style="elderly", amount=0.0, keys="EVERY_FRAME") == {"FINISHED"}
    same = exported(tmp_path / "same.npz")
    assert np.abs(same["poses"] - arrays["poses"]).max() < 1e-5
    assert np.abs(same["trans"] - arrays["trans"]).max() < 1e-6


def test_a_cut_action_is_a_shorter_file(tmp_path: Path) -> None:
    armature = imported(files.write(tmp_path / "in.npz", files.amass_h(FRAMES, 24.0)))
    for curve in rigs.curves_of(armature):
        for point in reversed(curve.keyframe_points[10:]):
            curve.keyframe_points.remove(point)
    written = exported(tmp_path / "out.npz")
    assert len(written["poses"]) == len(written["trans"]) == 10
    assert "dmpls" not in written


def test_any_humanoid_becomes_amass(tmp_path: Path) -> None:
    armature = rigs.metarig()
    bpy.context.scene.render.fps = 30
    written = exported(tmp_path / "out.npz")
    assert written["poses"].shape == (rigs.FRAMES - 1, 156)
    assert (str(written["gender"]), float(written["mocap_framerate"])) == ("neutral", 30.0)
    body = mean_body("smplh")
    at = {name: i for i, name in enumerate(body.names)}
    world = files.posed(*motion_of(written), body.rest, body.parents)[..., :3, 3]
    for frame in (1, 12, 23):
        bones = shown(armature, frame)
        for start, end, name in (("left_hip", "left_knee", "thigh.L"), ("right_elbow", "right_wrist", "forearm.R")):
            way = world[frame - 1, at[end]] - world[frame - 1, at[start]]
            assert way @ bones[name][:3, 1] / np.linalg.norm(way) > np.cos(np.radians(2.0))


def test_what_was_exported_can_be_imported(tmp_path: Path) -> None:
    rigs.mixamo()
    first = exported(tmp_path / "mixamo.npz")
    imported(tmp_path / "mixamo.npz")
    second = exported(tmp_path / "again.npz")
    assert list(first) == list(second)
    assert np.abs(first["poses"] - second["poses"]).max() < 1e-5


# -- body models -------------------------------------------------------------------------------------------------------


@pytest.fixture
def model_folder(tmp_path: Path, extension: str) -> Iterator[Path]:
    folder = tmp_path / "models"
    folder.mkdir()
    preferences = bpy.context.preferences.addons[extension].preferences
    preferences.body_model_folder = str(folder)
    yield folder
    preferences.body_model_folder = ""


def test_body_model_gives_joints_and_mesh(tmp_path: Path, model_folder: Path) -> None:
    model = files.body_model("smplh")
    files.write(model_folder / "SMPLH_FEMALE.npz", model)
    arrays = files.amass_h(FRAMES, 24.0)
    armature = imported(files.write(tmp_path / "in.npz", arrays))
    skin = armature.children[0]
    vertices = model["v_template"] + model["shapedirs"] @ arrays["betas"]
    rest = model["J_regressor"] @ vertices
    world = files.posed(*motion_of(arrays), rest, joint_tree("smplh")[1])
    wanted = files.skinned(vertices, model["weights"], world, rest)
    assert len(skin.data.polygons) == len(model["f"])
    lowest = min((skin.matrix_world @ vertex.co).z for vertex in skin.data.vertices)
    assert lowest == pytest.approx(0.0, abs=1e-6)
    for i in (0, 11, FRAMES - 1):
        bones = shown(armature, 1 + i)
        for j, name in enumerate(joint_tree("smplh")[0]):
            assert np.abs(bones[name][:3, 3] - world[i, j, :3, 3]).max() < 1e-5
        evaluated = skin.evaluated_get(bpy.context.evaluated_depsgraph_get())
        points = np.array([evaluated.matrix_world @ vertex.co for vertex in evaluated.data.vertices])
        assert np.abs(points - wanted[i]).max() < 2e-5
    poses, trans = motion_of(exported(tmp_path / "out.npz"))
    assert np.abs(poses - motion_of(arrays)[0]).max() < 1e-5
    assert np.abs(trans - arrays["trans"]).max() < 1e-6


def test_without_a_fitting_model_it_is_the_mean_skeleton(tmp_path: Path, model_folder: Path) -> None:
    path = files.write(tmp_path / "in.npz", files.amass_h(FRAMES))
    files.write(model_folder / "SMPLX_NEUTRAL.npz", files.body_model("smplx", 20))
    assert not imported(path).children
    files.write(model_folder / "SMPLH_NEUTRAL.npz", files.body_model("smplh"))
    assert not imported(path, use_body_model=False).children
    assert imported(path).children


def test_bad_body_models_are_refused(tmp_path: Path, model_folder: Path) -> None:
    path = files.write(tmp_path / "in.npz", files.amass_h(FRAMES))
    (model_folder / "SMPLH_NEUTRAL.pkl").write_bytes(b"never opened")
    refused("pickle", path)
    files.write(model_folder / "SMPLH_NEUTRAL.npz", {"v_template": np.zeros((3, 3))})
    refused("no body model", path)


# -- refusals ----------------------------------------------------------------------------------------------------------


def refused(sentence: str, path: Path) -> None:
    before = scene_state()
    with pytest.raises(RuntimeError, match=sentence):
        bpy.ops.panache.import_smpl(filepath=str(path))
    assert scene_state() == before


def test_bad_files_are_refused(tmp_path: Path) -> None:
    rigs.mixamo()
    bpy.context.scene.frame_set(3, subframe=0.5)
    bpy.ops.object.mode_set(mode="POSE")
    (tmp_path / "text.npz").write_text("hello")
    (tmp_path / "empty.npz").write_bytes(b"")
    refused("not an .npz", tmp_path / "text.npz")
    refused("not an .npz", tmp_path / "empty.npz")
    refused("cannot be read", tmp_path / "absent.npz")
    good = files.amass_h(5)
    refused("pickle", files.write(tmp_path / "a.npz", good | {"poses": np.array([{}] * 5, dtype=object)}))
    refused("no root translation", files.write(tmp_path / "b.npz", {"poses": good["poses"]}))
    refused("numbers a frame", files.write(tmp_path / "c.npz", good | {"poses": np.zeros((5, 9))}))
    refused("NaN", files.write(tmp_path / "d.npz", good | {"trans": np.full((5, 3), np.nan)}))


def test_export_refusals_write_nothing(tmp_path: Path) -> None:
    target = tmp_path / "out.npz"
    with pytest.raises(RuntimeError, match="Select the armature"):
        bpy.ops.panache.export_smpl(filepath=str(target))
    armature = imported(files.write(tmp_path / "in.npz", files.amass_h(FRAMES)))
    with pytest.raises(RuntimeError, match="cannot be written"):
        bpy.ops.panache.export_smpl(filepath=str(tmp_path / "absent" / "out.npz"))
    armature.data.bones["left_knee"].name = "Knie"
    with pytest.raises(RuntimeError, match="left_knee"):
        bpy.ops.panache.export_smpl(filepath=str(target))
    assert [path.name for path in tmp_path.iterdir()] == ["in.npz"]


def test_undo_of_an_import_is_one_step(tmp_path: Path) -> None:
    path = files.write(tmp_path / "in.npz", files.amass_h(FRAMES))
    bpy.ops.ed.undo_push(message="before")
    bpy.ops.panache.import_smpl("EXEC_DEFAULT", True, filepath=str(path))
    assert len(bpy.data.armatures) == 1
    bpy.ops.ed.undo()
    assert len(bpy.data.armatures) == 0


def test_menus_offer_both() -> None:
    for menu, name in (("TOPBAR_MT_file_import", "draw_import"), ("TOPBAR_MT_file_export", "draw_export")):
        assert name in [draw.__name__ for draw in getattr(bpy.types, menu)._dyn_ui_initialize()]
