# SPDX-License-Identifier: GPL-3.0-or-later
"""The canonical skeleton: the 22 SMPL body joints (Loper et al., 2015) in a T-pose, Y up, facing +Z.

Proportions are rounded human averages, not a body model's; a rig keeps its own (see retarget).
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .rotations import Array

# (joint, parent, offset from the parent in the T-pose, metres)
_TABLE: tuple[tuple[str, str, tuple[float, float, float]], ...] = (
    ("pelvis", "", (0.0, 0.0, 0.0)),
    ("left_hip", "pelvis", (0.07, -0.02, 0.0)),
    ("right_hip", "pelvis", (-0.07, -0.02, 0.0)),
    ("spine1", "pelvis", (0.0, 0.12, 0.0)),
    ("left_knee", "left_hip", (0.0, -0.39, 0.0)),
    ("right_knee", "right_hip", (0.0, -0.39, 0.0)),
    ("spine2", "spine1", (0.0, 0.08, 0.0)),
    ("left_ankle", "left_knee", (0.0, -0.41, 0.0)),
    ("right_ankle", "right_knee", (0.0, -0.41, 0.0)),
    ("spine3", "spine2", (0.0, 0.08, 0.0)),
    ("left_foot", "left_ankle", (0.0, -0.055, 0.11)),
    ("right_foot", "right_ankle", (0.0, -0.055, 0.11)),
    ("neck", "spine3", (0.0, 0.16, 0.0)),
    ("left_collar", "spine3", (0.05, 0.13, 0.0)),
    ("right_collar", "spine3", (-0.05, 0.13, 0.0)),
    ("head", "neck", (0.0, 0.09, 0.0)),
    ("left_shoulder", "left_collar", (0.08, 0.0, 0.0)),
    ("right_shoulder", "right_collar", (-0.08, 0.0, 0.0)),
    ("left_elbow", "left_shoulder", (0.26, 0.0, 0.0)),
    ("right_elbow", "right_shoulder", (-0.26, 0.0, 0.0)),
    ("left_wrist", "left_elbow", (0.24, 0.0, 0.0)),
    ("right_wrist", "right_elbow", (-0.24, 0.0, 0.0)),
)

JOINTS: tuple[str, ...] = tuple(name for name, _, _ in _TABLE)
INDEX: dict[str, int] = {name: i for i, name in enumerate(JOINTS)}
PARENTS: tuple[int, ...] = tuple(INDEX[parent] if parent else -1 for _, parent, _ in _TABLE)
JOINT_COUNT = len(JOINTS)

CONTACT_JOINTS: tuple[str, ...] = ("left_ankle", "left_foot", "right_ankle", "right_foot")

# Without these there is no body to restyle; every other joint may be missing on a rig.
REQUIRED_JOINTS: tuple[str, ...] = (
    "pelvis",
    *(f"{side}_{joint}" for side in ("left", "right") for joint in ("hip", "knee", "ankle", "shoulder", "elbow")),
)

# Height of the toe joint above the floor when the foot is flat.
TOE_HEIGHT = 0.03


@dataclass(frozen=True)
class Skeleton:
    """The 22 joints with one character's proportions; ``offsets`` is (22, 3) metres, T-pose, parent to child."""

    offsets: Array

    @cached_property
    def leg_length(self) -> float:
        """Thigh plus shin, mean of both sides, metres: the measure of a character's size."""
        return limb_length(self.offsets, "knee", "ankle")

    @property
    def scale(self) -> float:
        """Size of the character in canonical ones: what lengths of the canonical body are multiplied with."""
        return self.leg_length / CANONICAL.leg_length


def limb_length(offsets: Array, *joints: str) -> float:
    """Sum of the bone lengths that end in ``joints``, mean of left and right."""
    lengths = np.linalg.norm(offsets, axis=-1)
    return float(np.mean([sum(lengths[INDEX[f"{side}_{joint}"]] for joint in joints) for side in ("left", "right")]))


def children_of(joint: int) -> tuple[int, ...]:
    """Indices of the joints whose parent is ``joint``."""
    return tuple(i for i, parent in enumerate(PARENTS) if parent == joint)


def joints_above(joint: str) -> list[str]:
    """Names of the joints above one, nearest first."""
    found: list[str] = []
    above = PARENTS[INDEX[joint]]
    while above >= 0:
        found.append(JOINTS[above])
        above = PARENTS[above]
    return found


CANONICAL = Skeleton(np.array([offset for _, _, offset in _TABLE]))
