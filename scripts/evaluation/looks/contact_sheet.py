# SPDX-License-Identifier: GPL-3.0-or-later
"""A contact sheet: the original and every style in a row each, poses over time in columns, all seen alike."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from core.figure import Colour, mix
from core.representation import FPS
from core.rotations import Array
from scripts.figure import INK, PAPER, SIDE_COLOURS, draw_body

from .performance import Camera, Performance

# Pixels of the finished picture, unless it says otherwise.
_OVERSAMPLING: Final = 2
_SCALE: Final = 78.0  # per metre
_COLUMNS: Final = 11
_CELL: Final = (112, 196)
_LABEL: Final = 190
_TITLE: Final = 52
_BELOW: Final = 18  # under the floor
_MAP: Final = (70, 140)
_NOSE: Final = 5.0  # radius, of the larger picture
_FAINT: Colour = mix(INK, PAPER, 0.45)
_HAIR: Colour = mix(INK, PAPER, 0.8)


@dataclass(frozen=True)
class Brush:
    """Where to draw: a picture that is larger than it will be, so that edges come out smooth."""

    draw: ImageDraw.ImageDraw

    def text(self, at: tuple[float, float], words: str, size: float, colour: Colour = INK) -> None:
        """Write a line from its left end."""
        font = ImageFont.load_default(size * _OVERSAMPLING)
        self.draw.text(_enlarged(at), words, colour, font, "ls")

    def lines(self, points: Sequence[tuple[float, float]], colour: Colour, width: float = 1.0) -> None:
        """Straight lines from point to point."""
        if len(points) > 1:
            enlarged = [_enlarged(point) for point in points]
            self.draw.line(enlarged, colour, max(1, round(width * _OVERSAMPLING)), joint="curve")


def draw_contact_sheet(title: str, rows: Sequence[Performance], camera: Camera, path: Path) -> None:
    """Write a PNG; the first row is the original. The trail of the pelvis, seen from above, stands beside its name."""
    size = (_LABEL + _COLUMNS * _CELL[0] + 16, _TITLE + len(rows) * _CELL[1])
    image = Image.new("RGB", (size[0] * _OVERSAMPLING, size[1] * _OVERSAMPLING), PAPER)
    brush = Brush(ImageDraw.Draw(image))
    brush.text((16, 34), title, 22)
    frames = np.linspace(0, len(rows[0]) - 1, _COLUMNS).round().astype(int)
    for column, frame in enumerate(frames):
        brush.text((_LABEL + (column + 0.4) * _CELL[0], _TITLE - 4), f"{frame / FPS:.2f} s", 11, _FAINT)
    plan = _plan(rows, camera)
    for number, row in enumerate(rows):
        top = _TITLE + number * _CELL[1]
        brush.text((16, top + 24), row.label, 17)
        _trail(brush, plan, (rows[0], row), (24.0, top + 38.0))
        floor = top + _CELL[1] - _BELOW
        brush.lines([(_LABEL, floor), (size[0] - 16, floor)], _FAINT)
        for column, frame in enumerate(frames):
            _figure(brush, row, min(int(frame), len(row) - 1), (camera, (_LABEL + (column + 0.5) * _CELL[0], floor)))
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = image.resize(size, Image.Resampling.LANCZOS)
    # Flat colours and their edges: a palette loses nothing that shows and quarters the file.
    picture.quantize(128, dither=Image.Dither.NONE).save(path, optimize=True)


def legend() -> str:
    """What the colours mean, in words."""
    names = {colour: side for side, colour in SIDE_COLOURS.items() if side}
    return ", ".join(f"{side} {'blue' if colour[2] > colour[0] else 'red'}" for colour, side in names.items())


def _figure(brush: Brush, row: Performance, frame: int, seen: tuple[Camera, tuple[float, float]]) -> None:
    camera, place = seen
    view = camera.view(row.path[frame], _enlarged(place), _SCALE * _OVERSAMPLING)
    trail = [tuple(view.to_paper(point + camera.floor * np.array([0.0, 1.0, 0.0]))) for point in row.path[: frame + 1]]
    reach = 0.46 * _CELL[0] * _OVERSAMPLING
    near = [(float(x), float(y)) for x, y in trail if abs(x - view.place[0]) < reach]
    if len(near) > 1:
        brush.draw.line(near, _HAIR, 2 * _OVERSAMPLING)
    draw_body(brush.draw, row.pose(frame), row.looks[frame], view)
    if row.looks[frame] @ view.toward > 0.0:
        x, y = view.to_paper(_nose(row, frame))
        brush.draw.ellipse([x - _NOSE, y - _NOSE, x + _NOSE, y + _NOSE], PAPER)


def _nose(row: Performance, frame: int) -> Array:
    """Where the face is: without it nobody sees whether a head turns away."""
    pose = row.pose(frame)
    upward = pose["head"] - pose["neck"]
    return pose["head"] + 0.07 * upward / max(float(np.linalg.norm(upward)), 1e-9) + 0.11 * row.looks[frame]


@dataclass(frozen=True)
class Plan:
    """The floor from above: ``axes`` (2, 3) to the right and down the paper, ``middle`` (2,) metres, ``scale``."""

    axes: Array
    middle: Array
    scale: float


def _plan(rows: Sequence[Performance], camera: Camera) -> Plan:
    """One scale for all rows; the viewer stands below."""
    axes = np.stack([camera.right, camera.toward])
    points = np.concatenate([row.path @ axes.T for row in rows])
    low, high = points.min(axis=0), points.max(axis=0)
    room = np.array(_MAP) - 8.0
    return Plan(axes, 0.5 * (low + high), float((room / np.maximum(high - low, 1.0)).min()))


def _trail(brush: Brush, plan: Plan, rows: tuple[Performance, Performance], corner: tuple[float, float]) -> None:
    """The original's way in grey and the row's own over it; a dot is its end."""
    for row, colour, width in ((rows[0], _HAIR, 4.0), (rows[1], INK, 1.5)):
        places = (row.path @ plan.axes.T - plan.middle) * plan.scale + np.array(corner) + 0.5 * np.array(_MAP)
        points = [(float(x), float(y)) for x, y in places]
        brush.lines(points, colour, width)
    end = _enlarged(points[-1])
    brush.draw.ellipse([end[0] - 5, end[1] - 5, end[0] + 5, end[1] + 5], INK)


def _enlarged(point: tuple[float, float]) -> tuple[float, float]:
    return point[0] * _OVERSAMPLING, point[1] * _OVERSAMPLING
