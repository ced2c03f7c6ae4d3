# SPDX-License-Identifier: GPL-3.0-or-later
"""Which ghost the pointer is on, found on the screen."""

from dataclasses import dataclass

import numpy as np

from ..engines import Float32
from ..rotations import Array
from .body import GhostBody

_BEHIND = 1e-6


@dataclass(frozen=True)
class View:
    """How core's world comes onto a region of the screen.

    Attributes:
        matrix: (4, 4) core's world to clip space.
        size: width and height of the region in pixels.
    """

    matrix: Array
    size: tuple[float, float]


@dataclass(frozen=True)
class Picker:
    """A pointer.

    Attributes:
        place: (2,) pixels from the region's lower left corner.
        reach: how far beside a body it may be, in pixels.
    """

    place: Array
    reach: float


def project(view: View, points: Array | Float32) -> tuple[Array, Array]:
    """Pixels (..., 2) and depths (...) of points (..., 3); the depth of a point behind the viewer is infinite."""
    clip = points @ view.matrix[:3, :3].T + view.matrix[:3, 3]
    divisor = points @ view.matrix[3, :3] + view.matrix[3, 3]
    seen = divisor > _BEHIND
    scaled = clip / np.where(seen, divisor, 1.0)[..., None]
    pixels = (scaled[..., :2] * 0.5 + 0.5) * np.array(view.size)
    return pixels, np.where(seen, scaled[..., 2], np.inf)


def nearest_ghost(view: View, body: GhostBody, points: Float32, picker: Picker) -> int:
    """Index of the ghost under the pointer, of several the one in front; -1 if there is none.

    Args:
        view: what is seen.
        body: the ghosts' limbs.
        points: (N, P, 3) where their points are.
        picker: the pointer.
    """
    if not len(points):
        return -1
    pixels, depths = project(view, points)
    thick = _pixels_per_metre(view, body, points) * body.radii.max(axis=-1)
    starts, ends = pixels[:, body.limbs[:, 0]], pixels[:, body.limbs[:, 1]]
    seen = np.isfinite(depths[:, body.limbs]).all(axis=-1)
    gaps = np.where(seen, _distances(picker.place, starts, ends) - thick, np.inf).min(axis=1)
    near = gaps <= picker.reach
    if not near.any():
        return -1
    hits = gaps <= 0.0
    front = np.where(np.isfinite(depths), depths, np.inf).min(axis=1)
    return int(np.argmin(np.where(hits, front, np.inf))) if hits.any() else int(np.argmin(gaps))


def _pixels_per_metre(view: View, body: GhostBody, points: Float32) -> Array:
    """(N, 1) at each ghost's pelvis."""
    pelvis = points[:, 0].astype(np.float64)
    divisor = np.abs(pelvis @ view.matrix[3, :3] + view.matrix[3, 3])
    across = np.linalg.norm(view.matrix[0, :3]) * view.size[0] * 0.5
    return (across / np.maximum(divisor, _BEHIND * body.size))[:, None]


def _distances(place: Array, starts: Array, ends: Array) -> Array:
    """(N, L) from a point (2,) to segments between points (N, L, 2)."""
    way = ends - starts
    squared = np.maximum(np.sum(way * way, axis=-1), 1e-12)
    share = np.clip(np.sum((place - starts) * way, axis=-1) / squared, 0.0, 1.0)
    return np.linalg.norm(starts + share[..., None] * way - place, axis=-1)
