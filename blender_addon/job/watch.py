# SPDX-License-Identifier: GPL-3.0-or-later
"""What a job cannot go on without: looked for before each step, because anything may have happened since the last."""

from typing import Any, Final

import bpy

from ..backend import Steps
from ..compat import assigned_slot, slot_identifier
from ..rig.guards import check_editable
from ..rig.nla import heard_strips
from ..rig.take import SetupError, Take
from ..translations import say

_MODE: Final = "EDIT"


class Watch:
    """Remembers what is there when it is made.

    Attributes:
        take: what was played then; safe to touch after each :meth:`check`.

    """

    def __init__(self, context: bpy.types.Context, take: Take) -> None:
        self._scene = context.scene.session_uid
        self.take = take
        self._armature = _Wanted("objects", take.armature)
        self._wanted = [self._armature]
        self._plays = _plays(take.armature)
        self._bones: tuple[str, ...] = ()
        self.add_action(take.action)

    def add_action(self, action: bpy.types.Action) -> None:
        """Watch another action too."""
        self._wanted.append(_Wanted("actions", action))

    def add_armature(self, armature: bpy.types.Object) -> None:
        """Watch another armature too."""
        self._wanted.append(_Wanted("objects", armature))

    def add_bones(self, names: tuple[str, ...]) -> None:
        """Watch bones of the armature."""
        self._bones = names

    def check(self, context: bpy.types.Context) -> None:
        """Refuse to go on.

        Raises:
            SetupError: something is gone, or the armature must not be changed any more.

        """
        for wanted in self._wanted:
            wanted.find()
        armature = self._armature.find()
        if context.scene is None or context.scene.session_uid != self._scene:
            raise SetupError("Another scene was opened: go back to the one with the armature, and start again.")
        if context.scene not in armature.users_scene:
            raise SetupError(say('"{name}" was deleted: nothing was changed.', name=armature.name))
        if armature.mode == _MODE:
            raise SetupError(say('Leave Edit Mode of "{name}" (Tab), and start again.', name=armature.name))
        if _plays(armature) != self._plays:
            raise SetupError(say('"{name}" plays something else now: start again.', name=armature.name))
        check_editable(self.take)
        missing = next((name for name in self._bones if name not in armature.pose.bones), None)
        if missing is not None:
            raise SetupError(say('Bone "{name}" is gone: start again.', name=missing))

    def over(self, context: bpy.types.Context, steps: Steps[Any]) -> Steps[Any]:
        """The steps, each of them taken only if nothing is missing."""
        try:
            while True:
                try:
                    progress = next(steps)
                except StopIteration as end:
                    return end.value
                yield progress
                self.check(context)
        finally:
            steps.close()


class _Wanted:
    """A data-block that must stay."""

    def __init__(self, kind: str, block: bpy.types.ID) -> None:
        self._kind, self._name, self._uid = kind, block.name, block.session_uid

    def find(self) -> Any:  # noqa: ANN401
        """The data-block; by number, because a reference to a removed one must not be touched."""
        blocks = getattr(bpy.data, self._kind)
        # By its name it is found at once, unless it got another one.
        named = blocks.get(self._name)
        if named is not None and named.session_uid == self._uid:
            return named
        found = next((block for block in blocks if block.session_uid == self._uid), None)
        if found is None:
            raise SetupError(say('"{name}" was deleted: nothing was changed.', name=self._name))
        return found


def _plays(armature: bpy.types.Object) -> tuple[Any, ...]:
    data = armature.animation_data
    if data is None:
        return ()
    action = (data.action.session_uid, slot_identifier(assigned_slot(armature))) if data.action else None
    return action, tuple((strip.name, strip.type) for strip in heard_strips(armature))
