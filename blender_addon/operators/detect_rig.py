# SPDX-License-Identifier: GPL-3.0-or-later
"""panache.detect_rig: which bone is which joint, shown in the panel."""

import bpy

from ..backend import BoneMap, PanacheError, match_bones
from ..properties import PanacheSettings
from ..rig.reader import read_skeleton
from ..rig.take import require_armature


class PANACHE_OT_detect_rig(bpy.types.Operator):
    """Fills the panel's bone map."""

    bl_idname = "panache.detect_rig"
    bl_label = "Detect Rig"
    bl_description = "Find out which bones are hips, spine, arms and legs"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Fill the bone map, or say in one sentence why not."""
        try:
            armature = require_armature(context)
            bone_map = match_bones(read_skeleton(armature))
            bone_map.require()
        except PanacheError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        _store(armature.panache, bone_map)
        self.report({"INFO"}, f"{bone_map.family}: {len(bone_map.bones)} joints, {bone_map.confidence:.0%} sure")
        return {"FINISHED"}


def _store(settings: PanacheSettings, bone_map: BoneMap) -> None:
    settings.family = bone_map.family
    settings.confidence = bone_map.confidence
    settings.joints.clear()
    for joint, bone in (*bone_map.bones.items(), *((joint, "") for joint in bone_map.missing)):
        entry = settings.joints.add()
        entry.name, entry.bone = joint, bone
