# SPDX-License-Identifier: GPL-3.0-or-later
"""What Blender has to know of: classes in order of dependence, one pointer, menu entries."""

from typing import Final

import bpy

from .amount import start_watching, stop_watching
from .job.handlers import add_handlers, remove_handlers
from .log import close_log
from .menu import PANACHE_MT_main, draw_menu
from .operators.bone_map import (
    PANACHE_OT_confirm_map,
    PANACHE_OT_load_map,
    PANACHE_OT_reset_map,
    PANACHE_OT_save_map,
)
from .operators.calibration_frame import PANACHE_OT_pick_calibration_frame, PANACHE_OT_reset_calibration_frame
from .operators.cancel import PANACHE_OT_cancel
from .operators.check_engine import PANACHE_OT_check_engine
from .operators.delete_style import PANACHE_OT_delete_style
from .operators.describe_style import PANACHE_OT_describe_style
from .operators.detect_rig import PANACHE_OT_detect_rig
from .operators.discard_variations import PANACHE_OT_discard_variations
from .operators.export_smpl import PANACHE_OT_export_smpl, draw_export
from .operators.import_smpl import PANACHE_OT_import_smpl, draw_import
from .operators.keep import PANACHE_OT_keep
from .operators.keep_variation import PANACHE_OT_keep_variation
from .operators.pick_variation import PANACHE_OT_pick_variation
from .operators.preflight import PANACHE_OT_preflight
from .operators.reapply import PANACHE_OT_reapply
from .operators.renew_style import PANACHE_OT_renew_style
from .operators.revert import PANACHE_OT_revert
from .operators.runtime import PANACHE_OT_create_runtime, PANACHE_OT_remove_runtime
from .operators.sample_variations import PANACHE_OT_sample_variations
from .operators.save_style import PANACHE_OT_save_style
from .operators.show_error import PANACHE_OT_copy_error, PANACHE_OT_show_error
from .operators.stylize import PANACHE_OT_stylize
from .panels import PANELS
from .preferences import PanachePreferences
from .preflight import stop_checking
from .properties import OVERRIDABLE, PanacheJoint, PanacheSettings
from .smpl.source import PanacheSource
from .thumbnails import forget_thumbnails
from .translations import add_translations, remove_translations
from .variations.state import discard
from .worker.keeper import forget as forget_worker

CLASSES: Final = (
    PanachePreferences,
    PanacheJoint,
    PanacheSettings,
    PanacheSource,
    PANACHE_OT_stylize,
    PANACHE_OT_cancel,
    PANACHE_OT_sample_variations,
    PANACHE_OT_keep_variation,
    PANACHE_OT_discard_variations,
    PANACHE_OT_pick_variation,
    PANACHE_OT_keep,
    PANACHE_OT_reapply,
    PANACHE_OT_revert,
    PANACHE_OT_save_style,
    PANACHE_OT_describe_style,
    PANACHE_OT_renew_style,
    PANACHE_OT_delete_style,
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
    PANACHE_OT_check_engine,
    PANACHE_OT_create_runtime,
    PANACHE_OT_remove_runtime,
    PANACHE_OT_show_error,
    PANACHE_OT_copy_error,
    PANACHE_MT_main,
    *PANELS,
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
    add_translations()
    for cls in CLASSES:
        bpy.utils.register_class(cls)
    bpy.types.Object.panache = bpy.props.PointerProperty(type=PanacheSettings, override=OVERRIDABLE)
    bpy.types.Object.panache_smpl = bpy.props.PointerProperty(type=PanacheSource)
    for menu, draw in MENUS:
        menu.append(draw)
    add_handlers()
    start_watching()


def unregister() -> None:
    """Mirror of :func:`register`."""
    stop_watching()
    remove_handlers()
    forget_worker()
    stop_checking()
    discard()
    for menu, draw in MENUS:
        menu.remove(draw)
    del bpy.types.Object.panache_smpl
    del bpy.types.Object.panache
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
    forget_thumbnails()
    remove_translations()
    close_log()
