# SPDX-License-Identifier: GPL-3.0-or-later
"""What all of Panache's panels have in common."""

import bpy

from ..rig.take import armature_of


class Sidebar:
    """Where all of Panache's panels live."""

    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Panache"


class Subpanel(Sidebar):
    """A closed panel below the main one, shown with an armature only."""

    bl_parent_id = "PANACHE_PT_main"
    bl_options = {"DEFAULT_CLOSED"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Settings belong to an armature."""
        return armature_of(context) is not None


def draw_settings(layout: bpy.types.UILayout, context: bpy.types.Context, *names: str) -> None:
    """Settings of the active armature below each other, their names on the left."""
    layout.use_property_split = True
    layout.use_property_decorate = False
    for name in names:
        layout.prop(armature_of(context).panache, name)
