# SPDX-License-Identifier: GPL-3.0-or-later
"""Another amount of a finished result: blended from original and companion, never from what was shown before."""

import math
from typing import Any, Final

import bpy
import numpy as np

from ..backend import PanacheError, Steps, finish, scaled
from ..compat import assigned_slot
from ..record import (
    KEY,
    amount_curve,
    curve_fingerprint,
    is_edited,
    is_original_same,
    is_restyled,
    is_result,
    is_track_result,
    note_shown,
    original_of,
)
from ..results import result_track
from ..rig.take import SetupError
from ..translations import say
from .changes import CACHE
from .companion import BAKED, FULL, ORIGINAL, full_of
from .curves import copy_curve
from .influence import bake_influence, show_influence
from .timing import follow_steps, is_timed, warp_along, warp_at
from .writing import target_of, write_blend, write_full_steps, write_original

_MAX_AMOUNT: Final = 1.5
# Why sliders of armatures do nothing, by the armatures' numbers in this session; emptied when anything was changed.
REASONS: Final[dict[int, str]] = {}


def show(action: bpy.types.Action, amount: float) -> None:
    """Let a result have the given amount of its style on all frames: 0 is the original, ``computed`` the full curves.

    Raises:
        SetupError: original or companion are gone.

    """
    finish(show_steps(action, amount))


def show_steps(action: bpy.types.Action, amount: float) -> Steps[None]:
    """:func:`show` in steps, for a result that nobody but its maker can change yet."""
    if is_track_result(action):
        show_influence(action, amount / action[KEY]["computed"])
        _remember(action, amount, FULL)
    else:
        _remember(action, amount, (yield from _write_steps(action, amount)))


def bake(action: bpy.types.Action, curve: bpy.types.FCurve | None, amount: float) -> None:
    """Let a result follow the keys of its slider; without any it has one ``amount``.

    Raises:
        SetupError: as :func:`show`.

    """
    if curve is None or _is_steady(curve):
        show(action, amount if curve is None else float(_clipped(np.array([curve.evaluate(0.0)]))[0]))
    else:
        _write_baked(action, curve)
        _remember(action, action[KEY]["amount"], BAKED)
    action[KEY]["amount_keys"] = curve_fingerprint(curve)


def bake_like(action: bpy.types.Action, other: bpy.types.Action, armature: bpy.types.Object) -> None:
    """Let a result that was made again have the amount, and the keys of the slider, that ``other`` has.

    Raises:
        SetupError: as :func:`show`.

    """
    curve = amount_curve(other)
    if curve is not None and amount_curve(action) is None and not is_track_result(action):
        copy_curve(curve, action, assigned_slot(armature))
    own = keyed_amount(armature)
    if own is not None:
        bake(action, own, other[KEY]["amount"])
    elif not is_shown(action, other[KEY]["amount"]):
        show(action, other[KEY]["amount"])


def check_showable(action: bpy.types.Action) -> None:
    """Refuse what another amount would spoil, or what has none.

    Raises:
        SetupError: with a sentence that says what to do.

    """
    if action.library is not None:
        raise SetupError(say('"{name}" is linked: make it local to change its amount.', name=action.name))
    if is_track_result(action):
        return
    # What another amount would write again: with a time of its own that is all of it.
    if is_edited(action) if is_timed(action) else is_restyled(action):
        raise SetupError(
            say('"{name}" was edited by hand, which another amount would undo: stylize again.', name=action.name)
        )
    original, _ = original_of(action)
    if full_of(action) is None:
        raise SetupError(say('"{name}" does not remember its full style: press Re-apply once.', name=action.name))
    if not CACHE.is_current(action):
        if not is_original_same(action, original):
            CACHE.drop(action)
            raise SetupError(say('The original "{name}" has changed since: press Re-apply.', name=original.name))
        CACHE.trust(action)


def played_result(armature: bpy.types.Object) -> bpy.types.Action | None:
    """The result that an armature plays, in its action slot or from a track of its own on top."""
    data = armature.animation_data
    if data is None:
        return None
    if data.action is not None and is_result(data.action):
        return data.action
    track = result_track(armature)
    return track.strips[0].action if track is not None else None


def keyed_amount(armature: bpy.types.Object) -> bpy.types.FCurve | None:
    """The keys of an armature's slider: in the result, or, if that plays from a track, in the active action."""
    active = armature.animation_data.action
    return amount_curve(active) if active is not None else None


def slider_moved(settings: bpy.types.PropertyGroup, _context: bpy.types.Context) -> None:
    """What the slider does: with a result it is live; without one, or with keys on it, it is but a number."""
    armature = settings.id_data
    action = played_result(armature)
    if action is None or is_shown(action, settings.amount) or keyed_amount(armature) is not None:
        return
    try:
        check_showable(action)
        show(action, settings.amount)
    except PanacheError:
        # The panel says why: see locked_reason.
        return


def locked_reason(armature: bpy.types.Object) -> str:
    """Why the slider does nothing to the result that is played; empty if it does, or if there is no result.

    Cheap enough to call while drawing: it is looked at again only after something was changed.
    """
    number = armature.session_uid
    if number not in REASONS:
        REASONS[number] = _reason(armature)
    return REASONS[number]


def _reason(armature: bpy.types.Object) -> str:
    action = played_result(armature)
    if action is None:
        return ""
    try:
        check_showable(action)
    except PanacheError as error:
        return str(error)
    return ""


def is_shown(action: bpy.types.Action, amount: float) -> bool:
    """Whether a result has this amount already, on all frames."""
    record = action[KEY]
    return record.get("shown") != BAKED and math.isclose(record["amount"], amount, abs_tol=1e-6)


def _write_steps(action: bpy.types.Action, amount: float) -> Steps[str]:
    """Write the curves of one amount; whose keys they have."""
    share = amount / action[KEY]["computed"]
    changes, target = CACHE.changes(action), target_of(action, warp_at(action, amount))
    if share == 0.0:
        write_original(target, changes)
    elif math.isclose(share, 1.0, abs_tol=1e-6):
        yield from scaled(write_full_steps(target, changes), 0.0, 0.6)
    else:
        write_blend(target, changes, share, alike=action[KEY].get("shown") == FULL and not is_timed(action))
    yield from scaled(follow_steps(target), 0.6, 1.0)
    return ORIGINAL if share == 0.0 else FULL


def _write_baked(action: bpy.types.Action, curve: bpy.types.FCurve) -> None:
    computed = action[KEY]["computed"]

    def amounts(frames: np.ndarray) -> np.ndarray:
        moments, rows = np.unique(frames, return_inverse=True)
        return _clipped(np.array([curve.evaluate(moment) for moment in moments.tolist()]))[rows]

    warp = warp_along(action, amounts)

    def shares(times: np.ndarray) -> np.ndarray:
        # The slider's keys are where the animator sees them, curves are blended in the original's time.
        return amounts(times if warp is None else warp.at(times)) / computed

    if is_track_result(action):
        bake_influence(action, shares)
        return
    target = target_of(action, warp)
    write_blend(target, CACHE.changes(action), shares)
    finish(follow_steps(target))


def _remember(action: bpy.types.Action, amount: float, shown: str) -> None:
    record: Any = action[KEY]
    record["amount"], record["shown"] = amount, shown
    note_shown(action)
    # Blender is not told of keys that are written as arrays.
    action.update_tag()


def _is_steady(curve: bpy.types.FCurve) -> bool:
    points = curve.keyframe_points
    flat = np.empty(2 * len(points), dtype=np.float32)
    points.foreach_get("co", flat)
    return not curve.modifiers and len(points) > 0 and bool(np.ptp(flat[1::2]) == 0.0)


def _clipped(amounts: np.ndarray) -> np.ndarray:
    return np.clip(amounts, 0.0, _MAX_AMOUNT)
