# SPDX-License-Identifier: GPL-3.0-or-later
"""How an SMPL skeleton is drawn as bones: heads at the joints, tails where an animator expects them."""

from dataclasses import dataclass

import numpy as np

from ..rotations import Array
from .joints import SmplBody

# The child that a joint with several points to; the others point to their only child.
_MAIN_CHILD = {"pelvis": "spine1", "spine3": "neck", "left_wrist": "left_middle1", "right_wrist": "right_middle1"}
# Ends of the chains that do not simply go on, metres from the joint.
_ENDS = {
    "head": (0.0, 0.18, 0.0),
    "left_foot": (0.0, 0.0, 0.08),
    "right_foot": (0.0, 0.0, 0.08),
    "jaw": (0.0, -0.03, 0.08),
    "left_eye_smplhf": (0.0, 0.0, 0.03),
    "right_eye_smplhf": (0.0, 0.0, 0.03),
}
# A chain's last bone is this much of the one before.
_LAST = 0.8
# Blender removes bones without length.
_SHORTEST = 1e-3
_SOLE = 0.03


@dataclass(frozen=True)
class BoneShape:
    """Bones as an armature wants them, metres, Y up.

    Attributes:
        heads: (J, 3) joint positions, the body standing on the ground.
        tails: (J, 3) bone ends.
        fronts: (J, 3) where each bone's Z axis is rolled to.
        lift: metres that the body was raised by.
    """

    heads: Array
    tails: Array
    fronts: Array
    lift: float


def bone_shape(body: SmplBody, lowest: float | None = None) -> BoneShape:
    """Bones of a body that stands on the ground; ``lowest`` is the height of its mesh's lowest point, if it has one."""
    low = float(body.rest[:, 1].min()) - _SOLE if lowest is None else lowest
    heads = body.rest - np.array([0.0, low, 0.0])
    tails = np.array([_tail(body, joint, heads) for joint in range(len(heads))])
    ahead, up = np.array([0.0, 0.0, 1.0]), np.array([0.0, 1.0, 0.0])
    flat = np.abs(tails - heads) @ ahead > 0.7 * np.linalg.norm(tails - heads, axis=-1)
    return BoneShape(heads, tails, np.where(flat[:, None], up, ahead), -low)


def _tail(body: SmplBody, joint: int, heads: Array) -> Array:
    name = body.names[joint]
    children = [child for child, parent in enumerate(body.parents) if parent == joint]
    main = next((child for child in children if body.names[child] == _MAIN_CHILD.get(name)), None)
    if main is None and len(children) == 1:
        main = children[0]
    if name in _ENDS:
        way = np.array(_ENDS[name])
    elif main is not None:
        way = heads[main] - heads[joint]
    else:
        way = _LAST * (heads[joint] - heads[body.parents[joint]])
    return heads[joint] + (way if np.linalg.norm(way) > _SHORTEST else np.array([0.0, 0.05, 0.0]))
