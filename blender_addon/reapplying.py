# SPDX-License-Identifier: GPL-3.0-or-later
"""The use case behind panache.reapply: the run that a result remembers once more, on the original as it is now."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import bpy

from .amount import bake_like, played_result
from .backend import Steps, model_version
from .compat import assigned_slot
from .order import Order
from .record import KEY, is_edited, is_track_result, original_of
from .recorded_order import order_from
from .results import play_original
from .rig.guards import check_editable
from .rig.take import SetupError, Take, require_armature
from .rig.writer import play_action
from .stylizing import restyle_steps
from .translations import say


def reapply_steps(context: bpy.types.Context) -> Steps[str]:
    """Make the result that the active armature plays again, from the settings in its record.

    With the same original, model and engine all curves are the same, bit for bit; the amount is kept, with its keys.

    Returns:
        A sentence about what plays now, and whether it may differ.

    Raises:
        PanacheError: nothing to make again, or something that it was made from is gone.

    """
    armature = require_armature(context)
    action = played_result(armature)
    if action is None:
        raise SetupError("What the armature plays was not made by Panache: press Stylize.")
    order, same_model = order_of(action), action[KEY].get("model_version") == model_version()
    with _set_aside(context, armature, action):
        made = yield from restyle_steps(context, order)
    bake_like(made, action, armature)
    said = say('The armature plays "{name}", made again', name=made.name)
    return said + (_engines(action, made) if same_model else say("; another model made it before, so it may differ"))


def _engines(before: bpy.types.Action, now: bpy.types.Action) -> str:
    """What is to be said of the engines that computed two results; results of older versions do not name theirs."""
    old, new = (str(action[KEY].get("software", "")) for action in (before, now))
    if not old or old == new:
        return ""
    return say("; {old} computed it before and {new} now, so the last digits may differ", old=old, new=new)


def order_of(action: bpy.types.Action) -> Order:
    """The order that a result was made by, at the amount that was computed.

    Raises:
        SetupError: it is no result, or its original or reference is gone.

    """
    original_of(action)
    record: Any = action[KEY]
    order = order_from(record)
    reference = record.get("reference_action")
    if order.settings.source == "REFERENCE" and reference is None and order.reference not in bpy.data.actions:
        raise SetupError(
            say('The reference "{name}" is no longer in this file: append it again.', name=order.reference)
        )
    settings = replace(order.settings, amount=record.get("computed", order.settings.amount))
    return replace(order, settings=settings, reference=reference.name if reference else order.reference)


@contextmanager
def _set_aside(context: bpy.types.Context, armature: bpy.types.Object, action: bpy.types.Action) -> Iterator[None]:
    """Inside, an edited result does not play: a run would take it for the performance. It stays in the file."""
    if not is_edited(action):
        yield
        return
    if is_track_result(action):
        raise SetupError(
            say('"{name}" was edited by hand: mute its NLA track, then stylize what plays below.', name=action.name)
        )
    check_editable(Take(armature, action, assigned_slot(armature)))
    take, kept = Take(armature, action, assigned_slot(armature)), action.use_fake_user
    play_original(context, take)
    action.use_fake_user = True
    try:
        yield
    except BaseException:
        play_action(context, armature, action, take.slot)
        action.use_fake_user = kept
        raise
