# SPDX-License-Identifier: GPL-3.0-or-later
"""What the Rig subpanels show: what preflight found out, the calibration frame, and the bone map to be corrected."""

from collections.abc import Iterable
from typing import Final

import bpy

from .backend import JOINTS, REQUIRED_JOINTS, Preflight
from .blocking import blocked_reason
from .order import AUTOMATIC
from .preflight import finding_of
from .properties import PanacheJoint
from .sentences import draw_sentence

# How a bone was found, as an icon, and in words.
_MARKS: Final = {
    "name": ("CHECKMARK", "by name"),
    "structure": ("QUESTION", "by structure: look these through"),
    "user": ("USER", "by you"),
}
# The map in the order in which one looks a body through; what the sides share is written once.
_ARM: Final = ("collar", "shoulder", "elbow", "wrist")
_LEG: Final = ("hip", "knee", "ankle", "foot")
_GROUPS: Final = (
    ("Trunk", "", ("pelvis", "spine1", "spine2", "spine3", "neck", "head")),
    ("Left Arm", "left_", _ARM),
    ("Right Arm", "right_", _ARM),
    ("Left Leg", "left_", _LEG),
    ("Right Leg", "right_", _LEG),
)
_WORDS: Final = {"pelvis": "Hips", "foot": "Toes", "spine1": "Spine 1", "spine2": "Spine 2", "spine3": "Spine 3"}
# Errors below this do not matter to anyone.
_TINY: Final = 0.01


def draw_finding(layout: bpy.types.UILayout, context: bpy.types.Context, armature: bpy.types.Object) -> None:
    """Preflight's figures. What stands in the way of them stands above the Stylize button."""
    finding = finding_of(armature)
    if finding is None:
        layout.label(text="Checking...", icon="TIME")
    elif finding.result is not None:
        _draw_figures(layout, context, finding.result)
    elif not finding.problem:
        layout.operator("panache.preflight")


def draw_calibration(layout: bpy.types.UILayout, armature: bpy.types.Object) -> None:
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
        column.label(text=f"Calibration pose off by {finding.result.calibration_error:.1f}\u00b0", icon="ARMATURE_DATA")


def draw_map(layout: bpy.types.UILayout, context: bpy.types.Context, armature: bpy.types.Object) -> None:
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
            _draw_joint(column, settings.joints[side + name], armature.data, _WORDS.get(name, name.title()))
    row = layout.row(align=True)
    for name, text in (("save_map", "Save"), ("load_map", "Load"), ("reset_map", "Reset")):
        row.operator(f"panache.{name}", text=text)


def _draw_figures(layout: bpy.types.UILayout, context: bpy.types.Context, found: Preflight) -> None:
    rows = (
        ("Joints", f"{found.matched} of {len(JOINTS)}, {found.confidence:.0%} sure"),
        ("Round Trip", f"{_small(found.round_trip_degrees)}\u00b0, {_small(found.round_trip_centimetres)} cm"),
        ("Clip", f"{found.seconds:.1f} s, {found.frames} frames"),
        ("Outside Model", f"{found.outside:.0%} of frames"),
    )
    column = layout.column(align=True)
    for name, value in rows:
        split = column.split(factor=0.4)
        split.label(text=name)
        split.label(text=value)
    for warning in found.warnings:
        draw_sentence(layout, context, warning, "ERROR")


def _draw_origins(layout: bpy.types.UILayout, joints: Iterable[PanacheJoint]) -> None:
    """How many bones were found in which way, which explains the icons too."""
    origins = [_origin(joint) for joint in joints if joint.chosen]
    column = layout.column(align=True)
    column.scale_y = 0.8
    for origin, (icon, words) in _MARKS.items():
        if origin in origins:
            column.label(text=f"{origins.count(origin)} {words}", icon=icon)


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
