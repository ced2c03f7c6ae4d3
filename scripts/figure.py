# SPDX-License-Identifier: GPL-3.0-or-later
"""Draw a body in flat colours on paper, left and right told apart, near over far."""

import numpy as np
from PIL import ImageDraw

from core.figure import Colour, Part, View, body_parts, mix, outline
from core.rotations import Array

PAPER: Colour = (250, 248, 244)
INK: Colour = (44, 47, 54)
# Blue and vermilion of Okabe and Ito's palette, which colour-blind readers tell apart.
SIDE_COLOURS: dict[str, Colour] = {"left": (0, 114, 178), "right": (213, 94, 0), "": (84, 89, 100)}

_OUTLINE = 0.016  # metres of paper around each part, which separates limbs that cross
_FADE = 0.35  # how pale a part becomes that lies _FAR metres behind the pelvis
_FAR = 0.35


def draw_body(draw: ImageDraw.ImageDraw, joints: dict[str, Array], forward: Array, view: View) -> None:
    """One pose, farthest part first; ``joints`` name to (3,) metres, ``forward`` (3,) where the body faces."""
    middle = float(joints["pelvis"] @ view.toward)
    for part in sorted(body_parts(joints, forward), key=lambda part: part.depth(view.toward)):
        behind = np.clip((middle - part.depth(view.toward)) / _FAR, 0.0, 1.0)
        draw.polygon(_corners(part, view, _OUTLINE), fill=PAPER)
        draw.polygon(_corners(part, view, 0.0), fill=mix(SIDE_COLOURS[part.side], PAPER, _FADE * float(behind)))


def _corners(part: Part, view: View, margin: float) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in outline(part, view, margin)]
