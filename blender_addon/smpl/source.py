# SPDX-License-Identifier: GPL-3.0-or-later
"""What an imported armature remembers of its file: enough to write the file again."""

import base64
from dataclasses import dataclass

import bpy
import numpy as np
from bpy.props import FloatProperty, FloatVectorProperty, IntProperty, StringProperty

from ..backend import SmplPath, Template


class PanacheSource(bpy.types.PropertyGroup):
    """The source of one armature object. A registered property, since Blender would show a plain one in its panels."""

    # Text, because Blender's own byte strings end at the first zero.
    file: StringProperty(name="File", description="The file without its motion")
    frames: IntProperty(name="Frames", description="How many frames the file had")
    up_axis: StringProperty(name="Up", description="What is up in the file")
    pelvis: FloatVectorProperty(name="Pelvis", description="Where the file has the pelvis at rest", size=3)
    fps: FloatProperty(name="Frame Rate", description="Frames per second of the file")


@dataclass(frozen=True)
class Source:
    """Where an armature's motion came from.

    Attributes:
        template: the file without its motion.
        path: what ties the pelvis to the file's world.
        fps: the file's frames per second.

    """

    template: Template
    path: SmplPath
    fps: float


def keep_source(armature: bpy.types.Object, source: Source) -> None:
    """Store the source on the armature object, so that copies of it have it too."""
    kept = armature.panache_smpl
    kept.file = base64.b64encode(source.template.file).decode("ascii")
    kept.frames = source.template.frames
    kept.up_axis = source.path.up_axis
    kept.pelvis = source.path.pelvis.tolist()
    kept.fps = source.fps


def source_of(armature: bpy.types.Object) -> Source | None:
    """The stored source; None for an armature that was not imported."""
    kept = armature.panache_smpl
    if not kept.file:
        return None
    path = SmplPath(kept.up_axis, np.array(kept.pelvis, dtype=np.float64))
    return Source(Template(base64.b64decode(kept.file), kept.frames), path, kept.fps)
