# SPDX-License-Identifier: GPL-3.0-or-later
"""What a judge looks at: where the rig's own joints are, frame by frame.

One convention for real takes and for results alike: the heads of the bones that are the 22 joints, in the rig's own
proportions, metres, Y up, 30 frames per second. A joint without a bone lies evenly between its neighbours. Nothing
of the retargeting comes between the played result and the judge, so that its errors count; rotations do not exist here.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from core.matching import BoneMap
from core.representation import FPS, forward_difference, gaussian_smooth
from core.resample import even_times, interpolate
from core.rig import RigMotion
from core.rotations import Array, rotate, yaw_quaternion
from core.skeleton import INDEX, JOINTS, PARENTS, children_of

# Frames (Gaussian sigma): steadies the heading without following the sway of the hips.
_HEADING_SIGMA = 4.0
_FLOOR_PERCENTILE = 5


@dataclass(frozen=True)
class Stance:
    """Joints (T, 22, 3) as seen from the body: heading +Z, above the clip's own floor, pelvis over the origin.

    Attributes:
        joints: (T, 22, 3) metres.
        travel: (T, 2) velocity over the floor, to the left and forwards, metres per second.
        turn: (T,) yaw velocity, radians per second.
    """

    joints: Array
    travel: Array
    turn: Array

    @cached_property
    def velocities(self) -> Array:
        """(T, 22, 3) velocities relative to the pelvis' place, metres per second."""
        return forward_difference(self.joints)


def rig_joints(clip: RigMotion, bone_map: BoneMap) -> Array:
    """(T, 22, 3) joints of a clip, 30 frames per second."""
    _, heads = clip.world()
    known = {joint: heads[:, clip.skeleton.index[bone]] for joint, bone in bone_map.bones.items()}
    return interpolate(complete(known), clip.times, even_times(clip.times, FPS))


def complete(known: dict[str, Array]) -> Array:
    """(T, 22, 3) joints from those that have a bone, (T, 3) each."""
    pelvis = known["pelvis"]
    joints = np.zeros((len(pelvis), len(JOINTS), 3))
    for index, name in enumerate(JOINTS):
        if name in known:
            joints[:, index] = known[name]
        else:
            above = joints[:, PARENTS[index]]
            below = next((known[JOINTS[child]] for child in children_of(index) if JOINTS[child] in known), above)
            joints[:, index] = 0.5 * (above + below)
    return joints


def heading(joints: Array) -> Array:
    """(T,) unwrapped yaw of the body, radians: across hips and shoulders, smoothed over time."""
    sides = (joints[:, [INDEX[f"{side}_{j}"] for j in ("hip", "shoulder")]] for side in ("left", "right"))
    left, right = (side.sum(axis=1) for side in sides)
    across = left - right
    return gaussian_smooth(np.unwrap(np.arctan2(-across[:, 2], across[:, 0])), _HEADING_SIGMA)


def stance(joints: Array) -> Stance:
    """A clip without its place and its heading."""
    yaw = heading(joints)
    away = yaw_quaternion(-yaw)
    place = joints[:, INDEX["pelvis"]] * np.array([1.0, 0.0, 1.0])
    place[:, 1] = np.percentile(joints[:, [INDEX["left_foot"], INDEX["right_foot"]], 1].min(axis=1), _FLOOR_PERCENTILE)
    travel = rotate(away, forward_difference(place))[:, [0, 2]]
    turn = forward_difference(yaw[:, None])[:, 0]
    return Stance(rotate(away[:, None], joints - place[:, None]), travel, turn)
