# SPDX-License-Identifier: GPL-3.0-or-later
"""The use case behind panache.keep."""

import bpy

from .amount import forget, played_result
from .rig.take import SetupError, require_armature
from .translations import say


def keep_active(context: bpy.types.Context) -> str:
    """Let the result that the active armature plays be a plain action, which stays in the file; its name.

    Raises:
        SetupError: nothing of Panache's plays, or it is linked.

    """
    action = played_result(require_armature(context))
    if action is None:
        raise SetupError("What the armature plays was not made by Panache: there is nothing to keep.")
    if action.library is not None:
        raise SetupError(say('"{name}" is linked: make it local first.', name=action.name))
    forget(action)
    # An action that the animator decided for outlives its assignment.
    action.use_fake_user = True
    return str(action.name)
