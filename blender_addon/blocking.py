# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a button cannot be pressed, as far as that is known without computing."""

from collections.abc import Callable
from typing import Any

import bpy

from .backend import has_weights
from .choices import NO_OWN_STYLES, ONE_RESULT, lacks_styles, panel_source, second_style
from .preflight import finding_of
from .results import plays_result
from .rig.nla import heard_strips
from .rig.take import armature_of
from .saved import is_outdated, saved_names, shown_style
from .translations import shown

Reason = Callable[[bpy.types.Context], str]


def greyed(operator: type, context: bpy.types.Context, reason: Reason) -> bool:
    """Whether a button stands in a sidebar and cannot be pressed; then its tooltip says why.

    Whoever calls the operator from elsewhere is let in, and refused with a sentence.
    """
    sentence = reason(context) if context.region is not None and context.region.type == "UI" else ""
    if sentence:
        operator.poll_message_set(shown(sentence))
    return bool(sentence)


def no_armature(context: bpy.types.Context) -> str:
    """For operators that are about an armature."""
    return "" if armature_of(context) else "Select an armature"


def nothing_played(context: bpy.types.Context) -> str:
    """For operators that are about what an armature plays."""
    armature = armature_of(context)
    if armature is None:
        return no_armature(context)
    data = armature.animation_data
    return "" if data and (data.action or heard_strips(armature)) else "Assign an action to the armature"


def no_result(context: bpy.types.Context) -> str:
    """For operators that are about a result of Panache."""
    armature = armature_of(context)
    if armature is None:
        return no_armature(context)
    return "" if plays_result(armature) else "The armature plays nothing that Panache made"


def blocked_reason(context: bpy.types.Context) -> str:
    """For what makes results: a sentence; empty if nothing is known to stand in the way.

    Cheap enough to call while drawing.
    """
    armature, reason = armature_of(context), nothing_played(context)
    if armature is None or reason:
        return reason
    if not has_weights():
        return "The weight file cannot be read: reinstall Panache"
    finding = finding_of(armature)
    return _no_style(armature.panache) or (finding.problem if finding else "")


def unvaried_reason(context: bpy.types.Context) -> str:
    """For what makes several results at once: where a model has no styles of its own, a saved style gives one only."""
    armature, reason = armature_of(context), blocked_reason(context)
    if armature is None or reason or not lacks_styles():
        return reason
    is_saved = panel_source(armature.panache) == "SAVED"
    return ONE_RESULT if is_saved and armature.panache.variation_count > 1 else ""


def _no_style(settings: Any) -> str:  # noqa: ANN401
    """Why the chosen source, or the second style, gives no style; empty if they do."""
    source = panel_source(settings)
    if source == "LABEL" and lacks_styles():
        return NO_OWN_STYLES
    if source == "REFERENCE" and settings.reference is None:
        return "Choose the action to take the style from"
    if source == "SAVED" and settings.saved not in saved_names():
        return "Choose a saved style, or save one first"
    if source == "SAVED" and _is_outdated(settings.saved):
        return "The saved style is of another model: compute it again, or choose another one"
    if settings.use_mix and lacks_styles() and second_style(settings) not in saved_names():
        return "Choose a saved style to mix in, or switch Mix off"
    return ""


def _is_outdated(name: str) -> bool:
    style = shown_style(name)
    return style is not None and is_outdated(style)
