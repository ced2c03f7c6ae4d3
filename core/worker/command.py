# SPDX-License-Identifier: GPL-3.0-or-later
"""The worker's command line. The token comes as the first line of the standard input, where nobody else reads it."""

from __future__ import annotations

import argparse
import pkgutil
import sys
from collections.abc import Callable, Sequence

from .server import Opener, RefusedError, Task, serve


def run(refuse: Callable[[str], int], arguments: Sequence[str] | None = None) -> int:
    """Serve what the command line asks for; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m core.worker", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="where Blender listens on this machine")
    parser.add_argument("--opener", required=True, help="module:function that opens a network, as server.Opener")
    parser.add_argument("--weights", required=True, help="weight file")
    parser.add_argument("--device", default="AUTO", help="AUTO, CUDA, MPS or CPU")
    options = parser.parse_args(arguments)
    token = bytes.fromhex(sys.stdin.readline().strip())
    try:
        serve(Task(options.port, token, options.weights, options.device), _opener(options.opener))
    except RefusedError as error:
        return refuse(str(error))
    return 0


def _opener(name: str) -> Opener:
    """The function that whoever started this process has named: core knows no model."""

    def late(weights: str, device: str) -> object:
        return pkgutil.resolve_name(name)(weights, device)

    return late  # type: ignore[return-value]
