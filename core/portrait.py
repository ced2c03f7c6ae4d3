# SPDX-License-Identifier: GPL-3.0-or-later
"""A small picture of a pose, on nothing, so that it stands on light and dark interfaces alike; as PNG bytes."""

import struct
import zlib
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from .figure import Colour, View, body_parts, mix, outline
from .motion import Motion
from .rotations import Array
from .skeleton import JOINTS

Pixels = NDArray[np.uint8]

SIZE = 128
# Sky blue and vermilion of Okabe and Ito's palette: told apart by colour-blind readers, seen on black and on white.
_SIDES: dict[str, Colour] = {"left": (86, 160, 211), "right": (222, 110, 36), "": (142, 147, 158)}
_FAR: Colour = (96, 100, 108)
_FADE, _FADES_OVER = 0.55, 0.4  # how much of _FAR a part has that lies so many metres behind the pelvis
_GAP = 0.02  # metres of nothing around a part, which separates limbs that cross
_TALLEST = 1.62  # metres of body that the picture has room for; a larger one is drawn smaller
_ROOM = 0.95  # share of the picture that a body may take
_TURN = np.radians(35.0)  # from the side towards the front
_UP = np.array([0.0, 1.0, 0.0])


def portrait(motion: Motion) -> Pixels:
    """(SIZE, SIZE, 4) picture of a clip's most telling pose, see :func:`picture`."""
    places = motion.positions()
    frame = telling_frame(places)
    return picture(dict(zip(JOINTS, places[frame], strict=True)))


def telling_frame(places: Array) -> int:
    """The frame of (T, 22, 3) joint positions whose pose is farthest from the clip's mean pose."""
    left, right = (places[:, JOINTS.index(f"{side}_hip")] for side in ("left", "right"))
    ahead = np.cross(left - right, _UP)
    turn = np.arctan2(ahead[:, 0], ahead[:, 2])
    cosine, sine = np.cos(turn)[:, None], np.sin(turn)[:, None]
    own = places - places[:, :1]
    own = np.stack([cosine * own[..., 0] - sine * own[..., 2], own[..., 1], sine * own[..., 0] + cosine * own[..., 2]])
    return int(np.argmax(np.square(own - own.mean(axis=1, keepdims=True)).sum(axis=(0, 2))))


def picture(joints: dict[str, Array]) -> Pixels:
    """(SIZE, SIZE, 4) RGBA of a body, from half aside; ``joints`` name to (3,) metres, Y up."""
    ahead = np.cross(joints["left_hip"] - joints["right_hip"], _UP)
    forward = ahead / max(float(np.linalg.norm(ahead)), 1e-9)
    toward = np.cos(_TURN) * np.cross(forward, _UP) + np.sin(_TURN) * forward
    view = View(np.cross(_UP, toward), toward, joints["pelvis"], (0.0, 0.0), 1.0)
    parts = sorted(body_parts(joints, forward), key=lambda part: part.depth(toward))
    corners = np.concatenate([outline(part, view, 0.0) for part in parts])
    view = _framed(view, corners)
    canvas = np.zeros((SIZE, SIZE, 4))
    middle = float(joints["pelvis"] @ toward)
    for part in parts:
        behind = float(np.clip((middle - part.depth(toward)) / _FADES_OVER, 0.0, 1.0))
        _fill(canvas, outline(part, view, _GAP), None)
        _fill(canvas, outline(part, view, 0.0), mix(_SIDES[part.side], _FAR, _FADE * behind))
    return _straight(canvas)


def png(pixels: Pixels) -> bytes:
    """An RGBA picture (H, W, 4) as a PNG file."""
    height, width = pixels.shape[:2]
    lines = pixels.reshape(height, -1)
    # Differences from the line above, PNG's filter 2, of which flat areas are zeros.
    above = np.concatenate([np.zeros_like(lines[:1]), lines[:-1]])
    filtered = np.concatenate([np.full((height, 1), 2, np.uint8), lines - above], axis=1)
    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(filtered.tobytes(), 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunks(chunks))


def _framed(view: View, corners: Array) -> View:
    """The view with the outline's corners, in metres, in the middle of the picture and on its ground."""
    low, high = corners.min(axis=0), corners.max(axis=0)
    scale = _ROOM * SIZE / max(_TALLEST, float((high - low).max()))
    across = SIZE / 2 - scale * float(low[0] + high[0]) / 2
    return View(view.right, view.toward, view.origin, (across, SIZE * (1 + _ROOM) / 2 - scale * float(high[1])), scale)


def _fill(canvas: Array, corners: Array, colour: Colour | None) -> None:
    """Lay a convex shape over the picture, whose colours are multiplied by alpha; without a colour, cut it out."""
    low = np.clip(np.floor(corners.min(axis=0)).astype(int) - 1, 0, SIZE)
    high = np.clip(np.ceil(corners.max(axis=0)).astype(int) + 2, 0, SIZE)
    x, y = np.meshgrid(np.arange(low[0], high[0]) + 0.5, np.arange(low[1], high[1]) + 0.5)
    edges = np.roll(corners, -1, axis=0) - corners
    normals = np.stack([edges[:, 1], -edges[:, 0]], axis=1) / np.linalg.norm(edges, axis=1, keepdims=True)
    # The farthest edge decides how deep a pixel's centre lies inside; one pixel wide, the border is soft.
    outside = np.full(x.shape, -np.inf)
    for (nx, ny), (px, py) in zip(normals, corners, strict=True):
        outside = np.maximum(outside, nx * (x - px) + ny * (y - py))
    cover = np.clip(0.5 - outside, 0.0, 1.0)[..., None]
    ink = np.zeros(4) if colour is None else np.array([*colour, 255.0])
    region = canvas[low[1] : high[1], low[0] : high[0]]
    region[:] = region * (1.0 - cover) + ink * cover


def _straight(canvas: Array) -> Pixels:
    """Colours no longer multiplied by alpha, as PNG wants them."""
    alpha = canvas[..., 3:] / 255.0
    colours = np.divide(canvas[..., :3], alpha, out=np.zeros_like(canvas[..., :3]), where=alpha > 0)
    return np.round(np.concatenate([colours, canvas[..., 3:]], axis=-1)).astype(np.uint8)


def _chunks(chunks: Iterable[tuple[bytes, bytes]]) -> Iterable[bytes]:
    for kind, data in chunks:
        yield struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
