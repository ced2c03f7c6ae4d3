# SPDX-License-Identifier: GPL-3.0-or-later
"""Colours that people with any kind of colour vision tell apart (Okabe and Ito 2008, "Color Universal Design")."""

import numpy as np

from ..rotations import Array

# Their eighth colour is black, which is not seen on a dark background: a light grey stands in for it.
_COLOURS = (0xE69F00, 0x56B4E9, 0x009E73, 0xF0E442, 0x0072B2, 0xD55E00, 0xCC79A7, 0xC8C8C8)


def ghost_colours_of(count: int) -> Array:
    """(count, 3) sRGB, 0 to 1; after eight they come again, so a number beside them has to tell the rest."""
    table = np.array([[colour >> 16, colour >> 8 & 255, colour & 255] for colour in _COLOURS])
    return table[np.arange(count) % len(table)] / 255.0
