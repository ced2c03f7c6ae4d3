# SPDX-License-Identifier: GPL-3.0-or-later
"""Rigs animated by controls: the mapped bones go where the result wants them, and only the controls are keyed."""

import dataclasses
import importlib
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import bpy
import numpy as np
import pytest

from . import control_rigs, rigs, unusual_rigs
from .snapshot import keys_of, scene_state

pytestmark = pytest.mark.usefixtures("empty_scene")

Addon = Callable[[str], ModuleType]
FRAMES = 10
SIDES = ("left", "right")
ARMS = tuple(f"{side}_{joint}" for side in SIDES for joint in ("shoulder", "elbow"))
LEGS = tuple(f"{side}_{joint}" for side in SIDES for joint in ("hip", "knee"))
ENDS = tuple(f"{side}_{joint}" for side in SIDES for joint in ("wrist", "ankle"))
TRUNK = ("pelvis", "spine3", "neck", "head")


@dataclasses.dataclass(frozen=True)
class Solved:
    """A changed motion on the controls: what was asked for, and what Blender shows.

    Attributes:
        controls: what was found.
        edits: what was returned.
        angles: joint to (T,) degrees that are missing.
        gaps: joint to (T,) missing metres.
        asked: joint to (T,) degrees that were asked for.

    """

    controls: Any
    edits: list[Any]
    angles: dict[str, np.ndarray]
    gaps: dict[str, np.ndarray]
    asked: dict[str, np.ndarray]

    def check(self, joints: Sequence[str], degrees: float = 0.5, metres: float | None = None) -> None:
        for joint in joints:
            assert self.asked[joint].mean() > 3.0, f"{joint} was not asked for much"
            assert self.angles[joint].mean() < degrees, f"{joint}: {self.angles[joint].mean()} degrees"
            if metres is not None:
                assert self.gaps[joint].mean() < metres, f"{joint}: {self.gaps[joint].mean()} m"


@pytest.fixture(scope="session")
def rigify(extension: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    assert extension
    return control_rigs.rigify_blend(tmp_path_factory.mktemp("rigify"))


def walking(addon: Addon, blend: Path, kind: str) -> bpy.types.Object:
    return control_rigs.rigify(control_rigs.walking_blend(addon, blend, kind, FRAMES))


def find(addon: Addon, armature: bpy.types.Object, bone_map: Any = None) -> tuple[Any, Any, Any]:
    """Take, controls and reading."""
    bpy.context.view_layer.objects.active = armature
    reader, take = addon("rig.reader"), addon("rig.take").active_take(bpy.context)
    rig = reader.Rig(reader.read_skeleton(armature), bone_map) if bone_map else reader.read_rig(armature, take)
    controls = addon("rig.controls").find_controls(bpy.context, take, rig)
    return take, controls, reader.read_clip(bpy.context, take, rig)


def solve(addon: Addon, extension: str, armature: bpy.types.Object, bone_map: Any = None) -> Solved:
    """Send a leaning, crouching, arm-raising version of the clip through the controls and look at it."""
    take, controls, reading = find(addon, armature, bone_map)
    result = changed(extension, reading)
    action = take.action.copy()
    edits = addon("rig.controls").solve_controls(bpy.context, reading, result, controls, action)
    slot = addon("compat").same_slot(action, take.slot)
    scratch = addon("rig.controls.scratch").Scratch(take, action, slot, reading.frames)
    scratch.write(edits)
    addon("compat").assign(armature, action, slot)
    steps = addon("rig.stepping").step(bpy.context, armature, reading.frames, controls.bones)
    solving = importlib.import_module(f"{extension}.core.controls_solving")
    rows = [reading.motion.skeleton.index[bone] for bone in controls.bones]
    before, after = (solving.bodies_of(motion.pose[:, rows]) for motion in (reading.motion, result))
    goal, shown = solving.moved_like(controls.joints, before, before, after), solving.bodies_of(steps.pose)
    between = addon("backend").rotations.angle_between
    names, metre = controls.joints.names, float(np.linalg.norm(steps.world[0, :3, 0]))
    return Solved(
        controls,
        edits,
        dict(zip(names, np.degrees(between(shown.turns, goal.turns)).T, strict=True)),
        dict(zip(names, metre * np.linalg.norm(shown.places - goal.places, axis=-1).T, strict=True)),
        dict(zip(names, np.degrees(between(before.turns, goal.turns)).T, strict=True)),
    )


def changed(extension: str, reading: Any) -> Any:
    """The clip bent over, with bent knees and raised arms, turned a little and lower."""
    core = {
        name: importlib.import_module(f"{extension}.core.{name}")
        for name in ("calibration", "retarget", "rotations", "skeleton")
    }
    calibration = core["calibration"].calibrate(reading.motion, reading.bone_map)
    motion = core["retarget"].to_motion(reading.motion, calibration)
    turns = motion.rotations
    turns = bent(core, turns, "pelvis", (0.0, 1.0, 0.0), 8.0)
    turns = bent(core, turns, "spine1", (1.0, 0.0, 0.0), 6.0)
    turns = bent(core, turns, "spine3", (1.0, 0.0, 0.0), 4.0)
    for side, sign in zip(SIDES, (1.0, -1.0), strict=True):
        for joint, axis, angle in (
            ("shoulder", (0.0, 0.0, 1.0), 20.0 * sign),
            ("elbow", (0.0, 1.0, 0.0), -15.0 * sign),
            ("hip", (1.0, 0.0, 0.0), -12.0),
            ("knee", (1.0, 0.0, 0.0), 24.0),
            ("ankle", (1.0, 0.0, 0.0), -12.0),
        ):
            turns = bent(core, turns, f"{side}_{joint}", axis, angle)
    root = motion.root + np.array([0.0, -0.02, 0.0]) * calibration.skeleton.leg_length
    return core["retarget"].to_rig(dataclasses.replace(motion, root=root, rotations=turns), reading.motion, calibration)


def bent(core: dict[str, Any], turns: np.ndarray, joint: str, axis: tuple[float, ...], degrees: float) -> np.ndarray:
    """All rotations after turning one joint, and what hangs on it, about its own axis."""
    rot, index, parents = core["rotations"], core["skeleton"].INDEX, core["skeleton"].PARENTS
    part = [index[joint]]
    part += [j for j, parent in enumerate(parents) if parent in part or _hangs_on(parents, j, index[joint])]
    pivot = turns[:, index[joint]]
    turn = rot.from_axis_angle(np.array(axis), np.full(len(turns), np.radians(degrees)))
    turn = rot.multiply(pivot, rot.multiply(turn, rot.conjugate(pivot)))
    turns = turns.copy()
    part = sorted(set(part))
    turns[:, part] = rot.multiply(turn[:, None], turns[:, part])
    return turns


def _hangs_on(parents: Sequence[int], joint: int, top: int) -> bool:
    while joint >= 0 and joint != top:
        joint = parents[joint]
    return joint == top


def test_rigify_fk(addon: Addon, extension: str, rigify: Path) -> None:
    armature = walking(addon, rigify, "FK")
    armature.location, armature.rotation_euler, armature.scale = (1.0, 2.0, 0.0), (0.0, 0.0, 1.0), (2.0, 2.0, 2.0)
    solved = solve(addon, extension, armature)
    solved.check((*TRUNK, *ARMS, *LEGS, *ENDS))
    assert {edit.bone for edit in solved.edits} <= {name for name, _ in control_rigs.FK}
    # The rig bends the middle of the spine by its own rule, so the arms are where that takes them.
    assert max(gap.max() for gap in solved.gaps.values()) < 0.04
    # FK bones are turned; only the torso travels.
    moved = {e.bone for e in solved.edits if e.name == "location" and not np.array_equal(e.values, e.before)}
    assert moved == {"torso"}


@pytest.mark.parametrize("poles", [False, True])
def test_rigify_ik(addon: Addon, extension: str, rigify: Path, poles: bool) -> None:
    armature = walking(addon, rigify, "IK")
    control_rigs.switch(armature, "pole_vector", poles)
    for side in "LR":
        for name in ("upper_arm_ik", "thigh_ik", "upper_arm_ik_target", "thigh_ik_target", "foot_heel_ik"):
            control_rigs.key_transforms(armature.pose.bones[f"{name}.{side}"], 1)
    solved = solve(addon, extension, armature)
    solved.check(TRUNK)
    solved.check(ENDS, metres=0.005)
    # Limbs are as long as the rig's own stretching makes them, and twist as its IK does: knees and elbows do not flip.
    for joint in (*ARMS, *LEGS):
        assert solved.angles[joint].max() < 15.0
    used = {e.bone.partition(".")[0] for e in solved.edits if not np.array_equal(e.values, e.before)}
    assert {"hand_ik", "foot_ik", "torso", "hips", "chest"} < used
    assert ("thigh_ik_target" in used) == poles
    assert ("thigh_ik" in used) != poles


def test_rigify_switch_within_the_clip(addon: Addon, extension: str, rigify: Path) -> None:
    armature = walking(addon, rigify, "BOTH")
    for side in "LR":
        bone = armature.pose.bones[f"thigh_parent.{side}"]
        for frame, value in ((1, 0.0), (5, 0.0), (6, 1.0), (FRAMES, 1.0)):
            bone["IK_FK"] = value
            bone.keyframe_insert('["IK_FK"]', frame=frame)
    before = keys_of(armature)
    solved = solve(addon, extension, armature)
    assert len(solved.controls.wirings) == 2
    solved.check(("pelvis", "left_ankle", "right_ankle"), metres=0.01)
    assert max(solved.angles[joint].max() for joint in LEGS) < 8.0
    switch = [channel for channel in before if "IK_FK" in channel[0]]
    assert switch and all(keys_of(armature)[channel] == before[channel] for channel in switch)


def test_nothing_asked_nothing_changed(addon: Addon, rigify: Path) -> None:
    armature = walking(addon, rigify, "IK")
    bpy.context.scene.frame_set(5)
    state, custom = scene_state(), dict(armature.pose.bones["thigh_parent.L"].items())
    take, controls, reading = find(addon, armature)
    copy = take.action.copy()
    edits = addon("rig.controls").solve_controls(bpy.context, reading, reading.motion, controls, copy)
    bpy.data.actions.remove(copy)
    assert edits and all(np.array_equal(edit.values, edit.before) for edit in edits)
    assert scene_state() == state
    assert dict(armature.pose.bones["thigh_parent.L"].items()) == custom


def test_copied_transforms(addon: Addon, extension: str) -> None:
    armature, bone_map = control_rigs.copied(addon, rigs.MODES)
    knee = control_rigs.control_of(armature, bone_map.bones["left_knee"])
    knee.rotation_mode = "YXZ"
    knee.lock_rotation = (False, True, True)
    rigs.place(armature, 0.01)
    solved = solve(addon, extension, armature, bone_map)
    free = [joint for joint in (*TRUNK, *ARMS, *LEGS, *ENDS) if joint != "left_knee"]
    solved.check(free, degrees=0.1)
    edit = next(e for e in solved.edits if e.bone == knee.name and e.name == "rotation_euler")
    assert np.array_equal(edit.values[:, 1:], edit.before[:, 1:])
    assert not np.array_equal(edit.values[:, 0], edit.before[:, 0])
    assert not {e.bone for e in solved.edits} & set(bone_map.bones.values())


def test_ik_on_own_bones(addon: Addon, extension: str) -> None:
    armature, bone_map = control_rigs.leg_ik(addon)
    solved = solve(addon, extension, armature, bone_map)
    solved.check((*TRUNK, *ARMS), degrees=0.1)
    solved.check(("left_ankle", "right_ankle"), metres=0.005)
    for joint in LEGS:
        assert solved.gaps[joint].max() < 0.02
    assert not {e.bone for e in solved.edits} & {bone_map.bones[joint] for joint in LEGS}


def test_ik_on_one_leg(addon: Addon, extension: str) -> None:
    """Keyed bones and bones that inverse kinematics moves on one rig: each its own way."""
    solved = solve(addon, extension, *control_rigs.leg_ik(addon, ("left",)))
    solved.check((*TRUNK, *ARMS, *LEGS[2:], *ENDS[2:]), degrees=0.1)
    solved.check(("left_ankle",), metres=0.005)
    assert max(gap.max() for gap in solved.gaps.values()) < 0.02


def test_ik_without_poles(addon: Addon, extension: str) -> None:
    solved = solve(addon, extension, *control_rigs.leg_ik(addon, poles=False))
    solved.check((*TRUNK, *ARMS), degrees=0.1)
    solved.check(("left_ankle", "right_ankle"), metres=0.005)
    # Nobody says where the knees go: they only must not turn over.
    assert max(solved.angles[joint].mean() for joint in LEGS) < 20.0


@pytest.mark.parametrize("kind", ["DAMPED_TRACK", "STRETCH_TO"])
def test_bones_that_point_at_controls(addon: Addon, extension: str, kind: str) -> None:
    solved = solve(addon, extension, *unusual_rigs.tracked(addon, kind))
    solved.check((*TRUNK, *ARMS, *LEGS, *ENDS), degrees=0.1, metres=0.005)


@pytest.mark.parametrize("rig", [unusual_rigs.loose_hand, unusual_rigs.turned_locally])
def test_loose_and_local_ties(addon: Addon, extension: str, rig: Callable[[Addon], unusual_rigs.Mapped]) -> None:
    solved = solve(addon, extension, *rig(addon))
    solved.check([joint for joint in (*TRUNK, *ARMS, *LEGS, *ENDS) if joint != "right_knee"], degrees=0.3)
    assert solved.angles["right_knee"].max() < 1.0


@pytest.mark.parametrize("rig", [unusual_rigs.rooted, unusual_rigs.rooted_feet])
def test_master_bone_keeps_its_keys(addon: Addon, extension: str, rig: Callable[[Addon], unusual_rigs.Mapped]) -> None:
    solved = solve(addon, extension, *rig(addon))
    solved.check((*TRUNK, *ARMS, *ENDS), degrees=0.3)
    solved.check(("pelvis", "left_ankle", "right_ankle"), metres=0.005)
    assert all(np.array_equal(edit.values, edit.before) for edit in solved.edits if edit.bone == "master")


def test_limits_are_kept_and_made_up_for(addon: Addon, extension: str) -> None:
    armature, bone_map = unusual_rigs.limited(addon, 20.0)
    solved = solve(addon, extension, armature, bone_map)
    knee = next(edit for edit in solved.edits if edit.bone == bone_map.bones["right_knee"])
    bent = 2.0 * np.arctan2(knee.values[:, 1], knee.values[:, 0])
    assert np.degrees(np.abs(bent)).max() < 20.01
    assert solved.angles["right_knee"].max() > 5.0
    solved.check([joint for joint in (*TRUNK, *ARMS, *LEGS, *ENDS) if joint != "right_knee"], degrees=0.1)


def test_idle_constraints_hold_nothing(addon: Addon) -> None:
    armature, bone_map = control_rigs.mapped(addon)
    muted, idle = (armature.pose.bones[bone_map.bones[joint]].constraints.new("LIMIT_ROTATION") for joint in LEGS[:2])
    muted.mute, idle.influence = True, 0.0
    muted.use_limit_x = idle.use_limit_x = True
    assert find(addon, armature, bone_map)[1] is None


def test_bones_that_no_control_moves(addon: Addon) -> None:
    armature, bone_map = control_rigs.copied(addon)
    armature.pose.bones[bone_map.bones["left_elbow"]].constraints[0].mute = True
    armature.pose.bones[bone_map.bones["left_elbow"]].driver_add("rotation_quaternion", 1)
    bpy.context.scene.frame_set(3)
    state = scene_state()
    with pytest.raises(addon("rig.take").SetupError, match="LeftForeArm"):
        find(addon, armature, bone_map)
    assert scene_state() == state


def test_free_bones_have_no_controls(addon: Addon) -> None:
    assert find(addon, rigs.mixamo())[1] is None
