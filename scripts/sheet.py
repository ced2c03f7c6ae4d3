# SPDX-License-Identifier: GPL-3.0-or-later
"""A contact sheet of two clips, original above result: where they go, and how they move.

``python -m scripts.sheet original.bvh result.bvh sheet.png`` reads BVH files of any humanoid skeleton that core knows.
"""

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from core.errors import PanacheError
from core.figure import Colour, View, mix
from core.rotations import Array
from scripts.figure import INK, PAPER, SIDE_COLOURS, draw_body
from scripts.gait import Gait, Walk, footprints, measure, read_walk

_UP = np.array([0.0, 1.0, 0.0])
_FAINT = mix(INK, PAPER, 0.45)
_HAIR = mix(INK, PAPER, 0.78)
_PANEL = (243, 239, 231)

# Everything below is in pixels of the finished picture unless it says otherwise.
_OVERSAMPLING = 2
_WIDTH = 2000
_MARGIN = 56
_BELOW = 66  # under the floor: footprints, times
_GAP = 14  # between two rows
_TITLE = 118
_CAPTION = 58
_WIDEST = 235.0  # pixels per metre where a clip stays in one place
_STEP_ASIDE = 1.15  # metres between figures of a clip that does not travel
_TRAVELS = 1.5  # metres

_SPACING = 0.85  # metres between figures along the original's path
_COLUMNS = 9
_STRIP_SECONDS = 1.2  # about one gait cycle
_STRIP_PITCH = 1.2  # metres from figure to figure


@dataclass(frozen=True)
class Clip:
    """One row of the sheet: what it is called, its joints, its numbers."""

    label: str
    walk: Walk
    gait: Gait

    def until(self, end: float) -> "Clip":
        """Its first ``end`` seconds, measured anew."""
        walk = self.walk.until(end)
        return Clip(self.label, walk, measure(walk))


class Canvas:
    """A picture drawn larger than it is, so that edges come out smooth; coordinates are those of the finished one."""

    def __init__(self, width: int, height: int) -> None:
        self._size = (width, height)
        self._image = Image.new("RGB", (width * _OVERSAMPLING, height * _OVERSAMPLING), PAPER)
        self._draw = ImageDraw.Draw(self._image)

    def text(self, at: tuple[float, float], text: str, size: float, colour: Colour = INK, anchor: str = "ls") -> float:
        """Write a line; returns where it ends in x."""
        font = ImageFont.load_default(size * _OVERSAMPLING)
        self._draw.text(_enlarge(at), text, colour, font, anchor)
        return at[0] + self._draw.textlength(text, font) / _OVERSAMPLING

    def line(self, start: tuple[float, float], end: tuple[float, float], colour: Colour, width: float = 1.0) -> None:
        """A straight line."""
        self._draw.line([_enlarge(start), _enlarge(end)], colour, max(1, round(width * _OVERSAMPLING)))

    def panel(self, top: float, bottom: float) -> None:
        """A tinted band across the sheet."""
        box = [_enlarge((_MARGIN / 2, top)), _enlarge((_WIDTH - _MARGIN / 2, bottom))]
        self._draw.rounded_rectangle(box, 14 * _OVERSAMPLING, _PANEL)

    def bar(self, centre: tuple[float, float], length: float, thickness: float, colour: Colour) -> None:
        """A lying bar with round ends."""
        reach, half = length / 2, thickness / 2
        box = [_enlarge((centre[0] - reach, centre[1] - half)), _enlarge((centre[0] + reach, centre[1] + half))]
        self._draw.rounded_rectangle(box, half * _OVERSAMPLING, colour)

    def body(self, joints: dict[str, Array], forward: Array, view: View) -> None:
        """One pose with a shadow under it."""
        x, y = _enlarge(view.place)
        scale = view.scale * _OVERSAMPLING
        enlarged = View(view.right, view.toward, view.origin, (x, y), scale)
        feet = (joints["left_ankle"] + joints["right_ankle"]) / 2 * (1.0 - _UP)
        at = enlarged.to_paper(feet)
        apart = abs(float((joints["left_ankle"] - joints["right_ankle"]) @ view.right)) / 2 + 0.20
        box = [at[0] - apart * scale, at[1] - 0.028 * scale, at[0] + apart * scale, at[1] + 0.028 * scale]
        self._draw.ellipse(box, mix(INK, _PANEL, 0.86))
        draw_body(self._draw, joints, forward, enlarged)

    def save(self, path: Path) -> None:
        """Write the finished picture."""
        path.parent.mkdir(parents=True, exist_ok=True)
        picture = self._image.resize(self._size, Image.Resampling.LANCZOS)
        # Flat colours and their edges: a palette loses nothing that shows and quarters the file.
        picture.quantize(128, dither=Image.Dither.NONE).save(path, optimize=True)


@dataclass(frozen=True)
class Row:
    """Heights of a row: pixels ``above`` the figures, metres that the tallest ``body`` takes, pixels per metre."""

    above: float
    body: float
    scale: float

    @property
    def floor(self) -> float:
        """From the top of the row to the floor that the figures stand on."""
        return self.above + self.body * self.scale

    @property
    def panel(self) -> float:
        """Height of the tinted band."""
        return self.floor + _BELOW

    @property
    def height(self) -> float:
        """From the top of this row to the top of the next."""
        return self.panel + _GAP


@dataclass(frozen=True)
class Track:
    """How a clip is laid out along its path: ``axis`` (3,) of travel, and metres to add per figure."""

    axis: Array
    aside: float

    def metre(self, walk: Walk, frame: int, figure: int) -> float:
        """Where a figure stands on the ruler."""
        return float((walk.path[frame] - walk.path[0]) @ self.axis) + self.aside * figure


def main() -> int:
    """Parse the command line, write the picture, print the numbers."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("original", type=Path)
    parser.add_argument("result", type=Path)
    parser.add_argument("picture", type=Path)
    parser.add_argument("--title", default="")
    parser.add_argument("--labels", nargs=2, default=("Original", "Stylized"), metavar=("ORIGINAL", "RESULT"))
    parser.add_argument("--metres-per-unit", type=float, help="of both files; default: found from the size of the body")
    options = parser.parse_args()
    try:
        paths = zip(options.labels, (options.original, options.result), strict=True)
        clips = [read_clip(label, path, options.metres_per_unit) for label, path in paths]
    except (PanacheError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    draw_sheet((clips[0], clips[1]), options.title or options.result.stem, options.picture)
    for clip in clips:
        print(f"{clip.label}: {clip.gait}")
    print(f"-> {options.picture}")
    return 0


def read_clip(label: str, path: Path, metres_per_unit: float | None = None) -> Clip:
    """A BVH file as a row of the sheet."""
    walk = read_walk(path, metres_per_unit)
    return Clip(label, walk, measure(walk))


def draw_sheet(clips: tuple[Clip, Clip], title: str, path: Path) -> None:
    """Write the contact sheet of an original and a result."""
    end = min(float(clip.walk.times[-1]) for clip in clips)
    clips = (clips[0].until(end), clips[1].until(end))
    tracks = [_track(clip.walk) for clip in clips]
    times = np.linspace(0.0, end, _figure_count(clips[0]))
    strip = np.linspace(-0.5, 0.5, _COLUMNS) * min(_STRIP_SECONDS, end) + end / 2
    low, high = _reach(clips, tracks, times)
    width, body = _WIDTH - 2 * _MARGIN, _tallest(clips)
    wide = Row(84, body, min(width / (high - low), _WIDEST))
    narrow = Row(52, body, width / _COLUMNS / _STRIP_PITCH)
    canvas = Canvas(_WIDTH, round(_TITLE + 2 * wide.height + 4 * narrow.height + 3 * _CAPTION))
    canvas.text((_MARGIN, 70), title, 40)
    _legend(canvas)
    y = _caption(
        canvas, _TITLE - _GAP, f"The whole clip, {end:.1f} s: a figure every {times[1]:.2f} s, planted feet below"
    )
    for clip, track in zip(clips, tracks, strict=True):
        _path_row(canvas, clip, track, times, (_MARGIN - low * wide.scale, y, wide))
        y += wide.height
    for words, look in (("the side", _from_the_side), ("the front", _from_the_front)):
        y = _caption(canvas, y, f"{strip[-1] - strip[0]:.1f} s from the middle, seen from {words}")
        for clip in clips:
            _strip_row(canvas, clip, strip, look, (y, narrow))
            y += narrow.height
    canvas.save(path)


def _legend(canvas: Canvas) -> None:
    x = _WIDTH - _MARGIN
    for side in ("right", "left"):
        canvas.text((x, 68), side, 22, SIDE_COLOURS[side], anchor="rs")
        canvas.bar((x - 75, 61), 26, 12, SIDE_COLOURS[side])
        x -= 120


def _caption(canvas: Canvas, y: float, words: str) -> float:
    canvas.text((_MARGIN, y + 38), words, 24, _FAINT)
    return y + _CAPTION


def _path_row(canvas: Canvas, clip: Clip, track: Track, times: Array, place: tuple[float, float, Row]) -> None:
    """All figures of a clip where they were, on one floor; ``place`` is x of the ruler's zero, the top, the row."""
    zero, top, row = place
    floor, scale = top + row.floor, row.scale
    canvas.panel(top, top + row.panel)
    x = canvas.text((_MARGIN, top + 38), clip.label, 30)
    canvas.text((x + 24, top + 38), _numbers(clip.gait), 24, _FAINT)
    canvas.line((_MARGIN, floor), (_WIDTH - _MARGIN, floor), _FAINT, 1.5)
    if track.aside == 0.0:
        _ruler(canvas, (top + row.above - 24, floor), zero, scale)
        _footprints(canvas, clip.walk, track, (zero, floor), scale)
    for figure, time in enumerate(times):
        at = clip.walk.frame(time)
        spot = (zero + track.metre(clip.walk, at, figure) * scale, floor)
        view = View(track.axis, np.cross(track.axis, _UP), clip.walk.path[at], spot, scale)
        canvas.body(clip.walk.at(time), clip.walk.forward[at], view)
        canvas.text((spot[0], floor + 56), f"{time:.1f} s", 18, _FAINT, anchor="ms")


def _ruler(canvas: Canvas, span: tuple[float, float], zero: float, scale: float) -> None:
    for metre in range(int((_WIDTH - _MARGIN - zero) / scale) + 1):
        x = zero + metre * scale
        canvas.line((x, span[0]), (x, span[1]), _HAIR)
        canvas.text((x + 6, span[0] + 13), f"{metre} m", 17, _FAINT)


def _footprints(canvas: Canvas, walk: Walk, track: Track, zero: tuple[float, float], scale: float) -> None:
    for side, place in footprints(walk):
        metre = float((place - walk.path[0]) @ track.axis)
        lane = zero[1] + (16 if side == "left" else 26)
        canvas.bar((zero[0] + metre * scale, lane), 0.2 * scale, 7, SIDE_COLOURS[side])


def _strip_row(
    canvas: Canvas, clip: Clip, times: Array, look: Callable[[Array], tuple[Array, Array]], place: tuple[float, Row]
) -> None:
    """Figures of a clip side by side, each on its own spot; ``place`` is the top and the row."""
    top, row = place
    floor = top + row.floor
    canvas.panel(top, top + row.panel)
    canvas.text((_MARGIN, top + 34), clip.label, 24)
    canvas.line((_MARGIN, floor), (_WIDTH - _MARGIN, floor), _FAINT, 1.5)
    column = (_WIDTH - 2 * _MARGIN) / len(times)
    for i, time in enumerate(times):
        at = clip.walk.frame(time)
        right, toward = look(clip.walk.forward[at])
        spot = (_MARGIN + column * (i + 0.5), floor)
        canvas.body(clip.walk.at(time), clip.walk.forward[at], View(right, toward, clip.walk.path[at], spot, row.scale))
        canvas.text((spot[0], floor + 48), f"{time:.2f} s", 18, _FAINT, anchor="ms")


def _from_the_side(forward: Array) -> tuple[Array, Array]:
    """Paper axes of a viewer at the body's right hand."""
    return forward, np.cross(forward, _UP)


def _from_the_front(forward: Array) -> tuple[Array, Array]:
    """Paper axes of a viewer whom the body faces."""
    return np.cross(_UP, forward), forward


def _numbers(gait: Gait) -> str:
    return (
        f"{gait.distance:.1f} m in {gait.seconds:.1f} s  ·  {gait.speed:.2f} m/s  ·  stride {gait.stride:.2f} m  ·  "
        f"trunk lean {gait.lean:.0f}°  ·  elbow {gait.elbow:.0f}°"
    )


def _track(walk: Walk) -> Track:
    way = walk.path[-1] - walk.path[0]
    length = float(np.linalg.norm(way))
    if length >= _TRAVELS:
        return Track(way / length, 0.0)
    return Track(walk.forward[len(walk) // 2], _STEP_ASIDE)


def _figure_count(original: Clip) -> int:
    way = float(np.linalg.norm(original.walk.path[-1] - original.walk.path[0]))
    return int(np.clip(round(way / _SPACING), 6, 13)) + 1 if way >= _TRAVELS else 8


def _reach(clips: tuple[Clip, Clip], tracks: list[Track], times: Array) -> tuple[float, float]:
    """Lowest and highest metre at which a figure stands, with room for its arms."""
    metres = [
        track.metre(clip.walk, clip.walk.frame(time), figure)
        for clip, track in zip(clips, tracks, strict=True)
        for figure, time in enumerate(times)
    ]
    return min(metres) - 0.55, max(metres) + 0.55


def _tallest(clips: tuple[Clip, Clip]) -> float:
    """Metres from the floor to the top of the highest head or hand, with room for skull and fingers."""
    return max(float(path[:, 1].max()) for clip in clips for path in clip.walk.joints.values()) + 0.22


def _enlarge(point: tuple[float, float]) -> tuple[float, float]:
    return point[0] * _OVERSAMPLING, point[1] * _OVERSAMPLING


if __name__ == "__main__":
    sys.exit(main())
