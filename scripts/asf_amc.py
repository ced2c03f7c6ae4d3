# SPDX-License-Identifier: GPL-3.0-or-later
"""Read Acclaim skeletons (ASF) and their motions (AMC) into core's rig types.

A joint turns about axes that the file gives each bone, often about one or two of them only. These axes are the
bone's rest frame here, so that what the file leaves out is zero in the channels too; the bone's tail is elsewhere.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from core.errors import InvalidMotionError
from core.rig import RigMotion, RigSkeleton
from core.rotations import Array, from_axis_angle, multiply, to_matrix

FPS: Final = 120.0
_INCH: Final = 0.0254
_AXES: Final = {"X": np.array([1.0, 0.0, 0.0]), "Y": np.array([0.0, 1.0, 0.0]), "Z": np.array([0.0, 0.0, 1.0])}


@dataclass(frozen=True)
class Bone:
    """One bone of an ASF file: ``channels`` are those that its motions have, such as ``("RX",)``."""

    name: str
    direction: Array
    length: float
    axis: Array
    channels: tuple[str, ...]


@dataclass(frozen=True)
class Acclaim:
    """A skeleton file: bones with the root first, their parents, and its unit of length."""

    bones: tuple[Bone, ...]
    parents: tuple[int, ...]
    metres_per_unit: float

    @property
    def skeleton(self) -> RigSkeleton:
        """Every bone begins where its parent ends."""
        rest = np.tile(np.eye(4), (len(self.bones), 1, 1))
        for i, (bone, parent) in enumerate(zip(self.bones, self.parents, strict=True)):
            rest[i, :3, :3] = to_matrix(bone.axis)
            if parent >= 0:
                above = self.bones[parent]
                rest[i, :3, 3] = rest[parent, :3, 3] + above.direction * above.length
        lengths = np.array([bone.length or 1.0 for bone in self.bones])
        return RigSkeleton(tuple(bone.name for bone in self.bones), self.parents, rest, lengths)


def read_asf(path: Path) -> Acclaim:
    """A skeleton file.

    Raises:
        InvalidMotionError: it is none.
    """
    text = path.read_text(encoding="utf-8", errors="replace")
    sections = re.split(r"^:(\w+)", text, flags=re.MULTILINE)
    content = dict(zip(sections[1::2], sections[2::2], strict=False))
    if not {"root", "bonedata", "hierarchy"} <= content.keys():
        raise InvalidMotionError(f"{path.name} is not an ASF file.")
    bones = [_parse_bone("name root\n" + content["root"])]
    bones += [_parse_bone(block) for block in re.findall(r"begin(.*?)end", content["bonedata"], flags=re.DOTALL)]
    parents = _parse_parents(content["hierarchy"], {bone.name: i for i, bone in enumerate(bones)})
    # Vicon writes its unit of length as so many units an inch.
    length = re.search(r"^\s*length\s+([\d.]+)", content.get("units", ""), flags=re.MULTILINE)
    return Acclaim(tuple(bones), parents, _INCH / float(length[1]) if length else 1.0)


def read_amc(path: Path, character: Acclaim, fps: float = FPS) -> RigMotion:
    """A motion of that character, in metres; the file does not say its frame rate.

    Raises:
        InvalidMotionError: it is no motion, or another character's.
    """
    frames = _parse_frames(path.name, path.read_text(encoding="utf-8", errors="replace"))
    rotations, locations = _channels(character.bones, frames)
    placement = np.diag([character.metres_per_unit] * 3 + [1.0])
    return RigMotion(
        character.skeleton, np.arange(len(frames)) / fps, rotations, locations, np.ones_like(locations),
        np.broadcast_to(placement, (len(frames), 4, 4)),
    )  # fmt: skip


def _parse_parents(hierarchy: str, index: dict[str, int]) -> tuple[int, ...]:
    """Each line names a bone and what hangs on it."""
    parents = [-1] * len(index)
    for line in re.sub(r"begin|end", "", hierarchy).splitlines():
        above, *below = line.split() or [""]
        for child in below:
            parents[index[child]] = index[above]
    return tuple(parents)


def _parse_bone(block: str) -> Bone:
    entry = {key: rest for key, *rest in (line.split() for line in block.splitlines() if line.strip())}
    direction = np.array([float(number) for number in entry.get("direction", ("0", "0", "0"))])
    # The root's line ``axis`` only names an order; its turn is the line ``orientation``.
    turns = entry["axis"] if "direction" in entry else [*entry["orientation"], entry["axis"][0]]
    axis = _turn(turns[3], np.array([float(number) for number in turns[:3]]))
    channels = tuple(channel.upper() for channel in entry.get("dof", entry.get("order", ())))
    return Bone(entry["name"][0], direction, float(entry.get("length", ("0",))[0]), axis, channels)


def _turn(order: str, degrees: Array) -> Array:
    """Rotations of angles (..., 3), the first letter's axis first."""
    turn = np.broadcast_to(np.array([1.0, 0.0, 0.0, 0.0]), (*degrees.shape[:-1], 4))
    for column, letter in enumerate(order):
        turn = multiply(from_axis_angle(_AXES[letter], np.radians(degrees[..., column])), turn)
    return turn


def _parse_frames(name: str, text: str) -> list[dict[str, list[float]]]:
    """Each frame's numbers by bone."""
    frames: list[dict[str, list[float]]] = []
    for line in text.splitlines():
        first, *rest = line.split() or [""]
        if first.isdigit() and not rest:
            frames.append({})
        elif frames and first:
            frames[-1][first] = [float(number) for number in rest]
    if not frames:
        raise InvalidMotionError(f"{name} is not an AMC file.")
    return frames


def _channels(bones: tuple[Bone, ...], frames: list[dict[str, list[float]]]) -> tuple[Array, Array]:
    """Basis rotations (T, B, 4) and locations (T, B, 3)."""
    angles, locations = np.zeros((2, len(frames), len(bones), 3))
    for b, bone in enumerate(bones):
        rows = [frame.get(bone.name, [0.0] * len(bone.channels)) for frame in frames]
        if any(len(row) != len(bone.channels) for row in rows):
            raise InvalidMotionError(f"The motion's numbers for {bone.name} are not those of the skeleton.")
        values = np.array(rows)
        for column, (kind, letter) in enumerate(bone.channels):
            target = angles if kind == "R" else locations
            target[:, b, "XYZ".index(letter)] = values[:, column]
    # Locations count along the axes of the bone's rest frame, which for the root are the world's as a rule.
    return _turn("XYZ", angles), locations
