# SPDX-License-Identifier: GPL-3.0-or-later
"""Results that take another time than their original.

The companion of a result stays in the original's time. What is shown is blended there, then brought into the time that
belongs to the amount; the curves that the style did not change, and the action's range, follow.
"""

from collections.abc import Callable
from typing import Any, Final

import bpy
import numpy as np

from ..backend import Progress, Steps, TimeWarp, changing_warp, even_warp
from ..compat import placed_fcurves
from ..record import AMOUNT_PATH, KEY, changed_of, note_rest, original_of
from ..rig.pace import Pace
from ..rig.reader import Reading
from ..rig.take import SetupError
from .companion import full_of
from .curves import Curve, read_curve
from .stretching import stretched
from .writing import Target, write_copies

# Stands for a time that no single number says.
_CHANGING: Final = -1.0
_NO_PART: Final = (
    "Timing cannot change how long a part of an action takes: switch off the preview range in the Timeline, or Timing."
)
_NO_STACK: Final = (
    "Timing cannot change how long NLA tracks take: bake them into one action first (Pose > Animation > Bake Action), "
    "or switch Timing off."
)


def check_stretchable(reading: Reading) -> None:
    """Refuse what would no longer fit to what plays around it.

    Raises:
        SetupError: a preview range, or NLA tracks.

    """
    take = reading.take
    if take.is_stack or take.below.keys() - take.curves.keys():
        raise SetupError(_NO_STACK)
    if reading.span.cut_start or reading.span.cut_end:
        raise SetupError(_NO_PART)


def note_rate(action: bpy.types.Action, rate: float, ends: tuple[float, float]) -> None:
    """Write down how much faster than its original a result shall be at an amount of 1, and the original's ends."""
    record: Any = action[KEY]
    record["rate"], record["ends"], record["stretched"] = rate, list(ends), 0.0


def is_timed(action: bpy.types.Action) -> bool:
    """Whether the amount of a result also says how long it takes."""
    return "rate" in action[KEY]


def warp_at(action: bpy.types.Action, amount: float) -> TimeWarp | None:
    """The time of a result at some amount; None for the original's."""
    if not is_timed(action):
        return None
    record = action[KEY]
    warp = even_warp(tuple(record["ends"]), record["rate"] ** amount)
    return None if warp.is_idle else warp


def warp_along(action: bpy.types.Action, amounts: Callable[[np.ndarray], np.ndarray]) -> TimeWarp | None:
    """The time of a result whose amount changes over its own frames; None for the original's."""
    if not is_timed(action):
        return None
    record = action[KEY]
    return changing_warp(tuple(record["ends"]), lambda frames: record["rate"] ** amounts(frames))


def follow_steps(target: Target) -> Steps[None]:
    """Bring what the style did not change into the time of the target, and the action's range with it."""
    action, warp = target.action, target.warp
    record: Any = action[KEY]
    shown = _number_of(warp)
    if not is_timed(action) or (shown != _CHANGING and record["stretched"] == shown):
        return
    full, changed = full_of(action), changed_of(action)
    # In the original's time there is nothing to be worked out.
    owner = original_of(action)[0] if warp is None else full
    properties: dict[tuple[int, str], dict[int, Curve]] = {}
    for (slot, path, index), curve in placed_fcurves(owner).items():
        if path not in changed and path != AMOUNT_PATH:
            properties.setdefault((slot, path), {})[index] = read_curve(curve)
    pace = Pace()
    for number, ((slot, path), copies) in enumerate(properties.items()):
        if pace.is_over:
            yield Progress(number / len(properties), "Writing keys")
            pace.restart()
        write_copies(target, (slot, path), copies if warp is None else stretched(copies, warp, path))
    _follow_range(action, full, warp)
    record["stretched"] = shown
    note_rest(action)


def lengths_of(action: bpy.types.Action) -> tuple[int, int] | None:
    """Frames of the original and of the result; None if they take the same time."""
    if not is_timed(action) or action[KEY]["stretched"] <= 0.0:
        return None
    warp = warp_at(action, action[KEY]["amount"])
    return None if warp is None else tuple(int(round(frames[-1] - frames[0])) for frames in (warp.source, warp.shown))


def _number_of(warp: TimeWarp | None) -> float:
    """A number that differs between the times that have been shown: 0 for the original's."""
    if warp is None:
        return 0.0
    return float(warp.shown[-1] - warp.shown[0]) if len(warp.shown) == 2 else _CHANGING


def _follow_range(action: bpy.types.Action, full: bpy.types.Action, warp: TimeWarp | None) -> None:
    """The range that the user has set, and pose markers, as far as they are still the original's."""
    if action.use_frame_range and full.use_frame_range:
        start, end = (np.array([frame]) for frame in (full.frame_start, full.frame_end))
        action.frame_start = float(start[0] if warp is None else warp.at(start)[0])
        action.frame_end = float(end[0] if warp is None else warp.at(end)[0])
    names = [[marker.name for marker in owner.pose_markers] for owner in (action, full)]
    if names[0] == names[1]:
        for own, other in zip(action.pose_markers, full.pose_markers, strict=True):
            frame = np.array([float(other.frame)])
            own.frame = int(other.frame if warp is None else round(float(warp.at(frame)[0])))
