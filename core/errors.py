# SPDX-License-Identifier: GPL-3.0-or-later
"""Named failures. Every message is one sentence that tells an animator what to do."""

from collections.abc import Sequence

# A sentence names so many bones or joints; the first ones show where to look.
_LISTED = 4


class PanacheError(Exception):
    """Base of everything that core refuses to do; its text is shown to the user."""


class UnmappedJointError(PanacheError):
    """A joint that retargeting cannot do without has no bone."""


class ClipTooShortError(PanacheError):
    """The clip has fewer frames than the motion model can read."""


class InvalidMotionError(PanacheError):
    """The motion has values that are no numbers, or a rig that is no skeleton."""


class UnknownStyleError(PanacheError):
    """A style name that the weight bundle does not know."""


class EngineError(PanacheError):
    """The engine cannot run: no runtime, or a weight file that does not fit."""


def listed(names: Sequence[str]) -> str:
    """The first few of the names, for a sentence."""
    return ", ".join(names[:_LISTED]) + (", ..." if len(names) > _LISTED else "")
