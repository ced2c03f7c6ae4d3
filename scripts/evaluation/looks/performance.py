# SPDX-License-Identifier: GPL-3.0-or-later
"""A clip as it is looked at: where its joints are, where its head looks, and from where it is seen."""

from dataclasses import dataclass

import numpy as np

from core.figure import View
from core.motion import Motion
from core.representation import FPS, heading
from core.resample import even_times, resample
from core.rotations import ON_FLOOR, UP, Array, rotate, yaw_quaternion
from core.skeleton import INDEX, JOINTS

_AHEAD = np.array([0.0, 0.0, 1.0])
# From the front and somewhat from the left: crossed legs, a bowed trunk and hands in the body all show.
_ASIDE = np.radians(40.0)


@dataclass(frozen=True)
class Performance:
    """One row or panel.

    Attributes:
        label: the style, or what stands for it.
        joints: (T, 22, 3) metres, at 30 fps.
        looks: (T, 3) where the head is turned to.
    """

    label: str
    joints: Array
    looks: Array

    def __len__(self) -> int:
        return len(self.joints)

    @property
    def path(self) -> Array:
        """(T, 3) where the pelvis is over the floor."""
        return self.joints[:, INDEX["pelvis"]] * ON_FLOOR

    def pose(self, frame: int) -> dict[str, Array]:
        """The joints of a frame by name."""
        return dict(zip(JOINTS, self.joints[frame], strict=True))


@dataclass(frozen=True)
class Camera:
    """An orthographic camera that goes with the pelvis and never turns; ``floor`` is the original's, metres."""

    right: Array
    toward: Array
    floor: float

    def view(self, origin: Array, place: tuple[float, float], scale: float) -> View:
        """``origin`` (3,) over the floor is drawn at ``place``, ``scale`` pixels per metre."""
        return View(self.right, self.toward, origin + self.floor * UP, place, scale)


def performance(label: str, motion: Motion) -> Performance:
    """A clip of any rate and any size: everybody is drawn at the size of the canonical body."""
    even = resample(motion, even_times(motion.times, FPS))
    looks = rotate(even.rotations[:, INDEX["head"]], _AHEAD)
    return Performance(label, even.positions() / motion.skeleton.scale, looks)


def camera(original: Motion, floor: float) -> Camera:
    """The camera for a clip and all that was made of it; ``floor`` is its height in the clip, metres."""
    toward = rotate(yaw_quaternion(heading(original)[0] + _ASIDE), _AHEAD)
    return Camera(np.cross(UP, toward), toward, floor / original.skeleton.scale)
