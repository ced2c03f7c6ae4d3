# SPDX-License-Identifier: GPL-3.0-or-later
"""What Blender has to know of: classes in order of dependence, one pointer, menu entries."""

from typing import Final

import bpy

from .log import close_log
from .menu import PANACHE_MT_main, draw_menu
from .operators.bone_map import (
    PANACHE_OT_confirm_map,
    PANACHE_OT_load_map,
    PANACHE_OT_reset_map,
    PANACHE_OT_save_map,
)
from .operators.calibration_frame import PANACHE_OT_pick_calibration_frame, PANACHE_OT_reset_calibration_frame
from .operators.detect_rig import PANACHE_OT_detect_rig
from .operators.export_smpl import PANACHE_OT_export_smpl, draw_export
from .operators.import_smpl import PANACHE_OT_import_smpl, draw_import
from .operators.preflight import PANACHE_OT_preflight
from .operators.revert import PANACHE_OT_revert
from .operators.show_error import PANACHE_OT_copy_error, PANACHE_OT_show_error
from .operators.stylize import PANACHE_OT_stylize
from .panel import (
    PANACHE_PT_advanced,
    PANACHE_PT_bone_map,
    PANACHE_PT_keys,
    PANACHE_PT_main,
    PANACHE_PT_parts,
    PANACHE_PT_rig,
    PANACHE_PT_root,
)
from .preferences import PanachePreferences
from .preflight import stop_checking
from .properties import OVERRIDABLE, PanacheJoint, PanacheSettings
from .smpl.source import PanacheSource

CLASSES: Final = (
    PanachePreferences,
    PanacheJoint,
    PanacheSettings,
    PanacheSource,
    PANACHE_OT_stylize,
    PANACHE_OT_revert,
    PANACHE_OT_detect_rig,
    PANACHE_OT_preflight,
    PANACHE_OT_pick_calibration_frame,
    PANACHE_OT_reset_calibration_frame,
    PANACHE_OT_save_map,
    PANACHE_OT_load_map,
    PANACHE_OT_confirm_map,
    PANACHE_OT_reset_map,
    PANACHE_OT_import_smpl,
    PANACHE_OT_export_smpl,
    PANACHE_OT_show_error,
    PANACHE_OT_copy_error,
    PANACHE_MT_main,
    PANACHE_PT_main,
    PANACHE_PT_rig,
    PANACHE_PT_bone_map,
    PANACHE_PT_root,
    PANACHE_PT_keys,
    PANACHE_PT_parts,
    PANACHE_PT_advanced,
)
# F3 finds only what is in a menu of the current mode.
MENUS: Final = (
    (bpy.types.VIEW3D_MT_pose, draw_menu),
    (bpy.types.VIEW3D_MT_object_animation, draw_menu),
    (bpy.types.TOPBAR_MT_file_import, draw_import),
    (bpy.types.TOPBAR_MT_file_export, draw_export),
)


def register() -> None:
    """Called by Blender when the extension is enabled."""
    for cls in CLASSES:
        bpy.utils.register_class(cls)
    bpy.types.Object.panache = bpy.props.PointerProperty(type=PanacheSettings, override=OVERRIDABLE)
    bpy.types.Object.panache_smpl = bpy.props.PointerProperty(type=PanacheSource)
    for menu, draw in MENUS:
        menu.append(draw)


def unregister() -> None:
    """Mirror of :func:`register`."""
    stop_checking()
    for menu, draw in MENUS:
        menu.remove(draw)
    del bpy.types.Object.panache_smpl
    del bpy.types.Object.panache
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
    close_log()
