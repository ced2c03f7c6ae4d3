# SPDX-License-Identifier: GPL-3.0-or-later
"""panache.sample_variations: several takes on one style, or several styles, as ghosts beside the character."""

import bpy
from bpy.props import IntProperty

from ..backend import Steps
from ..blocking import greyed, unvaried_reason
from ..job.operator import JobOperator
from ..ordering import OrderProperties, order_of, take_from_panel
from ..rig.take import armature_of
from ..variations.sampling import DEFAULT_COUNT, MOST, sample_steps


class PANACHE_OT_sample_variations(JobOperator, OrderProperties, bpy.types.Operator):
    """Shows variations to choose from."""

    bl_idname = "panache.sample_variations"
    bl_label = "Sample Variations"
    bl_description = (
        "Show several variations as ghosts beside the character: click one to keep it, press Esc to drop all."
        " Nothing in the file changes before"
    )
    # Nothing is in the file yet that could be undone.
    bl_options = {"REGISTER"}

    # No hard limits: a number that is too large is answered with a sentence, not with another number.
    count: IntProperty(
        name="Count",
        description="How many to show; their seeds follow one another",
        default=DEFAULT_COUNT,
        soft_min=1,
        soft_max=MOST,
        options={"SKIP_SAVE"},
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Grey the button in the sidebar and say why; whoever calls from elsewhere is refused with a sentence."""
        return not greyed(cls, context, unvaried_reason)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Take from the panel what the caller did not say."""
        armature = armature_of(context)
        if armature is not None:
            take_from_panel(self, armature.panache)
        return super().invoke(context, event)

    def steps(self, context: bpy.types.Context) -> Steps[str]:
        """Sample and show."""
        return (yield from sample_steps(context, order_of(self, otherwise="RANDOM"), self.count))
