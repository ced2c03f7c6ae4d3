# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the style comes from, with a picture wherever there is one, and how much of it."""

import bpy

from ..choices import lacks_styles, panel_source, saved_items
from ..properties import PanacheSettings
from ..saved import saved_names, shown_style
from ..style_facts import draw_hints
from ..thumbnails import NOTHING

# Height of a picture beside two and beside three controls, and of those in the grid to choose from, in rows.
_TWO_ROWS, _THREE_ROWS, _GRID = 2.35, 3.55, 5.0
_BORDER = 0.3


def draw_source(
    layout: bpy.types.UILayout, context: bpy.types.Context, settings: PanacheSettings
) -> bpy.types.UILayout:
    """The sources on top, full width; below what is chosen, with its picture on the left.

    Returns:
        The column beside the picture, for more of what belongs together.

    """
    unlabelled, source = lacks_styles(), panel_source(settings)
    layout.row(align=True).prop(settings, "unlabelled_source" if unlabelled else "source", expand=True)
    is_label = source == "LABEL" and not unlabelled
    pictured = "style" if is_label else _picture(settings, source)
    if source in _CHOOSERS:
        # These have buttons beside them: their names need the whole width.
        _CHOOSERS[source](layout.row(align=True), settings)
    style = shown_style(settings.saved) if source == "SAVED" else None
    if style is not None:
        draw_hints(layout, context, style)
    if pictured:
        rows = _THREE_ROWS if is_label else _TWO_ROWS
        layout = layout.row()
        frame = layout.column()
        frame.ui_units_x = rows + _BORDER
        frame.template_icon_view(settings, pictured, show_labels=True, scale=rows, scale_popup=_GRID)
    column = layout.column()
    if is_label:
        column.prop(settings, "style", text="")
    column.prop(settings, "amount", slider=True)
    return column


def _picture(settings: PanacheSettings, source: str) -> str:
    """The property whose choice has a picture; empty if there is none."""
    pictured = any(item[0] == settings.saved and item[3] != NOTHING for item in saved_items(settings, None))
    return "saved_choice" if source == "SAVED" and settings.saved in saved_names() and pictured else ""


def _of_action(row: bpy.types.UILayout, settings: PanacheSettings) -> None:
    row.prop(settings, "reference", text="")
    row.operator("panache.save_style", text="", icon="ADD")


def _of_user(row: bpy.types.UILayout, settings: PanacheSettings) -> None:
    if not (settings.saved or saved_names()):
        row.operator("panache.save_style", icon="ADD")
        return
    row.prop(settings, "saved_choice", text="")
    row.operator("panache.describe_style", text="", icon="INFO")
    row.operator("panache.save_style", text="", icon="ADD")
    row.operator("panache.delete_style", text="", icon="REMOVE")


def _by_chance(row: bpy.types.UILayout, settings: PanacheSettings) -> None:
    row.prop(settings, "seed")


_CHOOSERS = {"REFERENCE": _of_action, "SAVED": _of_user, "RANDOM": _by_chance}
