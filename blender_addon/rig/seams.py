# SPDX-License-Identifier: GPL-3.0-or-later
"""Where new keys meet old ones: the curve outside the new keys stays as it was, handle by handle."""

from typing import Final

import bpy
import numpy as np

from ..backend import rotations

Array = rotations.Array

_FREE: Final = 0
# Keys closer than this, frames, are at the same time.
_SAME_TIME: Final = 1e-3


def split_at(curve: bpy.types.FCurve, frames: tuple[float, float]) -> None:
    """Put keys at the two frames where the curve has keys on both sides, without changing its shape."""
    for frame in frames:
        points = curve.keyframe_points
        times = np.empty(2 * len(points), dtype=np.float32)
        points.foreach_get("co", times)
        before, after = (np.flatnonzero(side) for side in _sides(times[::2], frame))
        if not before.size or not after.size:
            continue
        # Blender keeps the shape where handles are free; automatic ones it would move, far beyond the new key too.
        for index in range(before[-1], after[0] + 1):
            points[index].handle_left_type = points[index].handle_right_type = "FREE"
        if after[0] == before[-1] + 1:
            points.insert(frame, curve.evaluate(frame))


def with_outer_handles(new: dict[str, np.ndarray], old: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The rows of new keys, first and last with the handles that lead to the old keys outside."""
    rows = {name: column.copy() for name, column in new.items()}
    for row, side, other in ((0, "left", 0), (-1, "right", 1)):
        outside = _sides(old["co"][:, 0], new["co"][row, 0])[other]
        same = np.flatnonzero(np.abs(old["co"][:, 0] - new["co"][row, 0]) <= _SAME_TIME)
        if not outside.any() or not same.size:
            continue
        key = same[0]
        rows[f"handle_{side}"][row] = old[f"handle_{side}"][key] + (new["co"][row] - old["co"][key])
        # Both: next to an automatic handle Blender would move a free one too.
        rows["handle_left_type"][row] = rows["handle_right_type"][row] = _FREE
        if side == "right":
            for name in ("interpolation", "easing", "amplitude", "back", "period"):
                rows[name][row] = old[name][key]
    return rows


def _sides(times: Array, frame: float) -> tuple[np.ndarray, np.ndarray]:
    """Which keys lie before the frame, and which after it."""
    return times < frame - _SAME_TIME, times > frame + _SAME_TIME
