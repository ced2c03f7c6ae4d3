# SPDX-License-Identifier: GPL-3.0-or-later
"""panache.preflight: what is known of the clip before any run."""

import bpy

from ..backend import PanacheError, Preflight
from ..preflight import check_active
from ..reporting import refuse
from ..translations import say, shown
from .on_armature import OnClip


class PANACHE_OT_preflight(OnClip, bpy.types.Operator):
    """Checks rig and clip, and shows the figures in the panel."""

    bl_idname = "panache.preflight"
    bl_label = "Check Rig and Clip"
    bl_description = "See how well the rig was understood, and how much of the movement the model knows"
    bl_options = {"REGISTER"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Check, or say in one sentence what stands in the way."""
        try:
            found = check_active(context)
        except PanacheError as error:
            return refuse(self, error)
        for warning in found.warnings:
            self.report({"WARNING"}, shown(warning))
        self.report({"INFO"}, _in_words(found))
        return {"FINISHED"}


def _in_words(found: Preflight) -> str:
    return say(
        "{joints} joints, {sure} sure; round trip {angle} degrees, {distance} cm; {seconds} s, {unknown} unknown",
        joints=found.matched,
        sure=f"{found.confidence:.0%}",
        angle=f"{found.round_trip_degrees:.2g}",
        distance=f"{found.round_trip_centimetres:.2g}",
        seconds=f"{found.seconds:.1f}",
        unknown=f"{found.outside:.0%}",
    )
