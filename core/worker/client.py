# SPDX-License-Identifier: GPL-3.0-or-later
"""Blender's side of the worker: a network whose answers come later. Nothing here waits longer than it is told to."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from itertools import count
from typing import Final
from weakref import WeakValueDictionary

import numpy as np

from ..engines import Features, Float32
from ..errors import EngineError
from .process import WorkerCommand
from .protocol import Message
from .session import Description, Limits, Ready, Session

# Seconds that one look for an answer may take, so that waiting in a loop costs no processor time.
_PATIENCE: Final = 0.005


class WorkerState(Enum):
    """What can be said of the worker without asking it."""

    OFF = "off"
    STARTING = "starting"
    READY = "ready"
    BROKEN = "broken"


class RemoteAnswer:
    """A ``Pending`` answer; whoever lets go of it has cancelled it."""

    def __init__(self, worker: Worker, message: Message) -> None:
        """An answer to a message, which is kept for a worker that has to be started again."""
        self.message = message
        self._worker = worker
        self._value: Float32 | None = None
        self._error: EngineError | None = None

    def result(self) -> Float32 | None:
        """See ``Pending``; looks for a few milliseconds."""
        if self.is_open:
            self._worker.poll(_PATIENCE)
        if self._error:
            raise self._error
        return self._value

    @property
    def is_open(self) -> bool:
        """Whether nothing has come of it yet."""
        return self._value is None and self._error is None

    def settle(self, value: Float32 | None, error: EngineError | None = None) -> None:
        """What came of it, which is never taken back."""
        if self.is_open:
            self._value, self._error = value, error


class Worker:
    """A worker process that is started when it is needed, and again after it broke.

    Attributes:
        trouble: why the last one ended; empty if there is nothing to say.
    """

    def __init__(
        self,
        command: WorkerCommand,
        description: Description,
        limits: Limits | None = None,
        mask: Callable[[str], str] = str,
    ) -> None:
        """Nothing is started yet.

        Args:
            command: how to start it.
            description: of the weights, as they were read here.
            limits: how long is too long.
            mask: takes the names of the user's folders out of a sentence.
        """
        self.trouble = ""
        self._command = command
        self._description = description
        self._limits = limits or Limits()
        self._mask = mask
        self._session: Session | None = None
        self._numbers = count(1)
        self._answers: WeakValueDictionary[int, RemoteAnswer] = WeakValueDictionary()
        self._notes: list[str] = []

    @property
    def state(self) -> WorkerState:
        """What it does, as far as is known."""
        if self._session is None:
            return WorkerState.BROKEN if self.trouble else WorkerState.OFF
        return WorkerState.READY if self._session.ready else WorkerState.STARTING

    @property
    def ready(self) -> Ready | None:
        """What it said of itself; None unless it is ready."""
        return self._session.ready if self._session else None

    @property
    def pid(self) -> int | None:
        """Number of its process."""
        return self._session.pid if self._session else None

    def start(self) -> None:
        """Start it unless it runs; returns at once, :meth:`poll` does the rest.

        Raises:
            EngineError: no interpreter or no port.
        """
        if self._session is None:
            try:
                self._session = Session(self._command, self._description, self._limits)
            except EngineError as error:
                self.trouble = self._mask(str(error))
                raise EngineError(self.trouble) from error
            self.trouble = ""

    def ask(self, kind: str, *arrays: Float32) -> RemoteAnswer:
        """Put a question, to a new worker if there is none.

        Raises:
            EngineError: no interpreter or no port.
        """
        self.start()
        answer = RemoteAnswer(self, Message(kind, next(self._numbers), arrays=arrays))
        self._answers[answer.message.number] = answer
        self._put(answer)
        return answer

    def poll(self, patience: float = 0.0) -> None:
        """Look what it has to say; failures are kept for those who wait."""
        if self._session is None:
            return
        try:
            for message in self._session.poll(patience, list(self._answers)):
                self._hear(message)
            if self._session.overdue:
                self._replace()
        except EngineError as error:
            self._break(error)

    def take_notes(self) -> list[str]:
        """What the worker did otherwise than it was asked to, since the last time."""
        notes, self._notes = self._notes, []
        return notes

    def stop(self) -> None:
        """End it; the next question starts another."""
        self._break(EngineError("Panache's worker process was stopped: run it again."))
        self.trouble = ""

    def _put(self, answer: RemoteAnswer) -> None:
        try:
            if self._session:
                self._session.ask(answer.message)
        except EngineError as error:
            answer.settle(None, error)

    def _hear(self, message: Message) -> None:
        self._notes += [self._mask(str(note)) for note in message.fields.get("notes", ())]
        answer = self._answers.get(message.number)
        if answer is None:
            return
        if message.kind == "done" and message.arrays:
            answer.settle(message.arrays[0])
        else:
            answer.settle(None, EngineError(self._mask(message.text("sentence") or "The worker gave no answer.")))

    def _replace(self) -> None:
        """Another process instead of one that is busy with what nobody wants; it takes over the other questions."""
        waiting = [answer for answer in self._answers.values() if answer.is_open]
        self._end()
        self.start()
        for answer in waiting:
            self._put(answer)

    def _break(self, error: EngineError) -> None:
        self._end()
        self.trouble = self._mask(str(error))
        for answer in list(self._answers.values()):
            answer.settle(None, EngineError(self.trouble))

    def _end(self) -> None:
        if self._session:
            self._session.end()
            self._session = None


class RemoteNetwork:
    """A ``StyleNetwork`` in a worker process."""

    def __init__(self, worker: Worker, description: Description) -> None:
        """Describe the network at once; ask the worker when there is something to ask."""
        self.styles = description.styles
        self.fps = description.fps
        self.layout_signature = description.layout_signature
        self.style_size = description.style_size
        width = description.style_size + len(description.styles)
        tempo = None if description.tempo is None else np.array(description.tempo, dtype=np.float32)
        self.tempo = None if tempo is None else tempo.reshape(-1, width)
        self.content_range = description.content_range
        self._worker = worker

    @property
    def software(self) -> str:
        """See ``StyleNetwork``; empty before the worker has said so."""
        ready = self._worker.ready
        return f"{ready.software}, {ready.device}" if ready else ""

    def style_gaussian(self, features: Features) -> RemoteAnswer:
        """See ``StyleNetwork``."""
        return self._worker.ask("style_gaussian", features)

    def stylize(self, features: Features, conditions: Float32) -> RemoteAnswer:
        """See ``StyleNetwork``."""
        return self._worker.ask("stylize", features, conditions)

    def reconstruct(self, features: Features) -> RemoteAnswer:
        """See ``StyleNetwork``."""
        return self._worker.ask("reconstruct", features)

    def content_code(self, features: Features) -> RemoteAnswer:
        """See ``StyleNetwork``."""
        return self._worker.ask("content_code", features)
