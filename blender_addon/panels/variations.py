# SPDX-License-Identifier: GPL-3.0-or-later
"""The variations that stand in the viewport, as a list."""

import bpy

from ..thumbnails import colour_icon
from ..translations import label
from ..variations.state import Entry, VariationsState


def draw_variations(layout: bpy.types.UILayout, state: VariationsState) -> None:
    """One row per ghost, and a way to be rid of them all."""
    box = layout.box().column(align=True)
    for entry in state.entries:
        _draw_entry(box.row(align=True), entry, is_pointed_at=entry.index == state.hovered)
    layout.operator("panache.discard_variations", text="Discard All", icon="X")


def _draw_entry(row: bpy.types.UILayout, entry: Entry, *, is_pointed_at: bool) -> None:
    text = label("{number}  {style}, seed {seed}", number=entry.number, style=entry.style, seed=entry.seed)
    row.label(text=text, translate=False, icon_value=colour_icon(entry.colour))
    keep = row.row()
    keep.alignment = "RIGHT"
    keep.operator("panache.keep_variation", text="Keep", depress=is_pointed_at).index = entry.index
