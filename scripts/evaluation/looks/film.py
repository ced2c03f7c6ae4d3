# SPDX-License-Identifier: GPL-3.0-or-later
"""A short film: the original and every style side by side, as an animated WebP that any browser plays."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from core.figure import Colour, View, mix
from core.representation import FPS
from core.rotations import Array
from core.skeleton import INDEX, JOINTS, PARENTS
from scripts.figure import INK, PAPER, SIDE_COLOURS

from .performance import Camera, Performance

_STEP: Final = 2  # of 30 frames per second, every second one
_SECONDS: Final = 6.0
_PANEL: Final = (190, 220)
_SCALE: Final = 82.0  # pixels per metre
_WIDE: Final = 6  # panels in a row at most
_FLOOR: Final = 190
_TICK: Final = 0.5  # metres between the marks on the floor
_OVERSAMPLING: Final = 2
_FAINT: Colour = mix(INK, PAPER, 0.6)
_THICK: Final = 0.045  # metres, of a limb
_HEAD: Final = 0.1


def draw_film(panels: Sequence[Performance], camera: Camera, path: Path) -> None:
    """Write the film; the camera goes with each pelvis, and marks on the floor show whether feet slide."""
    frames = range(0, min(len(panels[0]), round(_SECONDS * FPS)), _STEP)
    pictures = [_picture(panels, camera, frame) for frame in frames]
    path.parent.mkdir(parents=True, exist_ok=True)
    duration = round(1000 * _STEP / FPS)
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=duration, loop=0, quality=70, method=0)


def _picture(panels: Sequence[Performance], camera: Camera, frame: int) -> Image.Image:
    columns = min(_WIDE, len(panels)) if len(panels) > 2 * _WIDE else -(-len(panels) // 2)
    rows = -(-len(panels) // columns)
    size = (columns * _PANEL[0], rows * _PANEL[1])
    image = Image.new("RGB", (size[0] * _OVERSAMPLING, size[1] * _OVERSAMPLING), PAPER)
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(15 * _OVERSAMPLING)
    for number, panel in enumerate(panels):
        corner = np.array([number % columns * _PANEL[0], number // columns * _PANEL[1]]) * _OVERSAMPLING
        draw.text((float(corner[0]) + 16, float(corner[1]) + 36), panel.label, INK, font, "ls")
        place = corner + np.array([_PANEL[0] / 2, _FLOOR]) * _OVERSAMPLING
        at = min(frame, len(panel) - 1)
        view = camera.view(panel.path[at], (float(place[0]), float(place[1])), _SCALE * _OVERSAMPLING)
        _floor(draw, panel.path[at], camera, view)
        _body(draw, panel.joints[at], panel.looks[at], view)
    return image.resize(size, Image.Resampling.BILINEAR)


def _floor(draw: ImageDraw.ImageDraw, here: Array, camera: Camera, view: View) -> None:
    """The floor's line with marks that stay where they are in the world."""
    reach = 0.46 * _PANEL[0] * _OVERSAMPLING
    x, y = view.place
    draw.line([(x - reach, y), (x + reach, y)], _FAINT, _OVERSAMPLING)
    along = float(here @ camera.right)
    half = reach / view.scale
    for mark in np.arange(np.ceil((along - half) / _TICK), np.floor((along + half) / _TICK) + 1) * _TICK:
        at = x + (float(mark) - along) * view.scale
        draw.line([(at, y), (at, y + 6 * _OVERSAMPLING)], _FAINT, _OVERSAMPLING)


def _body(draw: ImageDraw.ImageDraw, joints: Array, looks: Array, view: View) -> None:
    """Limbs as thick lines, the farthest first; a nose on the head."""
    points = [view.to_paper(joint) for joint in joints]
    bones = [(child, parent) for child, parent in enumerate(PARENTS) if parent >= 0]
    bones.sort(key=lambda bone: float((joints[bone[0]] + joints[bone[1]]) @ view.toward))
    for child, parent in bones:
        colour = SIDE_COLOURS[JOINTS[child].partition("_")[0] if "_" in JOINTS[child] else ""]
        _capsule(draw, (points[parent], points[child]), _THICK * view.scale, colour)
    head = joints[INDEX["head"]]
    skull = head + _HEAD * 0.8 * (head - joints[INDEX["neck"]]) / max(
        float(np.linalg.norm(head - joints[INDEX["neck"]])), 1e-9
    )
    nose = skull + _HEAD * 1.15 * looks
    parts = [(skull, _HEAD, SIDE_COLOURS[""]), (nose, 0.035, INK)]
    for centre, radius, colour in sorted(parts, key=lambda part: float(part[0] @ view.toward)):
        _disc(draw, view.to_paper(centre), radius * view.scale, colour)


def _capsule(draw: ImageDraw.ImageDraw, ends: tuple[Array, Array], width: float, colour: Colour) -> None:
    draw.line([(float(x), float(y)) for x, y in ends], colour, max(1, round(width)))
    for end in ends:
        _disc(draw, end, 0.5 * width, colour)


def _disc(draw: ImageDraw.ImageDraw, at: Array, radius: float, colour: Colour) -> None:
    x, y = float(at[0]), float(at[1])
    draw.ellipse([x - radius, y - radius, x + radius, y + radius], colour)
