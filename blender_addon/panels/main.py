# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel that is always open: style, amount, go; what is running; and what can be done with what came out."""

import bpy

from .. import results
from ..amount import locked_reason
from ..blocking import blocked_reason
from ..job.current import JobState, current
from ..preflight import check_if_needed
from ..rig.take import armature_of
from ..sentences import draw_sentence
from ..translations import label, shown
from ..variations.state import active
from ..worker.keeper import warm_when_opened
from .shared import Sidebar
from .style import draw_source
from .variations import draw_variations

# Buttons for what one came for are taller than the others.
_TALL = 1.5
# Width of a small number, in rows.
_NUMBER = 3.0


class PANACHE_PT_main(Sidebar, bpy.types.Panel):
    """Style, amount, go."""

    bl_idname = "PANACHE_PT_main"
    bl_label = "Panache"

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the three controls, or what stands in their way."""
        layout, armature, job = self.layout, armature_of(context), current()
        warm_when_opened()
        column = layout
        if armature is not None:
            check_if_needed(armature)
            column = draw_source(layout, context, armature.panache)
        if job is not None:
            _draw_job(column, job)
            return
        # Asked in this region, the operators' polls grey the buttons, and their tooltips say why.
        column.operator_context = layout.operator_context = "INVOKE_DEFAULT"
        row = column.row()
        row.scale_y = _TALL
        row.operator("panache.stylize", icon="ARMATURE_DATA")
        reason = blocked_reason(context)
        if reason:
            draw_sentence(layout, context, reason, "INFO")
        if armature is not None:
            _draw_more(layout, context, armature)


def _draw_job(layout: bpy.types.UILayout, job: JobState) -> None:
    """How far the running job has come, where the button was, and a way to stop it."""
    row = layout.row(align=True)
    row.scale_y = _TALL
    text = label("{what} {percent}", what=shown(job.what or job.title), percent=f"{job.share:.0%}")
    row.progress(text=text, factor=job.share)
    row.operator("panache.cancel", text="", icon="CANCEL")


def _draw_more(layout: bpy.types.UILayout, context: bpy.types.Context, armature: bpy.types.Object) -> None:
    """Variations, and what can be done with a result."""
    row = layout.row(align=True)
    row.operator("panache.sample_variations").count = armature.panache.variation_count
    count = row.row(align=True)
    count.ui_units_x = _NUMBER
    count.prop(armature.panache, "variation_count", text="")
    variations = active()
    if variations is not None:
        draw_variations(layout, variations)
    elif results.plays_result(armature):
        _draw_result(layout, context, locked_reason(armature))


def _draw_result(layout: bpy.types.UILayout, context: bpy.types.Context, locked: str) -> None:
    """The ways on and back, and why the slider does nothing to the result, if so."""
    if locked:
        draw_sentence(layout, context, locked, "LOCKED")
    row = layout.row(align=True)
    row.operator("panache.keep", icon="CHECKMARK")
    row.operator("panache.revert", text="Revert", icon="LOOP_BACK")
    row.operator("panache.reapply", text="", icon="FILE_REFRESH")
