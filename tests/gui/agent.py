# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs inside the Blender window: answers what the test outside asks about the scene. It never clicks anything.

One request per timer tick, so that between two of them Blender handles its events and draws. A request is a line of
JSON, ``{"call": name of a function in facts.py, "with": {arguments}}``; so is the answer, ``{"value": ...}`` or
``{"error": traceback}``.
"""

import importlib.util
import json
import socket
import sys
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any

import bpy

_HERE = Path(__file__).parent
_TICK = 0.01  # seconds


class Agent:
    """A local socket, polled: Blender's Python has one thread."""

    def __init__(self, path: Path, facts: ModuleType) -> None:
        self._facts = facts
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(str(path))
        self._server.listen(1)
        self._server.setblocking(False)
        self._client: socket.socket | None = None
        self._pending = b""

    def tick(self) -> float:
        """Answer at most one request."""
        try:
            if self._client is None:
                self._client, _ = self._server.accept()
                self._client.setblocking(False)
            self._pending += self._client.recv(1 << 16)
        except BlockingIOError:
            pass
        line, found, rest = self._pending.partition(b"\n")
        if found and self._client:
            self._pending = rest
            answer = json.dumps(self._answer(json.loads(line))) + "\n"
            self._client.setblocking(True)
            self._client.sendall(answer.encode())
            self._client.setblocking(False)
        return _TICK

    def _answer(self, request: dict[str, Any]) -> dict[str, Any]:
        window = bpy.context.window_manager.windows[0]
        try:
            with bpy.context.temp_override(window=window):
                return {"value": getattr(self._facts, request["call"])(**request["with"])}
        except Exception:  # noqa: BLE001 - whatever it is, the test shows it
            return {"error": traceback.format_exc()}


def load(name: str) -> ModuleType:
    """A module beside this file."""
    spec = importlib.util.spec_from_file_location(name, _HERE / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    # Asked for before the first draw; afterwards the splash screen is there and swallows the first click.
    bpy.context.preferences.view.show_splash = False
    bpy.app.timers.register(Agent(_HERE / "agent.sock", load("facts")).tick, persistent=True)
