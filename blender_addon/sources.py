# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run starts from: what is played or, so that styles do not pile up, what an unedited result was made from.

A result whose keys were edited holds work of the animator: it is a performance of its own, like any action.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from typing import TypeVar

import bpy

from .backend import Steps
from .compat import Slot, assign, assigned_slot
from .record import KEY, is_edited_steps, is_result, original_of, pushed_for, remember_pushed
from .results import result_track
from .rig.nla import Track
from .rig.pace import LONG, Pace
from .rig.stepping import pose_of
from .rig.take import SetupError, Take, played_take
from .unkeyed import restore_unkeyed

T = TypeVar("T")


class Source:
    """A source; whoever looks at it or plays it does so inside :meth:`stage`."""

    def __init__(self, take: Take, actions: tuple[bpy.types.Action, ...] = ()) -> None:
        self.armature: bpy.types.Object = take.armature
        self.actions = actions

    def stage(self) -> AbstractContextManager[object]:
        """Inside, the armature plays the source; afterwards, what it plays for the user."""
        return nullcontext()

    def take(self) -> Take:
        """What is played inside the stage."""
        return played_take(self.armature)

    def staged(self, steps: Steps[T]) -> Steps[T]:
        """Work on the source, on the stage for the length of each step and no longer."""
        try:
            while True:
                pace = Pace(LONG)
                with self.stage():
                    while True:
                        try:
                            progress = next(steps)
                        except StopIteration as end:
                            return end.value
                        if pace.is_over:
                            break
                yield progress
        finally:
            steps.close()

    def leave(self) -> None:
        """The finished result now stands in for what was played before; inside the stage, which is left for good."""


class _Original(Source):
    """The original of a result that is played."""

    def __init__(self, take: Take, original: tuple[bpy.types.Action, Slot]) -> None:
        super().__init__(take, (take.action, original[0]))
        self._unkeyed = str(take.action[KEY].get("unkeyed", ""))
        self._original, self._slot = original
        self._left = False

    @contextmanager
    def stage(self) -> Iterator[None]:
        """Assign the original for a moment."""
        before, slot = self.armature.animation_data.action, assigned_slot(self.armature)
        put_back = pose_of(self.armature)
        assign(self.armature, self._original, self._slot)
        # What the result keys and the original does not would stay as the result left it.
        restore_unkeyed(self.armature, self._unkeyed)
        try:
            yield
        finally:
            if not self._left:
                assign(self.armature, before, slot)
                put_back()

    def leave(self) -> None:
        """The result is assigned already."""
        self._left = True


class _Below(Source):
    """The tracks under a result's own."""

    def __init__(self, take: Take, track: Track) -> None:
        super().__init__(take, (track.strips[0].action,))
        self._name = track.name
        self._left = False

    @contextmanager
    def stage(self) -> Iterator[None]:
        """Mute the result's track for a moment."""
        track, put_back = self._track(), pose_of(self.armature)
        track.mute = True
        try:
            yield
        finally:
            if not self._left:
                track.mute = False
                put_back()

    def leave(self) -> None:
        """The next result, now on top, stands in for the one of the track."""
        tracks, track = self.armature.animation_data.nla_tracks, self._track()
        pushed = pushed_for(track.strips[0].action)
        if pushed:
            remember_pushed(tracks[-1].strips[0].action, pushed)
        tracks.remove(track)
        self._left = True

    def _track(self) -> Track:
        track = self.armature.animation_data.nla_tracks.get(self._name)
        if track is None:
            raise SetupError("The NLA tracks have changed meanwhile: start again.")
        return track


def source_steps(take: Take) -> Steps[Source]:
    """What a run on what is played starts from."""
    track = result_track(take.armature) if take.is_stack else None
    result = track.strips[0].action if track else take.action
    if not is_result(result) or (take.is_stack and not track) or (yield from is_edited_steps(result)):
        return Source(take, (take.action,))
    if take.is_stack:
        # Looked up again: others may have been at work.
        track = result_track(take.armature)
        return _Below(take, track) if track else Source(take, (take.action,))
    with suppress(SetupError):
        return _Original(take, original_of(result))
    return Source(take, (take.action,))
