# SPDX-License-Identifier: GPL-3.0-or-later
"""The worker process: opens a network, answers one window at a time, and ends when Blender does."""

from __future__ import annotations

import platform
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from ..errors import EngineError
from ..representation import WIDTH
from .channel import Channel, ConnectionLostError
from .door import knock
from .frugal import FrugalNetwork, PlacedNetwork, first_line
from .protocol import Message, ProtocolError

_WARM_FRAMES: Final = 32

_TOO_LARGE: Final = "There is too little memory for the whole answer: use fewer frames or fewer variations."

Opener = Callable[[str, str], PlacedNetwork]
"""From weight file and device to a network; ValueError or OSError with a sentence if there can be none."""


class RefusedError(Exception):
    """The worker cannot begin; the text is one sentence for the user."""


@dataclass(frozen=True)
class Task:
    """What a worker is started for.

    Attributes:
        port: where Blender listens.
        token: what Blender and this process alone know.
        weights: weight file.
        device: AUTO, CUDA, MPS or CPU.
    """

    port: int
    token: bytes
    weights: str
    device: str


def serve(task: Task, opener: Opener) -> None:
    """Work until Blender hangs up.

    Raises:
        RefusedError: there is no network to be had; nothing was served.
    """
    started = time.monotonic()
    try:
        channel = Channel(knock(task.port, task.token))
    except OSError:
        return  # whoever started this is gone
    network = _open(task, opener)
    try:
        channel.send_all(_ready(network, time.monotonic() - started))
        _Server(channel, network).run()
    except ConnectionLostError:
        channel.close()


def _open(task: Task, opener: Opener) -> FrugalNetwork:
    try:
        network = FrugalNetwork(lambda device: opener(task.weights, device), task.device)
        network.warm(np.zeros((_WARM_FRAMES, WIDTH), np.float32))
    except (ValueError, OSError, ImportError, MemoryError, RuntimeError) as error:
        raise RefusedError(first_line(error)) from error
    return network


def _ready(network: FrugalNetwork, seconds: float) -> Message:
    now = network.network
    fields = {
        "styles": now.styles,
        "layout_signature": now.layout_signature,
        "style_size": now.style_size,
        "tempo": None if now.tempo is None else now.tempo.ravel().tolist(),
        "device": now.device,
        "software": now.software,
        "python": platform.python_version(),
        "seconds": seconds,
        "notes": network.take_notes(),
    }
    return Message("ready", fields=fields)


class _Server:
    """Requests in the order in which they came, and what may be said between two of them."""

    def __init__(self, channel: Channel, network: FrugalNetwork) -> None:
        self._channel = channel
        self._network = network
        self._queue: deque[Message] = deque()

    def run(self) -> None:
        """Answer until the connection ends, which is the one way out."""
        while True:
            for message in self._channel.receive(0.0 if self._queue else None):
                self._hear(message)
            if self._queue:
                self._reply(self._queue.popleft())

    def _hear(self, message: Message) -> None:
        if message.kind == "ping":
            self._channel.send_all(Message("pong", message.number))
        elif message.kind == "cancel":
            # Something is said to each number, so that Blender knows what it may still wait for.
            cancelled = [request for request in self._queue if request.number == message.number]
            for request in cancelled:
                self._queue.remove(request)
                self._channel.send_all(Message("cancelled", request.number))
        else:
            self._queue.append(message)

    def _reply(self, request: Message) -> None:
        try:
            self._channel.send_all(self._answer(request))
        except (MemoryError, ProtocolError):
            self._channel.send_all(Message("failed", request.number, {"sentence": _TOO_LARGE}))

    def _answer(self, request: Message) -> Message:
        try:
            result = self._ask(request)
        except (ValueError, RuntimeError, EngineError) as error:
            return Message("failed", request.number, {"sentence": first_line(error), **self._said()})
        return Message("done", request.number, self._said(), (result,))

    def _ask(self, request: Message) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        match request.kind, request.arrays:
            case "stylize", (features, conditions):
                return self._network.stylize(features, conditions)
            case "style_gaussian", (features,):
                return self._network.style_gaussian(features)
            case "reconstruct", (features,):
                return self._network.reconstruct(features)
            case "content_code", (features,):
                return self._network.content_code(features)
            case _:
                raise ValueError("Blender and the worker are of different versions: restart Blender.")

    def _said(self) -> dict[str, object]:
        return {"notes": self._network.take_notes(), "device": self._network.network.device}
