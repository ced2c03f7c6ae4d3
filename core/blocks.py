# SPDX-License-Identifier: GPL-3.0-or-later
"""Work on every frame of a clip, some frames at a time: nobody waits for all of them, and memory stays small."""

from collections.abc import Callable
from typing import TypeVar

from .steps import Progress, Steps

T = TypeVar("T")

JOINT_FRAMES = 1500
"""Frames of a block where 22 joints are worked on."""
# Bones times frames of a block where the bones of a rig are, which costs several times as much.
_RIG_CELLS = 16_000


def rig_frames(bones: int) -> int:
    """Frames of a block where this many bones are worked on."""
    return max(_RIG_CELLS // max(bones, 1), 16)


def blocks(frames: int, size: int) -> list[slice]:
    """All frames in blocks of about ``size``, none longer; one empty block if there are no frames."""
    count = max(-(-frames // size), 1)
    edges = [frames * number // count for number in range(count + 1)]
    return [slice(start, stop) for start, stop in zip(edges[:-1], edges[1:], strict=True)]


def in_blocks(work: Callable[[slice], T], frames: int, size: int) -> Steps[list[T]]:
    """What ``work`` makes of each block of frames, one step each."""
    found: list[T] = []
    for block in blocks(frames, size):
        yield Progress(block.start / max(frames, 1))
        found.append(work(block))
    return found
