# SPDX-License-Identifier: GPL-3.0-or-later
"""The life of one worker process, seen from Blender: start, handshake, questions and answers, end."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from ..engines import ContentRange
from ..errors import EngineError
from .channel import Channel, ConnectionLostError
from .door import Door
from .process import WorkerCommand, WorkerProcess
from .protocol import Message, ProtocolError

_PING: Final = "ping"
# Seconds that a process may take to end after it hung up: an interpreter with torch has much to put away.
_FAREWELL: Final = 3.0


@dataclass(frozen=True)
class Limits:
    """How long is too long, in seconds during which Blender was listening.

    Attributes:
        start: from the start of the process until it can be asked; a first import of torch reads gigabytes.
        answer: from one sign of life to the next while something is asked.
        cancel: for an answer that nobody wants any more.
        ping: from one sign of life to the next question whether there is any.
    """

    start: float = 180.0
    answer: float = 60.0
    cancel: float = 0.3
    ping: float = 5.0


@dataclass(frozen=True)
class Ready:
    """What the worker says of itself.

    Attributes:
        device: CUDA, MPS or CPU.
        software: name and version of its library.
        python: version of its interpreter.
        seconds: it took to start, import and run once, measured by itself.
        pid: number of its process.
    """

    device: str
    software: str
    python: str
    seconds: float
    pid: int


@dataclass(frozen=True)
class Description:
    """The weights, as Blender's side read them; the worker must have read the same."""

    styles: tuple[str, ...]
    fps: float
    layout_signature: str
    style_size: int
    tempo: tuple[float, ...] | None = None
    content_range: ContentRange | None = field(default=None, compare=False)


@dataclass
class _Clock:
    """Seconds of waiting, of which no two looks at it can be far apart: Blender may have slept, or rendered."""

    seen: float = field(default_factory=time.monotonic)
    waited: float = 0.0

    def tick(self) -> float:
        """Seconds since the last tick that count."""
        now = time.monotonic()
        passed, self.seen = min(now - self.seen, 1.0), now
        self.waited += passed
        return passed


class Session:
    """One worker process.

    Attributes:
        ready: what it said when it was; None before.
        overdue: it is busy with what nobody wants any more, longer than it may.
    """

    def __init__(self, command: WorkerCommand, description: Description, limits: Limits) -> None:
        """Start it.

        Raises:
            EngineError: the interpreter or a port is not to be had.
        """
        self.ready: Ready | None = None
        self.overdue = False
        self._description = description
        self._limits = limits
        self._door = Door()
        self._channel: Channel | None = None
        self._unsent: list[Message] = []
        self._asked: dict[int, str] = {}
        self._unwanted: dict[int, float] = {}
        self._clock = _Clock()
        self._silence = 0.0
        self._lost = ""
        self._farewell = 0.0
        try:
            self._process = WorkerProcess(command, self._door.port, self._door.token)
        except EngineError:
            self._door.close()
            raise

    @property
    def pid(self) -> int:
        """Number of the process."""
        return self._process.pid

    def ask(self, message: Message) -> None:
        """Put a question; to be heard of in :meth:`poll`.

        Raises:
            EngineError: the question is too large.
        """
        if not self._asked:
            self._silence = 0.0
        self._asked[message.number] = message.kind
        self._say(message)

    def poll(self, patience: float, wanted: Iterable[int]) -> list[Message]:
        """What the worker answered.

        Args:
            patience: seconds to wait at most.
            wanted: numbers of the questions whose answers somebody still waits for.

        Raises:
            EngineError: it has ended, does not answer, or is none of ours.
        """
        if self._lost:
            self._take_leave(patience)
            return []
        try:
            messages = self._receive(patience)
            self._judge(bool(messages))
            self._forget(set(wanted))
        except ConnectionLostError as error:
            self._lost = str(error)
            return []
        return [self._understood(message) for message in messages]

    def end(self) -> None:
        """End the process, whatever it does."""
        self._door.close()
        if self._channel:
            self._channel.close()
        self._process.end()
        self._process.close()

    def _receive(self, patience: float) -> list[Message]:
        if self._channel is None:
            connection = self._door.poll()
            if connection is None:
                if patience:
                    time.sleep(patience)
                self._check_alive()
                return []
            self._channel = Channel(connection)
            for message in self._unsent:
                self._say(message)
            self._unsent.clear()
        return self._channel.receive(patience)

    def _say(self, message: Message) -> None:
        """Send, or keep until there is somebody to send it to."""
        if self._channel is None:
            self._unsent.append(message)
            return
        try:
            self._channel.send(message)
        except ConnectionLostError as error:
            self._lost = str(error)
        except ProtocolError as error:
            raise EngineError("The clip is too long for the worker: stylize it in parts.") from error

    def _judge(self, heard: bool) -> None:
        """Count the silence, ask for a sign of life, and lose patience."""
        passed = self._clock.tick()
        self._silence = 0.0 if heard else self._silence + passed
        if self.ready is None:
            if self._clock.waited > self._limits.start:
                raise self._silent(self._limits.start)
        elif self._asked and self._silence > self._limits.answer:
            raise self._silent(self._limits.answer)
        elif not self._asked and self._silence > self._limits.ping:
            self.ask(Message(_PING))
        for number in self._unwanted:
            self._unwanted[number] += passed
        self.overdue = any(waited > self._limits.cancel for waited in self._unwanted.values())

    def _forget(self, wanted: set[int]) -> None:
        """Tell the worker what nobody waits for any more."""
        if self.ready is None:
            return
        for number, kind in self._asked.items():
            if kind != _PING and number not in wanted and number not in self._unwanted:
                self._unwanted[number] = 0.0
                self._say(Message("cancel", number))

    def _understood(self, message: Message) -> Message:
        self._asked.pop(message.number, None)
        self._unwanted.pop(message.number, None)
        if message.kind == "ready":
            self.ready = self._introduced(message.fields)
        return message

    def _introduced(self, fields: dict[str, Any]) -> Ready:
        mine, theirs = self._description, fields
        known = (theirs.get("layout_signature"), tuple(theirs.get("styles", ())), theirs.get("style_size"))
        tempo = None if theirs.get("tempo") is None else tuple(theirs["tempo"])
        if (*known, tempo) != (mine.layout_signature, mine.styles, mine.style_size, mine.tempo):
            raise EngineError("The weight file was changed while Panache was running: run it again.")
        named = {name: str(fields.get(name, "")) for name in ("device", "software", "python")}
        return Ready(**named, seconds=float(fields.get("seconds", 0.0)), pid=self.pid)

    def _check_alive(self) -> None:
        if self._process.poll() is not None:
            raise self._ended()

    def _take_leave(self, patience: float) -> None:
        """Give a process that hung up the time to end by itself, and with it the reason."""
        self._farewell += self._clock.tick()
        if self._process.poll() is not None or self._farewell > _FAREWELL:
            raise self._ended()
        time.sleep(patience)

    def _ended(self) -> EngineError:
        """The sentence for a worker that is gone, with its last lines."""
        status = self._process.poll()
        self._process.end()
        refusal = self._process.refusal()
        if refusal:
            return EngineError(refusal)
        how = self._lost if status is None else f"signal {-status}" if status < 0 else f"exit status {status}"
        return EngineError(_with_lines(f"Panache's worker process ended ({how}): run it again", self._process))

    def _silent(self, seconds: float) -> EngineError:
        self._process.end()
        what = f"Panache's worker process gave no answer for {seconds:.0f} seconds and was ended: run it again"
        return EngineError(_with_lines(what, self._process))


def _with_lines(what: str, process: WorkerProcess) -> str:
    advice = f"{what}, or choose the engine in Blender in the preferences."
    lines = process.last_lines()
    return f"{advice} Its last lines: {' | '.join(lines)}" if lines else advice
