# SPDX-License-Identifier: GPL-3.0-or-later
"""What the operators share that need an armature."""

import bpy

from ..rig.take import armature_of


class OnArmature:
    """Only with an armature."""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """What the operator sets belongs to an armature."""
        return armature_of(context) is not None
