# SPDX-License-Identifier: GPL-3.0-or-later
"""SMPL files as rig motion and back; bodies by hand-made arithmetic; every bad file is a sentence."""

import re
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.calibration import calibrate
from core.matching import BoneMap, match_bones
from core.retarget import to_motion
from core.rig import RigMotion, RigSkeleton
from core.rotations import from_frame, from_matrix, from_rotation_vector, to_matrix
from core.skeleton import JOINTS
from core.smpl import (
    MODELS,
    SmplClip,
    SmplFileError,
    SmplPath,
    amass_template,
    bone_shape,
    fill_template,
    find_body_model,
    guess_up_axis,
    joint_tree,
    mean_body,
    off_bones,
    on_bones,
    read_body_model,
    read_smpl,
    smpl_from_humanoid,
)
from core.smpl.rig import UpAxis, plain_skeleton, to_rig_motion

from . import smpl_files as files
from .characters import MIXAMO, RigStyle, rig, walk

FILES: dict[str, Callable[[], files.Arrays]] = {
    "amass_h": files.amass_h,
    "amass_x": files.amass_x,
    "smplify": files.smplify,
}
# Armature space of a Z-up program to core's world.
UPRIGHT = np.array([[1.0, 0, 0, 0], [0, 0, 1.0, 0], [0, -1.0, 0, 0], [0, 0, 0, 1.0]])


def pointing_bones(model: str) -> RigSkeleton:
    """Bones as an importer builds them: Z up, each along its own way."""
    body = mean_body(model)
    shape = bone_shape(body)
    rest = np.tile(np.eye(4), (len(body.names), 1, 1))
    frames = to_matrix(from_frame(shape.tails - shape.heads, shape.fronts))
    rest[:, :3, :3] = UPRIGHT[:3, :3].T @ frames[..., [2, 0, 1]]
    rest[:, :3, 3] = shape.heads @ UPRIGHT[:3, :3]
    return RigSkeleton(body.names, body.parents, rest, np.linalg.norm(shape.tails - shape.heads, axis=-1))


@pytest.mark.parametrize("kind", FILES)
def test_file_to_bones_to_file(tmp_path: Path, kind: str) -> None:
    arrays = FILES[kind]()
    clip = read_smpl(files.write(tmp_path / "in.npz", arrays))
    clip = clip if clip.fps else replace(clip, fps=30.0)
    body, up_axis = mean_body(clip.model), guess_up_axis(clip)
    motion = on_bones(clip, body, up_axis, pointing_bones(clip.model), UPRIGHT)
    poses, trans = off_bones(motion, clip.model, UPRIGHT, SmplPath(up_axis, body.rest[0]))
    data, stale = fill_template(clip.template, poses, trans, clip.fps)
    assert stale == ()
    out = tmp_path / "out.npz"
    out.write_bytes(data)
    # These are files of this test's own making.
    with np.load(out, allow_pickle=True) as written:
        assert list(written) == list(arrays)
        for name, array in arrays.items():
            assert (written[name].shape, written[name].dtype) == (array.shape, array.dtype)
            if array.dtype.kind == "f":
                np.testing.assert_allclose(written[name], array, atol=1e-6 if array.dtype == np.float32 else 1e-9)
            else:
                assert np.array_equal(written[name], array)


@pytest.mark.parametrize("up_axis", ["Z", "Y", "-Y"])
def test_bones_are_where_matrices_say(up_axis: UpAxis) -> None:
    body = mean_body("smplx")
    poses, trans = files.walk_poses("smplx", 5), files.walk_path(5)
    clip = replace(resting(), model="smplx", poses=poses, trans=trans)
    world = files.posed(poses, trans, body.rest, body.parents)
    turn = {"Z": UPRIGHT[:3, :3], "Y": np.eye(3), "-Y": np.diag([1.0, -1.0, -1.0])}[up_axis]
    for motion in (
        to_rig_motion(clip, body, up_axis),
        on_bones(clip, body, up_axis, pointing_bones("smplx"), UPRIGHT),
    ):
        _, heads = motion.world()
        np.testing.assert_allclose(heads, world[..., :3, 3] @ turn.T, atol=1e-12)
    rotations, _ = to_rig_motion(clip, body, up_axis).world()
    np.testing.assert_allclose(to_matrix(rotations), turn @ world[..., :3, :3], atol=1e-12)


def resting() -> SmplClip:
    """One frame of the rest pose."""
    return SmplClip("smplh", 30.0, np.zeros((1, 52, 3)), np.zeros((1, 3)), np.zeros(10), "neutral", amass_template(30))


@pytest.mark.parametrize("axis", ["Z", "Y", "-Y"])
def test_up_axis_is_where_the_head_is(axis: str) -> None:
    # A half turn about X brings Y to -Y, a quarter turn to Z.
    angle = {"Z": np.pi / 2, "Y": 0.0, "-Y": np.pi}[axis]
    poses = np.zeros((10, 52, 3))
    poses[:, 0] = np.outer(angle + np.linspace(-0.6, 0.6, 10), [1.0, 0.0, 0.0])
    assert guess_up_axis(replace(resting(), poses=poses)) == axis
    # The body's up along X: nobody can say which way is up.
    poses[:, 0] = [0.0, 0.0, -np.pi / 2]
    assert guess_up_axis(replace(resting(), poses=poses)) == "Z"


def test_mean_skeletons_are_bodies() -> None:
    for model in MODELS:
        body = mean_body(model)
        skeleton = plain_skeleton(body)
        found = match_bones(skeleton)
        assert found.bones == {joint: joint for joint in JOINTS}
        at = {name: body.rest[i] for i, name in enumerate(body.names)}
        for name, point in at.items():
            twin = at.get(name.replace("left", "right"), point)
            # Mirrored to 3 cm; the models are averages of real, uneven people.
            if name != name.replace("left", "right"):
                np.testing.assert_allclose(point * [-1, 1, 1], twin, atol=0.035)
                assert point[0] > 0 > twin[0]
        assert at["head"][1] > at["neck"][1] > at["pelvis"][1] > at["left_knee"][1] > at["left_ankle"][1]
        height = at["head"][1] - at["left_foot"][1]
        assert 1.4 < height < 1.6
    assert [len(joint_tree(model)[0]) for model in MODELS] == [24, 52, 55]


def test_bones_stand_on_the_ground_and_have_length() -> None:
    for model in MODELS:
        shape = bone_shape(mean_body(model))
        lengths = np.linalg.norm(shape.tails - shape.heads, axis=-1)
        assert lengths.min() > 0.005
        assert shape.heads[:, 1].min() == pytest.approx(0.03)


@pytest.mark.parametrize("gender", [np.array("male"), np.array(b"male"), np.array(["MALE"]), np.array("b'male'")])
def test_gender_is_read_however_it_is_spelled(tmp_path: Path, gender: np.ndarray) -> None:
    assert read_smpl(files.write(tmp_path / "a.npz", files.amass_h(3) | {"gender": gender})).gender == "male"


def test_another_length_leaves_out_what_no_longer_fits(tmp_path: Path) -> None:
    clip = read_smpl(files.write(tmp_path / "a.npz", files.amass_h(20) | {"betas": np.zeros(20)}))
    data, stale = fill_template(clip.template, clip.poses[:10], clip.trans[:10], 120.0)
    assert stale == ("dmpls",)
    (tmp_path / "b.npz").write_bytes(data)
    with np.load(tmp_path / "b.npz") as written:
        assert set(written) == {"trans", "gender", "mocap_framerate", "betas", "poses"}
        assert len(written["poses"]) == 10
    clip = read_smpl(files.write(tmp_path / "c.npz", files.amass_x(20)))
    data, stale = fill_template(clip.template, clip.poses[:10], clip.trans[:10], 120.0)
    (tmp_path / "d.npz").write_bytes(data)
    assert stale == ()
    with np.load(tmp_path / "d.npz") as written:
        assert written["mocap_time_length"] == pytest.approx(10 / 120)


def test_hands_as_principal_components_stay_as_they_are(tmp_path: Path) -> None:
    arrays = files.smplify(8)
    arrays["body_pose"] = arrays["body_pose"][:, :21]
    arrays["left_hand_pose"] = np.ones((8, 12), np.float32)
    clip = read_smpl(files.write(tmp_path / "a.npz", arrays))
    assert clip.model == "smplx"
    assert not clip.poses[:, 22:].any()
    data, _ = fill_template(clip.template, clip.poses, clip.trans, 30.0)
    (tmp_path / "b.npz").write_bytes(data)
    with np.load(tmp_path / "b.npz") as written:
        assert np.array_equal(written["left_hand_pose"], arrays["left_hand_pose"])


def spoiled(name: str, value: np.ndarray | None) -> files.Arrays:
    arrays = files.amass_h(5) | {name: value}
    return {key: array for key, array in arrays.items() if array is not None}


NAN = np.full((5, 3), np.nan)
BAD_ARRAYS: dict[str, tuple[files.Arrays, str]] = {
    "pickled poses": (spoiled("poses", np.array([{"a": 1}] * 5, dtype=object)), "pickle"),
    "no poses": (spoiled("poses", None), "no body pose"),
    "no translation": (spoiled("trans", None), "no root translation"),
    "wrong width": (spoiled("poses", np.zeros((5, 100))), "100 numbers a frame"),
    "matrices": (spoiled("poses", np.zeros((5, 52, 3, 3))), "axis-angle"),
    "other length": (spoiled("trans", np.zeros((4, 3))), "number of frames"),
    "no frames": (spoiled("trans", np.zeros((0, 3))) | {"poses": np.zeros((0, 156))}, "no frames"),
    "not a number": (spoiled("trans", NAN), "NaN"),
    "text for numbers": (spoiled("trans", np.full((5, 3), "a")), "no numbers"),
    "no rate": (spoiled("mocap_framerate", np.array(0.0)), "frames per second"),
    "infinite rate": (spoiled("mocap_framerate", np.array(np.inf)), "NaN"),
    "one row of poses": (spoiled("poses", np.zeros(156)), "no body pose"),
    "something else": ({"image": np.zeros((5, 5))}, "no body pose"),
}


@pytest.mark.parametrize("case", BAD_ARRAYS)
def test_bad_arrays_are_a_sentence(tmp_path: Path, case: str) -> None:
    arrays, sentence = BAD_ARRAYS[case]
    with pytest.raises(SmplFileError, match=sentence) as caught:
        read_smpl(files.write(tmp_path / "bad.npz", arrays))
    assert re.fullmatch(r"[^\n]+[.]", str(caught.value))


def bad_files(folder: Path) -> dict[str, tuple[Path, str]]:
    whole = files.write(folder / "whole.npz", files.amass_h(5)).read_bytes()
    contents = {
        "empty.npz": b"",
        "text.npz": b"not a zip at all",
        "cut.npz": whole[: len(whole) // 2],
        "flipped.npz": whole[:2000] + bytes(byte ^ 255 for byte in whole[2000:2100]) + whole[2100:],
    }
    for name, data in contents.items():
        (folder / name).write_bytes(data)
    np.save(folder / "single.npy", np.zeros(3))
    with zipfile.ZipFile(folder / "other.npz", "w") as archive:
        archive.writestr("readme.txt", "hello")
    cases = {name: (folder / name, "not an .npz file|damaged") for name in (*contents, "single.npy")}
    return cases | {
        "other.npz": (folder / "other.npz", "no arrays"),
        "absent": (folder / "absent.npz", "cannot be read"),
        "folder": (folder, "cannot be read"),
    }


def test_bad_files_are_a_sentence(tmp_path: Path) -> None:
    for path, sentence in bad_files(tmp_path).values():
        with pytest.raises(SmplFileError, match=sentence):
            read_smpl(path)


# -- body models -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("model", "shapes", "used"), [("smplh", 16, 16), ("smplx", 20, 10), ("smplx", 400, 16)])
def test_body_model_by_hand(tmp_path: Path, model: str, shapes: int, used: int) -> None:
    arrays = files.body_model(model, shapes)
    path = files.write(tmp_path / "m.npz", arrays)
    betas = np.random.default_rng(1).normal(size=16)
    mesh = read_body_model(path, model, betas)
    vertices = arrays["v_template"] + sum(arrays["shapedirs"][..., k] * betas[k] for k in range(used))
    np.testing.assert_allclose(mesh.vertices, vertices, atol=1e-12)
    # The regressor of this model takes the middle of a joint's six corners.
    np.testing.assert_allclose(mesh.body.rest, vertices.reshape(-1, 6, 3).mean(axis=1), atol=1e-12)
    assert mesh.body.names == joint_tree(model)[0]


def test_body_models_are_found_by_gender(tmp_path: Path) -> None:
    (tmp_path / "models" / "smplx").mkdir(parents=True)
    (tmp_path / "smplh" / "neutral").mkdir(parents=True)
    x = files.write(tmp_path / "models" / "smplx" / "SMPLX_NEUTRAL.npz", {"a": np.zeros(1)})
    h = files.write(tmp_path / "smplh" / "neutral" / "model.npz", {"a": np.zeros(1)})
    assert find_body_model(tmp_path, "smplx", "female") == x
    assert find_body_model(tmp_path, "smplh", "neutral") == h
    assert find_body_model(tmp_path, "smpl", "neutral") is None
    (tmp_path / "SMPL_MALE.pkl").write_bytes(b"never opened")
    with pytest.raises(SmplFileError, match="pickle"):
        find_body_model(tmp_path, "smpl", "male")
    with pytest.raises(SmplFileError, match="no folder"):
        find_body_model(tmp_path / "gone", "smpl", "male")


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("weights", None, "lacks weights"),
        ("weights", np.zeros((3, 52)), "weights"),
        ("J_regressor", np.full((52, 312), np.nan), "J_regressor"),
        ("kintree_table", np.zeros((2, 52), int), "kintree_table"),
        ("f", np.full((4, 3), 999), '"f"'),
        ("shapedirs", np.zeros((312, 3)), "shapedirs"),
    ],
)
def test_bad_body_models_are_a_sentence(tmp_path: Path, name: str, value: np.ndarray | None, sentence: str) -> None:
    arrays = {key: array for key, array in (files.body_model() | {name: value}).items() if array is not None}
    with pytest.raises(SmplFileError, match=sentence):
        read_body_model(files.write(tmp_path / "m.npz", arrays), "smplh", np.zeros(10))


# -- other rigs --------------------------------------------------------------------------------------------------------


def test_any_humanoid_as_smpl() -> None:
    motion = walk(40)
    clip, bones = rig(RigStyle(), motion), BoneMap(MIXAMO)
    poses, trans = smpl_from_humanoid(clip, bones)
    assert poses.shape == (40, 52, 3)
    body = mean_body("smplh")
    world = files.posed(poses, trans, body.rest, body.parents)[..., :3, 3] @ UPRIGHT[:3, :3].T
    before = to_motion(clip, calibrate(clip, bones)).positions()
    at = {name: i for i, name in enumerate(JOINTS)}
    for start, end in (("hip", "knee"), ("knee", "ankle"), ("shoulder", "elbow"), ("elbow", "wrist")):
        for side in ("left", "right"):
            a, b = at[f"{side}_{start}"], at[f"{side}_{end}"]
            cosine = np.sum(unit(world[:, b] - world[:, a]) * unit(before[:, b] - before[:, a]), axis=-1)
            assert np.degrees(np.arccos(np.clip(cosine, -1, 1))).max() < 2.0
    feet = [at[f"{side}_{joint}"] for side in ("left", "right") for joint in ("ankle", "foot")]
    assert abs(np.median(world[:, feet, 1].min(axis=1) - before[:, feet, 1].min(axis=1))) < 0.02
    assert np.ptp(world[:, 0, 2]) == pytest.approx(np.ptp(before[:, 0, 2]), rel=0.1)


def test_smpl_itself_goes_through_the_joints_unchanged() -> None:
    body = mean_body("smplh")
    clip = replace(resting(), poses=files.walk_poses("smplh", 20), trans=files.walk_path(20))
    motion: RigMotion = to_rig_motion(clip, body, "Z")
    poses, trans = smpl_from_humanoid(motion, BoneMap({joint: joint for joint in JOINTS}))
    assert rotation_gap(poses[:, :22], clip.poses[:, :22]) < 1e-6
    np.testing.assert_allclose(trans, clip.trans, atol=1e-6)


def test_another_bodys_back_is_not_bent_into_shape() -> None:
    # SMPL-X's spine is curved otherwise than SMPL-H's: at rest both stand at ease.
    clip = replace(resting(), model="smplx", poses=np.zeros((4, 55, 3)), trans=np.zeros((4, 3)))
    motion = to_rig_motion(clip, mean_body("smplx"), "Y")
    poses, _ = smpl_from_humanoid(motion, BoneMap({joint: joint for joint in JOINTS}))
    at = {name: i for i, name in enumerate(JOINTS)}
    for joint in ("spine1", "spine2", "spine3", "neck", "head"):
        assert np.degrees(np.linalg.norm(poses[:, at[joint]], axis=-1)).max() < 1e-6


def rotation_gap(a: np.ndarray, b: np.ndarray) -> float:
    """Largest difference of two arrays of axis-angle vectors, radians."""
    first, second = (to_matrix(from_rotation_vector(vectors)) for vectors in (a, b))
    between = from_matrix(np.swapaxes(first, -1, -2) @ second)
    return float(2.0 * np.linalg.norm(between[..., 1:], axis=-1).max())


def unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
