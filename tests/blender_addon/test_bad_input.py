# SPDX-License-Identifier: GPL-3.0-or-later
"""Every refusal is one sentence, and leaves the scene exactly as it was."""

from collections.abc import Callable, Iterator
from pathlib import Path

import bpy
import pytest

from . import rigs
from .snapshot import scene_state
from .weights import write_test_weights

pytestmark = pytest.mark.usefixtures("empty_scene")


def refused(sentence: str, **properties: object) -> None:
    """Blender turns a reported error into an exception when an operator is called from a script."""
    bpy.context.scene.frame_set(3, subframe=0.5)
    before = scene_state()
    with pytest.raises(RuntimeError, match=sentence):
        bpy.ops.panache.stylize(**properties)
    assert scene_state() == before


def test_no_armature() -> None:
    refused("Select the armature")
    empty = bpy.data.objects.new("Empty", None)
    bpy.context.scene.collection.objects.link(empty)
    bpy.context.view_layer.objects.active = empty
    refused("Select the armature")


def test_no_action() -> None:
    armature = rigs.mixamo()
    armature.animation_data.action = None
    refused("no action")
    armature.animation_data_clear()
    refused("no action")


def test_edit_mode() -> None:
    rigs.mixamo()
    bpy.ops.object.mode_set(mode="EDIT")
    refused("Leave Edit Mode")


def test_action_of_something_else() -> None:
    armature = rigs.mixamo()
    other = rigs.walk_bvh()
    armature.animation_data.action = other.animation_data.action
    bpy.context.view_layer.objects.active = armature
    refused("no keys for bones")


def test_unmapped_hip() -> None:
    armature = rigs.mixamo()
    armature.data.bones["mixamorig:Hips"].name = "Thing"
    refused("pelvis")


def test_too_short() -> None:
    rigs.mixamo(frames=7)
    refused("frames")


def test_not_a_number() -> None:
    armature = rigs.mixamo()
    curve = next(curve for curve in rigs.curves_of(armature) if "LeftLeg" in curve.data_path)
    curve.keyframe_points[2].co.y = float("nan")
    refused("LeftLeg")


def test_unknown_style() -> None:
    rigs.mixamo()
    refused('no style "grumpy"', style="grumpy")


def test_missing_reference() -> None:
    rigs.mixamo()
    refused('no action "Nothing"', source="REFERENCE", reference="Nothing")
    refused("action", source="REFERENCE")


def test_constrained_bones() -> None:
    armature = rigs.mixamo()
    constraint = armature.pose.bones["mixamorig:Head"].constraints.new("LIMIT_ROTATION")
    refused("mixamorig:Head")
    constraint.mute = True
    assert bpy.ops.panache.stylize() == {"FINISHED"}


def test_ik_chain_and_driver() -> None:
    armature = rigs.mixamo()
    constraint = armature.pose.bones["finger.left"].constraints.new("IK")
    constraint.target, constraint.chain_count = armature, 3
    constraint.subtarget = "mixamorig:Hips"
    refused("LeftForeArm|LeftHand")
    constraint.influence = 0.0
    armature.pose.bones["mixamorig:Neck"].driver_add("rotation_quaternion", 1)
    refused("mixamorig:Neck")


def test_nla_modes() -> None:
    armature = rigs.mixamo()
    armature.animation_data.action_influence = 0.5
    refused("influence")


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    path = write_test_weights(tmp_path / "own.safetensors")
    monkeypatch.setenv("PANACHE_WEIGHTS", str(path))
    yield path


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def change_version(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"panache-stylizer-1", b"panache-stylizer-9"))


def remove(path: Path) -> None:
    path.unlink()


@pytest.mark.parametrize(
    ("damage", "sentence"), [(truncate, "truncated"), (change_version, "format"), (remove, "cannot be read")]
)
def test_damaged_weights(weights: Path, damage: Callable[[Path], None], sentence: str) -> None:
    rigs.mixamo()
    damage(weights)
    refused(sentence)
