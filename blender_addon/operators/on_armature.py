# SPDX-License-Identifier: GPL-3.0-or-later
"""What the operators share that need an armature, or more of it: the reason why they cannot be pressed."""

import bpy

from ..blocking import greyed, no_armature, no_result, nothing_played
from ..translations import shown


class OnArmature:
    """Only with an armature."""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """What the operator sets belongs to an armature."""
        reason = no_armature(context)
        if reason:
            cls.poll_message_set(shown(reason))
        return not reason


class OnResult:
    """In the sidebar, only where a result is played; whoever calls from elsewhere is refused with a sentence."""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Something of Panache is there to be kept, taken back or made again."""
        return not greyed(cls, context, no_result)


class OnClip:
    """In the sidebar, only where something is played; whoever calls from elsewhere is refused with a sentence."""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """There is something to look at."""
        return not greyed(cls, context, nothing_played)


class OnRig:
    """In the sidebar, only with an armature; whoever calls from elsewhere is refused with a sentence."""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """There is a rig."""
        return not greyed(cls, context, no_armature)
