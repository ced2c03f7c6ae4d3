# SPDX-License-Identifier: GPL-3.0-or-later
"""What the Rig subpanels show: what preflight found out, the calibration frame, and the bone map to be corrected."""

from collections.abc import Iterable
from typing import Final

import bpy

from ..backend import JOINTS, REQUIRED_JOINTS, Preflight
from ..blocking import blocked_reason
from ..order import AUTOMATIC
from ..preflight import finding_of
from ..properties import PanacheJoint
from ..rig.take import armature_of
from ..sentences import draw_sentence
from ..translations import label, noted
from .shared import Subpanel

# How a bone was found, as an icon, and in words.
_MARKS: Final = {
    "name": ("CHECKMARK", noted("{count} by name")),
    "structure": ("QUESTION", noted("{count} by structure: look these through")),
    "user": ("USER", noted("{count} by you")),
}
# The map in the order in which one looks a body through; what the sides share is written once.
_ARM: Final = ("collar", "shoulder", "elbow", "wrist")
_LEG: Final = ("hip", "knee", "ankle", "foot")
_GROUPS: Final = (
    (noted("Trunk"), "", ("pelvis", "spine1", "spine2", "spine3", "neck", "head")),
    (noted("Left Arm"), "left_", _ARM),
    (noted("Right Arm"), "right_", _ARM),
    (noted("Left Leg"), "left_", _LEG),
    (noted("Right Leg"), "right_", _LEG),
)
_WORDS: Final = {
    "pelvis": noted("Hips"),
    "spine1": noted("Spine 1"),
    "spine2": noted("Spine 2"),
    "spine3": noted("Spine 3"),
    "neck": noted("Neck"),
    "head": noted("Head"),
    "collar": noted("Collar"),
    "shoulder": noted("Shoulder"),
    "elbow": noted("Elbow"),
    "wrist": noted("Wrist"),
    "hip": noted("Hip"),
    "knee": noted("Knee"),
    "ankle": noted("Ankle"),
    "foot": noted("Toes"),
}
# Errors below this do not matter to anyone.
_TINY: Final = 0.01


class PANACHE_PT_rig(Subpanel, bpy.types.Panel):
    """How well the rig was understood."""

    bl_idname = "PANACHE_PT_rig"
    bl_label = "Rig"

    def draw(self, context: bpy.types.Context) -> None:
        """Draw what preflight found out, and the calibration frame."""
        armature = armature_of(context)
        row = self.layout.row(align=True)
        row.operator("panache.detect_rig")
        row.operator("panache.preflight", text="", icon="FILE_REFRESH")
        _draw_finding(self.layout, context, armature)
        _draw_calibration(self.layout, armature)


class PANACHE_PT_bone_map(Subpanel, bpy.types.Panel):
    """Which bone is which joint."""

    bl_idname = "PANACHE_PT_bone_map"
    bl_label = "Bone Map"
    bl_parent_id = "PANACHE_PT_rig"

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the bone map that Detect Rig found, to be corrected."""
        _draw_map(self.layout, context, armature_of(context))


def _draw_finding(layout: bpy.types.UILayout, context: bpy.types.Context, armature: bpy.types.Object) -> None:
    """Preflight's figures. What stands in the way of them stands above the Stylize button."""
    finding = finding_of(armature)
    if finding is None:
        layout.label(text="Checking...", icon="TIME")
    elif finding.result is not None:
        _draw_figures(layout, context, finding.result)
    elif not finding.problem:
        layout.operator("panache.preflight")


def _draw_calibration(layout: bpy.types.UILayout, armature: bpy.types.Object) -> None:
    """Which pose ties the bones to the joints, how far it is from a plausible one, and the way to choose another."""
    settings, finding = armature.panache, finding_of(armature)
    column = layout.column(align=True)
    row = column.row(align=True)
    if settings.calibration_frame == AUTOMATIC:
        row.operator("panache.pick_calibration_frame", icon="EYEDROPPER")
    else:
        row.prop(settings, "calibration_frame")
        row.operator("panache.pick_calibration_frame", text="", icon="EYEDROPPER")
        row.operator("panache.reset_calibration_frame", text="", icon="X")
    if finding is not None and finding.result is not None:
        angle = f"{finding.result.calibration_error:.1f}\u00b0"
        column.label(text=label("Calibration pose off by {angle}", angle=angle), icon="ARMATURE_DATA")


def _draw_map(layout: bpy.types.UILayout, context: bpy.types.Context, armature: bpy.types.Object) -> None:
    """One search field per joint, and how its bone was found."""
    settings = armature.panache
    if not settings.joints:
        layout.label(text="Detect the rig first", icon="INFO")
        return
    if settings.map_problem:
        if settings.map_problem != blocked_reason(context):
            draw_sentence(layout, context, settings.map_problem, "ERROR")
        if not settings.is_users_map:
            layout.operator("panache.confirm_map", icon="CHECKMARK")
    _draw_origins(layout, settings.joints)
    for title, side, names in _GROUPS:
        column = layout.column(align=True)
        column.label(text=title)
        for name in names:
            _draw_joint(column, settings.joints[side + name], armature.data, _WORDS[name])
    row = layout.row(align=True)
    row.operator("panache.save_map", text="Save")
    row.operator("panache.load_map", text="Load")
    row.operator("panache.reset_map", text="Reset")


def _draw_figures(layout: bpy.types.UILayout, context: bpy.types.Context, found: Preflight) -> None:
    sure = f"{found.confidence:.0%}"
    rows = (
        (noted("Joints"), label("{matched} of {all}, {sure} sure", matched=found.matched, all=len(JOINTS), sure=sure)),
        (noted("Round Trip"), f"{_small(found.round_trip_degrees)}\u00b0, {_small(found.round_trip_centimetres)} cm"),
        (noted("Clip"), label("{seconds} s, {frames} frames", seconds=f"{found.seconds:.1f}", frames=found.frames)),
        (noted("Outside Model"), label("{share} of the clip", share=f"{found.outside:.0%}")),
    )
    column = layout.column(align=True)
    for name, value in rows:
        split = column.split(factor=0.4)
        split.label(text=name)
        split.label(text=value, translate=False)
    for warning in found.warnings:
        draw_sentence(layout, context, warning, "ERROR")


def _draw_origins(layout: bpy.types.UILayout, joints: Iterable[PanacheJoint]) -> None:
    """How many bones were found in which way, which explains the icons too."""
    origins = [_origin(joint) for joint in joints if joint.chosen]
    column = layout.column(align=True)
    column.scale_y = 0.8
    for origin, (icon, words) in _MARKS.items():
        if origin in origins:
            text = label(words, count=origins.count(origin))
            column.label(text=text, translate=False, icon=icon)


def _draw_joint(column: bpy.types.UILayout, joint: PanacheJoint, skeleton: bpy.types.Armature, title: str) -> None:
    """A search field over the bones, and how this one was found."""
    lacks = joint.name in REQUIRED_JOINTS and not joint.chosen
    split = column.split(factor=0.3, align=True)
    split.label(text=title)
    row = split.row(align=True)
    row.alert = lacks
    row.prop_search(joint, "bone", skeleton, "bones", text="")
    icon = "ERROR" if lacks else "REMOVE"
    row.label(text="", icon=_MARKS[_origin(joint)][0] if joint.chosen else icon)


def _origin(joint: PanacheJoint) -> str:
    return "user" if joint.chosen != joint.found else joint.origin or "name"


def _small(value: float) -> str:
    """A figure to two places; what is smaller does not matter."""
    return f"{value:.2f}" if value >= _TINY else f"< {_TINY}"
