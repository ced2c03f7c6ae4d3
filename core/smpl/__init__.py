# SPDX-License-Identifier: GPL-3.0-or-later
"""SMPL, SMPL-H and SMPL-X: motion files, body models and their joints as a rig."""

from .archive import SmplFileError
from .body_model import BodyMesh, find_body_model, read_body_model
from .bones import BoneShape, bone_shape
from .clip import SmplClip, Template, amass_template, fill_template, read_smpl
from .humanoid import smpl_from_humanoid
from .joints import MODELS, SmplBody, joint_tree, mean_body
from .rig import (
    UP_AXES,
    SmplPath,
    UpAxis,
    guess_up_axis,
    off_bones,
    on_bones,
)

__all__ = [
    "MODELS",
    "UP_AXES",
    "BodyMesh",
    "BoneShape",
    "SmplBody",
    "SmplClip",
    "SmplFileError",
    "SmplPath",
    "Template",
    "UpAxis",
    "amass_template",
    "bone_shape",
    "fill_template",
    "find_body_model",
    "guess_up_axis",
    "joint_tree",
    "mean_body",
    "off_bones",
    "on_bones",
    "read_body_model",
    "read_smpl",
    "smpl_from_humanoid",
]
