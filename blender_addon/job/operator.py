# SPDX-License-Identifier: GPL-3.0-or-later
"""Operators whose work takes longer than a blink."""

from typing import Final

import bpy

from ..backend import PanacheError, Steps, finish
from ..reporting import failed, refuse
from ..rig.pace import unwatched
from ..translations import say
from ..worker.keeper import take_notes
from .current import Job, check_free, start
from .display import Display

# Seconds between two ticks, and of work in one of them: in between Blender draws and listens.
_TICK: Final = 0.01
_WORK: Final = 0.02


class JobOperator:
    """A mixin: the operator says what to do as a generator, ``steps``; in a window it runs modally.

    ``execute`` runs to the end before it returns: in background mode, for scripts, and for the redo panel. ``invoke``
    does some steps per tick of a timer, until Esc, ``panache.cancel`` or a handler ends it. Wherever the generator
    yields, the file must be as it was before: closed there, it has done nothing.
    """

    def steps(self, context: bpy.types.Context) -> Steps[str]:
        """The work; its result is the sentence that is reported at the end."""
        raise NotImplementedError

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Do all of it now."""
        try:
            check_free()
            with unwatched():
                said = finish(self.steps(context))
        except PanacheError as error:
            return refuse(self, error)
        except Exception as error:  # noqa: BLE001 - whatever it is, Blender must not show a bare traceback
            return failed(self, error)
        return self._done(said)

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Begin; the rest is done by :meth:`modal`."""
        try:
            self._job: Job[str] = start(self.bl_label, self.steps(context))
        except PanacheError as error:
            return refuse(self, error)
        timer = context.window_manager.event_timer_add(_TICK, window=context.window)
        self._job.kept.callback(context.window_manager.event_timer_remove, timer)
        self._display = self._job.kept.enter_context(Display(self._job, context))
        context.window_manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Some steps per tick; everything else passes through, so that one can go on working."""
        if event.type == "ESC" and event.value == "PRESS":
            self._job.end()
        if self._job.is_over:
            return self._stopped()
        if event.type != "TIMER":
            return {"PASS_THROUGH"}
        try:
            result = self._job.advance(_WORK)
        except PanacheError as error:
            return refuse(self, error)
        except Exception as error:  # noqa: BLE001 - whatever it is, Blender must not show a bare traceback
            return failed(self, error)
        if result is None:
            self._display.refresh(context)
            return {"PASS_THROUGH"}
        return self._done(result[0])

    def cancel(self, _context: bpy.types.Context) -> None:
        """Blender takes the operator away: its window was closed, or another file is loaded."""
        self._job.end()

    def _done(self, said: str) -> set[str]:
        for note in take_notes():
            self.report({"WARNING"}, note)
        self.report({"INFO"}, said)
        return {"FINISHED"}

    def _stopped(self) -> set[str]:
        if self._job.reason:
            self.report({"WARNING"}, self._job.reason)
        else:
            self.report({"INFO"}, say("Stopped; nothing was changed"))
        return {"CANCELLED"}
