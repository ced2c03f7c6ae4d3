# SPDX-License-Identifier: GPL-3.0-or-later
"""panache.detect_rig: which bone is which joint, shown in the panel."""

import bpy

from ..backend import PanacheError
from ..mapping import detect
from ..reporting import refuse
from ..rig.take import require_armature
from ..translations import say, shown
from .on_armature import OnRig


class PANACHE_OT_detect_rig(OnRig, bpy.types.Operator):
    """Fills the panel's bone map."""

    bl_idname = "panache.detect_rig"
    bl_label = "Detect Rig"
    bl_description = "Find out which bones are hips, spine, arms and legs"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Fill the bone map, or say in one sentence why not."""
        try:
            bone_map, problem = detect(context, require_armature(context))
        except PanacheError as error:
            return refuse(self, error)
        if problem:
            self.report({"WARNING"}, shown(problem))
        count, sure = len(bone_map.bones), f"{bone_map.confidence:.0%}"
        self.report({"INFO"}, say("{rig}: {count} joints, {sure} sure", rig=bone_map.family, count=count, sure=sure))
        return {"FINISHED"}
