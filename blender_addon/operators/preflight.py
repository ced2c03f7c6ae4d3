# SPDX-License-Identifier: GPL-3.0-or-later
"""panache.preflight: what is known of the clip before any run."""

import bpy

from ..backend import PanacheError
from ..preflight import check_active


class PANACHE_OT_preflight(bpy.types.Operator):
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
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        for warning in found.warnings:
            self.report({"WARNING"}, warning)
        self.report(
            {"INFO"},
            f"{found.matched} joints, {found.confidence:.0%} sure; round trip {found.round_trip_degrees:.2g} degrees, "
            f"{found.round_trip_centimetres:.2g} cm; {found.seconds:.1f} s, {found.outside:.0%} of the frames unknown",
        )
        return {"FINISHED"}
