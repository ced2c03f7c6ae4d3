# SPDX-License-Identifier: GPL-3.0-or-later
"""The way over the floor, keyed on the object, on a root bone or on the hips, is right in the world."""

from collections.abc import Callable
from types import ModuleType
from typing import Any

import bpy
import numpy as np
import pytest

from . import rigs
from .snapshot import keys_of
from .stage import bone_index, hips_of, shown

pytestmark = pytest.mark.usefixtures("empty_scene")
Addon = Callable[[str], ModuleType]


def with_root_bone(travel: float = 3.0) -> bpy.types.Object:
    """A walk whose way is keyed on a bone above the hips."""
    armature = rigs.mixamo(frames=60)
    bpy.ops.object.mode_set(mode="EDIT")
    bones = armature.data.edit_bones
    root = bones.new("root")
    root.head, root.tail = (0.0, 0.0, 0.0), (0.0, 0.3, 0.0)
    hips_of(bones).parent = root
    bpy.ops.object.mode_set(mode="OBJECT")
    key_way(armature.pose.bones["root"], travel)
    rigs.place(armature, 1.0)
    return armature


def key_way(owner: Any, travel: float) -> None:
    """Location keys of a bone or an object that lead 3 m away, round a bend."""
    for frame in range(1, 61, 4):
        owner.location = (travel * frame / 60.0, 0.3 * np.sin(frame / 15.0), 0.2 * np.sin(frame / 9.0))
        owner.keyframe_insert("location", frame=frame)


def moving_object() -> bpy.types.Object:
    armature = rigs.mixamo(frames=60)
    key_way(armature, 3.0)
    return armature


def moving_hips() -> bpy.types.Object:
    armature = rigs.mixamo(frames=60)
    key_way(hips_of(armature.pose.bones), 3.0)
    return armature


@pytest.mark.parametrize("build", [with_root_bone, moving_object, moving_hips])
@pytest.mark.parametrize("root", ["KEEP", "PREDICTED", "IN_PLACE"])
def test_the_way_is_right_in_the_world(addon: Addon, build: Callable[[], bpy.types.Object], root: str) -> None:
    assert largest_gap_to_computed(addon, build(), root) < 1e-4


def largest_gap_to_computed(addon: Addon, armature: bpy.types.Object, root: str) -> float:
    """Stylize, and compare the heads of the mapped bones in the world with what core computed, metres."""
    reader, backend, context = addon("rig.reader"), addon("backend"), bpy.context
    rig = reader.read_rig(armature)
    reading = reader.read_clip(context, addon("rig.take").active_take(context), rig)
    settings = backend.StyleSettings(style="exhausted", amount=1.5, root=root)
    wanted = backend.run(backend.Clip(reading.motion, reading.bone_map, reading.cyclic), None, settings).motion
    bpy.ops.panache.stylize(style="exhausted", amount=1.5, root=root, keys="EVERY_FRAME")
    played = reader.read_clip(context, addon("rig.take").active_take(context), rig).motion
    mapped = [wanted.skeleton.index[name] for name in rig.bone_map.bones.values()]
    return float(np.abs(wanted.world()[1] - played.world()[1])[:, mapped].max())


def test_a_root_bone_keeps_the_root_motion() -> None:
    armature = with_root_bone()
    before, path = keys_of(armature), armature.pose.bones["root"].path_from_id("location")
    original = gap_and_root(armature)
    for root in ("KEEP", "PREDICTED", "IN_PLACE"):
        bpy.ops.panache.stylize(style="exhausted", root=root, keys="EVERY_FRAME")
        after, (gap, way) = keys_of(armature), gap_and_root(armature)
        assert all(after[path, axis] == before[path, axis] for axis in range(3)) == (root == "KEEP")
        if root == "IN_PLACE":
            assert np.abs(way - way[0]).max() < 1e-4
        else:
            assert np.abs(gap - original[0])[[0, -1]].max() < 1e-3
    assert np.ptp(original[1], axis=0).max() > 2.0


def gap_and_root(armature: bpy.types.Object) -> tuple[np.ndarray, np.ndarray]:
    """(T, 2) over the floor: from the root bone to the hips, and the root bone itself."""
    heads = shown(armature, range(1, 60))[:, :, :2, 3]
    root, hips = bone_index(armature, "root"), bone_index(armature, hips_of(armature.pose.bones).name)
    return heads[:, hips] - heads[:, root], heads[:, root]


def test_hips_that_hang_on_a_root_bone(addon: Addon) -> None:
    """Connected bones ignore their location: the bone above has to take the change."""
    armature = with_root_bone()
    bpy.ops.object.mode_set(mode="EDIT")
    hips = hips_of(armature.data.edit_bones)
    hips.parent.tail = hips.head
    hips.use_connect = True
    bpy.ops.object.mode_set(mode="OBJECT")
    assert largest_gap_to_computed(addon, armature, "IN_PLACE") < 1e-4


def test_object_level_and_foreign_curves_stay() -> None:
    armature = moving_object()
    armature["mood"] = 1.0
    for frame in (1, 20, 40):
        armature["mood"] = frame / 10.0
        armature.keyframe_insert('["mood"]', frame=frame)
    before = keys_of(armature)
    bpy.ops.panache.stylize(style="active")
    after = keys_of(armature)
    own = {key for key in before if key[0] in ("location", '["mood"]')}
    assert len(own) == 4
    assert {key: after[key] for key in own} == {key: before[key] for key in own}
