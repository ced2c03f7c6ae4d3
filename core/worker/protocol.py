# SPDX-License-Identifier: GPL-3.0-or-later
"""What both sides say to each other: framed messages, and the proof that each knows the other's secret.

A frame is two little-endian unsigned 32-bit lengths, a JSON header of the first length and raw arrays of the second.
The header names the kind of message, its number, and the shapes of its little-endian float32 arrays.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, cast

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]

# Far above what one window needs, far below what would exhaust a machine.
MAX_HEADER: Final = 64 * 1024
MAX_ARRAYS: Final = 512 * 1024 * 1024
_MAX_COUNT, _MAX_DIMENSIONS = 8, 4
_LENGTHS = struct.Struct("<II")
_FLOAT = np.dtype("<f4")

NONCE_SIZE: Final = 32
PROOF_SIZE: Final = 32
BLENDER, WORKER = b"panache 1 blender", b"panache 1 worker"
"""Roles in the handshake: a proof of one can never serve as a proof of the other."""


class ProtocolError(Exception):
    """The other side does not speak this protocol."""


@dataclass(frozen=True)
class Message:
    """One message.

    Attributes:
        kind: what it is about.
        number: which request it belongs to; 0 for none.
        fields: anything that JSON can hold.
        arrays: float32 arrays.
    """

    kind: str
    number: int = 0
    fields: dict[str, Any] = field(default_factory=dict[str, Any])
    arrays: tuple[Float32, ...] = ()

    def text(self, name: str) -> str:
        """A field as text; empty if the other side did not send it."""
        return str(self.fields.get(name, ""))


def proof(token: bytes, role: bytes, nonces: Sequence[bytes]) -> bytes:
    """What only somebody who knows the token can say about these nonces in this role (HMAC-SHA256)."""
    return hmac.new(token, role + b"".join(nonces), hashlib.sha256).digest()


def is_proof(given: bytes, token: bytes, role: bytes, nonces: Sequence[bytes]) -> bool:
    """Whether somebody who knows the token said this; takes as long for a wrong answer as for a right one."""
    return hmac.compare_digest(given, proof(token, role, nonces))


def pack(message: Message) -> bytes:
    """A message as a frame.

    Raises:
        ProtocolError: it is larger than the other side accepts.
    """
    arrays = [np.ascontiguousarray(array, dtype=_FLOAT) for array in message.arrays]
    header = {
        "kind": message.kind,
        "number": message.number,
        "fields": message.fields,
        "shapes": [array.shape for array in arrays],
    }
    head = json.dumps(header).encode()
    size = sum(array.nbytes for array in arrays)
    _check_lengths(len(head), size)
    # Buffers, not bytes: an answer for many styles is large enough to be copied only once.
    data = [array.reshape(-1).view(np.uint8).data for array in arrays]
    return b"".join([_LENGTHS.pack(len(head), size), head, *data])


class Unpacker:
    """Puts messages together again out of the pieces in which they arrive."""

    def __init__(self) -> None:
        """Nothing has arrived yet."""
        self._buffer = bytearray()

    def feed(self, piece: bytes) -> list[Message]:
        """The messages that this piece completes.

        Raises:
            ProtocolError: what arrived is no message, or too large a one.
        """
        self._buffer += piece
        messages: list[Message] = []
        while (frame := self._next_frame()) is not None:
            messages.append(_unpack(*frame))
        return messages

    def _next_frame(self) -> tuple[bytes, bytes] | None:
        """Header and arrays of a complete frame, taken out of the buffer."""
        if len(self._buffer) < _LENGTHS.size:
            return None
        head, size = _LENGTHS.unpack_from(self._buffer)
        _check_lengths(head, size)
        start = _LENGTHS.size + head
        if len(self._buffer) < start + size:
            return None
        frame = bytes(self._buffer[_LENGTHS.size : start]), bytes(self._buffer[start : start + size])
        del self._buffer[: start + size]
        return frame


def _check_lengths(head: int, size: int) -> None:
    if head > MAX_HEADER or size > MAX_ARRAYS:
        raise ProtocolError(f"a message of {head} and {size} bytes is too large")


def _unpack(head: bytes, data: bytes) -> Message:
    try:
        header = json.loads(head)
        kind, number = str(header["kind"]), int(header["number"])
        fields, shapes = dict[str, Any](header["fields"]), _shapes(header["shapes"])
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise ProtocolError("a header that makes no sense") from error
    if sum(map(math.prod, shapes)) * _FLOAT.itemsize != len(data):
        raise ProtocolError("arrays of another size than announced")
    return Message(kind, number, fields, tuple(_arrays(data, shapes)))


def _shapes(given: object) -> list[tuple[int, ...]]:
    if not isinstance(given, list) or len(cast("list[Any]", given)) > _MAX_COUNT:
        raise ValueError("shapes")
    shapes = [tuple(int(length) for length in shape) for shape in cast("list[Any]", given)]
    if any(len(shape) > _MAX_DIMENSIONS or min(shape, default=0) < 0 for shape in shapes):
        raise ValueError("shapes")
    return shapes


def _arrays(data: bytes, shapes: list[tuple[int, ...]]) -> list[Float32]:
    arrays: list[Float32] = []
    start = 0
    for shape in shapes:
        count = math.prod(shape)
        flat = np.frombuffer(data, _FLOAT, count, start * _FLOAT.itemsize)
        arrays.append(flat.reshape(shape).astype(np.float32))
        start += count
    return arrays
