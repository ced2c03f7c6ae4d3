# SPDX-License-Identifier: GPL-3.0-or-later
"""From a rig's channels to the 22 canonical joints, and back, without loss on the mapped bones."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .blocks import in_blocks, rig_frames
from .calibration import Calibration
from .matching import BoneMap
from .motion import Motion, joined
from .rig import RigMotion, RigSkeleton, rotation_part
from .rotations import Array, conjugate, from_matrix, multiply, rotate, slerp, to_matrix
from .skeleton import INDEX, JOINT_COUNT, JOINTS, PARENTS, joints_above
from .steps import Steps, finish

_TRUNK = ("pelvis", "spine1", "spine2", "spine3", "neck", "head")


def to_motion(clip: RigMotion, calibration: Calibration) -> Motion:
    """All of :func:`to_motion_steps` at once."""
    return finish(to_motion_steps(clip, calibration))


def to_motion_steps(clip: RigMotion, calibration: Calibration) -> Steps[Motion]:
    """The clip as 22 joints in the rig's own proportions and times."""
    size = rig_frames(len(clip.skeleton))
    return joined((yield from in_blocks(lambda frames: _joints(clip.part(frames), calibration), len(clip), size)))


def _joints(clip: RigMotion, calibration: Calibration) -> Motion:
    rotations, positions = clip.world()
    bones = calibration.bone_map.bones
    joints = np.zeros((len(clip), JOINT_COUNT, 4))
    for joint, name in enumerate(JOINTS):
        if name in bones:
            world = rotations[:, clip.skeleton.index[bones[name]]]
            joints[:, joint] = multiply(world, conjugate(calibration.frames[name]))
    _fill_missing(joints, bones)
    root = positions[:, clip.skeleton.index[bones["pelvis"]]]
    motion = Motion(clip.times, root, joints, calibration.skeleton)
    # Whoever reads a clip asks for them next: better some frames at a time than for all of a long clip at once.
    motion.positions()
    return motion


def to_rig(motion: Motion, clip: RigMotion, calibration: Calibration) -> RigMotion:
    """``clip`` with its mapped bones posed as ``motion``; other bones keep their channels.

    Bones are carried by what they hang on in the rig; see :func:`rejoin`.
    """
    return Posing(clip, calibration).posed(motion)


@dataclass(frozen=True)
class Posing:
    """A clip whose mapped bones are to be posed, once or several times; what does not depend on the pose is kept."""

    clip: RigMotion
    calibration: Calibration

    def posed(self, motion: Motion) -> RigMotion:
        """See :func:`to_rig`."""
        clip, changes = self.clip, self._changes(motion)
        rotations, locations = clip.rotations.copy(), clip.locations.copy()
        pose: list[Array] = []
        for bone, parent in enumerate(clip.skeleton.parents):
            base = _base(clip, bone, None if parent < 0 else pose[parent])
            basis = clip.basis[:, bone]
            joint = self._joint_of.get(bone)
            if joint is not None:
                basis = basis.copy()
                # As a change of the bone's own channels: rest matrices are orthogonal to single precision only, and
                # in this form that error cancels where nothing changed.
                turned = multiply(changes[joint], self._turned_before[joint])
                rotations[:, bone] = multiply(conjugate(_turn(base)), turned)
                basis[:, :3, :3] = to_matrix(rotations[:, bone]) * clip.scales[:, bone, None, :]
            if joint == "pelvis":
                locations[:, bone] = _in_space(base, _in_space(clip.placement, motion.root))
                basis[:, :3, 3] = locations[:, bone]
            pose.append(base @ basis)
        return clip.with_channels(rotations, locations)

    @cached_property
    def _joint_of(self) -> dict[int, str]:
        """Bone to joint."""
        return {self.clip.skeleton.index[bone]: joint for joint, bone in self.calibration.bone_map.bones.items()}

    @cached_property
    def _turned_before(self) -> dict[str, Array]:
        """(T, 4) how each joint's bone is turned in armature space by what carries it and by its own channels."""
        clip, found = self.clip, dict[str, Array]()
        for bone, joint in self._joint_of.items():
            parent = clip.skeleton.parents[bone]
            before = _base(clip, bone, None if parent < 0 else clip.pose[:, parent])
            found[joint] = multiply(_turn(before), clip.rotations[:, bone])
        return found

    @cached_property
    def _inverse_before(self) -> dict[str, Array]:
        """(T, 4) inverse of each joint's bone in core's world."""
        before, _ = self.clip.world()
        return {joint: conjugate(before[:, bone]) for bone, joint in self._joint_of.items()}

    def _changes(self, motion: Motion) -> dict[str, Array]:
        """How far each mapped joint's bone turns against the clip, in armature space, (T, 4)."""
        armature = _turn(self.clip.placement)
        changes: dict[str, Array] = {}
        for joint, before in self._inverse_before.items():
            wanted = multiply(motion.rotations[:, INDEX[joint]], self.calibration.frames[joint])
            changes[joint] = multiply(conjugate(armature), multiply(multiply(wanted, before), armature))
        return changes


def rejoin(posed: RigMotion, clip: RigMotion, bone_map: BoneMap) -> RigMotion:
    """``posed`` with the joints kept together that do not hang on one another in the rig, as they were in ``clip``.

    Thighs hang on Biped's spine, feet that were posed by inverse kinematics on the root, and in control rigs the
    whole body hangs on controls. Such bones are moved to where their joint's parent carries them.
    """
    detached = detached_joints(clip.skeleton, bone_map)
    if not detached:
        return posed
    places = _carried(posed, clip, bone_map)
    target_of = {clip.skeleton.index[bone_map.bones[joint]]: joint for joint in detached}
    locations = posed.locations.copy()
    pose: list[Array] = []
    for bone, parent in enumerate(clip.skeleton.parents):
        base = _base(posed, bone, None if parent < 0 else pose[parent])
        basis = posed.basis[:, bone].copy()
        if bone in target_of:
            locations[:, bone] = _in_space(base, _in_space(clip.placement, places[target_of[bone]]))
            basis[:, :3, 3] = locations[:, bone]
        pose.append(base @ basis)
    return posed.with_channels(posed.rotations, locations)


def detached_joints(skeleton: RigSkeleton, bone_map: BoneMap) -> tuple[str, ...]:
    """Joints whose bone does not hang on that of the joint above, from the top down.

    Shoulders, neck and head may hang on any bone of the trunk.
    """
    joint_of = {skeleton.index[bone]: joint for joint, bone in bone_map.bones.items()}
    found: list[str] = []
    for joint in JOINTS:
        parent = _parent(joint, bone_map)
        if parent is None or joint not in bone_map.bones:
            continue
        above = skeleton.ancestors(skeleton.index[bone_map.bones[joint]])
        carrier = next((joint_of[bone] for bone in above if bone in joint_of), None)
        in_trunk = parent in _TRUNK and carrier in _TRUNK and not joint.endswith("_hip")
        if carrier != parent and not in_trunk:
            found.append(joint)
    return tuple(found)


def _parent(joint: str, bone_map: BoneMap) -> str | None:
    """The nearest joint above that has a bone."""
    return next((above for above in joints_above(joint) if above in bone_map.bones), None)


def _carried(posed: RigMotion, clip: RigMotion, bone_map: BoneMap) -> dict[str, Array]:
    """Where each joint is, (T, 3), if it keeps its place beside the joint above; from the pelvis on, core's world."""
    before, places_before = clip.world()
    after, places_after = posed.world()
    places = {"pelvis": places_after[:, clip.skeleton.index[bone_map.bones["pelvis"]]]}
    for joint in JOINTS[1:]:
        parent = _parent(joint, bone_map)
        if joint in bone_map.bones and parent is not None:
            here, there = (clip.skeleton.index[bone_map.bones[name]] for name in (joint, parent))
            change = multiply(after[:, there], conjugate(before[:, there]))
            places[joint] = places[parent] + rotate(change, places_before[:, here] - places_before[:, there])
    return places


def _base(clip: RigMotion, bone: int, parent_pose: Array | None) -> Array:
    """(T, 4, 4) what a bone's basis is applied to: its rest pose, carried by its parent."""
    rest = clip.skeleton.relative_rest[bone]
    return np.broadcast_to(rest, (len(clip), 4, 4)) if parent_pose is None else parent_pose @ rest


def _turn(matrices: Array) -> Array:
    """(T, 4) rotations of (T, 4, 4) matrices."""
    return from_matrix(rotation_part(matrices))


def _in_space(space: Array, points: Array) -> Array:
    """Points (T, 3) of the outer space in the coordinates of ``space`` (T, 4, 4)."""
    return np.linalg.solve(space[:, :3, :3], (points - space[:, :3, 3])[..., None])[..., 0]


def _fill_missing(joints: Array, bones: dict[str, str]) -> None:
    """Give joints without a bone their parent's rotation, or, between two spine bones, the middle."""
    for joint, name in enumerate(JOINTS):
        if name not in bones:
            joints[:, joint] = joints[:, PARENTS[joint]]
    if "spine2" not in bones and {"spine1", "spine3"} <= bones.keys():
        joints[:, INDEX["spine2"]] = slerp(joints[:, INDEX["spine1"]], joints[:, INDEX["spine3"]], 0.5)
