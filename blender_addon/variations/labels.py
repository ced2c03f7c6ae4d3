# SPDX-License-Identifier: GPL-3.0-or-later
"""Numbers and seeds over the ghosts, on plates of their own so that they can be read on any theme."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import blf
import bpy
import gpu
import numpy as np
from gpu_extras.batch import batch_for_shader

from ..backend import project
from ..translations import say
from .drawing import frame_of
from .state import VariationsState, active
from .viewing import Eye, eye_of

Colour = tuple[float, float, float, float]
# Width of a text of a size, in pixels.
Measure = Callable[[str, float], float]

_FONT = 0
# Heights of the first line of a plate and of those below it, at a user interface scale of 1.
_SIZES = (15.0, 11.0)
# Pixels at that scale: inside a plate, from a head to it, and of the swatch in the ghost's colour.
_PAD, _ABOVE, _SWATCH, _MARGIN = 5.0, 12.0, 5.0, 24.0
_LEADING = 1.3
_PLATE: Colour = (0.08, 0.08, 0.08, 1.0)
_WHITE: Colour = (1.0, 1.0, 1.0, 1.0)
_BLACK: Colour = (0.0, 0.0, 0.0, 1.0)
_GREY: Colour = (0.6, 0.6, 0.6, 1.0)
# Relative luminance from which black letters are easier to read than white ones.
_LIGHT = 0.3


@dataclass(frozen=True)
class Plate:
    """Lines of text on a rectangle.

    Attributes:
        ghost: whose it is, -1 for nobody's.
        lines: from the top down, with their sizes.
        place: lower left corner in pixels of the region.
        size: width and height.
        swatch: colour at the left end; of all of it if the ghost is pointed at.

    """

    ghost: int
    lines: tuple[tuple[str, float], ...]
    place: tuple[float, float]
    size: tuple[float, float]
    swatch: Colour

    def contains(self, x: float, y: float) -> bool:
        """Whether a point of the region is on the plate."""
        return 0.0 <= x - self.place[0] < self.size[0] and 0.0 <= y - self.place[1] < self.size[1]

    def overlaps(self, other: "Plate") -> bool:
        """Whether both cover some point."""
        return all(
            self.place[axis] < other.place[axis] + other.size[axis]
            and other.place[axis] < self.place[axis] + self.size[axis]
            for axis in (0, 1)
        )


@dataclass(frozen=True)
class Press:
    """Makes plates.

    Attributes:
        scale: how large the user wants the interface.
        measure: how wide texts are.

    """

    scale: float
    measure: Measure

    def plate(self, ghost: int, lines: Sequence[str], bottom: tuple[float, float], swatch: Colour) -> Plate:
        """A plate whose lower edge has its middle at ``bottom``."""
        sized = tuple((text, _SIZES[min(row, 1)] * self.scale) for row, text in enumerate(lines))
        width, height = self.width(lines), sum(_LEADING * size for _, size in sized) + _PAD * self.scale
        return Plate(
            ghost, sized, (round(bottom[0] - 0.5 * width), round(bottom[1])), (round(width), round(height)), swatch
        )

    def width(self, lines: Sequence[str]) -> float:
        """How wide a plate with these lines is."""
        widest = max(self.measure(text, _SIZES[min(row, 1)] * self.scale) for row, text in enumerate(lines))
        return widest + (2.0 * _PAD + _SWATCH) * self.scale


def draw_labels() -> None:
    """For a draw handler over the view."""
    state, context = active(), bpy.context
    if state is None or context.region_data is None or context.scene.session_uid != state.origin.scene:
        return
    press = press_of(context)
    found = plates(state, eye_of(context.region, context.region_data), frame_of(context.scene), press)
    if state.picking:
        found += _hint(state, context.region, press)
    draw_plates(found, state.hovered, press.scale)


def press_of(context: bpy.types.Context) -> Press:
    """Plates in the size that the user wants."""

    def measure(text: str, size: float) -> float:
        blf.size(_FONT, size)
        return float(blf.dimensions(_FONT, text)[0])

    return Press(float(context.preferences.system.ui_scale), measure)


def plates(state: VariationsState, eye: Eye, frame: float, press: Press) -> list[Plate]:
    """A plate over each head that is seen, without seeds where there is no room for them; the original's if it fits."""
    ghosts, original = state.points_at(frame, eye.right), state.original_at(frame)
    heads = np.concatenate([_over_heads(ghosts), _over_heads(original[None])])
    pixels, depths = project(eye.view, heads)
    lines = [(str(entry.number), say("seed {seed}", seed=entry.seed)) for entry in state.entries]
    if _crowded(pixels[:, 0], max(press.width(text) for text in lines)):
        lines = [text if ghost == state.hovered else text[:1] for ghost, text in enumerate(lines)]
    colours = [(*entry.colour, 1.0) for entry in state.entries]
    above = _ABOVE * press.scale
    found = [
        press.plate(ghost, text, (pixel[0], pixel[1] + above), colour)
        for ghost, (text, colour, pixel, depth) in enumerate(zip(lines, colours, pixels, depths, strict=False))
        if np.isfinite(depth)
    ]
    own = press.plate(-1, (say("Original"),), (pixels[-1, 0], pixels[-1, 1] + above), _GREY)
    return found + [own] * (np.isfinite(depths[-1]) and not any(map(own.overlaps, found)))


def draw_plates(found: Sequence[Plate], hovered: int, scale: float) -> None:
    """Draw plates; that of the ghost that is pointed at is in its colour altogether, and over the others."""
    lit = [plate for plate in found if plate.ghost == hovered >= 0]
    _draw([plate for plate in found if plate not in lit], _PLATE, scale)
    for plate in lit:
        _draw(lit, plate.swatch, scale)


def _draw(found: Sequence[Plate], ground: Colour, scale: float) -> None:
    corners, colours = [], []
    for plate in found:
        (x, y), (width, height) = plate.place, plate.size
        corners += _rectangle(x, y, width, height) + _rectangle(x, y, _SWATCH * scale, height)
        colours += [ground] * 6 + [plate.swatch] * 6
    if not corners:
        return
    shader = gpu.shader.from_builtin("FLAT_COLOR")
    blend = gpu.state.blend_get()
    gpu.state.blend_set("ALPHA")
    batch_for_shader(shader, "TRIS", {"pos": corners, "color": colours}).draw(shader)
    gpu.state.blend_set(blend)
    for plate in found:
        _write(plate, _BLACK if _luminance(ground) > _LIGHT else _WHITE, scale)


def _write(plate: Plate, ink: Colour, scale: float) -> None:
    bottom = plate.place[1] + plate.size[1]
    for text, size in plate.lines:
        bottom -= _LEADING * size
        blf.size(_FONT, size)
        blf.color(_FONT, *ink)
        blf.position(_FONT, plate.place[0] + (_PAD + _SWATCH) * scale, bottom, 0.0)
        blf.draw(_FONT, text)


def _hint(state: VariationsState, region: bpy.types.Region, press: Press) -> list[Plate]:
    """What to do, at the bottom of the viewport; nothing if that is too narrow."""
    text = say("{style}: click the one to keep, or press its number; Esc drops all", style=state.styles[0])
    if press.width((text,)) > region.width:
        return []
    return [press.plate(-1, (text,), (0.5 * region.width, _MARGIN * press.scale), _GREY)]


def _over_heads(points: np.ndarray) -> np.ndarray:
    """(N, 3) over the pelvis of bodies (N, P, 3), as high as the body is."""
    top = points[:, 0].copy()
    top[:, 1] = points[..., 1].max(axis=-1)
    return top


def _crowded(places: np.ndarray, width: float) -> bool:
    """Whether plates of this width at these places (N,) overlap."""
    return len(places) > 1 and bool(np.diff(np.sort(places)).min() < width)


def _luminance(colour: Colour) -> float:
    return 0.2126 * colour[0] ** 2.2 + 0.7152 * colour[1] ** 2.2 + 0.0722 * colour[2] ** 2.2


def _rectangle(x: float, y: float, width: float, height: float) -> list[tuple[float, float, float]]:
    a, b, c, d = (x, y, 0.0), (x + width, y, 0.0), (x + width, y + height, 0.0), (x, y + height, 0.0)
    return [a, b, c, a, c, d]
