# SPDX-License-Identifier: GPL-3.0-or-later
"""Why Stylize cannot run, as far as that is known without computing."""

import bpy

from .backend import style_names
from .preflight import finding_of
from .rig.nla import heard_strips
from .rig.take import armature_of


def blocked_reason(context: bpy.types.Context) -> str:
    """A sentence for the user; empty if nothing is known to stand in the way. Cheap enough to call while drawing."""
    armature = armature_of(context)
    if armature is None:
        return "Select an armature"
    data = armature.animation_data
    if data is None or not (data.action or heard_strips(armature)):
        return "Assign an action to the armature"
    if not style_names():
        return "The weight file cannot be read: reinstall Panache"
    if armature.panache.source == "REFERENCE" and armature.panache.reference is None:
        return "Choose a reference action"
    finding = finding_of(armature)
    return finding.problem if finding else ""
