# SPDX-License-Identifier: GPL-3.0-or-later
"""Read BVH files into core's rig types, with the bone frames that Blender's importer gives them.

Inside Blender the add-on reads armatures; this reader serves data preparation, where thousands of files are read
without Blender. BVH is Y up already, its rest frames are the world's axes.
"""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from core.errors import InvalidMotionError
from core.rig import RigMotion, RigSkeleton
from core.rotations import Array, from_axis_angle, from_frame, multiply, normalize, to_matrix

_AXES = {"X": np.array([1.0, 0.0, 0.0]), "Y": np.array([0.0, 1.0, 0.0]), "Z": np.array([0.0, 0.0, 1.0])}


@dataclass
class _Joint:
    name: str
    parent: int
    offset: Array
    channels: list[str] = field(default_factory=list[str])
    end: Array | None = None


def read_bvh(path: Path, metres_per_unit: float = 0.01) -> RigMotion:
    """A whole file as rig motion.

    Raises:
        InvalidMotionError: the file is no BVH, or its frames do not fit its channels.
    """
    hierarchy, found, motion = path.read_text(encoding="utf-8", errors="replace").partition("MOTION")
    if not found:
        raise InvalidMotionError(f"{path.name} is not a BVH file.")
    joints = _parse_hierarchy(hierarchy.split())
    frame_time, values = _parse_frames(path.name, motion, sum(len(joint.channels) for joint in joints))
    skeleton = _skeleton(joints)
    rotations, locations = _channels(joints, values, skeleton)
    placement = np.diag([metres_per_unit] * 3 + [1.0])
    count = len(values)
    return RigMotion(
        skeleton,
        np.arange(count) * frame_time,
        rotations,
        locations,
        np.ones_like(locations),
        np.broadcast_to(placement, (count, 4, 4)),
    )


def _parse_hierarchy(words: list[str]) -> list[_Joint]:
    joints: list[_Joint] = []
    stack: list[int] = []
    at = 0
    while at < len(words):
        word = words[at]
        if word in ("ROOT", "JOINT"):
            joints.append(_Joint(words[at + 1], stack[-1] if stack else -1, np.zeros(3)))
            at += 2
        elif word == "{":
            stack.append(len(joints) - 1)
            at += 1
        elif word == "}":
            stack.pop()
            at += 1
        elif word == "End":
            joints[stack[-1]].end = np.array([float(x) for x in words[at + 4 : at + 7]])
            at += 8
        elif word == "OFFSET":
            joints[stack[-1]].offset = np.array([float(x) for x in words[at + 1 : at + 4]])
            at += 4
        elif word == "CHANNELS":
            count = int(words[at + 1])
            joints[stack[-1]].channels = words[at + 2 : at + 2 + count]
            at += 2 + count
        else:
            at += 1
    return joints


def _parse_frames(name: str, text: str, width: int) -> tuple[float, Array]:
    head, _, body = text.partition("Frame Time:")
    frame_time, _, numbers = body.strip().partition("\n")
    values = np.array(numbers.split(), dtype=np.float64)
    frames = int(head.split(":")[1])
    if width == 0 or values.size != frames * width:
        raise InvalidMotionError(
            f"{name} has {values.size} numbers where {frames} frames of {width} channels are announced."
        )
    return float(frame_time), values.reshape(frames, width)


def _skeleton(joints: list[_Joint]) -> RigSkeleton:
    """Bones that point to their children's mean, leaves to their end site or on along their parent's bone."""
    heads = np.zeros((len(joints), 3))
    tails = np.zeros((len(joints), 3))
    for i, joint in enumerate(joints):
        heads[i] = joint.offset + (heads[joint.parent] if joint.parent >= 0 else 0.0)
    for i, joint in enumerate(joints):
        children = [heads[j] for j, other in enumerate(joints) if other.parent == i]
        way = (
            np.mean(children, axis=0) - heads[i] if children else (joint.end if joint.end is not None else np.zeros(3))
        )
        if np.linalg.norm(way) < 1e-6:
            way = tails[joint.parent] - heads[joint.parent] if joint.parent >= 0 else np.array([0.0, 1.0, 0.0])
        tails[i] = heads[i] + way
    rest = np.tile(np.eye(4), (len(joints), 1, 1))
    for i in range(len(joints)):
        rest[i, :3, :3] = _frame_along(normalize(tails[i] - heads[i]))
        rest[i, :3, 3] = heads[i]
    parents = tuple(joint.parent for joint in joints)
    return RigSkeleton(tuple(joint.name for joint in joints), parents, rest, np.linalg.norm(tails - heads, axis=-1))


def _frame_along(direction: Array) -> Array:
    """(3, 3) rest frame whose Y lies along the bone; the roll is free."""
    helper = np.eye(3)[int(np.argmin(np.abs(direction)))]
    # from_frame puts its first argument on X; Y X -Z is the same frame with the bone on Y.
    x_along = to_matrix(from_frame(direction, helper))
    return np.stack([x_along[:, 1], x_along[:, 0], -x_along[:, 2]], axis=-1)


def _channels(joints: list[_Joint], values: Array, skeleton: RigSkeleton) -> tuple[Array, Array]:
    """Basis rotations (T, B, 4) and locations (T, B, 3) in the bones' rest frames."""
    rotations = np.zeros((len(values), len(joints), 4))
    locations = np.zeros((len(values), len(joints), 3))
    at = 0
    for i, joint in enumerate(joints):
        rotation = np.zeros((len(values), 4))
        rotation[:, 0] = 1.0
        position = np.broadcast_to(joint.offset, (len(values), 3)).copy()
        for channel in joint.channels:
            column, axis = values[:, at], channel[0].upper()
            if channel.lower().endswith("rotation"):
                rotation = multiply(rotation, from_axis_angle(_AXES[axis], np.radians(column)))
            else:
                position[:, "XYZ".index(axis)] = column
            at += 1
        frame = skeleton.rest[i, :3, :3]
        # The file's rotations are about the world's axes at rest: carry them into the bone's frame.
        axis_in_bone = rotation[:, 1:] @ frame
        rotations[:, i] = np.concatenate([rotation[:, :1], axis_in_bone], axis=-1)
        locations[:, i] = (position - joint.offset) @ frame
    return rotations, locations
