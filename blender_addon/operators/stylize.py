# SPDX-License-Identifier: GPL-3.0-or-later
"""panache.stylize: the selected armature's action in another style."""

from typing import Final

import bpy

from ..amount import lengths_of
from ..backend import Steps, scaled
from ..blocking import blocked_reason, greyed
from ..job.operator import JobOperator
from ..ordering import OrderProperties, order_of, take_from_panel
from ..preflight import warning_steps
from ..rig.take import armature_of
from ..stylizing import restyle_steps
from ..translations import say

# Of the whole work, what looking for reasons to warn takes.
_LOOKED: Final = 0.1


class PANACHE_OT_stylize(OrderProperties, JobOperator, bpy.types.Operator):
    """Restyles what the active armature plays."""

    bl_idname = "panache.stylize"
    bl_label = "Stylize"
    bl_description = "Make a new action with the same performance in another style; the original is kept"
    bl_options = {"REGISTER", "UNDO"}

    _warns = False

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Grey the button in the sidebar and say why; whoever calls from elsewhere is refused with a sentence."""
        return not greyed(cls, context, blocked_reason)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Take from the panel what the caller did not say."""
        armature = armature_of(context)
        if armature is not None:
            take_from_panel(self, armature.panache)
            self._warns = True
        return super().invoke(context, event)

    def steps(self, context: bpy.types.Context) -> Steps[str]:
        """Restyle, with a warning first for those too who did not look into the panel."""
        begun = _LOOKED if self._warns else 0.0
        for warning in (yield from scaled(warning_steps(context), 0.0, begun)) if self._warns else ():
            self.report({"WARNING"}, warning)
        action = yield from scaled(restyle_steps(context, order_of(self)), begun, 1.0)
        said, lengths = say('The armature plays "{name}"; the original is kept', name=action.name), lengths_of(action)
        if lengths is None:
            return said
        return said + say("; it takes {after} frames instead of {before}", before=lengths[0], after=lengths[1])
