# SPDX-License-Identifier: GPL-3.0-or-later
"""Ghosts: bodies drawn beside each other to choose from. Their shape, where they stand, and which one is pointed at."""

from .body import GhostBody, ghost_body_steps, ghost_steps, part_of_change
from .mesh import Look, ghost_colours, ghost_indices, ghost_vertices
from .palette import ghost_colours_of
from .picking import Picker, View, nearest_ghost, project
from .row import facings, row_offsets, slots

__all__ = [
    "GhostBody",
    "Look",
    "Picker",
    "View",
    "facings",
    "ghost_body_steps",
    "ghost_colours",
    "ghost_colours_of",
    "ghost_indices",
    "ghost_steps",
    "ghost_vertices",
    "nearest_ghost",
    "part_of_change",
    "project",
    "row_offsets",
    "slots",
]
