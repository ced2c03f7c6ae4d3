# SPDX-License-Identifier: GPL-3.0-or-later
"""The sidebar tab: style, amount and the button on top, the rest folded away."""

import bpy

from . import results
from .blocking import blocked_reason
from .preflight import check_if_needed
from .properties import PanacheSettings
from .rig.take import armature_of
from .rig_panel import draw_calibration, draw_finding, draw_map
from .sentences import draw_sentence


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
            check_if_needed(armature)
            _draw_style(layout, armature.panache)
        if reason:
            draw_sentence(layout, context, reason, "INFO")
        row = layout.row()
        row.scale_y = 1.5
        # Asked in this region, the operator's poll greys the button, and its tooltip says why.
        row.operator_context = "INVOKE_DEFAULT"
        row.operator("panache.stylize", icon="ARMATURE_DATA")
        if armature is not None:
            _draw_result(layout, armature)


class PANACHE_PT_rig(_Subpanel, bpy.types.Panel):
    """How well the rig was understood."""

    bl_idname = "PANACHE_PT_rig"
    bl_label = "Rig"

    def draw(self, context: bpy.types.Context) -> None:
        """Draw what preflight found out, and the calibration frame."""
        armature = armature_of(context)
        row = self.layout.row(align=True)
        row.operator("panache.detect_rig")
        row.operator("panache.preflight", text="", icon="FILE_REFRESH")
        draw_finding(self.layout, context, armature)
        draw_calibration(self.layout, armature)


class PANACHE_PT_bone_map(_Subpanel, bpy.types.Panel):
    """Which bone is which joint."""

    bl_idname = "PANACHE_PT_bone_map"
    bl_label = "Bone Map"
    bl_parent_id = "PANACHE_PT_rig"

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the bone map that Detect Rig found, to be corrected."""
        draw_map(self.layout, context, armature_of(context))


class PANACHE_PT_root(_Subpanel, bpy.types.Panel):
    """How the character travels and where the feet stay."""

    bl_idname = "PANACHE_PT_root"
    bl_label = "Root & Contacts"

    def draw(self, context: bpy.types.Context) -> None:
        """Draw root mode and contacts."""
        _draw_properties(self.layout, context, "root", "contacts")


class PANACHE_PT_keys(_Subpanel, bpy.types.Panel):
    """Where the result has keys."""

    bl_idname = "PANACHE_PT_keys"
    bl_label = "Keys"

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the mode, the bounds of sparse keys, and the pins."""
        _draw_properties(self.layout, context, "keys")
        bounds = self.layout.column(align=True)
        bounds.enabled = armature_of(context).panache.keys == "SPARSE"
        _draw_properties(bounds, context, "key_angle", "key_distance")
        _draw_properties(self.layout.column(align=True), context, "pin_start", "pin_end")


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
    if results.plays_result(armature):
        layout.operator("panache.revert", icon="LOOP_BACK")


def _draw_properties(layout: bpy.types.UILayout, context: bpy.types.Context, *names: str) -> None:
    layout.use_property_split = True
    layout.use_property_decorate = False
    for name in names:
        layout.prop(armature_of(context).panache, name)
