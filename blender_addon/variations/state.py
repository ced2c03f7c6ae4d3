# SPDX-License-Identifier: GPL-3.0-or-later
"""The variations that are shown now: numbers and names, no reference to anything of Blender's."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import bpy
import numpy as np

from ..backend import GhostBody, TimeWarp, facings, ghost_colours_of, rotations, row_offsets
from ..order import Order

Array = rotations.Array
# (..., 3) of single precision.
Points = Any


@dataclass(frozen=True)
class Entry:
    """One variation as it is listed.

    Attributes:
        index: for ``panache.keep_variation``.
        number: what it is called on the screen, from 1.
        seed: what makes it.
        style: its style in words.
        colour: (3,) sRGB of its ghost.

    """

    index: int
    number: int
    seed: int
    style: str
    colour: tuple[float, float, float]


@dataclass(frozen=True)
class Origin:
    """What the variations were made of.

    Attributes:
        scene: session_uid of the scene.
        armature: session_uid of the armature object.
        name: of the armature.
        keys: short name of all that is played, to notice changes.

    """

    scene: int
    armature: int
    name: str
    keys: str


@dataclass
class VariationsState:
    """N variations over T frames; the only things that change are what is pointed at and whether one may.

    Attributes:
        origin: what they were made of.
        orders: N, with which each is made again to be kept.
        styles: N names of their styles.
        frames: (T,) Blender frames, increasing.
        body: shape of the ghosts.
        points: (N, T, P, 3) where the ghosts' points are if they stand where the original does; core's world.
        original: (T, P, 3) likewise of the original.
        right: (3,) to the right of the view from which they were sampled; core's world.
        warps: N, the time that each takes.
        hovered: the one under the pointer, -1 for none.
        picking: whether a click chooses.

    """

    origin: Origin
    orders: tuple[Order, ...]
    styles: tuple[str, ...]
    frames: Array
    body: GhostBody
    points: Points
    original: Points
    right: Array
    warps: tuple[TimeWarp, ...]
    hovered: int = -1
    picking: bool = False
    _rows: dict[int, Points] = field(default_factory=dict)
    _floor: float | None = None

    def __len__(self) -> int:
        return len(self.orders)

    @property
    def entries(self) -> tuple[Entry, ...]:
        """What there is to choose from, for lists and labels."""
        colours = ghost_colours_of(len(self))
        return tuple(
            Entry(i, i + 1, order.settings.seed, style, tuple(colours[i].tolist()))
            for i, (order, style) in enumerate(zip(self.orders, self.styles, strict=True))
        )

    @property
    def floor(self) -> float:
        """Height of what the original walks on."""
        if self._floor is None:
            self._floor = float(self.original[..., 1].min() - self.body.radii.min())
        return self._floor

    def points_at(self, frame: float, right: Array) -> Points:
        """(N, P, 3) where the ghosts are in a frame, in the row for a view with this right side."""
        frames = np.array([warp.back(np.array([frame]))[0] for warp in self.warps])
        return self._between(self.points, frames) + self._row(right)[:, None]

    def original_at(self, frame: float) -> Points:
        """(P, 3) where the original is."""
        return self._between(self.original[None], np.array([frame]))[0]

    def _between(self, points: Points, frames: Array) -> Points:
        """Points (N, P, 3) of (N, T, P, 3) at frames (N,), which may lie between two; the ends hold."""
        rows = np.interp(frames, self.frames, np.arange(len(self.frames)))
        low, ghosts = rows.astype(np.intp), np.arange(len(points))
        high, share = np.minimum(low + 1, len(self.frames) - 1), (rows - low).astype(np.float32)
        start = points[ghosts, low]
        return start + share[:, None, None] * (points[ghosts, high] - start)

    def _row(self, right: Array) -> Points:
        """(N, 3) the row that suits the view best: numbers run from its left to its right."""
        sides = facings(self.right)
        side = int(np.argmax([float(right @ way) for way in sides]))
        if side not in self._rows:
            offsets = row_offsets(self.points, self.original, sides[side], self.body.size)
            self._rows[side] = offsets.astype(np.float32)
        return self._rows[side]


_ACTIVE: Final[list[VariationsState]] = []
_CLOSING: Final[list[Callable[[], None]]] = []


def active() -> VariationsState | None:
    """The variations that are shown, None if there are none. Cheap enough to call while drawing."""
    return _ACTIVE[0] if _ACTIVE else None


def show(state: VariationsState, close: Callable[[], None]) -> None:
    """Make ``state`` the active one in place of any other; ``close`` is called when it is dropped."""
    discard()
    _ACTIVE.append(state)
    _CLOSING.append(close)


def discard() -> bool:
    """Drop the variations; says whether there were any."""
    found = bool(_ACTIVE)
    _ACTIVE.clear()
    while _CLOSING:
        _CLOSING.pop()()
    return found


def armature_of_variations(state: VariationsState) -> bpy.types.Object | None:
    """The armature that they were sampled for; None if it or its scene is gone."""
    origin = state.origin
    scene = next((scene for scene in bpy.data.scenes if scene.session_uid == origin.scene), None)
    if scene is None:
        return None
    found = bpy.data.objects.get(origin.name)
    if found is None or found.session_uid != origin.armature:
        found = next((obj for obj in bpy.data.objects if obj.session_uid == origin.armature), None)
    return found if found is not None and found.name in scene.objects else None
