# SPDX-License-Identifier: GPL-3.0-or-later
"""panache.pick_calibration_frame and its counterpart: the pose that ties a rig's bones to the joints."""

import bpy

from ..backend import PanacheError
from ..calibrating import pick_current_frame
from ..order import AUTOMATIC
from ..reporting import refuse
from ..rig.take import armature_of
from ..translations import say
from .on_armature import OnArmature


class PANACHE_OT_pick_calibration_frame(OnArmature, bpy.types.Operator):
    """Takes the current frame as the calibration pose."""

    bl_idname = "panache.pick_calibration_frame"
    bl_label = "Calibrate on This Frame"
    bl_description = "Take the current frame, on which the character stands straight, to learn how its bones are turned"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Take the frame and report how good it is, or say in one sentence why it cannot be used."""
        try:
            error = pick_current_frame(context)
        except PanacheError as problem:
            return refuse(self, problem)
        self.report({"INFO"}, say("The pose of this frame is off by {angle} degrees", angle=f"{error:.1f}"))
        return {"FINISHED"}


class PANACHE_OT_reset_calibration_frame(OnArmature, bpy.types.Operator):
    """Lets Panache choose the calibration pose."""

    bl_idname = "panache.reset_calibration_frame"
    bl_label = "Calibrate Automatically"
    bl_description = "Use the rest pose, or the frames of the clip that come nearest to one"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Reset."""
        armature_of(context).panache.calibration_frame = AUTOMATIC
        return {"FINISHED"}
