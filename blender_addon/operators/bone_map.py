# SPDX-License-Identifier: GPL-3.0-or-later
"""The operators of the user's own bone map: save, load, reset, confirm."""

from pathlib import Path

import bpy
from bpy.props import StringProperty
from bpy_extras.io_utils import ExportHelper, ImportHelper

from ..backend import PanacheError
from ..mapping import confirm, load, reset, save
from ..reporting import refuse
from ..rig.take import require_armature
from ..translations import say
from .on_armature import OnArmature


class PANACHE_OT_save_map(OnArmature, bpy.types.Operator, ExportHelper):
    """Writes the bone map to a file."""

    bl_idname = "panache.save_map"
    bl_label = "Save Bone Map"
    bl_description = "Write the bone map to a JSON file, for other people with the same rig"
    bl_options = {"REGISTER"}

    filename_ext = ".json"
    filter_glob: StringProperty(default="*.json", options={"HIDDEN"})

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Write, or say in one sentence why not."""
        try:
            save(context, require_armature(context), Path(self.filepath))
        except PanacheError as error:
            return refuse(self, error)
        self.report({"INFO"}, say('The bone map is in "{name}"', name=Path(self.filepath).name))
        return {"FINISHED"}


class PANACHE_OT_load_map(OnArmature, bpy.types.Operator, ImportHelper):
    """Reads the bone map from a file."""

    bl_idname = "panache.load_map"
    bl_label = "Load Bone Map"
    bl_description = "Use the bone map of a JSON file for this rig, now and in other files"
    bl_options = {"REGISTER", "UNDO"}

    filename_ext = ".json"
    filter_glob: StringProperty(default="*.json", options={"HIDDEN"})

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Read, or say in one sentence why not."""
        try:
            bone_map = load(context, require_armature(context), Path(self.filepath))
        except PanacheError as error:
            return refuse(self, error)
        self.report({"INFO"}, say("{count} joints out of the file", count=len(bone_map.bones)))
        return {"FINISHED"}


class PANACHE_OT_reset_map(OnArmature, bpy.types.Operator):
    """Forgets the user's bone map."""

    bl_idname = "panache.reset_map"
    bl_label = "Reset Bone Map"
    bl_description = "Forget all corrections of this rig's bone map, also for other files"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Forget, or say in one sentence why not."""
        try:
            reset(context, require_armature(context))
        except PanacheError as error:
            return refuse(self, error)
        self.report({"INFO"}, say("The bone map is the recognised one again"))
        return {"FINISHED"}


class PANACHE_OT_confirm_map(OnArmature, bpy.types.Operator):
    """Takes the shown bone map for the right one."""

    bl_idname = "panache.confirm_map"
    bl_label = "Confirm Bone Map"
    bl_description = "Use the bone map as it is shown, although it was recognised without certainty"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Confirm, or say in one sentence why not."""
        try:
            confirm(require_armature(context))
        except PanacheError as error:
            return refuse(self, error)
        self.report({"INFO"}, say("The bone map is used as it is shown"))
        return {"FINISHED"}
