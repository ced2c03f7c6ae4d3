# SPDX-License-Identifier: GPL-3.0-or-later
"""Starting and ending the worker process, on any system, without waiting for it."""

from __future__ import annotations

import os
import subprocess
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from ..errors import EngineError
from . import REFUSED

_LINES, _TAIL = 5, 4000
# Seconds that ending a process may take before it is left to the system.
_FAREWELL: Final = 0.2
# Other interpreters' settings would lead this one to their packages.
_FOREIGN: Final = {"__PYVENV_LAUNCHER__", "VIRTUAL_ENV", "CONDA_PREFIX"}


@dataclass(frozen=True)
class WorkerCommand:
    """How the worker is started.

    Attributes:
        python: interpreter, of its own version and with its own packages.
        root: the folder that holds ``core`` and what ``opener`` names.
        opener: module:function, see ``server.Opener``.
        weights: weight file.
        device: AUTO, CUDA, MPS or CPU.
    """

    python: Path
    root: Path
    opener: str
    weights: Path
    device: str = "AUTO"

    def arguments(self, port: int) -> list[str]:
        """The command line; without bytecode, since the folder is not ours to write to."""
        options = {"port": port, "opener": self.opener, "weights": self.weights, "device": self.device}
        given = [f"--{name}={value}" for name, value in options.items()]
        return [str(self.python), "-B", "-m", "core.worker", *given]


class WorkerProcess:
    """A running worker."""

    def __init__(self, command: WorkerCommand, port: int, token: bytes) -> None:
        """Start it.

        Raises:
            EngineError: the interpreter cannot be started.
        """
        self._output = _output_file()
        try:
            self._process = subprocess.Popen(
                command.arguments(port),
                stdin=subprocess.PIPE,
                stdout=self._output or subprocess.DEVNULL,
                stderr=subprocess.STDOUT,
                cwd=command.root,
                env=clean_environment() | {"PYTHONPATH": str(command.root)},
                creationflags=no_window(),
                # Ctrl-C in the terminal that Blender was started from is not meant for the worker.
                start_new_session=True,
            )
        except OSError as error:
            raise EngineError(
                f"The Python {command.python} cannot be started ({error.strerror or error}): choose another one in the"
                " preferences, or leave the field empty."
            ) from error
        self._pass(token)

    @property
    def pid(self) -> int:
        """Its number."""
        return self._process.pid

    def poll(self) -> int | None:
        """Its exit status, None while it runs."""
        return self._process.poll()

    def end(self) -> None:
        """End it, whatever it does."""
        self._process.kill()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_FAREWELL)

    def last_lines(self) -> list[str]:
        """What it said last; it must have ended."""
        if self._output is None:
            return []
        self._output.seek(0, os.SEEK_END)
        self._output.seek(max(0, self._output.tell() - _TAIL))
        text = self._output.read().decode("utf-8", "replace")
        return [line.strip() for line in text.splitlines() if line.strip()][-_LINES:]

    def refusal(self) -> str:
        """The sentence with which it refused to begin; empty if it did not."""
        lines = self.last_lines() if self.poll() == REFUSED else []
        return lines[-1] if lines else ""

    def close(self) -> None:
        """Forget what it said."""
        if self._output:
            self._output.close()

    def _pass(self, token: bytes) -> None:
        """Hand over the secret: a command line or an environment could be read by others."""
        pipe = self._process.stdin
        assert pipe is not None  # noqa: S101 - PIPE was asked for
        with suppress(OSError):  # it has ended already, which the next poll finds out
            pipe.write(token.hex().encode() + b"\n")
            pipe.flush()
        with suppress(OSError):
            pipe.close()


def clean_environment() -> dict[str, str]:
    """This process's environment for another interpreter: nothing that is meant for this one, text in UTF-8."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON") and name not in _FOREIGN}
    return kept | {"PYTHONUTF8": "1"}


def no_window() -> int:
    """Flags of ``Popen`` that keep a console window from opening on Windows; 0 elsewhere."""
    return int(getattr(subprocess, "CREATE_NO_WINDOW", 0))


def _output_file() -> IO[bytes] | None:
    """A nameless file for what the worker says, always written to its end; None where none can be made."""
    try:
        return tempfile.TemporaryFile("a+b")
    except OSError:
        return None
