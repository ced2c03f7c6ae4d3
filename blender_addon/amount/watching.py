# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys on the slider, and results that are assigned by hand: noticed after Blender has evaluated a change.

Nothing is looked at unless an action or an object was changed, which playing an animation is not. What was baked is
written down in the record, so that undo, redo and loading need no bookkeeping: what differs is baked again.
"""

from collections.abc import Iterator
from typing import Final

import bpy
from bpy.app.handlers import persistent

from ..backend import PanacheError
from ..record import KEY, curve_fingerprint
from .changes import CACHE
from .showing import REASONS, bake, check_showable, keyed_amount, played_result

# The result that each armature was last seen to play, and its amount then; by their numbers in this session.
_SEEN: Final[dict[int, tuple[int, float]]] = {}


@persistent
def after_update(scene: bpy.types.Scene, depsgraph: bpy.types.Depsgraph) -> None:
    """Bake keys of sliders that were changed, and let sliders show the amount of results that were assigned."""
    if depsgraph.mode == "RENDER":
        return
    keys, objects = (depsgraph.id_type_updated(kind) for kind in ("ACTION", "OBJECT"))
    if not (keys or objects):
        return
    REASONS.clear()
    changed = [update.id.original for update in depsgraph.updates]
    armatures = {owner for owner in changed if isinstance(owner, bpy.types.Object) and owner.type == "ARMATURE"}
    if keys:
        actions = {owner for owner in changed if isinstance(owner, bpy.types.Action)}
        CACHE.doubt(actions)
        armatures |= {owner for owner in _armatures(scene) if _plays_one_of(owner, actions)}
    for armature in armatures:
        _follow(armature)


@persistent
def after_reading(_path: object = None, _more: object = None) -> None:
    """The file was loaded, or undo has read parts of it again: what was not baked yet is."""
    CACHE.clear()
    REASONS.clear()
    _SEEN.clear()
    for armature in [owner for owner in bpy.data.objects if owner.type == "ARMATURE"]:
        _follow(armature)


_HANDLERS: Final = (
    ("depsgraph_update_post", after_update),
    ("load_post", after_reading),
    ("undo_post", after_reading),
    ("redo_post", after_reading),
)


def start_watching() -> None:
    """Begin to look."""
    for name, handler in _HANDLERS:
        getattr(bpy.app.handlers, name).append(handler)


def stop_watching() -> None:
    """Mirror of :func:`start_watching`."""
    for name, handler in _HANDLERS:
        getattr(bpy.app.handlers, name).remove(handler)
    CACHE.clear()
    REASONS.clear()
    _SEEN.clear()


def _armatures(scene: bpy.types.Scene) -> Iterator[bpy.types.Object]:
    return (owner for owner in scene.objects if owner.type == "ARMATURE")


def _plays_one_of(armature: bpy.types.Object, actions: set[bpy.types.Action]) -> bool:
    data = armature.animation_data
    return data is not None and (data.action in actions or played_result(armature) in actions)


def _follow(armature: bpy.types.Object) -> None:
    """Bring the result that an armature plays, and its slider, up to date."""
    action = played_result(armature)
    if action is None or action.library is not None or "computed" not in action[KEY]:
        _SEEN.pop(armature.session_uid, None)
        return
    curve = keyed_amount(armature)
    if curve_fingerprint(curve) != action[KEY].get("amount_keys", ""):
        _bake(armature, action, curve)
    amount = action[KEY]["amount"]
    seen, _SEEN[armature.session_uid] = _SEEN.get(armature.session_uid), (action.session_uid, amount)
    if curve is None and seen != _SEEN[armature.session_uid] and armature.panache.amount != amount:
        # As the update of a slider: the result has this amount already, so nothing is written.
        armature.panache.amount = amount


def _bake(armature: bpy.types.Object, action: bpy.types.Action, curve: bpy.types.FCurve | None) -> None:
    try:
        check_showable(action)
        bake(action, curve, armature.panache.amount)
    except PanacheError:
        # The panel says why: see locked_reason.
        return
