# SPDX-License-Identifier: GPL-3.0-or-later
"""Every refusal is one sentence, and leaves the scene exactly as it was."""

from collections.abc import Callable, Iterator
from pathlib import Path

import bpy
import numpy as np
import pytest

from . import rigs
from .snapshot import keys_of, scene_state
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


@pytest.mark.parametrize("lost", ["UpLeg", "Arm", "LeftLeg"])
def test_missing_limbs(lost: str) -> None:
    armature = rigs.mixamo()
    bpy.ops.object.mode_set(mode="EDIT")
    bones = armature.data.edit_bones
    gone = {below.name for bone in bones if lost in bone.name for below in (bone, *bone.children_recursive)}
    for name in gone:
        bones.remove(bones[name])
    bpy.ops.object.mode_set(mode="OBJECT")
    refused("No bone was found|not recognised")


def test_single_bone() -> None:
    bpy.ops.object.armature_add()
    rigs.key_all(bpy.context.object, ("QUATERNION",))
    refused("no body")


@pytest.mark.parametrize("kind", ["basic_quadruped", "cat", "horse", "shark"])
def test_animals(kind: str) -> None:
    bpy.ops.preferences.addon_enable(module="rigify")
    getattr(bpy.ops.object, f"armature_{kind}_metarig_add")()
    rigs.key_all(bpy.context.object, ("QUATERNION",))
    refused("four legs|No bone was found|not recognised")


def test_two_characters_in_one_armature() -> None:
    first, second = rigs.mixamo(), rigs.mixamo()
    second.location.x = 2.0
    bpy.context.view_layer.update()
    first.select_set(True)
    bpy.context.view_layer.objects.active = first
    bpy.ops.object.join()
    refused("two characters")


def test_too_short() -> None:
    armature = rigs.mixamo(frames=3)
    refused("at least 5 frames")
    rigs.key_all(armature, ("QUATERNION",), frames=5)
    assert bpy.ops.panache.stylize() == {"FINISHED"}
    assert armature.animation_data.action.frame_range[1] == 5


def test_too_long() -> None:
    armature = rigs.mixamo()
    for curve in rigs.curves_of(armature):
        curve.keyframe_points[-1].co.x = 100_000.0
        curve.update()
    refused("69.4 minutes long, and 20 is the most")
    scene = bpy.context.scene
    scene.use_preview_range, scene.frame_preview_end = True, 30
    assert bpy.ops.panache.stylize() == {"FINISHED"}


def test_preview_range_elsewhere() -> None:
    rigs.mixamo()
    scene = bpy.context.scene
    scene.use_preview_range, scene.frame_preview_start, scene.frame_preview_end = True, 100, 200
    refused("preview range has no frames")


def test_not_a_number() -> None:
    armature = rigs.mixamo()
    curve = next(curve for curve in rigs.curves_of(armature) if "LeftLeg" in curve.data_path)
    curve.keyframe_points[2].co.y = float("nan")
    refused("LeftLeg")


@pytest.mark.parametrize(("value", "sentence"), [("nan", "without a time"), ("inf", "minutes long")])
def test_keys_without_a_time(value: str, sentence: str) -> None:
    armature = rigs.mixamo()
    curve = next(curve for curve in rigs.curves_of(armature) if "LeftLeg" in curve.data_path)
    curve.keyframe_points[-1].co.x = float(value)
    refused(sentence)


def test_object_without_a_place() -> None:
    armature = rigs.mixamo()
    armature.location.z = float("nan")
    refused("not numbers")


def test_bones_without_length() -> None:
    """Blender itself drops bones of no length; short ones, and joints on one point, are no trouble."""
    armature = rigs.mixamo()
    bpy.ops.object.mode_set(mode="EDIT")
    bones = armature.data.edit_bones
    for name in ("LeftUpLeg", "Spine1", "RightHand", "Head"):
        bone = bones[f"mixamorig:{name}"]
        bone.tail = bone.head + (bone.tail - bone.head) * 1e-4
    bpy.ops.object.mode_set(mode="OBJECT")
    assert len(armature.data.bones) == 24
    assert bpy.ops.panache.stylize() == {"FINISHED"}
    assert all(np.isfinite(bone.matrix).all() for bone in armature.pose.bones)


def test_joints_on_one_point() -> None:
    armature = rigs.mixamo()
    bpy.ops.object.mode_set(mode="EDIT")
    bones = armature.data.edit_bones
    knee, thigh = bones["mixamorig:LeftLeg"], bones["mixamorig:LeftUpLeg"]
    knee.head = thigh.head
    bpy.ops.object.mode_set(mode="OBJECT")
    refused("point|length|recognised")


def test_curves_of_bones_that_do_not_exist() -> None:
    armature = rigs.mixamo()
    for bone in armature.data.bones:
        # Renamed behind Blender's back, as when an action of another character is assigned.
        for curve in rigs.curves_of(armature):
            curve.data_path = curve.data_path.replace(f'"{bone.name}"', f'"{bone.name}.old"')
    refused("no keys for bones")


def test_some_curves_of_bones_that_do_not_exist() -> None:
    armature = rigs.mixamo()
    for curve in rigs.curves_of(armature):
        curve.data_path = curve.data_path.replace("finger", "tentacle")
    original = keys_of(armature)
    assert bpy.ops.panache.stylize() == {"FINISHED"}
    strange = {key: keys for key, keys in keys_of(armature).items() if "tentacle" in key[0]}
    assert strange and strange == {key: original[key] for key in strange}


@pytest.mark.parametrize(
    ("scale", "sentence"),
    [((-1, 1, 1), "mirrored"), ((-1, -1, -1), "mirrored"), ((1, 0, 1), "to zero"), ((1, 1, 1.5), "unevenly")],
)
@pytest.mark.parametrize("keyed", [False, True])
def test_object_scales(scale: tuple[float, float, float], sentence: str, keyed: bool) -> None:
    armature = rigs.mixamo()
    if keyed:
        armature.keyframe_insert("scale", frame=1)
    armature.scale = scale
    if keyed:
        armature.keyframe_insert("scale", frame=12)
    refused(sentence)


def test_sheared_by_its_parent() -> None:
    armature, parent = rigs.mixamo(), bpy.data.objects.new("Parent", None)
    bpy.context.scene.collection.objects.link(parent)
    armature.parent, parent.scale, armature.rotation_euler = parent, (1.0, 2.0, 1.0), (0.0, 0.0, 0.7)
    refused("unevenly")


@pytest.mark.parametrize(("scale", "sentence"), [(0.0, "scaled to zero"), (-1.0, "negative scale")])
@pytest.mark.parametrize("stepped", [False, True])
def test_bone_scales(scale: float, sentence: str, stepped: bool) -> None:
    armature = rigs.mixamo()
    armature.pose.bones["mixamorig:LeftLeg"].scale.x = scale
    armature.data.bones["mixamorig:Head"].use_inherit_rotation = not stepped
    refused(f"mixamorig:LeftLeg.*{sentence}")


def test_rotation_mode_with_keys() -> None:
    armature = rigs.mixamo()
    armature.pose.bones["mixamorig:LeftLeg"].keyframe_insert("rotation_mode", frame=1)
    refused("mixamorig:LeftLeg.*rotation mode")


def test_rest_position() -> None:
    rigs.mixamo().data.pose_position = "REST"
    refused("rest position")


def hide_object(armature: bpy.types.Object) -> None:
    armature.hide_viewport = True


def hide_collection(armature: bpy.types.Object) -> None:
    inner, outer = bpy.data.collections.new("Inner"), bpy.data.collections.new("Outer")
    bpy.context.scene.collection.children.link(outer)
    outer.children.link(inner)
    inner.objects.link(armature)
    bpy.context.scene.collection.objects.unlink(armature)
    outer.hide_viewport = True
    bpy.context.view_layer.objects.active = armature


@pytest.mark.parametrize("hide", [hide_object, hide_collection])
def test_disabled_in_viewports(hide: Callable[[bpy.types.Object], None]) -> None:
    """Blender does not evaluate such an armature: frames that must be played cannot be."""
    armature = rigs.mixamo()
    armature.data.bones["mixamorig:Head"].use_inherit_rotation = False
    hide(armature)
    refused("disabled in viewports")
    armature.data.bones["mixamorig:Head"].use_inherit_rotation = True
    assert bpy.ops.panache.stylize() == {"FINISHED"}


def test_everything_muted() -> None:
    armature = rigs.mixamo()
    for curve in rigs.curves_of(armature):
        curve.mute = True
    refused("no keys for bones")


def test_curves_without_keys() -> None:
    armature = rigs.mixamo()
    for curve in rigs.curves_of(armature):
        curve.keyframe_points.clear()
    refused("no keys for bones")


@pytest.mark.skipif(bpy.app.version < (4, 4, 0), reason="actions have no slots before Blender 4.4")
def test_no_slot() -> None:
    armature = rigs.mixamo()
    armature.animation_data.action_slot = None
    refused("no keys for bones.*slot")


def test_linked_armature(tmp_path: Path) -> None:
    link(rigs.mixamo(), tmp_path)
    refused("linked.*library override")


def test_locked_override(tmp_path: Path) -> None:
    armature = link(rigs.mixamo(), tmp_path)
    override = armature.override_create(remap_local_usages=True)
    bpy.context.view_layer.objects.active = override
    override.override_library.is_system_override = True
    refused("locked library override")


def link(armature: bpy.types.Object, folder: Path) -> bpy.types.Object:
    """Put the armature into a library file and link it from there, in place of itself."""
    path = folder / "library.blend"
    bpy.data.libraries.write(str(path), {armature})
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    with bpy.data.libraries.load(str(path), link=True) as (_, target):
        target.objects = ["Character"]
    linked = target.objects[0]
    bpy.context.scene.collection.objects.link(linked)
    bpy.context.view_layer.objects.active = linked
    bpy.context.view_layer.update()
    return linked


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
    constraint.use_limit_x = constraint.use_limit_y = constraint.use_limit_z = True
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
