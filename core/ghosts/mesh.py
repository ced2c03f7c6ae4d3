# SPDX-License-Identifier: GPL-3.0-or-later
"""Ghosts as one triangle mesh: a capsule per limb and a disc on the floor below each body, shaded per vertex."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..engines import Float32
from ..rotations import Array
from .body import GhostBody

_SIDES = 8
# Rings of a capsule: which end of the limb, along the axis and away from it in radii of that end.
_RINGS = np.array(
    [[0, -1.0, 0.0], [0, -0.7, 0.71], [0, 0.0, 1.0], [1, 0.0, 1.0], [1, 0.7, 0.71], [1, 1.0, 0.0]], dtype=np.float32
)
_DISC_CORNERS = 24
_DISC_RADIUS = 0.26
_DISC_ALPHA, _DISC_ALPHA_HOVERED = 0.3, 0.75
# Above the floor, so that the grid does not shine through; of a body of canonical size.
_DISC_HEIGHT = 0.004
# Light that is everywhere, and how much darker a body is at its rim, which sets it off from any background.
_AMBIENT, _RIM = 0.58, 0.3
# How far the ghost under the pointer is lightened, and the others are dimmed meanwhile.
_LIGHTENED, _DIMMED = 0.28, 0.78

_ANGLES = np.arange(_SIDES, dtype=np.float32) * np.float32(2.0 * np.pi / _SIDES)
_CIRCLE = np.stack([np.cos(_ANGLES), np.sin(_ANGLES)], axis=-1)

Indices = NDArray[np.int32]


@dataclass(frozen=True)
class Look:
    """How ghosts are to be seen.

    Attributes:
        colours: (N, 3) sRGB, 0 to 1.
        toward: (3,) unit vector to the viewer.
        light: (3,) unit vector to the light.
        hovered: the ghost under the pointer, -1 for none.
    """

    colours: Array
    toward: Array
    light: Array
    hovered: int = -1


def ghost_vertices(body: GhostBody, points: Float32, floor: float) -> tuple[Float32, Float32]:
    """The mesh of N bodies.

    Args:
        body: their limbs.
        points: (N, P, 3) where the points of each are.
        floor: height on which the discs lie.

    Returns:
        Positions and unit normals (V, 3) of all vertices, ghost by ghost, the disc after the limbs.
    """
    capsules, normals = _capsules(points[:, body.limbs], body.radii.astype(np.float32))
    discs = _discs(points[:, 0], floor, body.size)
    up = np.broadcast_to(np.array([0.0, 1.0, 0.0], dtype=np.float32), discs.shape)
    count = len(points)
    positions = np.concatenate([capsules.reshape(count, -1, 3), discs], axis=1)
    normals = np.concatenate([normals.reshape(count, -1, 3), up], axis=1)
    return positions.reshape(-1, 3), normals.reshape(-1, 3)


def ghost_colours(normals: Float32, look: Look) -> Float32:
    """(V, 4) colours of :func:`ghost_vertices`' vertices; bodies are opaque, discs are not."""
    count = len(look.colours)
    normals = normals.reshape(count, -1, 3)
    shade = _AMBIENT + (1.0 - _AMBIENT) * np.clip(normals @ look.light.astype(np.float32), 0.0, 1.0)
    shade *= 1.0 - _RIM + _RIM * np.clip(normals @ look.toward.astype(np.float32), 0.0, 1.0)
    base, alpha = look.colours.astype(np.float32), np.full(count, _DISC_ALPHA, dtype=np.float32)
    if look.hovered >= 0:
        base, alpha = base * np.float32(_DIMMED), alpha
        own = look.colours[look.hovered]
        base[look.hovered] = own + _LIGHTENED * (1.0 - own)
        alpha[look.hovered] = _DISC_ALPHA_HOVERED
    colours = np.ones((*shade.shape, 4), dtype=np.float32)
    colours[..., :3] = shade[..., None] * base[:, None]
    disc = slice(-_DISC_CORNERS, None)
    colours[:, disc, :3], colours[:, disc, 3] = base[:, None], alpha[:, None]
    return colours.reshape(-1, 4)


def ghost_indices(body: GhostBody, count: int) -> Indices:
    """(F, 3) triangles of ``count`` ghosts; they do not depend on the pose. Discs come last, over what they cover."""
    limbs = len(body.limbs)
    capsule = _capsule_triangles()
    size = len(_RINGS) * _SIDES
    one = (capsule + (np.arange(limbs) * size)[:, None, None]).reshape(-1, 3)
    fan = np.stack([np.zeros(_DISC_CORNERS - 2), *np.arange(_DISC_CORNERS - 2) + np.array([[1], [2]])], axis=-1)
    each = limbs * size + _DISC_CORNERS
    starts = (np.arange(count) * each)[:, None, None]
    bodies, discs = one + starts, fan + limbs * size + starts
    return np.concatenate([bodies.reshape(-1, 3), discs.reshape(-1, 3)]).astype(np.int32)


def _capsules(ends: Float32, radii: Float32) -> tuple[Float32, Float32]:
    """(N, L, rings, sides, 3) positions and normals of limbs (N, L, 2, 3) with radii (L, 2)."""
    way = ends[:, :, 1] - ends[:, :, 0]
    length = np.linalg.norm(way, axis=-1, keepdims=True)
    axis = np.where(length > 1e-9, way / np.maximum(length, 1e-9), np.array([0, 1, 0], dtype=np.float32))
    # Crossed with the direction that it leans to least, an axis has a definite side.
    helper = np.eye(3, dtype=np.float32)[np.argmin(np.abs(axis), axis=-1)]
    side = np.cross(axis, helper)
    side /= np.linalg.norm(side, axis=-1, keepdims=True)
    spokes = _CIRCLE[:, :1] * side[:, :, None] + _CIRCLE[:, 1:] * np.cross(axis, side)[:, :, None]
    at, along, away = _RINGS[:, 0].astype(np.int64), _RINGS[:, 1, None, None], _RINGS[:, 2, None, None]
    normals = along * axis[:, :, None, None] + away * spokes[:, :, None]
    positions = ends[:, :, at][:, :, :, None] + normals * radii[:, at][:, :, None, None]
    return positions, normals


def _discs(pelvis: Float32, floor: float, size: float) -> Float32:
    """(N, corners, 3) below each pelvis (N, 3)."""
    angles = np.arange(_DISC_CORNERS, dtype=np.float32) * np.float32(2.0 * np.pi / _DISC_CORNERS)
    circle = np.stack([np.sin(angles), np.zeros_like(angles), np.cos(angles)], axis=-1)
    centres = pelvis.copy()
    centres[:, 1] = floor + _DISC_HEIGHT * size
    return centres[:, None] + np.float32(_DISC_RADIUS * size) * circle


def _capsule_triangles() -> Indices:
    """(F, 3) of one capsule, ring by ring."""
    side, ring = np.arange(_SIDES), np.arange(len(_RINGS) - 1)[:, None] * _SIDES
    after = (side + 1) % _SIDES
    first = np.stack([ring + side, ring + after, ring + side + _SIDES], axis=-1)
    second = np.stack([ring + after, ring + after + _SIDES, ring + side + _SIDES], axis=-1)
    return np.concatenate([first.reshape(-1, 3), second.reshape(-1, 3)]).astype(np.int32)
