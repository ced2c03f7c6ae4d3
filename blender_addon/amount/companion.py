# SPDX-License-Identifier: GPL-3.0-or-later
"""The companion of a result: a hidden action with the curves as they were computed.

The pointer in the record is a user of the companion: it is saved, appended and purged with the result.
"""

from typing import Any, Final

import bpy

from ..compat import fcurves, placed_fcurves, slot_with_handle
from ..record import AMOUNT_PATH, KEY, is_track_result

# What a record says of its result's curves, beside the amount: whose keys they have.
FULL: Final = "full"
ORIGINAL: Final = "original"
BAKED: Final = "baked"


def keep_full(action: bpy.types.Action, computed: float) -> None:
    """Keep the finished curves of a result, which were computed at an amount of ``computed``.

    The result of a stack needs no companion: what it replaces plays below, and its strip's influence blends.
    """
    record: Any = action[KEY]
    record["computed"] = record["amount"] = computed
    record["shown"] = FULL
    if is_track_result(action):
        return
    full = action.copy()
    full.name = f".{action.name}"
    full.use_fake_user = False
    del full[KEY]
    record["full"] = full


def full_of(action: bpy.types.Action) -> bpy.types.Action | None:
    """The companion, None if there is none."""
    return action[KEY].get("full")


def forget(action: bpy.types.Action) -> None:
    """Make a plain action of a result: nothing of Panache stays in it."""
    full = full_of(action)
    del action[KEY]
    if full is not None and not full.users:
        bpy.data.actions.remove(full)
    for (slot, path, _), curve in placed_fcurves(action).items():
        if path == AMOUNT_PATH:
            fcurves(action, slot_with_handle(action, slot)).remove(curve)
