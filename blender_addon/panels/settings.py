# SPDX-License-Identifier: GPL-3.0-or-later
"""The closed panels of what a run may do: mix, root and contacts, body parts, keys, and the rest."""

import bpy

from ..backend import has_weights, knows_range, knows_timing, weights_licence
from ..choices import PART_ITEMS, mix_items
from ..licence import draw_licence, short_licence
from ..rig.take import armature_of
from .shared import Subpanel, draw_settings


class PANACHE_PT_mix(Subpanel, bpy.types.Panel):
    """A second style."""

    bl_idname = "PANACHE_PT_mix"
    bl_label = "Mix"

    def draw_header(self, context: bpy.types.Context) -> None:
        """Draw the switch."""
        self.layout.prop(armature_of(context).panache, "use_mix", text="")

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the second style and its share."""
        settings = armature_of(context).panache
        self.layout.active = settings.use_mix
        if mix_items(settings, context):
            draw_settings(self.layout, context, "mix_choice", "mix")
        else:
            self.layout.operator("panache.save_style", icon="ADD")


class PANACHE_PT_root(Subpanel, bpy.types.Panel):
    """How the character travels and where the feet stay."""

    bl_idname = "PANACHE_PT_root"
    bl_label = "Root & Contacts"

    def draw(self, context: bpy.types.Context) -> None:
        """Draw root mode and contacts."""
        draw_settings(self.layout, context, "root", "contacts")
        timing = self.layout.column()
        timing.active = knows_timing()
        draw_settings(timing, context, "timing")


class PANACHE_PT_parts(Subpanel, bpy.types.Panel):
    """What the style may touch."""

    bl_idname = "PANACHE_PT_parts"
    bl_label = "Body Parts"

    def draw(self, context: bpy.types.Context) -> None:
        """Draw a switch and a weight per part, and the strengths of what lasts and of what moves."""
        settings = armature_of(context).panache
        column = self.layout.column(align=True)
        for index, (part, title, _) in enumerate(PART_ITEMS):
            split = column.split(factor=0.5, align=True)
            split.prop(settings, "touches", index=index, text=title)
            weight = split.row(align=True)
            weight.active = part in settings.parts
            weight.prop(settings, "weights", index=index, text="", slider=True)
        draw_settings(self.layout.column(align=True), context, "posture", "dynamics")


class PANACHE_PT_keys(Subpanel, bpy.types.Panel):
    """Where the result has keys."""

    bl_idname = "PANACHE_PT_keys"
    bl_label = "Keys"

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the mode, the bounds of sparse keys, and the pins."""
        draw_settings(self.layout, context, "keys")
        bounds = self.layout.column(align=True)
        bounds.active = armature_of(context).panache.keys == "SPARSE"
        draw_settings(bounds, context, "key_angle", "key_distance")
        pins, settings = self.layout.column(align=True, heading="Pin"), armature_of(context).panache
        pins.prop(settings, "pin_start", text="Start")
        pins.prop(settings, "pin_end", text="End")


class PANACHE_PT_advanced(Subpanel, bpy.types.Panel):
    """What is rarely needed."""

    bl_idname = "PANACHE_PT_advanced"
    bl_label = "Advanced"

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the seed, what the model is trusted with, the engine's self-test, and the model's licence."""
        draw_settings(self.layout, context, "seed")
        fade = self.layout.column()
        fade.active = knows_range()
        draw_settings(fade, context, "fade")
        self.layout.operator("panache.check_engine", icon="CHECKMARK")
        if has_weights():
            draw_licence(self.layout, context, short_licence(weights_licence()))
