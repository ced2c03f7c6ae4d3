# SPDX-License-Identifier: GPL-3.0-or-later
"""Processes with a time limit, which leave no children behind."""

import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
TIMED_OUT = 124


class BuildError(Exception):
    """What is missing, in one sentence."""


def run(
    command: Sequence[str | Path], limit: float, variables: dict[str, str] | None = None, log: Path | None = None
) -> int:
    """Run a command in the repository; its exit status, or TIMED_OUT when it and all its children had to be ended."""
    # PYTHON* variables of the caller would leak another interpreter's packages into the environment.
    inherited = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "PYTHONHOME")}
    if log:
        log.parent.mkdir(parents=True, exist_ok=True)
    with open(log or os.devnull, "w", encoding="utf-8") as sink:  # noqa: PTH123 - os.devnull is no Path
        process = subprocess.Popen(
            [str(part) for part in command],
            cwd=ROOT,
            env=inherited | (variables or {}),
            stdout=sink if log else None,
            stderr=subprocess.STDOUT if log else None,
            start_new_session=os.name != "nt",
        )
        try:
            return process.wait(limit)
        except subprocess.TimeoutExpired:
            return TIMED_OUT
        finally:
            end(process)


def end(process: "subprocess.Popen[bytes]") -> None:
    """End a process, if it still runs, and what it started."""
    if os.name == "nt":
        process.kill()
    else:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):  # it and its children have ended already
            return
    process.wait()


def describe(status: int) -> str:
    """An exit status in words."""
    return "did not end in time" if status == TIMED_OUT else f"ended with status {status}"


def tail(log: Path) -> str:
    """The last lines of a log, for the end of a sentence."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []
    return f"the log {log.relative_to(ROOT)} ends with:\n  " + "\n  ".join(lines[-6:])
