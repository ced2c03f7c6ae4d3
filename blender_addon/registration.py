# SPDX-License-Identifier: GPL-3.0-or-later
"""What Blender has to know of: classes in order of dependence, one pointer, two menu entries."""

from typing import Final

import bpy

from .menu import PANACHE_MT_main, draw_menu
from .operators.detect_rig import PANACHE_OT_detect_rig
from .operators.revert import PANACHE_OT_revert
from .operators.stylize import PANACHE_OT_stylize
from .panel import PANACHE_PT_advanced, PANACHE_PT_main, PANACHE_PT_parts, PANACHE_PT_rig, PANACHE_PT_root
from .properties import PanacheJoint, PanacheSettings

CLASSES: Final = (
    PanacheJoint,
    PanacheSettings,
    PANACHE_OT_stylize,
    PANACHE_OT_revert,
    PANACHE_OT_detect_rig,
    PANACHE_MT_main,
    PANACHE_PT_main,
    PANACHE_PT_rig,
    PANACHE_PT_root,
    PANACHE_PT_parts,
    PANACHE_PT_advanced,
)
# F3 finds only what is in a menu of the current mode.
MENUS: Final = (bpy.types.VIEW3D_MT_pose, bpy.types.VIEW3D_MT_object_animation)


def register() -> None:
    """Called by Blender when the extension is enabled."""
    for cls in CLASSES:
        bpy.utils.register_class(cls)
    bpy.types.Object.panache = bpy.props.PointerProperty(type=PanacheSettings)
    for menu in MENUS:
        menu.append(draw_menu)


def unregister() -> None:
    """Mirror of :func:`register`."""
    for menu in MENUS:
        menu.remove(draw_menu)
    del bpy.types.Object.panache
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
