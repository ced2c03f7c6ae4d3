# SPDX-License-Identifier: GPL-3.0-or-later
"""Which pose of a rig shows how its bones lie in a human body: the rest pose, a frame of the clip, or many frames.

A pose serves the better the nearer it is to standing straight, with straight arms anywhere between hanging and
stretched out sideways. How far it is from that is measured in degrees.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from .blocks import in_blocks, rig_frames
from .matching import BoneMap
from .rig import RigMotion, RigSkeleton
from .rotations import UP, Array, conjugate, from_frame, normalize, rotate
from .steps import Steps

SIDES: Final = (("left", 1.0), ("right", -1.0))

# A rest pose this near to standing, degrees, is believed before any frame of a clip; clips vary, it does not.
_HUMAN: Final = 25.0
# A frame this near was struck on purpose, as the T-pose that many recordings begin with; a walk does not come near.
_STRUCK: Final = 6.0
_MAX_POSES: Final = 64
_MAX_BENDS: Final = 256

# Where limbs of a standing body may point, in its frontal plane: degrees from hanging down, outwards positive.
_LEG_ARC: Final = (-5.0, 25.0)
_ARM_ARC: Final = (5.0, 95.0)
# Within this angle of an axis of the armature the trunk was modelled along that axis.
_MODELLED: Final = np.cos(np.radians(20.0))
# Above this cosine with the world's up the trunk of a frame is upright.
_UPRIGHT: Final = 0.5


@dataclass(frozen=True)
class Poses:
    """K poses of the mapped joints: world rotations (K, 4), positions (K, 3), and the body's own frame (K, 4)."""

    rotations: dict[str, Array]
    positions: dict[str, Array]
    body: Array

    def direction(self, start: str, end: str) -> Array:
        """(K, 3) unit vectors from joint to joint."""
        return normalize(self.positions[end] - self.positions[start])

    def distance(self, start: str, end: str) -> float:
        """Metres between two joints, the largest of all poses."""
        return float(np.linalg.norm(self.positions[end] - self.positions[start], axis=-1).max())

    @property
    def size(self) -> float:
        """Metres from a hip to the shoulder above."""
        return self.distance("left_hip", "left_shoulder")

    def has(self, *joints: str) -> bool:
        """Whether all of these joints have a bone."""
        return all(joint in self.positions for joint in joints)


@dataclass(frozen=True)
class Choice:
    """The poses to calibrate from.

    Attributes:
        poses: one pose, or the best of a clip where none of them is good enough alone.
        bends: poses that show how elbows and knees bend: the same one pose, or many of the clip.
        error: degrees from standing.
        from_rest: whether it is the rest pose.
        frame: which row of the clip it is, None for the rest pose and for many rows.
    """

    poses: Poses
    bends: Poses
    error: float
    from_rest: bool = False
    frame: int | None = None

    @property
    def is_one(self) -> bool:
        """Whether a single pose is believed, hands, head and feet included."""
        return self.from_rest or self.frame is not None


def choose_pose(motion: RigMotion, bone_map: BoneMap, frame: int | None = None) -> Steps[Choice]:
    """The pose that ``frame`` names, else the best there is."""
    if frame is not None:
        return _picked(motion, bone_map, frame)
    rest = rest_poses(motion, bone_map)
    error = float(standing_error(rest)[0])
    if error <= _HUMAN:
        return Choice(rest, rest, error, from_rest=True)
    found = yield from in_blocks(
        lambda frames: standing_error(gather(motion.part(frames), bone_map)),
        len(motion),
        rig_frames(len(motion.skeleton)),
    )
    errors = np.concatenate(found)
    best = int(np.argmin(errors))
    if errors[best] <= _STRUCK:
        return _picked(motion, bone_map, best)
    if error <= errors[best]:
        return Choice(rest, rest, error, from_rest=True)
    # A tenth of the clip, so that one odd frame has no weight of its own.
    count = min(max(len(motion) // 10, 1), _MAX_POSES)
    chosen = sorted(np.argsort(errors)[:count].tolist())
    spread = range(0, len(motion), max(len(motion) // _MAX_BENDS, 1))
    poses, bends = (gather(motion.rows(rows), bone_map) for rows in (chosen, spread))
    return Choice(poses, bends, float(errors[chosen].mean()))


def _picked(motion: RigMotion, bone_map: BoneMap, frame: int) -> Choice:
    poses = gather(motion.rows([frame]), bone_map)
    return Choice(poses, poses, float(standing_error(poses)[0]), frame=frame)


def standing_error(poses: Poses) -> Array:
    """(K,) how far each pose is from a standing one: root mean square over the limbs, degrees."""
    inverse = conjugate(poses.body)
    angles = [_angle(_trunk(poses.positions), rotate(poses.body, UP))]
    for side, sign in SIDES:
        outwards = np.array([sign, 1.0, 1.0])
        chains = (("hip", "knee", "ankle", _LEG_ARC), ("shoulder", "elbow", "wrist", _ARM_ARC))
        for first, second, end, arc in chains:
            upper = poses.direction(f"{side}_{first}", f"{side}_{second}")
            angles.append(_off_arc(rotate(inverse, upper) * outwards, arc))
            if poses.has(f"{side}_{end}"):
                angles.append(_angle(upper, poses.direction(f"{side}_{second}", f"{side}_{end}")))
        if poses.has(f"{side}_foot"):
            foot = rotate(inverse, poses.direction(f"{side}_ankle", f"{side}_foot")) * np.array([1.0, 0.0, 1.0])
            angles.append(_angle(normalize(foot), np.array([0.0, 0.0, 1.0])))
    return np.degrees(np.sqrt(np.mean(np.square(angles), axis=0)))


def rest_pose(skeleton: RigSkeleton, placement: Array) -> RigMotion:
    """The rig's rest pose as a clip of one frame."""
    count = len(skeleton)
    unit = np.zeros((1, count, 4))
    unit[..., 0] = 1.0
    zeros, ones = np.zeros((1, count, 3)), np.ones((1, count, 3))
    return RigMotion(skeleton, np.zeros(1), unit, zeros, ones, placement[None])


def rest_poses(motion: RigMotion, bone_map: BoneMap) -> Poses:
    """The rest pose, its body frame upright as the rig was modelled."""
    rest = gather(rest_pose(motion.skeleton, motion.placement[0]), bone_map)
    axes = normalize(motion.placement[0, :3, :3].T)
    trunk = _trunk(rest.positions)[0]
    up = max((*axes, *-axes), key=lambda axis: float(axis @ trunk))
    up = up if float(up @ trunk) > _MODELLED else trunk
    return replace(rest, body=_body_frame(rest.positions, up[None]))


def gather(motion: RigMotion, bone_map: BoneMap) -> Poses:
    """World rotations and positions of the mapped bones, and the body frames."""
    rotations, positions = motion.world()
    index = {joint: motion.skeleton.index[bone] for joint, bone in bone_map.bones.items()}
    joints = {joint: positions[:, bone] for joint, bone in index.items()}
    trunk = _trunk(joints)
    # Who stands leans a little, who lies has no use for the world's up.
    up = np.where(trunk[:, 1:2] > _UPRIGHT, UP, trunk)
    return Poses({j: rotations[:, b] for j, b in index.items()}, joints, _body_frame(joints, up))


def _trunk(positions: dict[str, Array]) -> Array:
    """(K, 3) unit vectors from the middle of the hips to that of the shoulders."""
    return normalize(np.sum([positions[f"{side}_shoulder"] - positions[f"{side}_hip"] for side, _ in SIDES], axis=0))


def _body_frame(positions: dict[str, Array], up: Array) -> Array:
    """(K, 4) rotation of a T-posed body: left along the hips and shoulders, up as given."""
    left = np.sum([positions[f"left_{joint}"] - positions[f"right_{joint}"] for joint in ("hip", "shoulder")], axis=0)
    up = np.broadcast_to(up, left.shape)
    return from_frame(left - up * np.sum(left * up, axis=-1, keepdims=True), up)


def _off_arc(directions: Array, arc: tuple[float, float]) -> Array:
    """(K,) radians from directions (K, 3), X outwards, to the nearest one in the arc of the frontal plane."""
    low, high = np.radians(arc)
    inside = np.clip(np.arctan2(directions[:, 0], -directions[:, 1]), low, high)
    return _angle(directions, np.stack([np.sin(inside), -np.cos(inside), np.zeros_like(inside)], axis=-1))


def _angle(a: Array, b: Array) -> Array:
    """(K,) radians between unit vectors."""
    return np.arccos(np.clip(np.sum(a * b, axis=-1), -1.0, 1.0))
