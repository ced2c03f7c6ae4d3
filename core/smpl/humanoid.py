# SPDX-License-Identifier: GPL-3.0-or-later
"""Any mapped humanoid as SMPL poses on the mean body.

Arms and legs point as the rig's do, the trunk turns as the rig's does from its rest pose, and the path is scaled to
the body's size.
"""

from dataclasses import replace

import numpy as np

from ..calibration import Calibration, calibrate
from ..matching import BoneMap
from ..motion import Motion
from ..retarget import to_motion, to_rig
from ..rig import RigMotion, RigSkeleton, rotation_part
from ..rotations import Array, conjugate, from_matrix, multiply
from ..skeleton import CONTACT_JOINTS, INDEX, JOINT_COUNT, JOINTS
from .joints import mean_body
from .rig import SmplPath, from_rig_motion, plain_skeleton

HUMANOID_MODEL = "smplh"

_TRUNK = ("spine1", "spine2", "spine3", "neck", "head")


def smpl_from_humanoid(clip: RigMotion, bone_map: BoneMap) -> tuple[Array, Array]:
    """Poses (T, 52, 3) and trans (T, 3) of SMPL-H at zero shape in AMASS' Z-up world; the fingers stay straight.

    The path is scaled by the ratio of the leg lengths, so that steps stay steps, and lifted or lowered by a constant,
    so that the feet are as high over the ground as they were.

    Raises:
        PanacheError: the rig lacks a joint that retargeting cannot do without, or is no body.
    """
    body = mean_body(HUMANOID_MODEL)
    blank = _resting(clip, plain_skeleton(body).subset(tuple(range(JOINT_COUNT))))
    own = _natural(calibrate(blank, BoneMap({joint: joint for joint in JOINTS})), blank)
    motion = to_motion(clip, _natural(calibrate(clip, bone_map), clip))
    ratio = own.skeleton.leg_length / motion.skeleton.leg_length
    scaled = Motion(motion.times, motion.root * ratio, motion.rotations, own.skeleton)
    drop = np.median(_lowest_foot(scaled) - ratio * _lowest_foot(motion))
    grounded = scaled.with_pose(scaled.root - np.array([0.0, drop, 0.0]), scaled.rotations)
    poses, trans = from_rig_motion(to_rig(grounded, blank, own), SmplPath("Z", body.rest[0]))
    fingers = np.zeros((len(poses), len(body.names) - JOINT_COUNT, 3))
    return np.concatenate([poses, fingers], axis=1), trans


def _natural(calibration: Calibration, clip: RigMotion) -> Calibration:
    """The calibration with the trunk turned against its rest pose, not against a straight spine.

    Spines are curved, and each rig's in its own way: bone by bone the same directions would bend one body's back
    into the other's shape.
    """
    if not calibration.from_rest:
        return calibration
    skeleton, bones = clip.skeleton, calibration.bone_map.bones
    rest = {joint: from_matrix(rotation_part(skeleton.rest[skeleton.index[bones[joint]]])) for joint in bones}
    upright = multiply(calibration.frames["pelvis"], conjugate(rest["pelvis"]))
    trunk = {joint: multiply(upright, rest[joint]) for joint in _TRUNK if joint in rest}
    return replace(calibration, frames=calibration.frames | trunk)


def _resting(clip: RigMotion, skeleton: RigSkeleton) -> RigMotion:
    """A clip of the same times in which the skeleton stands at the world's origin in its rest pose."""
    frames, bones = len(clip), len(skeleton)
    rotations = np.zeros((frames, bones, 4))
    rotations[..., 0] = 1.0
    zeros, placement = np.zeros((frames, bones, 3)), np.broadcast_to(np.eye(4), (frames, 4, 4))
    return RigMotion(skeleton, clip.times, rotations, zeros, np.ones_like(zeros), placement)


def _lowest_foot(motion: Motion) -> Array:
    """(T,) height of the lower foot's lower joint, metres."""
    return motion.positions()[:, [INDEX[joint] for joint in CONTACT_JOINTS], 1].min(axis=1)
