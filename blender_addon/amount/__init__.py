# SPDX-License-Identifier: GPL-3.0-or-later
"""Amount after the run: a result at another share of its style, without computing it again.

A run keeps its curves in a hidden companion action (:mod:`.companion`). Another amount is blended from the original and
the companion onto the keys of the result (:mod:`.showing`), also one that changes over time: an f-curve on the slider
is baked into the keys (:mod:`.watching`), so that the file plays without Panache. With Timing the amount also says how
long the result takes (:mod:`.timing`).
"""

from .changes import CACHE
from .companion import forget, full_of, keep_full
from .showing import bake_like, locked_reason, played_result, show, show_steps, slider_moved
from .timing import check_stretchable, is_timed, lengths_of, note_rate
from .watching import start_watching, stop_watching

__all__ = [
    "CACHE",
    "full_of",
    "start_watching",
    "bake_like",
    "forget",
    "keep_full",
    "locked_reason",
    "played_result",
    "stop_watching",
    "show",
    "show_steps",
    "check_stretchable",
    "is_timed",
    "lengths_of",
    "note_rate",
    "slider_moved",
]
