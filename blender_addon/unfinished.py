# SPDX-License-Identifier: GPL-3.0-or-later
"""Actions under construction: hidden, played by nobody between two steps, and never left behind.

An action without users is not saved; what an undo or a recovered file brings back all the same is swept away.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import bpy

_MARK: Final = "panache_unfinished"
# The dot hides an action from menus.
_NAME: Final = ".Panache"


def hide(action: bpy.types.Action) -> bpy.types.Action:
    """Mark a new action as unfinished."""
    action[_MARK] = True
    action.name = _NAME
    action.use_fake_user = False
    return action


def complete(action: bpy.types.Action, name: str) -> None:
    """Make a hidden action one like any other."""
    del action[_MARK]
    action.name = name


@contextmanager
def discarded_on_error(action: bpy.types.Action) -> Iterator[bpy.types.Action]:
    """Hide an action until it is :func:`complete`; remove it if that was not to be."""
    uid = hide(action).session_uid
    try:
        yield action
    except BaseException:
        _remove(uid)
        raise


@contextmanager
def passing(action: bpy.types.Action) -> Iterator[bpy.types.Action]:
    """Hide an action that nobody needs afterwards, and remove it then."""
    uid = hide(action).session_uid
    try:
        yield action
    finally:
        _remove(uid)


def sweep() -> None:
    """Remove what was never finished; to be called while no job is running."""
    for action in [action for action in bpy.data.actions if _MARK in action and action.library is None]:
        bpy.data.actions.remove(action)


def _remove(uid: int) -> None:
    """Remove an action if it is still there: it may have been purged, or another file opened."""
    action = next((action for action in bpy.data.actions if action.session_uid == uid), None)
    if action is not None:
        bpy.data.actions.remove(action)
