# SPDX-License-Identifier: GPL-3.0-or-later
"""A figure of rounded limbs on whatever joints a rig has, and where its points are while a clip plays."""

from dataclasses import dataclass

import numpy as np

from ..calibration import calibrate_steps
from ..engines import Float32
from ..pipeline import Clip
from ..rig import RigMotion, rotation_part
from ..rotations import Array, conjugate, rotate, slerp
from ..skeleton import JOINTS, joints_above
from ..steps import Progress, Steps

# Limb that ends in a joint: radii in metres at its start and end, for a body of canonical size.
_RADII: dict[str, tuple[float, float]] = {
    "spine1": (0.105, 0.1),
    "spine2": (0.1, 0.105),
    "spine3": (0.105, 0.115),
    "neck": (0.11, 0.05),
    "head": (0.046, 0.044),
    "collar": (0.075, 0.066),
    "shoulder": (0.066, 0.056),
    "elbow": (0.05, 0.038),
    "wrist": (0.038, 0.028),
    "hip": (0.088, 0.086),
    "knee": (0.082, 0.054),
    "ankle": (0.054, 0.037),
    "foot": (0.038, 0.034),
}
# Where a body ends beyond its last joints: joint, way from there in the T-pose in metres, radius.
_TIPS: dict[str, tuple[str, tuple[float, float, float], float]] = {
    "chin": ("head", (0.0, 0.06, 0.012), 0.078),
    "crown": ("head", (0.0, 0.125, 0.006), 0.09),
    "nose": ("head", (0.0, 0.07, 0.1), 0.018),
    "left_fingers": ("left_wrist", (0.13, 0.0, 0.0), 0.024),
    "right_fingers": ("right_wrist", (-0.13, 0.0, 0.0), 0.024),
    "left_toes": ("left_foot", (0.0, -0.012, 0.07), 0.024),
    "right_toes": ("right_foot", (0.0, -0.012, 0.07), 0.024),
}
# Further limbs, between any two of the points, with their radii.
_LIMBS: tuple[tuple[str, str, float, float], ...] = (
    ("left_hip", "right_hip", 0.086, 0.086),
    ("head", "chin", 0.046, 0.07),
    ("chin", "crown", 0.078, 0.09),
    ("chin", "nose", 0.05, 0.018),
    ("left_wrist", "left_fingers", 0.036, 0.022),
    ("right_wrist", "right_fingers", 0.036, 0.022),
    ("left_foot", "left_toes", 0.036, 0.024),
    ("right_foot", "right_toes", 0.036, 0.024),
)
# Frames whose poses are held at the same time.
_CHUNK = 512


@dataclass(frozen=True)
class GhostBody:
    """P points of a body and L limbs between them.

    Attributes:
        bones: P bone names that carry the points; the first is the pelvis's.
        offsets: (P, 3) metres from the bone's head, in the bone's own axes.
        limbs: (L, 2) points at the limbs' ends.
        radii: (L, 2) metres at the limbs' ends.
        size: of the body in canonical ones.
    """

    bones: tuple[str, ...]
    offsets: Array
    limbs: np.ndarray[tuple[int, int], np.dtype[np.int64]]
    radii: Array
    size: float


def ghost_body_steps(clip: Clip) -> Steps[GhostBody]:
    """The figure of a clip's character, as large as the character.

    Raises:
        PanacheError: the clip cannot be calibrated; :func:`core.pipeline.stylize` refuses it in the same words.
    """
    calibration = yield from calibrate_steps(clip.motion, clip.bone_map, clip.calibration_frame)
    bones, size = clip.bone_map.bones, calibration.skeleton.scale
    points = {joint: (bones[joint], np.zeros(3)) for joint in JOINTS if joint in bones}
    for tip, (joint, way, _) in _TIPS.items():
        if joint in bones:
            points[tip] = bones[joint], rotate(conjugate(calibration.frames[joint]), np.array(way) * size)
    limbs = [limb for limb in (*_joint_limbs(points), *_LIMBS) if limb[0] in points and limb[1] in points]
    order = {name: i for i, name in enumerate(points)}
    return GhostBody(
        bones=tuple(bone for bone, _ in points.values()),
        offsets=np.array([offset for _, offset in points.values()]),
        limbs=np.array([[order[start], order[end]] for start, end, _, _ in limbs]),
        radii=np.array([radii for _, _, *radii in limbs]) * size,
        size=size,
    )


def ghost_steps(motion: RigMotion, body: GhostBody) -> Steps[Float32]:
    """(T, P, 3) where the body's points are in core's world, metres."""
    rows, found = range(len(motion)), list[Float32]()
    for start in range(0, len(motion), _CHUNK):
        yield Progress(start / len(motion), "Preparing the ghosts")
        found.append(_points(motion.rows(rows[start : start + _CHUNK]), body))
    return np.concatenate(found)


def part_of_change(original: RigMotion, full: RigMotion, share: float) -> RigMotion:
    """The way from one clip to another gone in part, as Amount goes it: each bone turns along the shorter arc."""
    if share == 1.0:
        return full
    rotations = slerp(original.rotations, full.rotations, share)
    return full.with_channels(rotations, original.locations + share * (full.locations - original.locations))


def _points(motion: RigMotion, body: GhostBody) -> Float32:
    carriers = [motion.skeleton.index[bone] for bone in body.bones]
    matrices = motion.placement[:, None] @ motion.pose
    points = matrices[..., :3, 3][:, carriers]
    tips = np.flatnonzero(body.offsets.any(axis=-1))
    turns = rotation_part(matrices[:, [carriers[tip] for tip in tips]])
    points[:, tips] += np.squeeze(turns @ body.offsets[tips, :, None], -1)
    return points.astype(np.float32)


def _joint_limbs(points: dict[str, tuple[str, Array]]) -> list[tuple[str, str, float, float]]:
    """One limb for each joint but the pelvis, from the nearest joint above it that there is."""
    limbs: list[tuple[str, str, float, float]] = []
    for joint in JOINTS[1:]:
        above = next((name for name in joints_above(joint) if name in points), None)
        if joint in points and above is not None:
            limbs.append((above, joint, *_RADII[joint.rpartition("_")[2]]))
    return limbs
