# SPDX-License-Identifier: GPL-3.0-or-later
"""The use case behind panache.save_style: read an action, ask the model for its style, keep that."""

import bpy

from .backend import (
    LONGEST_STYLE_NAME,
    Clip,
    Progress,
    SavedStyle,
    Steps,
    clip_picture,
    model_version,
    run_style_code_steps,
    scaled,
    tidy_style_name,
    weights_licence,
)
from .rig.reader import read_clip_steps, read_rig
from .rig.take import SetupError, require_armature, take_of_action
from .saved import free_name, keep_style


def default_reference(context: bpy.types.Context) -> str:
    """Name of the action whose style is to be saved: the chosen one, else what the active armature plays.

    Raises:
        PanacheError: there is no armature.

    """
    armature = require_armature(context)
    settings, data = armature.panache, armature.animation_data
    if settings.source == "REFERENCE" and settings.reference:
        return str(settings.reference.name)
    return str(data.action.name) if data and data.action else ""


def suggested_name(reference: str) -> str:
    """A name to start from, after the reference."""
    return tidy_style_name(reference.replace("_", " ").replace(".", " "))[:LONGEST_STYLE_NAME].strip()


def save_steps(context: bpy.types.Context, name: str, reference: str) -> Steps[str]:
    """Save the style of the action ``reference``, or of the default one, and choose it in the panel.

    Returns:
        The name as it was kept.

    Raises:
        PanacheError: with a sentence that says what to do.

    """
    name = free_name(name)
    armature = require_armature(context)
    yield Progress(0.0, "Reading")
    reference = reference or default_reference(context)
    clip = yield from scaled(_clip_steps(context, armature, reference), 0.0, 0.3)
    code = yield from scaled(run_style_code_steps(clip), 0.3, 0.9)
    yield Progress(0.9, "Drawing a picture")
    picture = clip_picture(clip)
    licence = f'What the licence of "{reference}" allows; made with a model under {weights_licence()}'
    keep_style(SavedStyle(name, code, model_version(), licence, reference), picture)
    armature.panache.saved = name
    return name


def _clip_steps(context: bpy.types.Context, armature: bpy.types.Object, name: str) -> Steps[Clip]:
    action = bpy.data.actions.get(name)
    if action is None:
        raise SetupError("Choose the action whose style is to be saved.")
    take = take_of_action(action, armature)
    reading = yield from read_clip_steps(context, take, read_rig(take.armature, take), whole=True)
    return Clip(reading.motion, reading.bone_map, reading.cyclic)
