# SPDX-License-Identifier: GPL-3.0-or-later
"""The use case behind panache.keep_variation: Stylize, with the settings of a ghost."""

import bpy

from ..backend import Steps
from ..rig.take import SetupError
from ..stylizing import restyle_steps
from ..translations import say
from .origins import keys_of
from .state import VariationsState, active, armature_of_variations, discard


def keep_steps(context: bpy.types.Context, index: int) -> Steps[str]:
    """Make a variation the result that its armature plays; the ghosts go when it is there.

    Raises:
        PanacheError: there is no such variation, or what it was made of is gone or has changed.

    """
    state = active()
    if state is None:
        raise SetupError("No variations are shown: press Sample Variations first.")
    if not 0 <= index < len(state):
        raise SetupError(say("There are {count} variations: choose one of them.", count=len(state)))
    action = yield from restyle_steps(context, state.orders[index], _unchanged(context, state))
    if active() is state:
        discard()
    return say('The armature plays "{name}"; the original is kept', name=action.name)


def _unchanged(context: bpy.types.Context, state: VariationsState) -> bpy.types.Object:
    """The armature, if Stylize would now make what is shown."""
    armature = armature_of_variations(state)
    if armature is None or armature.name not in context.view_layer.objects:
        raise SetupError("The armature of these variations is not in this view layer: sample them again.")
    if keys_of(context.scene, armature) != state.origin.keys:
        raise SetupError("The animation has changed since these variations were made: sample them again.")
    return armature
