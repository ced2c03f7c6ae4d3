# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages over a socket, without waiting unless told to. Both sides use it once they have proved themselves."""

from __future__ import annotations

import socket
from collections import deque
from typing import Final

from .protocol import Message, ProtocolError, Unpacker, pack

_PIECE: Final = 1 << 20
# Pieces that one call takes in at most: the caller has other things to do.
_PIECES: Final = 8


class ConnectionLostError(Exception):
    """The other side has gone, or says what nobody understands."""


class Channel:
    """One authenticated connection."""

    def __init__(self, connection: socket.socket) -> None:
        """Take over a connected socket."""
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = connection
        self._unpacker = Unpacker()
        # Views of whole frames: large answers are not copied again and again.
        self._outgoing: deque[memoryview] = deque()

    def send(self, message: Message) -> None:
        """Send what can be sent now; the next calls send the rest.

        Raises:
            ConnectionLostError: nobody is there.
            ProtocolError: the message is too large.
        """
        self._outgoing.append(memoryview(pack(message)))
        self._flush(0.0)

    def send_all(self, message: Message) -> None:
        """Send, and wait until all of it is sent.

        Raises:
            ConnectionLostError: nobody is there.
            ProtocolError: the message is too large.
        """
        self._outgoing.append(memoryview(pack(message)))
        self._flush(None)

    def receive(self, patience: float | None = 0.0) -> list[Message]:
        """What has arrived, after waiting up to ``patience`` seconds for the first of it, or for ever with None.

        Raises:
            ConnectionLostError: nobody is there, or not who should be.
        """
        self._flush(0.0)
        messages: list[Message] = []
        for _ in range(_PIECES):
            piece = self._piece(patience)
            if piece is None:
                break
            if not piece and messages:
                break  # the next call will find the same end
            messages += self._understood(piece)
            patience = 0.0
        return messages

    def close(self) -> None:
        """Hang up; the other side notices."""
        self._socket.close()

    def _flush(self, patience: float | None) -> None:
        # A socket's own time limit: select() cannot watch the high descriptors that a large file's textures leave.
        self._socket.settimeout(patience)
        try:
            while self._outgoing:
                sent = self._socket.send(self._outgoing[0][:_PIECE])
                self._outgoing[0] = self._outgoing[0][sent:]
                if not self._outgoing[0]:
                    self._outgoing.popleft()
        except (BlockingIOError, TimeoutError):
            return
        except OSError as error:
            raise ConnectionLostError("the connection broke while sending") from error

    def _piece(self, patience: float | None) -> bytes | None:
        """Some bytes, none if the other side hung up; None if nothing came in time."""
        self._socket.settimeout(patience)
        try:
            return self._socket.recv(_PIECE)
        except (BlockingIOError, TimeoutError):
            return None
        except OSError as error:
            raise ConnectionLostError("the connection broke while receiving") from error

    def _understood(self, piece: bytes) -> list[Message]:
        if not piece:
            raise ConnectionLostError("the other side hung up")
        try:
            return self._unpacker.feed(piece)
        except ProtocolError as error:
            raise ConnectionLostError(str(error)) from error
