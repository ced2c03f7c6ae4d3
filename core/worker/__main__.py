# SPDX-License-Identifier: GPL-3.0-or-later
"""The worker's way in; this much runs in any Python 3, so that an old one gets a sentence and not a syntax error."""

import sys

from . import REFUSED

OLDEST_PYTHON = (3, 10)


def main() -> int:
    """Serve until Blender hangs up; the exit status."""
    found, wanted = (".".join(map(str, version[:2])) for version in (sys.version_info, OLDEST_PYTHON))
    if sys.version_info < OLDEST_PYTHON:
        return refuse(f"The worker's Python is {found}: choose one of version {wanted} or newer in the preferences.")
    try:
        from .command import run
    except ImportError as error:
        return refuse(f"The worker's Python has no {error.name}: install it there, or choose another Python.")
    return run(refuse)


def refuse(sentence: str) -> int:
    """Say why not; the exit status."""
    sys.stderr.write(f"\n{sentence}\n")
    return REFUSED


if __name__ == "__main__":
    sys.exit(main())
