# SPDX-License-Identifier: GPL-3.0-or-later
"""Where ghosts stand: in a row with the original in the middle, far enough apart for as long as the clip is.

Everybody in the row does nearly the same at the same time, so what they need is the room of a body and not that of its
way. Where styles travel at different speeds, one would catch up with the next: then everybody gets a lane, like
runners, and the row runs aslant.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..engines import Float32
from ..rotations import Array

# Air between two bodies, metres for a body of canonical size.
_GAP = 0.3
# A row may be so many times wider than bodies need before lanes are better.
_WIDEST = 1.4
# Frames that are looked at.
_LOOKS = 240
# A view from straight above or below has a right side too, but a rolled one may have none on the floor.
_LEVEL = 1e-3


@dataclass(frozen=True)
class _Extent:
    """Lowest and highest reach (N, T) of bodies along a direction, and where their pelvis is."""

    low: Array
    high: Array
    pelvis: Array

    @property
    def room(self) -> float:
        """What two bodies need beside each other if they travel alike."""
        ahead, behind = self.high - self.pelvis, self.pelvis - self.low
        return float(max(np.max(ahead[:-1] + behind[1:]), np.max(ahead[1:] + behind[:-1])))

    @property
    def apart(self) -> float:
        """How far each must stand from the one before it never to be reached."""
        return float(np.max(self.high[:-1] - self.low[1:]))


def slots(count: int) -> NDArray[np.int64]:
    """(count,) places in the row from left to right; 0 is the original's."""
    left = (count + 1) // 2
    return np.concatenate([np.arange(-left, 0), np.arange(1, count - left + 1)])


def row_offsets(points: Float32, original: Float32, right: Array, size: float) -> Array:
    """Where to move the ghosts (N, 3) so that they stand side by side, on the floor they are on.

    Args:
        points: (N, T, P, 3) of the ghosts; the first point is the pelvis.
        original: (T, P, 3) of the original, which stays where it is.
        right: (3,) to the viewer's right.
        size: of the body in canonical ones.
    """
    places = slots(len(points))
    bodies = _standing(points, original, places)
    along = _on_floor(right)
    gap, here = _GAP * size, _extent(bodies, along)
    width = here.room + gap
    if here.apart + gap <= _WIDEST * width:
        return places[:, None] * max(here.apart + gap, width) * along
    lane = _lane(bodies, along)
    there = _extent(bodies, lane)
    room = min(max(there.room, there.apart), _WIDEST * there.room) + gap
    beside = max(room - width * float(along @ lane), 0.0)
    return places[:, None] * (width * along + beside * lane)


def facings(right: Array) -> tuple[Array, Array, Array, Array]:
    """The row for a first view, and for views from its other sides: so the numbers run from left to right in all."""
    along = _on_floor(right)
    ahead = np.array([along[2], 0.0, -along[0]])
    return along, ahead, -along, -ahead


def _standing(points: Float32, original: Float32, places: NDArray[np.int64]) -> Array:
    """(N + 1, T', P, 3) everybody in the row from left to right, at some of the frames."""
    looks = np.unique(np.linspace(0, points.shape[1] - 1, _LOOKS).astype(np.int64))
    middle = int(np.searchsorted(places, 0))
    return np.insert(points[:, looks].astype(np.float64), middle, original[looks], axis=0)


def _extent(bodies: Array, direction: Array) -> _Extent:
    reach = bodies @ direction
    return _Extent(reach.min(axis=-1), reach.max(axis=-1), reach[..., 0])


def _lane(bodies: Array, along: Array) -> Array:
    """(3,) over the floor, across the way on which bodies come apart; away from the viewer if it is the viewer's."""
    floor = bodies[:, :, 0][..., [0, 2]]
    spread = (floor - floor.mean(axis=0)).reshape(-1, 2)
    way = np.linalg.svd(spread, full_matrices=False)[2][0]
    lane = np.array([way[1], 0.0, -way[0]])
    ahead = np.array([along[2], 0.0, -along[0]])
    # Along the row if it can be, else into the picture: a row that comes nearer hides what is behind it.
    leading = float(lane @ along)
    return lane if (leading if abs(leading) > 0.5 else float(lane @ ahead)) >= 0.0 else -lane


def _on_floor(right: Array) -> Array:
    """Unit vector (3,) on the floor."""
    flat = right * np.array([1.0, 0.0, 1.0])
    length = float(np.linalg.norm(flat))
    return flat / length if length > _LEVEL else np.array([1.0, 0.0, 0.0])
