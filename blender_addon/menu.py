# SPDX-License-Identifier: GPL-3.0-or-later
"""Panache's menu, so that every operator is found without the sidebar."""

import bpy


class PANACHE_MT_main(bpy.types.Menu):
    """All of Panache's operators."""

    bl_idname = "PANACHE_MT_main"
    bl_label = "Panache"

    def draw(self, _context: bpy.types.Context) -> None:
        """List the operators."""
        self.layout.operator("panache.stylize")
        self.layout.operator("panache.revert")
        self.layout.operator("panache.detect_rig")


def draw_menu(self: bpy.types.Menu, _context: bpy.types.Context) -> None:
    """Entry in Blender's own menus."""
    self.layout.separator()
    self.layout.menu(PANACHE_MT_main.bl_idname)
