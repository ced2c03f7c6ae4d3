# SPDX-License-Identifier: GPL-3.0-or-later
"""What the operators share that do something with one of the user's styles."""

from typing import Any

import bpy

from ..rig.take import armature_of
from ..saved import saved_names
from ..translations import shown


class OnSavedStyle:
    """Only with a saved style."""

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """There is one."""
        if not saved_names():
            cls.poll_message_set(shown("There are no saved styles"))
            return False
        return True


def wanted_style(operator: Any, context: bpy.types.Context) -> str:  # noqa: ANN401
    """The style that the caller named, or the one that is chosen in the panel."""
    armature = armature_of(context)
    return operator.name or (str(armature.panache.saved) if armature else "")
