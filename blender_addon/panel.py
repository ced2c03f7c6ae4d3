# SPDX-License-Identifier: GPL-3.0-or-later
"""The sidebar tab: style, amount and the button on top, the rest folded away."""

import bpy

from . import record
from .backend import style_names
from .properties import PanacheSettings
from .rig.take import armature_of


class _Sidebar:
    """Where all of Panache's panels live."""

    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Panache"


class _Subpanel(_Sidebar):
    """A closed panel below the main one, shown with an armature only."""

    bl_parent_id = "PANACHE_PT_main"
    bl_options = {"DEFAULT_CLOSED"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Settings belong to an armature."""
        return armature_of(context) is not None


class PANACHE_PT_main(_Sidebar, bpy.types.Panel):
    """Style, amount, go."""

    bl_idname = "PANACHE_PT_main"
    bl_label = "Panache"

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the three controls, or what stands in their way."""
        layout, armature, reason = self.layout, armature_of(context), blocked_reason(context)
        layout.use_property_split = True
        layout.use_property_decorate = False
        if armature is not None:
            _draw_style(layout, armature.panache)
        if reason:
            layout.label(text=reason, icon="INFO")
        row = layout.row()
        row.scale_y = 1.5
        row.enabled = not reason
        row.operator("panache.stylize", icon="ARMATURE_DATA")
        if armature is not None:
            _draw_result(layout, armature)


class PANACHE_PT_rig(_Subpanel, bpy.types.Panel):
    """Which bone is which joint."""

    bl_idname = "PANACHE_PT_rig"
    bl_label = "Rig"

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the bone map that Detect Rig found."""
        settings = armature_of(context).panache
        self.layout.operator("panache.detect_rig")
        if not settings.joints:
            return
        self.layout.label(text=f"{settings.family}: {settings.confidence:.0%} sure")
        column = self.layout.column(align=True)
        for joint in settings.joints:
            split = column.split(factor=0.45)
            split.label(text=joint.name.replace("_", " ").capitalize())
            split.label(text=joint.bone or "none", icon="BONE_DATA" if joint.bone else "ERROR")


class PANACHE_PT_root(_Subpanel, bpy.types.Panel):
    """How the character travels and where the feet stay."""

    bl_idname = "PANACHE_PT_root"
    bl_label = "Root & Contacts"

    def draw(self, context: bpy.types.Context) -> None:
        """Draw root mode and contacts."""
        _draw_properties(self.layout, context, "root", "contacts")


class PANACHE_PT_parts(_Subpanel, bpy.types.Panel):
    """What the style may touch."""

    bl_idname = "PANACHE_PT_parts"
    bl_label = "Body Parts"

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the part switches."""
        self.layout.column(align=True).prop(armature_of(context).panache, "parts")


class PANACHE_PT_advanced(_Subpanel, bpy.types.Panel):
    """Source of the style and seed."""

    bl_idname = "PANACHE_PT_advanced"
    bl_label = "Advanced"

    def draw(self, context: bpy.types.Context) -> None:
        """Draw source and seed."""
        _draw_properties(self.layout, context, "source", "seed")


def blocked_reason(context: bpy.types.Context) -> str:
    """Why Stylize cannot run, as far as that is known without computing; empty if it can."""
    armature = armature_of(context)
    if armature is None:
        return "Select an armature"
    if armature.animation_data is None or armature.animation_data.action is None:
        return "Assign an action to the armature"
    if not style_names():
        return "The weight file cannot be read: reinstall Panache"
    if armature.panache.source == "REFERENCE" and armature.panache.reference is None:
        return "Choose a reference action"
    return ""


def _draw_style(layout: bpy.types.UILayout, settings: PanacheSettings) -> None:
    if settings.source == "REFERENCE":
        layout.prop(settings, "reference")
    elif settings.source == "RANDOM":
        layout.prop(settings, "seed")
    else:
        layout.prop(settings, "style")
    layout.prop(settings, "amount")


def _draw_result(layout: bpy.types.UILayout, armature: bpy.types.Object) -> None:
    """Say that the armature plays a result, and offer the way back."""
    data = armature.animation_data
    if data is not None and data.action is not None and record.is_result(data.action):
        layout.operator("panache.revert", icon="LOOP_BACK")


def _draw_properties(layout: bpy.types.UILayout, context: bpy.types.Context, *names: str) -> None:
    layout.use_property_split = True
    layout.use_property_decorate = False
    for name in names:
        layout.prop(armature_of(context).panache, name)
