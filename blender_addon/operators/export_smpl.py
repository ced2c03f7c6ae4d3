# SPDX-License-Identifier: GPL-3.0-or-later
"""panache.export_smpl: what the active armature plays as an AMASS or SMPL(-X) motion file."""

from pathlib import Path

import bpy
from bpy.props import StringProperty
from bpy_extras.io_utils import ExportHelper

from ..backend import PanacheError
from ..reporting import refuse
from ..smpl.exporting import export_motion


class PANACHE_OT_export_smpl(bpy.types.Operator, ExportHelper):
    """Writes a motion file."""

    bl_idname = "panache.export_smpl"
    bl_label = "Export AMASS / SMPL"
    bl_description = (
        "Write what the armature plays as an .npz file: laid out as the file that it was imported from, or, for any "
        "other humanoid rig, as AMASS SMPL-H on the mean body"
    )
    bl_options = {"REGISTER"}

    filename_ext = ".npz"
    filter_glob: StringProperty(default="*.npz", options={"HIDDEN"})

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Export, or say in one sentence why not."""
        try:
            said = export_motion(context, Path(self.filepath))
        except PanacheError as error:
            return refuse(self, error)
        self.report({"INFO"}, said)
        return {"FINISHED"}


def draw_export(self: bpy.types.Menu, _context: bpy.types.Context) -> None:
    """Entry in File > Export."""
    self.layout.operator(PANACHE_OT_export_smpl.bl_idname, text="AMASS / SMPL-X Motion (.npz)")
