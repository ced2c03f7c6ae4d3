# SPDX-License-Identifier: GPL-3.0-or-later
"""What a result remembers: settings, model version and the way back, as custom properties of its action."""

import hashlib
from collections.abc import Mapping
from typing import Any, Final

import bpy
import numpy as np

from .backend import Progress, Steps, model_version
from .compat import Place, Slot, find_fcurve, object_slots, placed_fcurves, slot_identifier, slot_named
from .order import Order
from .recorded_order import order_fields
from .rig.keying import BEZIER
from .rig.pace import Pace
from .rig.take import SetupError, Take
from .unkeyed import unkeyed_values

KEY: Final = "panache"
# The slider of an armature, as its f-curve names it.
AMOUNT_PATH: Final = "panache.amount"

Digests = Mapping[Place, bytes]
"""Of the keys of an action's curves. Found out in steps by those who have no time to wait for all at once."""
_NONE: Final[Digests] = {}
_NONE_KNOWN: Final = (_NONE, _NONE)


def write_record(
    action: bpy.types.Action,
    take: Take,
    order: Order,
    known: tuple[Digests, Digests] = _NONE_KNOWN,
    software: str = "",
) -> None:
    """Store on ``action``, which is complete but not played yet, how it was made from ``take``.

    ``known`` are digests of the original and of the action, as far as there are any; ``software`` is what computed.
    """
    modes, values = unkeyed_values(action, take)
    changed = changed_paths(take.action, action, known)
    action[KEY] = {
        "original": take.action,
        "original_name": take.action.name,
        "original_slot": slot_identifier(take.slot),
        "original_fingerprint": _digest(take.action, changed, known=known[0]),
        "from_stack": take.is_stack,
        "pushed_down": "",
        **order_fields(order),
        "model_version": model_version(),
        # Engines agree to rounding, not to the last digit.
        "software": software,
        # Properties that the style changed. Panache may change their curves again, the others belong to the animator.
        "changed": "\n".join(sorted(changed)),
        "fingerprint": _digest(action, changed, others=True, known=known[1]),
        "changed_fingerprint": _digest(action, changed, known=known[1]),
        # The amount at which the curves were computed, and what shows them at another one; see the package amount.
        "computed": order.settings.amount,
        "amount_keys": "",
        "modes": modes,
        "unkeyed": values,
    }
    reference = bpy.data.actions.get(order.reference) if order.reference else None
    if reference is not None:
        action[KEY]["reference_action"] = reference


def is_result(action: bpy.types.Action) -> bool:
    """Whether Panache made this action."""
    return KEY in action


def is_track_result(action: bpy.types.Action) -> bool:
    """Whether the action was made for a track of its own, above the NLA tracks that it was made from."""
    return is_result(action) and bool(action[KEY].get("from_stack"))


def is_edited(action: bpy.types.Action) -> bool:
    """Whether keys of a result were changed after it was made: then it holds work of the animator.

    Keys of the slider do not count: the others follow them.
    """
    return _is_edited(action, _NONE)


def is_edited_steps(action: bpy.types.Action) -> Steps[bool]:
    """:func:`is_edited` in steps."""
    return _is_edited(action, (yield from digest_steps(action)))


def _is_edited(action: bpy.types.Action, known: Digests) -> bool:
    if "changed" not in action[KEY]:
        # Made before amounts could be changed.
        return True
    changed = changed_of(action)
    return is_restyled(action, known) or action[KEY]["fingerprint"] != _digest(
        action, changed, others=True, known=known
    )


def is_restyled(action: bpy.types.Action, known: Digests = _NONE) -> bool:
    """Whether the animator changed keys that another amount would write again."""
    return action[KEY].get("changed_fingerprint") != _digest(action, changed_of(action), known=known)


def note_shown(action: bpy.types.Action) -> None:
    """Panache itself has written the changed properties again."""
    action[KEY]["changed_fingerprint"] = _digest(action, changed_of(action))


def note_rest(action: bpy.types.Action) -> None:
    """Panache itself has written the other properties again."""
    action[KEY]["fingerprint"] = _digest(action, changed_of(action), others=True)


def is_original_same(action: bpy.types.Action, original: bpy.types.Action) -> bool:
    """Whether the original still is what a result was made from, where the style changed it."""
    return action[KEY].get("original_fingerprint") == _digest(original, changed_of(action))


def remember_pushed(action: bpy.types.Action, track: str) -> None:
    """Note the name of the track that the active action was pushed down into for this result."""
    action[KEY]["pushed_down"] = track


def pushed_for(action: bpy.types.Action) -> str:
    """Name of that track; empty if there was none."""
    return str(action[KEY].get("pushed_down", ""))


def original_of(action: bpy.types.Action) -> tuple[bpy.types.Action, Slot]:
    """The action that ``action`` was made from, and the slot that was played.

    Raises:
        SetupError: if there is none to go back to.

    """
    if not is_result(action):
        raise SetupError(f'"{action.name}" was not made by Panache: assign the action that you want to go back to.')
    stored: Any = action[KEY]
    original = stored.get("original")
    if original is None:
        raise SetupError(f'The original "{stored["original_name"]}" is no longer in this file: append it again.')
    # Slots get other names with their users, and when a file of Blender 4.2 is opened in a later one.
    slot = slot_named(original, stored["original_slot"]) or next(iter(object_slots(original)), None)
    return original, slot


def amount_curve(action: bpy.types.Action) -> bpy.types.FCurve | None:
    """The keys of the slider, None if it has none."""
    return find_fcurve(action, AMOUNT_PATH)


def curve_fingerprint(curve: bpy.types.FCurve | None) -> str:
    """Short name of a curve's keys, to notice the smallest change; empty without one."""
    return "" if curve is None else _curve_digest(curve).hex()


def digest_steps(action: bpy.types.Action) -> Steps[Digests]:
    """Digests of all curves of an action.

    Raises:
        SetupError: it got or lost curves meanwhile.

    """
    found: dict[Place, bytes] = {}
    pace, curves = Pace(), placed_fcurves(action)
    for place, curve in curves.items():
        if pace.is_over:
            yield Progress(len(found) / len(curves), "Reading")
            # Curves that are gone must not be touched any more.
            there = [one.as_pointer() for one in placed_fcurves(action).values()]
            if there != [one.as_pointer() for one in curves.values()]:
                raise SetupError("The animation has changed meanwhile: start again.")
            pace.restart()
        found[place] = _curve_digest(curve)
    return found


def changed_paths(
    original: bpy.types.Action, action: bpy.types.Action, known: tuple[Digests, Digests] = _NONE_KNOWN
) -> set[str]:
    """Data paths of the properties whose curves are not the same in both actions; the slider's is none of them."""
    before, after = (
        {place: own.get(place) or _curve_digest(curve) for place, curve in placed_fcurves(owner).items()}
        for owner, own in zip((original, action), known, strict=True)
    )
    differing = {place for place in before.keys() | after.keys() if before.get(place) != after.get(place)}
    return {path for _, path, _ in differing} - {AMOUNT_PATH}


def changed_of(action: bpy.types.Action) -> set[str]:
    """Data paths of the properties that the style changed in a result."""
    return set(str(action[KEY].get("changed", "")).split("\n"))


def _digest(action: bpy.types.Action, paths: set[str], others: bool = False, known: Digests = _NONE) -> str:
    """Short name of the keys of the properties at ``paths``, or of all others but the slider's."""
    skipped = paths | {AMOUNT_PATH} if others else set[str]()
    digest = hashlib.blake2b(digest_size=12)
    for place, curve in placed_fcurves(action).items():
        _, path, index = place
        if (path not in skipped) if others else (path in paths):
            digest.update(f"{path}[{index}]".encode())
            digest.update(known.get(place) or _curve_digest(curve))
    return digest.hexdigest()


def _curve_digest(curve: bpy.types.FCurve) -> bytes:
    digest = hashlib.blake2b(digest_size=12)
    digest.update(f"{curve.extrapolation} {curve.mute} {len(curve.modifiers)} {len(curve.sampled_points)}".encode())
    points = curve.keyframe_points
    kinds = np.empty(len(points), dtype=np.int32)
    points.foreach_get("interpolation", kinds)
    digest.update(kinds.tobytes())
    flat = np.empty(2 * len(points), dtype=np.float32)
    # Only Bezier curves have a use for handles, and reading them takes longest.
    for name in ("co", "handle_left", "handle_right") if (kinds == BEZIER).any() else ("co",):
        points.foreach_get(name, flat)
        digest.update(flat.tobytes())
    return digest.digest()
