# SPDX-License-Identifier: GPL-3.0-or-later
"""How the two sides meet: Blender listens, the worker comes and proves itself, Blender proves itself in return.

1. Blender sends a nonce.
2. The worker sends its own nonce and its proof over both.
3. Blender sends its proof over both.

Anything on this machine can connect; whoever fails is hung up on, and the door stays open for the right one.
"""

from __future__ import annotations

import secrets
import socket
import time
from typing import Final

from ..errors import EngineError
from .protocol import BLENDER, NONCE_SIZE, PROOF_SIZE, WORKER, is_proof, proof

HOST: Final = "127.0.0.1"
_MAX_VISITORS: Final = 16


class Door:
    """A port on this machine that lets in exactly one who knows the token."""

    def __init__(self, patience: float = 10.0) -> None:
        """Open a port of the system's choice.

        Args:
            patience: seconds in which a visitor must have proved itself.

        Raises:
            EngineError: there is none to be had.
        """
        self._patience = patience
        self.token = secrets.token_bytes(32)
        self._visitors: list[_Visitor] = []
        try:
            self._socket = socket.create_server((HOST, 0), backlog=_MAX_VISITORS)
        except OSError as error:
            raise EngineError(
                f"Panache cannot open a port on this computer for its worker process ({error.strerror}): allow local"
                " connections in the security software, or choose Engine: In Blender in the preferences."
            ) from error
        self._socket.setblocking(False)

    @property
    def port(self) -> int:
        """Where to knock."""
        return int(self._socket.getsockname()[1])

    def poll(self) -> socket.socket | None:
        """The worker's connection once it has proved itself, after which the door is closed; never waits."""
        self._admit()
        for visitor in self._visitors:
            if visitor.poll():
                self._visitors.remove(visitor)
                self.close()
                return visitor.connection
        for visitor in [visitor for visitor in self._visitors if visitor.failed]:
            visitor.connection.close()
            self._visitors.remove(visitor)
        return None

    def close(self) -> None:
        """Let nobody in any more."""
        self._socket.close()
        for visitor in self._visitors:
            visitor.connection.close()
        self._visitors.clear()

    def _admit(self) -> None:
        while len(self._visitors) < _MAX_VISITORS:
            try:
                connection, _ = self._socket.accept()
            except OSError:  # nobody there, or gone again
                return
            self._visitors.append(_Visitor(connection, self.token, self._patience))


class _Visitor:
    """Somebody who connected and has proved nothing yet."""

    def __init__(self, connection: socket.socket, token: bytes, patience: float) -> None:
        connection.setblocking(False)
        self.connection = connection
        self.failed = False
        self._token = token
        self._nonce = secrets.token_bytes(NONCE_SIZE)
        self._said = b""
        self._deadline = time.monotonic() + patience
        self._send(self._nonce)

    def poll(self) -> bool:
        """Whether this is the worker; ``failed`` says that it is not."""
        try:
            said = self.connection.recv(NONCE_SIZE + PROOF_SIZE - len(self._said))
        except BlockingIOError:
            self.failed = self.failed or time.monotonic() > self._deadline
            return False
        except OSError:
            said = b""
        self._said += said
        self.failed = self.failed or not said
        return not self.failed and len(self._said) == NONCE_SIZE + PROOF_SIZE and self._is_worker()

    def _is_worker(self) -> bool:
        nonce, given = self._said[:NONCE_SIZE], self._said[NONCE_SIZE:]
        nonces = (self._nonce, nonce)
        self.failed = not is_proof(given, self._token, WORKER, nonces)
        if not self.failed:
            self._send(proof(self._token, BLENDER, nonces))
        return not self.failed

    def _send(self, data: bytes) -> None:
        try:
            # So few bytes always fit into an empty socket.
            self.failed = self.failed or self.connection.send(data) != len(data)
        except OSError:
            self.failed = True


def knock(port: int, token: bytes) -> socket.socket:
    """The worker's side of the handshake; waits as long as Blender takes, and no longer than Blender lives.

    Raises:
        OSError: nobody opens, or it is not Blender who does.
    """
    connection = socket.create_connection((HOST, port))
    try:
        theirs = _receive(connection, NONCE_SIZE)
        nonces = (theirs, secrets.token_bytes(NONCE_SIZE))
        connection.sendall(nonces[1] + proof(token, WORKER, nonces))
        if not is_proof(_receive(connection, PROOF_SIZE), token, BLENDER, nonces):
            raise OSError("it is not Blender that answered")
    except OSError:
        connection.close()
        raise
    return connection


def _receive(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        piece = connection.recv(size - len(data))
        if not piece:
            raise OSError("the connection was closed before it was trusted")
        data += piece
    return data
