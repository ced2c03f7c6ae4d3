# SPDX-License-Identifier: GPL-3.0-or-later
"""panache.import_smpl: an AMASS or SMPL(-X) motion file as an armature with an action."""

from pathlib import Path

import bpy
from bpy.props import BoolProperty, EnumProperty, FloatProperty, IntProperty, StringProperty
from bpy_extras.io_utils import ImportHelper

from ..backend import PanacheError
from ..preferences import body_model_folder
from ..reporting import refuse
from ..smpl.importing import AUTO, ImportSettings, import_motion
from ..translations import say

UP_AXIS_ITEMS = (
    (AUTO, "Auto", "The axis along which the body stands on average"),
    ("Z", "Z", "AMASS and most motion capture"),
    ("Y", "Y", "Most fits to video, and game engines"),
    ("-Y", "-Y", "Fits to video in the camera's own axes, which point down"),
)


class PANACHE_OT_import_smpl(bpy.types.Operator, ImportHelper):
    """Builds an armature from a motion file."""

    bl_idname = "panache.import_smpl"
    bl_label = "Import AMASS / SMPL"
    bl_description = "Import a motion of an AMASS, SMPL, SMPL-H or SMPL-X .npz file as an armature with an action"
    bl_options = {"REGISTER", "UNDO"}

    filename_ext = ".npz"
    filter_glob: StringProperty(default="*.npz", options={"HIDDEN"})
    up_axis: EnumProperty(name="Up", description="What is up in the file", items=UP_AXIS_ITEMS, default=AUTO)
    use_body_model: BoolProperty(
        name="Body Model",
        description="Take joints and mesh from the body models in Panache's preferences, where the folder is set",
        default=True,
    )
    fps: FloatProperty(
        name="Frame Rate", description="Used only if the file does not say its own", default=30.0, min=1.0, max=1000.0
    )
    frame_start: IntProperty(name="Start Frame", description="Frame of the scene on which the motion begins", default=1)
    update_scene_fps: BoolProperty(
        name="Scene Frame Rate",
        description="Give the scene the file's frame rate; otherwise the keys lie between the scene's frames",
        default=False,
    )
    update_scene_duration: BoolProperty(
        name="Scene Range", description="Give the scene the motion's frame range", default=False
    )

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Import, or say in one sentence why not."""
        folder = body_model_folder(context) if self.use_body_model else None
        settings = ImportSettings(
            self.up_axis, self.fps, self.frame_start, folder, self.update_scene_fps, self.update_scene_duration
        )
        try:
            armature, said = import_motion(context, Path(self.filepath), settings)
        except PanacheError as error:
            return refuse(self, error)
        self.report({"INFO"}, say('"{name}" has {what}', name=armature.name, what=said))
        return {"FINISHED"}


def draw_import(self: bpy.types.Menu, _context: bpy.types.Context) -> None:
    """Entry in File > Import."""
    self.layout.operator(PANACHE_OT_import_smpl.bl_idname, text="AMASS / SMPL-X Motion (.npz)")
