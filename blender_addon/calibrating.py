# SPDX-License-Identifier: GPL-3.0-or-later
"""The use case behind the picker of the calibration frame."""

import bpy

from .backend import PanacheError
from .preflight import check_active
from .rig.maps import check_local
from .rig.take import SetupError, require_armature


def pick_current_frame(context: bpy.types.Context) -> float:
    """Calibrate the active armature on the current frame; how far that pose is from a plausible one, degrees.

    Raises:
        PanacheError: it cannot be calibrated there; the frame chosen before stays.

    """
    armature, frame = require_armature(context), context.scene.frame_current
    check_local(armature)
    settings = armature.panache
    if frame < 0:
        raise SetupError("A calibration frame cannot be negative: move to a frame from 0 on.")
    before, settings.calibration_frame = settings.calibration_frame, frame
    try:
        return check_active(context).calibration_error
    except PanacheError:
        settings.calibration_frame = before
        raise
