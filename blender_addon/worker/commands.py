# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs that run beside Blender for minutes: looked at in steps, ended when nobody waits for them any more."""

import math
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from ..backend import PanacheError, Progress, Steps, clean_environment, no_window
from ..translations import say

_TAIL = 8000
# Seconds between two looks at whether a program runs, and at what it says.
_PAUSE, _EVERY = 0.005, 0.3


class CommandError(PanacheError):
    """A program could not do what it was asked to.

    Attributes:
        lines: what it said last.

    """

    def __init__(self, sentence: str, lines: Sequence[str] = ()) -> None:
        super().__init__(sentence)
        self.lines = tuple(lines)


def run_command(
    arguments: Sequence[str],
    log: Path,
    tell: Callable[[list[str]], Progress],
    variables: Mapping[str, str] | None = None,
    limit: float = math.inf,
) -> Steps[list[str]]:
    """Run a program to its end, in steps; closed before, it is ended.

    Args:
        arguments: command line.
        log: file for what it says.
        tell: from its last lines to what is shown.
        variables: added to the environment.
        limit: seconds after which it is ended.

    Returns:
        Its last lines.

    Raises:
        CommandError: it cannot be started, or does not end well.

    """
    try:
        with log.open("wb") as sink:
            process = _start(arguments, sink, variables or {})
    except OSError as error:
        raise CommandError(
            say("{program} cannot be started ({reason}).", program=arguments[0], reason=error.strerror or error)
        ) from error
    started, progress, looked = time.monotonic(), tell([]), 0.0
    try:
        while process.poll() is None and time.monotonic() - started < limit:
            yield progress
            time.sleep(_PAUSE)  # whoever runs all steps at once shall not keep the processor busy
            if time.monotonic() - looked > _EVERY:
                looked, progress = time.monotonic(), tell(last_lines(log))
        status = process.poll()
        lines = last_lines(log)
    finally:
        _end(process)
    if status != 0:
        raise CommandError(say("{program} ended with status {status}.", program=arguments[0], status=status), lines)
    return lines


def last_lines(log: Path) -> list[str]:
    """The end of a log; empty if it cannot be read."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return []
    return [line.strip() for line in text.splitlines() if line.strip()]


def _start(arguments: Sequence[str], sink: IO[bytes], variables: Mapping[str, str]) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        list(arguments),
        stdin=subprocess.DEVNULL,
        stdout=sink,
        stderr=subprocess.STDOUT,
        env=clean_environment() | dict(variables),
        creationflags=no_window(),
        start_new_session=True,
    )


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End it and, where that is possible, what it started."""
    if process.poll() is not None:
        return
    with suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    with suppress(subprocess.TimeoutExpired):
        process.wait(1.0)
