# SPDX-License-Identifier: GPL-3.0-or-later
"""Panache's menu, so that every operator is found without the sidebar."""

from typing import Final

import bpy

_GROUPS: Final = (
    ("stylize", "reapply", "keep", "revert", "cancel"),
    ("sample_variations", "keep_variation", "discard_variations"),
    ("save_style", "describe_style", "renew_style", "delete_style"),
    ("detect_rig", "preflight", "pick_calibration_frame", "reset_calibration_frame"),
    ("save_map", "load_map", "confirm_map", "reset_map"),
    ("check_engine", "create_runtime", "remove_runtime"),
    ("show_error", "copy_error"),
)


class PANACHE_MT_main(bpy.types.Menu):
    """All of Panache's operators."""

    bl_idname = "PANACHE_MT_main"
    bl_label = "Panache"

    def draw(self, _context: bpy.types.Context) -> None:
        """List the operators."""
        for number, group in enumerate(_GROUPS):
            if number:
                self.layout.separator()
            for operator in group:
                self.layout.operator(f"panache.{operator}")


def draw_menu(self: bpy.types.Menu, _context: bpy.types.Context) -> None:
    """Entry in Blender's own menus."""
    self.layout.separator()
    self.layout.menu(PANACHE_MT_main.bl_idname)
