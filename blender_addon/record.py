# SPDX-License-Identifier: GPL-3.0-or-later
"""What a result remembers: settings, model version and the way back, as custom properties of its action."""

import hashlib
from typing import Any

import bpy
import numpy as np

from .backend import model_version
from .compat import Slot, all_fcurves, slot_identifier, slot_named
from .order import AUTOMATIC, Order
from .rig.take import SetupError, Take

KEY = "panache"


def write_record(action: bpy.types.Action, take: Take, order: Order) -> None:
    """Store on ``action``, which is complete, how it was made from ``take``."""
    settings, keys = order.settings, order.keys
    action[KEY] = {
        "original": take.action,
        "original_name": take.action.name,
        "original_slot": slot_identifier(take.slot),
        "from_stack": take.is_stack,
        "pushed_down": "",
        "source": settings.source,
        "style": settings.style,
        "reference": order.reference,
        "amount": settings.amount,
        "seed": settings.seed,
        "root": settings.root,
        "contacts": settings.contacts,
        "parts": ",".join(sorted(settings.parts)),
        "pin_start": settings.pin_start,
        "pin_end": settings.pin_end,
        "keys": keys.mode,
        "key_angle": keys.angle,
        "key_distance": keys.distance,
        "calibration_frame": AUTOMATIC if order.calibration_frame is None else order.calibration_frame,
        "model_version": model_version(),
        "fingerprint": _fingerprint(action),
    }


def is_result(action: bpy.types.Action) -> bool:
    """Whether Panache made this action."""
    return KEY in action


def is_track_result(action: bpy.types.Action) -> bool:
    """Whether the action was made for a track of its own, above the NLA tracks that it was made from."""
    return is_result(action) and bool(action[KEY].get("from_stack"))


def is_edited(action: bpy.types.Action) -> bool:
    """Whether keys of a result were changed after it was made: then it holds work of the animator."""
    return action[KEY].get("fingerprint") != _fingerprint(action)


def remember_pushed(action: bpy.types.Action, track: str) -> None:
    """Note the name of the track that the active action was pushed down into for this result."""
    action[KEY]["pushed_down"] = track


def pushed_for(action: bpy.types.Action) -> str:
    """Name of that track; empty if there was none."""
    return str(action[KEY].get("pushed_down", ""))


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


def _fingerprint(action: bpy.types.Action) -> str:
    """Short name of the keys of all curves, to notice the smallest change."""
    digest = hashlib.blake2b(digest_size=12)
    for curve in all_fcurves(action):
        digest.update(f"{curve.data_path}[{curve.array_index}]".encode())
        points = curve.keyframe_points
        for name in ("co", "handle_left", "handle_right"):
            flat = np.empty(2 * len(points), dtype=np.float32)
            points.foreach_get(name, flat)
            digest.update(flat.tobytes())
    return digest.hexdigest()
