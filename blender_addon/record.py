# SPDX-License-Identifier: GPL-3.0-or-later
"""What a result remembers: settings, model version and the way back, as custom properties of its action."""

from typing import Any

import bpy

from .backend import StyleSettings, model_version
from .compat import Slot, slot_identifier, slot_named
from .rig.take import SetupError, Take

KEY = "panache"


def write_record(action: bpy.types.Action, take: Take, settings: StyleSettings, reference: str) -> None:
    """Store on ``action`` how it was made from ``take``."""
    action[KEY] = {
        "original": take.action,
        "original_name": take.action.name,
        "original_slot": slot_identifier(take.slot),
        "source": settings.source,
        "style": settings.style,
        "reference": reference,
        "amount": settings.amount,
        "seed": settings.seed,
        "root": settings.root,
        "contacts": settings.contacts,
        "parts": ",".join(sorted(settings.parts)),
        "model_version": model_version(),
    }


def is_result(action: bpy.types.Action) -> bool:
    """Whether Panache made this action."""
    return KEY in action


def original_of(action: bpy.types.Action) -> tuple[bpy.types.Action, Slot]:
    """The action that ``action`` was made from, and the slot that was played.

    Raises:
        SetupError: if there is none to go back to.

    """
    if not is_result(action):
        raise SetupError(f'"{action.name}" was not made by Panache: assign the action that you want to go back to.')
    stored: Any = action[KEY]
    original = stored["original"]
    if original is None:
        raise SetupError(f'The original "{stored["original_name"]}" is no longer in this file: append it again.')
    return original, slot_named(original, stored["original_slot"])
