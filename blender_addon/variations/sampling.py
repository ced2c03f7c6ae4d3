# SPDX-License-Identifier: GPL-3.0-or-later
"""The use case behind panache.sample_variations: read once, restyle several times, show the results as ghosts."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import bpy
import numpy as np

from ..backend import (
    GhostBody,
    Progress,
    Steps,
    Stylized,
    even_warp,
    ghost_body_steps,
    ghost_steps,
    part_of_change,
    run_variations_steps,
    scaled,
)
from ..choices import ONE_RESULT, lacks_styles, style_title
from ..order import Order
from ..rig.take import SetupError, require_armature
from ..stylizing import Material, material_steps
from ..translations import say, shown
from .origins import keys_of
from .preview import present
from .state import Origin, VariationsState
from .viewing import right_of_view

DEFAULT_COUNT: Final = 4
MOST: Final = 16
# Frames of all results together that are held at a time: ghosts keep only a few points of them.
_HELD: Final = 80_000
# Of making some variations, the share that finding the ghosts' points takes.
_SAMPLING: Final = 0.15


def sample_steps(context: bpy.types.Context, order: Order, count: int) -> Steps[str]:
    """Make and show ``count`` variations of what the active armature plays; the seeds follow that of ``order``.

    Raises:
        PanacheError: with a sentence that says what to do.

    """
    orders = _orders(order, count)
    right = right_of_view(context)
    yield Progress(0.0, "Reading")
    origin = _origin(context)
    material = yield from scaled(material_steps(context, order), 0.0, 0.2)
    clip, frames = material.clip, material.reading.frames
    body = yield from scaled(ghost_body_steps(clip), 0.2, 0.22)
    original = yield from scaled(ghost_steps(clip.motion, body), 0.22, 0.25)
    points, rates = yield from scaled(_points_steps(material, body, orders), 0.25, 1.0)
    styles = tuple(_style_of(one) for one in orders)
    warps = tuple(even_warp((frames[0], frames[-1]), rate**order.settings.amount) for rate in rates)
    present(VariationsState(origin, orders, styles, frames, body, points, original, right, warps))
    if not bpy.app.background and context.window is not None:
        bpy.ops.panache.pick_variation("INVOKE_DEFAULT")
    return say("{count} variations are shown: click the one to keep", count=count)


def _orders(order: Order, count: int) -> tuple[Order, ...]:
    """One order for each variation.

    Raises:
        SetupError: a number that nobody can look at, or a style that leaves nothing to chance.

    """
    # What an action is asked for here are styles like its own.
    settings = replace(order.settings, drawn=order.settings.source == "REFERENCE")
    if not 1 <= count <= MOST:
        raise SetupError(say("Panache shows 1 to {most} variations, not {count}.", most=MOST, count=count))
    left_to_chance = settings.source != "SAVED" or (settings.mixed and not settings.mix_code)
    if not left_to_chance and count > 1 and lacks_styles():
        raise SetupError(f"{shown(ONE_RESULT)}.")
    if not left_to_chance and count > 1:
        raise SetupError("A saved style gives one result only: choose Style, Action or Random as the source.")
    return tuple(replace(order, settings=replace(settings, seed=settings.seed + i)) for i in range(count))


def _points_steps(
    material: Material, body: GhostBody, orders: Sequence[Order]
) -> Steps[tuple[np.ndarray, list[float]]]:
    """(N, T, P, 3) points of all variations, and their rates; of a long clip some at a time."""
    frames, count = len(material.clip.motion), len(orders)
    batch = max(1, min(count, _HELD // frames))
    rates: list[float] = []
    points = np.empty((count, frames, len(body.bones), 3), dtype=np.float32)
    for start in range(0, count, batch):
        some = orders[start : start + batch]
        begin, end = start / count, (start + len(some)) / count
        half = end - _SAMPLING * (end - begin)
        made = yield from scaled(_motion_steps(material, some), begin, half)
        rates += [one.rate for one in made]
        for i, one in enumerate(made):
            done = (end - half) / len(some)
            steps = ghost_steps(one.motion, body)
            points[start + i] = yield from scaled(steps, half + done * i, half + done * (i + 1))
    return points, rates


def _motion_steps(material: Material, orders: Sequence[Order]) -> Steps[list[Stylized]]:
    """What keeping each of the orders makes the rig do."""
    amount = orders[0].settings.amount
    # As Stylize does: what is less than the whole style is shown as a part of the whole change.
    computed = max(1.0, amount)
    asked = [order.settings for order in orders]
    settings = [replace(material.settings, seed=one.seed, drawn=one.drawn, amount=computed) for one in asked]
    made = yield from run_variations_steps(material.clip, material.reference, settings)
    clip = material.clip.motion
    return [replace(one, motion=part_of_change(clip, one.motion, amount / computed)) for one in made]


def _origin(context: bpy.types.Context) -> Origin:
    armature = require_armature(context)
    return Origin(context.scene.session_uid, armature.session_uid, armature.name, keys_of(context.scene, armature))


def _style_of(order: Order) -> str:
    """The style in words."""
    settings = order.settings
    if settings.source == "REFERENCE":
        return order.reference
    return say("Random") if settings.source == "RANDOM" else style_title(settings.style)
