# SPDX-License-Identifier: GPL-3.0-or-later
"""More motion out of what there is: mirrored clips, clips at another speed, and the legs of one under another's trunk.

All of it happens on normalised features (B, D, T) of crops, so that nothing has to be prepared.
"""

from __future__ import annotations

import math
from typing import Final

import torch
from torch import Tensor

from core.skeleton import CONTACT_JOINTS, INDEX, JOINTS

from .dataset import MotionDataset, Normalization

LOWER_BODY: Final = ("pelvis", *(f"{side}_{part}" for side in ("left", "right") for part in ("hip", "knee", "ankle",
                                                                                            "foot")))  # fmt: skip
_TRUNK: Final = "spine1"
# Signs of x, y, z and of a rotation matrix' first two columns when left and right change places.
_POINT: Final = (-1.0, 1.0, 1.0)
_FRAME: Final = (1.0, -1.0, -1.0, -1.0, 1.0, 1.0)
_RATES: Final = ("root_yaw_velocity", "root_planar_velocity", "velocities")


class Augmentation:
    """What can be done to clips of one dataset."""

    def __init__(self, dataset: MotionDataset, normalization: Normalization, device: torch.device) -> None:
        """Work out once which column goes where."""
        self._layout = dataset.layout
        self._mean = torch.from_numpy(normalization.mean).to(device)[:, None]
        self._std = torch.from_numpy(normalization.std).to(device)[:, None]
        source, sign = _mirrored_columns(dataset)
        self._source = torch.tensor(source, device=device)
        self._sign = torch.tensor(sign, device=device)[:, None]
        self._lower = torch.tensor(_columns_of(dataset, LOWER_BODY), device=device)
        self._rates = torch.tensor(
            [column for name in _RATES for column in range(*dataset.layout.slice(name).indices(10**6))], device=device
        )

    def mirrored(self, features: Tensor) -> Tensor:
        """Clips with left and right exchanged: x changes its sign, and so do turns about y and z."""
        raw = features * self._std + self._mean
        return (raw[:, self._source] * self._sign - self._mean) / self._std

    def retimed(self, features: Tensor, rate: float, frames: int) -> Tensor:
        """The first ``frames`` of clips that run ``rate`` times as fast; the clips must be long enough.

        Args:
            features: (B, D, T), T at least ``source_frames(rate, frames)``.
            rate: above 1 for faster.
            frames: to give back.

        """
        if rate == 1.0:
            return features[..., :frames]
        needed = source_frames(rate, frames)
        raw = features[..., :needed] * self._std + self._mean
        at = torch.arange(frames, device=raw.device) * rate
        left = at.floor().long().clamp(max=needed - 2)
        share = (at - left).to(raw.dtype)
        mixed = torch.lerp(raw[..., left], raw[..., left + 1], share)
        mixed[:, self._rates] *= rate
        return (mixed - self._mean) / self._std

    def joined(self, upper: Tensor, lower: Tensor) -> Tensor:
        """Trunk, arms and head of ``upper`` on the legs, the path and the turning of ``lower``, (B, D, T) both.

        Rotations are global, so that the trunk keeps its lean; its joints are moved to where the other pelvis is.
        """
        upper, lower = (clip * self._std + self._mean for clip in (upper, lower))
        result = upper.clone()
        for name in ("positions", "velocities"):
            columns = self._layout.slice(name)
            shift = self._joint(lower, name) - self._joint(upper, name)
            result[:, columns] += shift.repeat(1, (columns.stop - columns.start) // 3, 1)
        result[:, self._lower] = lower[:, self._lower]
        return (result - self._mean) / self._std

    def _joint(self, raw: Tensor, name: str) -> Tensor:
        """(B, 3, T) where the trunk begins, or its velocity."""
        start = self._layout.slice(name).start + 3 * (INDEX[_TRUNK] - 1)
        return raw[:, start : start + 3]


def source_frames(rate: float, frames: int) -> int:
    """Frames that are needed of a clip for ``frames`` at ``rate``."""
    if rate == 1.0:
        return frames
    return max(math.ceil((frames - 1) * rate) + 2, 2)


def _columns_of(dataset: MotionDataset, joints: tuple[str, ...]) -> list[int]:
    """Columns of the root and of some joints; the contacts are the legs'."""
    layout, numbers = dataset.layout, sorted(INDEX[name] for name in joints)
    columns = [c for name in ("root_yaw_velocity", "root_planar_velocity", "root_height", "contacts")
               for c in range(layout.slice(name).start, layout.slice(name).stop)]  # fmt: skip
    for name, width, first in (("positions", 3, 1), ("velocities", 3, 1), ("rotations", 6, 0)):
        start = layout.slice(name).start
        for number in numbers:
            if number >= first:
                columns += range(start + width * (number - first), start + width * (number - first + 1))
    return columns


def _mirrored_columns(dataset: MotionDataset) -> tuple[list[int], list[float]]:
    """For each column the one that its value comes from, and its sign."""
    layout = dataset.layout
    source, sign = list(range(layout.width)), [1.0] * layout.width
    sign[layout.slice("root_yaw_velocity").start] = -1.0
    sign[layout.slice("root_planar_velocity").start] = -1.0
    for name, signs, first in (("positions", _POINT, 1), ("velocities", _POINT, 1), ("rotations", _FRAME, 0)):
        start = layout.slice(name).start
        for joint in JOINTS[first:]:
            here = start + len(signs) * (INDEX[joint] - first)
            there = start + len(signs) * (INDEX[_other_side(joint)] - first)
            for offset, value in enumerate(signs):
                source[here + offset], sign[here + offset] = there + offset, value
    start = layout.slice("contacts").start
    for number, joint in enumerate(CONTACT_JOINTS):
        source[start + number] = start + CONTACT_JOINTS.index(_other_side(joint))
    return source, sign


def _other_side(joint: str) -> str:
    for side, other in (("left_", "right_"), ("right_", "left_")):
        if joint.startswith(side):
            return joint.replace(side, other, 1)
    return joint
