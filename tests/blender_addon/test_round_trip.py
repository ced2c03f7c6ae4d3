# SPDX-License-Identifier: GPL-3.0-or-later
"""Rig to 22 joints to rig, without a model: what comes back is what Blender itself shows, twist included."""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import bpy
import numpy as np
import pytest

from scripts.evaluation.retarget_motion import give_motion
from scripts.evaluation.retarget_rigs import empty_file, load_rig
from scripts.evaluation.retarget_sources import RigSource

from .mpfb import mpfb_rig
from .rigs import metarig, place, walk_bvh

pytestmark = pytest.mark.usefixtures("empty_scene")

Addon = Callable[[str], ModuleType]
EULER = ("XYZ", "ZYX", "YXZ")


@pytest.mark.parametrize("scale", [0.01, 1.0, 100.0])
@pytest.mark.parametrize("mode", ["QUATERNION", "NATIVE"])
def test_bandai_namco_bvh(addon: Addon, extension: str, mode: str, scale: float) -> None:
    # Native: the Euler order of the file.
    check_round_trip(addon, extension, walk_bvh(0.01, mode), scale)


@pytest.mark.parametrize("scale", [0.01, 1.0, 100.0])
@pytest.mark.parametrize("modes", [("QUATERNION",), EULER])
def test_rigify_metarig(addon: Addon, extension: str, modes: tuple[str, ...], scale: float) -> None:
    check_round_trip(addon, extension, metarig(modes), scale)


@pytest.mark.parametrize("scale", [0.01, 1.0, 100.0])
@pytest.mark.parametrize("modes", [("QUATERNION",), EULER])
def test_mpfb_mixamo(
    addon: Addon, extension: str, shared_data: Callable[[str], Path], modes: tuple[str, ...], scale: float
) -> None:
    check_round_trip(addon, extension, mpfb_rig(shared_data("rigs.tar.xz"), "mixamo", modes), scale)


@pytest.mark.parametrize(
    ("archive", "file"),
    [
        ("rigs.tar.xz", "Male_Adult_06.fbx"),  # thighs on the spine, collars on the neck, arms down
        ("rigs.tar.xz", "KnightCharacter.glb"),  # feet on the root
        ("rigs.tar.xz", "Med_MovementBasic.glb"),  # no collars, no neck
        ("rigs.tar.xz", "rig.default.json"),  # five spine bones, two bones in every limb
        ("cmu.tar.xz", "02_01.amc"),  # few degrees of freedom, bones that do not point to their children
        ("cmu.tar.xz", "005_04.bvh"),  # a rest pose that is none
    ],
)
def test_real_rigs(addon: Addon, extension: str, shared_data: Callable[[str], Path], archive: str, file: str) -> None:
    path = next(shared_data(archive).rglob(file))
    armature = load_rig(RigSource(path.stem, path.suffix, path))
    if armature.animation_data is None or armature.animation_data.action is None:
        assert give_motion(armature) == "walk"
    armature.rotation_mode = "XYZ"
    check_round_trip(addon, extension, armature, armature.scale.x, at_least=18)


def test_the_context_belongs_to_no_scene_that_is_gone() -> None:
    assert bpy.context.layer_collection is not None  # in 4.2, bpy.context is now a part of this file's scene
    empty_file()
    assert bpy.context.id_data in (None, bpy.context.scene)


def check_round_trip(
    addon: Addon, extension: str, armature: bpy.types.Object, scale: float, at_least: int = 20
) -> None:
    """Under 0.1 degree and 0.1 cm of a human-sized character, on every mapped bone and frame."""
    place(armature, scale)
    reading, played, mapped = send_through(addon, extension, armature)
    assert len(mapped) >= at_least
    rotations, heads = blender_pose(addon, armature, reading)
    core = addon("backend").rotations
    angles = np.degrees(core.angle_between(played[0], rotations))[:, mapped]
    gaps = np.linalg.norm(played[1] - heads, axis=-1)[:, mapped] / scale
    print(f"{armature.name} x{scale}: {angles.max():.2g} degrees, {100 * gaps.max():.2g} cm")  # noqa: T201 - figures for whoever runs it with -s
    assert angles.max() < 0.1
    assert gaps.max() < 0.001


def send_through(addon: Addon, extension: str, armature: bpy.types.Object) -> tuple[Any, Any, list[int]]:
    """The reading, the world pose after the way through the joints, and the indices of the mapped bones."""
    import importlib

    retarget = importlib.import_module(f"{extension}.core.retarget")
    calibration = importlib.import_module(f"{extension}.core.calibration")
    reader, take = addon("rig.reader"), addon("rig.take").active_take(bpy.context)
    reading = reader.read_clip(bpy.context, take, reader.read_rig(armature))
    clip = reading.motion
    mapped = [clip.skeleton.index[name] for name in reading.bone_map.bones.values()]
    constants = calibration.calibrate(clip, reading.bone_map)
    # Nothing of the mapped bones' own channels may leak past the joints into the result.
    rotations, locations = clip.rotations.copy(), clip.locations.copy()
    rotations[:, mapped] = (1.0, 0.0, 0.0, 0.0)
    locations[:, clip.skeleton.index[reading.bone_map.bones["pelvis"]]] = 0.0
    blank = clip.with_channels(rotations, locations)
    return reading, retarget.to_rig(retarget.to_motion(clip, constants), blank, constants).world(), mapped


def blender_pose(addon: Addon, armature: bpy.types.Object, reading: Any) -> tuple[np.ndarray, np.ndarray]:
    """World rotations (T, B, 4) and heads (T, B, 3) of the bones as Blender evaluates them, in core's space."""
    backend, space = addon("backend"), addon("rig.space")
    matrices = []
    for frame in reading.frames:
        bpy.context.scene.frame_set(int(frame), subframe=float(frame) % 1.0)
        bones = armature.pose.bones
        matrices.append([armature.matrix_world @ bones[name].matrix for name in reading.motion.skeleton.names])
    world = space.placement_of(np.array(matrices, dtype=np.float64).reshape(-1, 4, 4)).reshape(len(matrices), -1, 4, 4)
    return backend.rotations.from_matrix(backend.rotation_part(world)), world[..., :3, 3]
