# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of a saved style, as lines in a panel or a dialog."""

import bpy

from .backend import Model, SavedStyle, StyleStatistics
from .saved import is_outdated
from .saving import can_renew
from .sentences import draw_sentence
from .translations import label, noted


def draw_facts(layout: bpy.types.UILayout, style: SavedStyle) -> None:
    """All of it, one fact a line."""
    rows = [
        (noted("Action"), style.source),
        (noted("Model"), str(Model(style.model, style.weights))),
        (noted("Code"), label("Fitted to the action") if style.refined else label("As the model reads it")),
    ]
    if style.statistics is not None:
        rows += _measured(style.statistics)
    column = layout.column(align=True)
    for name, value in rows:
        split = column.split(factor=0.35)
        split.label(text=name)
        split.label(text=value, translate=False)


def draw_hints(layout: bpy.types.UILayout, context: bpy.types.Context, style: SavedStyle) -> None:
    """What the user should know before using it, and the way out."""
    if is_outdated(style):
        if can_renew(style):
            layout.operator("panache.renew_style", icon="FILE_REFRESH").name = style.name
        else:
            said = label('Open the file with the action "{name}" to compute this style again', name=style.source)
            draw_sentence(layout, context, said, "INFO")
        return
    for warning in style.statistics.warnings() if style.statistics else ():
        draw_sentence(layout, context, warning, "INFO")


def _measured(found: StyleStatistics) -> list[tuple[str, str]]:
    clip = label("{seconds} s, {fps} frames a second", seconds=f"{found.seconds:.1f}", fps=f"{found.fps:.3g}")
    return [
        (noted("Clip"), clip),
        (noted("Speed"), label("{speed} m/s", speed=f"{found.speed:.2f}")),
        (noted("Outside Model"), label("{share} of the clip", share=f"{found.outside:.0%}")),
        (noted("Style Shown"), label("{share} of what sets it apart", share=f"{found.reach:.0%}")),
    ]
