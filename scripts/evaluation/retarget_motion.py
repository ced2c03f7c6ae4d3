# SPDX-License-Identifier: GPL-3.0-or-later
"""Gives a rig without animation something to do: a real walk, or, as long as it has no bone map, smooth swings."""

from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import bpy
import numpy as np

from core.calibration import calibrate
from core.calibration_pose import rest_pose
from core.errors import PanacheError
from core.matching import BoneMap, match_bones
from core.motion import Motion
from core.resample import even_times, resample
from core.retarget import rejoin, to_motion, to_rig
from core.rig import RigMotion, RigSkeleton
from core.rotations import Array
from scripts.bvh import read_bvh
from scripts.evaluation.retarget_armature import key_channel
from scripts.evaluation.retarget_rigify import CONTROLS, key_controls

WALK: Final = Path(__file__).resolve().parents[2] / "tests/data/walk_normal.bvh"
_TO_CORE: Final = np.array([[1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0], [0.0, -1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]])
_FRAMES: Final = 75


def give_motion(armature: Any, kind: str = "") -> str:  # noqa: ANN401
    """Key the armature's bones, of Rigify's control rigs the controls; what they do, in a word."""
    if kind in CONTROLS:
        key_controls(armature, CONTROLS[kind], _walk_on)
        return "walk"
    if not _walk_on(armature):
        _swing(armature)
        return "swings"
    return "walk"


def _walk_on(armature: Any) -> bool:  # noqa: ANN401
    """Key a walk on the mapped bones; False if these are not known."""
    skeleton = read_skeleton(armature)
    placement = _TO_CORE @ np.array(armature.matrix_world, dtype=np.float64)
    try:
        bone_map = match_bones(skeleton)
        bone_map.require()
        clip = carried(walk(), skeleton, placement, bone_map)
    except PanacheError:
        return False
    scene: Any = bpy.context.scene
    scene.render.fps, scene.render.fps_base = 30, 1.0
    frames = 1.0 + clip.times * scene.render.fps / scene.render.fps_base
    for name in bone_map.bones.values():
        bone, index = armature.pose.bones[name], skeleton.index[name]
        bone.rotation_mode = "QUATERNION"
        key_channel(bone, "rotation_quaternion", frames, clip.rotations[:, index])
        if np.abs(clip.locations[:, index]).max() > 0.0:
            key_channel(bone, "location", frames, clip.locations[:, index])
    return True


def walk() -> Motion:
    """The walk that the tests use, as joints."""
    clip = read_bvh(WALK)
    motion = to_motion(clip, calibrate(clip, match_bones(clip.skeleton)))
    return resample(motion, even_times(motion.times, 30.0)[:_FRAMES])


def carried(motion: Motion, skeleton: RigSkeleton, placement: Array, bone_map: BoneMap) -> RigMotion:
    """The motion on another rig, from that rig's rest pose, at the rig's own size."""
    still = rest_pose(skeleton, placement)
    calibration = calibrate(still, bone_map)
    size = calibration.skeleton.leg_length / motion.skeleton.leg_length
    blank = replace(still.rows([0] * len(motion)), times=motion.times)
    own = replace(motion, root=motion.root * size, skeleton=calibration.skeleton)
    # Its lowest ankle comes as low as it is at rest: characters differ in the height of their heels.
    lowest = [_lowest_ankle(clip, bone_map) for clip in (still, to_rig(own, blank, calibration))]
    own = replace(own, root=own.root + np.array([0.0, lowest[0] - lowest[1], 0.0]))
    return rejoin(to_rig(own, blank, calibration), blank, bone_map)


def _lowest_ankle(clip: RigMotion, bone_map: BoneMap) -> float:
    _, heads = clip.world()
    bones = [clip.skeleton.index[bone_map.bones[f"{side}_ankle"]] for side in ("left", "right")]
    return float(heads[:, bones, 1].min())


def read_skeleton(armature: Any) -> RigSkeleton:  # noqa: ANN401
    """All bones at rest, parents before children."""
    bones = sorted(armature.data.bones, key=lambda bone: len(bone.parent_recursive))
    index = {bone.name: i for i, bone in enumerate(bones)}
    parents = tuple(index[bone.parent.name] if bone.parent else -1 for bone in bones)
    rest = np.array([bone.matrix_local for bone in bones], dtype=np.float64)
    return RigSkeleton(tuple(index), parents, rest, np.array([bone.length for bone in bones]))


def _swing(armature: Any) -> None:  # noqa: ANN401
    """Every bone swings a little, each at its own pace."""
    rng = np.random.default_rng(1)
    frames = np.arange(1.0, _FRAMES + 1.0)
    for bone in armature.pose.bones:
        if bone.name.startswith(("ORG-", "MCH-", "VIS")):
            continue
        bone.rotation_mode = "QUATERNION"
        angle = 0.15 * np.sin(rng.uniform(0.1, 0.4) * frames + rng.uniform(0.0, 6.0))
        axis = rng.normal(size=3)
        axis /= np.linalg.norm(axis)
        values = np.concatenate([np.cos(angle / 2.0)[:, None], np.sin(angle / 2.0)[:, None] * axis], axis=1)
        key_channel(bone, "rotation_quaternion", frames, values)
