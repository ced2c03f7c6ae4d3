# SPDX-License-Identifier: GPL-3.0-or-later
"""The use cases behind saved styles: read an action, ask the model for its style, keep that; and keep it up to date."""

from dataclasses import dataclass, replace
from typing import Final

import bpy

from .backend import (
    LONGEST_STYLE_NAME,
    Clip,
    Progress,
    SavedStyle,
    Steps,
    clip_picture,
    licence_of,
    run_style_reading_steps,
    scaled,
    tidy_style_name,
    weights_licence,
)
from .rig.reader import read_clip_steps, read_rig
from .rig.take import SetupError, require_armature, take_of_action
from .saved import current_model, free_name, keep_style, saved_style

# Whether codes are fitted to their reference unless the caller says otherwise: it shows more of styles that the model
# never saw, and makes results less smooth. ``python -m scripts.evaluation.refinement`` says by how much.
REFINE: Final = False


@dataclass(frozen=True)
class StyleWish:
    """What is to be saved.

    Attributes:
        name: what the style is to be called.
        reference: name of the action; without one, the default one.
        refine: fit the code to the reference.
        licence: what the user says about the licence; empty to point to that of the reference.

    """

    name: str
    reference: str = ""
    refine: bool = REFINE
    licence: str = ""


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


def suggested_licence(reference: str) -> str:
    """What is true of every reference."""
    return f'What the licence of "{reference}" allows'


def save_steps(context: bpy.types.Context, wish: StyleWish) -> Steps[str]:
    """Save the style of an action, and choose it in the panel.

    Returns:
        The name as it was kept.

    Raises:
        PanacheError: with a sentence that says what to do.

    """
    name, armature = free_name(wish.name), require_armature(context)
    yield Progress(0.0, "Reading")
    reference = wish.reference or default_reference(context)
    keeping = _kept_steps(context, armature, replace(wish, name=name, reference=reference))
    kept = yield from scaled(keeping, 0.0, 1.0)
    armature.panache.saved = kept
    return kept


def renew_steps(context: bpy.types.Context, name: str) -> Steps[str]:
    """Compute a saved style again, from the same action, for the model there is now.

    Raises:
        PanacheError: with a sentence that says what to do.

    """
    style, armature = saved_style(name), require_armature(context)
    if style.source not in bpy.data.actions:
        raise SetupError(
            f'The action "{style.source}" that "{name}" was read off is not in this file: open the file that has it.'
        )
    wish = StyleWish(name, style.source, style.refined, style.note)
    return (yield from _kept_steps(context, armature, wish))


def describe(name: str, licence: str) -> None:
    """Say something else about the licence of a saved style.

    Raises:
        PanacheError: there is no such style, or it cannot be written.

    """
    style = saved_style(name)
    keep_style(replace(style, licence=licence_of(licence or suggested_licence(style.source), weights_licence())), None)


def can_renew(style: SavedStyle) -> bool:
    """Whether the action that a style was read off is in this file. Cheap enough to call while drawing."""
    return style.source in bpy.data.actions


def _kept_steps(context: bpy.types.Context, armature: bpy.types.Object, wish: StyleWish) -> Steps[str]:
    clip = yield from scaled(_clip_steps(context, armature, wish.reference), 0.0, 0.2)
    reading = yield from scaled(run_style_reading_steps(clip, refine=wish.refine), 0.2, 0.95)
    yield Progress(0.95, "Drawing a picture")
    picture, model = clip_picture(clip), current_model()
    style = SavedStyle(
        name=wish.name,
        code=tuple(reading.code.tolist()),
        model=model.version,
        licence=licence_of(wish.licence or suggested_licence(wish.reference), weights_licence()),
        source=wish.reference,
        weights=model.weights,
        refined=wish.refine,
        statistics=reading.statistics,
    )
    keep_style(style, picture)
    return wish.name


def _clip_steps(context: bpy.types.Context, armature: bpy.types.Object, name: str) -> Steps[Clip]:
    action = bpy.data.actions.get(name)
    if action is None:
        raise SetupError("Choose the action whose style is to be saved.")
    take = take_of_action(action, armature)
    reading = yield from read_clip_steps(context, take, read_rig(take.armature, take), whole=True)
    return Clip(reading.motion, reading.bone_map, reading.cyclic)
