# SPDX-License-Identifier: GPL-3.0-or-later
"""What an animator would measure on a walk, from joint positions alone.

Nothing here goes through retargeting or the network: a defect there shows in these numbers.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.matching import match_bones
from core.representation import gaussian_smooth
from core.rotations import Array
from scripts.bvh import read_bvh

_SIDES = ("left", "right")
_UP = np.array([0.0, 1.0, 0.0])
# A leg of a BVH file is either in the tens of centimetres or in the tenths of metres.
_LONGEST_LEG_IN_METRES = 10.0
# Blender writes BVH with Z up; to core's Y up.
_FROM_Z_UP = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]])
# A foot is planted while its toes are slower than this (m/s) and at most this far above the floor (m).
_PLANTED_SPEED = 0.25
_PLANTED_RISE = 0.04
_SHORTEST_PLANT = 0.12  # seconds
_TOE_HEIGHT = 0.03  # metres from the toe joint to the floor
_SMOOTHING = 0.2  # seconds: takes the sway out of a path and the jitter out of a heading


@dataclass(frozen=True)
class Walk:
    """Joint paths of one clip: ``joints`` canonical name to (T, 3) metres, Y up, floor at 0; ``times`` (T,) seconds."""

    times: Array
    joints: dict[str, Array]

    def __len__(self) -> int:
        return len(self.times)

    @cached_property
    def forward(self) -> Array:
        """(T, 3) horizontal unit vectors: where the hips face, smoothed."""
        across = smooth(self.joints["left_hip"] - self.joints["right_hip"], self.times)
        ahead = np.cross(across, _UP)
        return ahead / np.linalg.norm(ahead, axis=-1, keepdims=True)

    @cached_property
    def path(self) -> Array:
        """(T, 3) pelvis on the floor, without its sway."""
        return smooth(self.joints["pelvis"] * (1.0 - _UP), self.times)

    @cached_property
    def planted(self) -> dict[str, NDArray[np.bool_]]:
        """Side to (T,) whether that foot rests on the floor."""
        return {side: self._planted(self.joints.get(f"{side}_foot", self.joints[f"{side}_ankle"])) for side in _SIDES}

    def at(self, time: float) -> dict[str, Array]:
        """Joint positions (3,) of the frame nearest to ``time``."""
        frame = self.frame(time)
        return {name: path[frame] for name, path in self.joints.items()}

    def frame(self, time: float) -> int:
        """Index of the frame nearest to ``time``."""
        return int(np.argmin(np.abs(self.times - time)))

    def until(self, end: float) -> "Walk":
        """Its first ``end`` seconds."""
        kept = self.times <= end + 1e-6
        return Walk(self.times[kept], {name: path[kept] for name, path in self.joints.items()})

    def _planted(self, toes: Array) -> NDArray[np.bool_]:
        speed = np.linalg.norm(np.gradient(toes, self.times, axis=0), axis=-1)
        low = toes[:, 1] < np.percentile(toes[:, 1], 5) + _PLANTED_RISE
        return (speed < _PLANTED_SPEED) & low


@dataclass(frozen=True)
class Gait:
    """The numbers of one clip; lengths in metres, angles in degrees.

    Attributes:
        seconds: length of the clip.
        distance: way of the pelvis over the floor.
        speed: the two divided, metres per second.
        stride: from one foot's print to the next one's of the other, median.
        lean: of the trunk from the vertical, positive forward, mean.
        elbow: inner angle, 180 = straight, mean of both arms.
    """

    seconds: float
    distance: float
    speed: float
    stride: float
    lean: float
    elbow: float

    def __str__(self) -> str:
        return (
            f"{self.speed:.2f} m/s over {self.distance:.2f} m, stride {self.stride:.2f} m, "
            f"trunk lean {self.lean:.1f} deg, elbow {self.elbow:.0f} deg"
        )


def read_walk(path: Path, metres_per_unit: float | None = None) -> Walk:
    """A BVH file as joint paths; unit and up axis are found from the body unless the unit is given.

    Raises:
        PanacheError: the file is no BVH, or its joints are no body.
    """
    clip = read_bvh(path, metres_per_unit=1.0)
    bone_map = match_bones(clip.skeleton)
    bone_map.require()
    heads = clip.world()[1]
    joints = {joint: heads[:, clip.skeleton.index[bone]] for joint, bone in bone_map.bones.items()}
    joints = _upright(joints)
    joints = {name: way * (metres_per_unit or _guess_unit(joints)) for name, way in joints.items()}
    return _on_floor(Walk(clip.times, joints))


def measure(walk: Walk) -> Gait:
    """All numbers of one clip."""
    seconds = float(walk.times[-1] - walk.times[0])
    distance = float(np.linalg.norm(np.diff(walk.path, axis=0), axis=-1).sum())
    return Gait(seconds, distance, distance / max(seconds, 1e-6), _stride(walk), _lean(walk), _elbow(walk))


def footprints(walk: Walk) -> list[tuple[str, Array]]:
    """Side and place (3,) of every time a foot was planted, in order."""
    prints: list[tuple[int, str, Array]] = []
    for side, planted in walk.planted.items():
        edges = np.flatnonzero(np.diff(np.concatenate([[0], planted.astype(int), [0]])))
        for start, stop in zip(edges[::2], edges[1::2], strict=True):
            if walk.times[stop - 1] - walk.times[start] >= _SHORTEST_PLANT:
                prints.append((int(start), side, walk.joints[f"{side}_ankle"][start:stop].mean(axis=0)))
    return [(side, place) for _, side, place in sorted(prints, key=lambda item: item[0])]


def smooth(values: Array, times: Array) -> Array:
    """(T, n) values at about even times, without what is faster than a fifth of a second."""
    frames_per_second = (len(times) - 1) / max(float(times[-1] - times[0]), 1e-6)
    return gaussian_smooth(values, _SMOOTHING * frames_per_second)


def _stride(walk: Walk) -> float:
    places = [place * (1.0 - _UP) for _, place in footprints(walk)]
    if len(places) > 2:
        return float(np.median([float(np.linalg.norm(after - before)) for before, after in pairwise(places)]))
    # Feet that are never planted leave no prints.
    apart = walk.joints["left_ankle"] - walk.joints["right_ankle"]
    return float(np.abs(np.sum(apart * walk.forward, axis=-1)).max())


def _lean(walk: Walk) -> float:
    trunk = (walk.joints["left_shoulder"] + walk.joints["right_shoulder"]) / 2 - walk.joints["pelvis"]
    return float(np.degrees(np.arctan2(np.sum(trunk * walk.forward, axis=-1), trunk[:, 1])).mean())


def _elbow(walk: Walk) -> float:
    if not all(f"{side}_wrist" in walk.joints for side in _SIDES):
        return float("nan")
    angles: list[Array] = []
    for side in _SIDES:
        upper = walk.joints[f"{side}_shoulder"] - walk.joints[f"{side}_elbow"]
        fore = walk.joints[f"{side}_wrist"] - walk.joints[f"{side}_elbow"]
        cosine = np.sum(upper * fore, axis=-1) / (np.linalg.norm(upper, axis=-1) * np.linalg.norm(fore, axis=-1))
        angles.append(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))))
    return float(np.mean(angles))


def _upright(joints: dict[str, Array]) -> dict[str, Array]:
    """Y up, from Y up or Z up: the axis along which the shoulders are most above the ankles."""
    above = sum(joints[f"{side}_shoulder"] - joints[f"{side}_ankle"] for side in _SIDES)
    if int(np.argmax(np.abs(np.median(above, axis=0)))) == 2:
        return {name: way @ _FROM_Z_UP.T for name, way in joints.items()}
    return joints


def _guess_unit(joints: dict[str, Array]) -> float:
    thigh = np.linalg.norm(joints["left_knee"] - joints["left_hip"], axis=-1).mean()
    shin = np.linalg.norm(joints["left_ankle"] - joints["left_knee"], axis=-1).mean()
    return 0.01 if thigh + shin > _LONGEST_LEG_IN_METRES else 1.0


def _on_floor(walk: Walk) -> Walk:
    toes = np.minimum(*(walk.joints.get(f"{side}_foot", walk.joints[f"{side}_ankle"])[:, 1] for side in _SIDES))
    floor = _UP * (float(np.percentile(toes, 5)) - _TOE_HEIGHT)
    return replace(walk, joints={name: way - floor for name, way in walk.joints.items()})
