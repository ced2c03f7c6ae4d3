# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages come through whole, garbage is refused, and nobody gets in without the token."""

import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from core.worker.channel import Channel, ConnectionLostError
from core.worker.door import HOST, Door, knock
from core.worker.protocol import (
    BLENDER,
    MAX_ARRAYS,
    MAX_HEADER,
    WORKER,
    Message,
    ProtocolError,
    Unpacker,
    is_proof,
    pack,
    proof,
)

FLOATS = arrays(np.float32, array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4))
MESSAGES = st.builds(
    Message,
    kind=st.text(max_size=9),
    number=st.integers(0, 2**40),
    fields=st.dictionaries(st.text(max_size=5), st.integers() | st.text() | st.booleans(), max_size=3),
    arrays=st.lists(FLOATS, max_size=3).map(tuple),
)


@given(st.lists(MESSAGES, max_size=4), st.lists(st.integers(0, 400), max_size=6))
def test_messages_come_through_whole_in_any_pieces(messages: list[Message], cuts: list[int]) -> None:
    stream, unpacker = b"".join(map(pack, messages)), Unpacker()
    edges = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    pieces = [stream[start:end] for start, end in zip(edges, edges[1:], strict=False)]
    arrived = [message for piece in pieces for message in unpacker.feed(piece)]
    assert len(arrived) == len(messages)
    for sent, got in zip(messages, arrived, strict=True):
        assert (got.kind, got.number, got.fields) == (sent.kind, sent.number, sent.fields)
        for a, b in zip(sent.arrays, got.arrays, strict=True):
            np.testing.assert_array_equal(a, b)


def frame(header: object, data: bytes = b"") -> bytes:
    head = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<II", len(head), len(data)) + head + data


GOOD = {"kind": "a", "number": 1, "fields": {}, "shapes": []}


@pytest.mark.parametrize(
    "garbage",
    [
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        struct.pack("<II", MAX_HEADER + 1, 0),
        struct.pack("<II", 2, MAX_ARRAYS + 1),
        frame(b"\xff\xfe"),
        frame(b"[" * 60_000),
        frame([]),
        frame({"kind": "a"}),
        frame(GOOD | {"fields": 3}),
        frame(GOOD | {"number": "x"}),
        frame(GOOD | {"shapes": [[2]]}, bytes(4)),
        frame(GOOD | {"shapes": [[-1], [-1]]}),
        frame(GOOD | {"shapes": [[10**30]]}),
        frame(GOOD | {"shapes": [[1, 1, 1, 1, 1]]}, bytes(4)),
        frame(GOOD | {"shapes": [[0]] * 9}),
        frame(GOOD | {"shapes": None}),
    ],
)
def test_garbage_is_refused(garbage: bytes) -> None:
    with pytest.raises(ProtocolError):
        Unpacker().feed(garbage)


def test_what_the_other_side_would_refuse_is_not_sent() -> None:
    with pytest.raises(ProtocolError):
        pack(Message("a", fields={"text": "x" * MAX_HEADER}))


def test_a_proof_holds_for_one_token_one_role_and_one_pair_of_nonces() -> None:
    token, nonces = b"t" * 32, (b"a" * 32, b"b" * 32)
    good = proof(token, WORKER, nonces)
    assert is_proof(good, token, WORKER, nonces)
    assert not is_proof(good, b"u" * 32, WORKER, nonces)
    assert not is_proof(good, token, BLENDER, nonces)
    assert not is_proof(good, token, WORKER, nonces[::-1])
    assert not is_proof(b"", token, WORKER, nonces)


# -- channel -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def channels() -> Iterator[tuple[Channel, Channel]]:
    with closing(socket.create_server((HOST, 0))) as server:
        client = socket.create_connection(server.getsockname())
        pair = Channel(client), Channel(server.accept()[0])
    yield pair
    for channel in pair:
        channel.close()


def receive(channel: Channel) -> list[Message]:
    deadline = time.monotonic() + 20
    while not (messages := channel.receive(0.1)):
        assert time.monotonic() < deadline
    return messages


def test_large_messages_pass_without_anybody_waiting(channels: tuple[Channel, Channel]) -> None:
    """Both send more than the system keeps for them before either listens."""
    large = np.arange(3_000_000, dtype=np.float32)
    for channel in channels:
        channel.send(Message("large", arrays=(large,)))
    got: list[list[Message]] = [[], []]
    deadline = time.monotonic() + 20
    while not all(got) and time.monotonic() < deadline:
        for channel, messages in zip(channels, got, strict=True):
            messages += channel.receive()
    for messages in got:
        np.testing.assert_array_equal(messages[0].arrays[0], large)


def test_what_was_said_before_hanging_up_is_heard(channels: tuple[Channel, Channel]) -> None:
    here, there = channels
    assert here.receive() == []
    there.send_all(Message("last words"))
    there.close()
    assert [message.kind for message in receive(here)] == ["last words"]
    with pytest.raises(ConnectionLostError):
        receive(here)


def test_nonsense_ends_the_connection() -> None:
    with closing(socket.create_server((HOST, 0))) as server:
        client = socket.create_connection(server.getsockname())
        channel = Channel(server.accept()[0])
    client.sendall(b"\xff" * 100)
    with pytest.raises(ConnectionLostError, match="too large"):
        receive(channel)
    client.close()
    channel.close()


# -- door --------------------------------------------------------------------------------------------------------------


def until(door: Door, condition: Callable[[socket.socket | None], bool]) -> socket.socket | None:
    """Poll as Blender's timer does."""
    deadline = time.monotonic() + 20
    while not condition(connection := door.poll()):
        assert time.monotonic() < deadline
        time.sleep(0.005)
    return connection


def visit(door: Door, token: bytes) -> tuple[threading.Thread, list[socket.socket | OSError]]:
    """Knock as the worker does, beside this thread."""
    outcome: list[socket.socket | OSError] = []
    port = door.port

    def run() -> None:
        try:
            outcome.append(knock(port, token))
        except OSError as error:
            outcome.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, outcome


def enter(door: Door) -> None:
    """The one with the token gets in, and the door is closed after it."""
    port = door.port
    thread, outcome = visit(door, door.token)
    connection = until(door, lambda found: found is not None)
    thread.join(20)
    assert connection is not None
    assert isinstance(outcome[0], socket.socket)
    connection.close()
    outcome[0].close()
    with pytest.raises(OSError):
        socket.create_connection((HOST, port), 1)


def test_only_the_token_opens_the_door() -> None:
    door = Door()
    thread, outcome = visit(door, b"x" * 32)
    until(door, lambda found: bool(outcome) or found is not None)
    thread.join(20)
    assert isinstance(outcome[0], OSError)
    enter(door)


def test_strangers_are_ignored() -> None:
    door = Door()
    strangers = [socket.create_connection((HOST, door.port)) for _ in range(4)]
    strangers[0].sendall(b"GET / HTTP/1.1\r\n\r\n" * 50)
    strangers[1].sendall(b"\0" * 64)
    strangers[2].close()
    enter(door)
    for stranger in strangers:
        stranger.close()


def test_a_crowd_of_strangers_goes_away() -> None:
    door = Door(patience=0.2)
    crowd: list[socket.socket] = []
    for _ in range(40):
        stranger = socket.socket()
        stranger.setblocking(False)
        with suppress(BlockingIOError):
            stranger.connect((HOST, door.port))
        crowd.append(stranger)
    enter(door)
    for stranger in crowd:
        stranger.close()


def test_the_worker_serves_nobody_else() -> None:
    """Whoever listens on the port but does not know the token is told nothing."""
    with closing(socket.create_server((HOST, 0))) as server:
        port = server.getsockname()[1]
        outcome: list[OSError] = []

        def run() -> None:
            try:
                knock(port, b"t" * 32)
            except OSError as error:
                outcome.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        connection, _ = server.accept()
        connection.sendall(b"n" * 32)
        said = connection.recv(64)
        assert len(said) == 64
        connection.sendall(said[32:])  # its own proof, sent back
        thread.join(20)
        connection.close()
    assert "not Blender" in str(outcome[0])
