# SPDX-License-Identifier: GPL-3.0-or-later
"""The use case behind panache.stylize: read, restyle, fit keys, write; in steps, between which nothing is changed."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final

import bpy

from .amount import CACHE, check_stretchable, full_of, is_timed, keep_full, note_rate, show, show_steps
from .backend import Clip, Progress, RigMotion, Steps, StyleSettings, Stylized, engine, run_steps, scaled
from .choices import NO_OWN_STYLES, lacks_styles
from .compat import Slot, blank_action
from .job.watch import Watch
from .order import Order
from .record import Digests, digest_steps, write_record
from .results import put, start_action, target_take
from .rig.controls import Controls, find_controls_steps, solve_controls_steps
from .rig.edits import ChannelEdit
from .rig.guards import check_editable, check_led
from .rig.reader import Reading, Rig, read_clip_steps, read_rig
from .rig.root import place_root
from .rig.seeding import check_alone, seed_steps
from .rig.span import frames_of, row_of
from .rig.take import SetupError, Take, active_take, played_take, take_of_action
from .rig.writer import edits_steps, write_edits_steps
from .sources import Source, source_steps
from .translations import shown
from .unfinished import complete, discarded_on_error, passing

# Where in the whole reading ends, computing, and writing.
_READ: Final = 0.15
_COMPUTED: Final = 0.5
_WRITTEN: Final = 0.95
# Of writing, where it is known what to write: soon, or once the controls are there that lead the mapped bones. Of
# bringing them there, what a stack of tracks as one action takes.
_SAID: Final = 0.05
_LED: Final = 0.7
_SEEDED: Final = 0.2
# Amount is a matter of showing; what is computed is the whole style, or more of it if more is asked for.
_WHOLE: Final = 1.0


@dataclass(frozen=True)
class Material:
    """All that a run needs to know of the scene.

    Attributes:
        source: what the run starts from.
        reading: the source as numbers.
        controls: what drives the mapped bones; None if they are keyed themselves.
        clip: the reading as core wants it.
        settings: with which the result joins what stays as it is.
        reference: for REFERENCE.

    """

    source: Source
    reading: Reading
    controls: Controls | None
    clip: Clip
    settings: StyleSettings
    reference: Clip | None


def restyle_steps(
    context: bpy.types.Context, order: Order, armature: bpy.types.Object | None = None
) -> Steps[bpy.types.Action]:
    """Restyle what the active armature, or another one, plays; it then plays the new action, which is the result.

    Nothing in the file changes before the result is complete: closed at any step, this has done nothing.

    Raises:
        PanacheError: with a sentence that says what to do.

    """
    watch = _begin(context, armature)
    return (yield from watch.over(context, _restyle_steps(context, order, watch)))


def material_steps(
    context: bpy.types.Context, order: Order, armature: bpy.types.Object | None = None
) -> Steps[Material]:
    """Read all that a run with this order would read.

    Raises:
        PanacheError: with a sentence that says what to do.

    """
    watch = _begin(context, armature)
    return (yield from watch.over(context, _material_steps(context, order, watch)))


def prepare(take: Take) -> Rig:
    """The take's rig, if nothing stands in the way of new keys.

    Raises:
        PanacheError: no humanoid, or bones that cannot be keyed.

    """
    rig = read_rig(take.armature, take)
    check_led(take, rig.bone_map)
    return rig


def _begin(context: bpy.types.Context, armature: bpy.types.Object | None) -> Watch:
    take = played_take(armature) if armature is not None else active_take(context)
    check_editable(take)
    # Without this Blender 4.4 to 5 can crash on armatures that were never evaluated.
    context.view_layer.update()
    return Watch(context, take)


def _restyle_steps(context: bpy.types.Context, order: Order, watch: Watch) -> Steps[bpy.types.Action]:
    material = yield from scaled(_material_steps(context, order, watch), 0.0, _READ)
    computed = max(_WHOLE, order.settings.amount)
    settings = replace(material.settings, amount=computed)
    # The one that is named in the record, whatever is chosen or started meanwhile.
    computer = engine()
    running = run_steps(material.clip, material.reference, settings, computer)
    styled = yield from scaled(running, _READ, _COMPUTED)
    yield Progress(_COMPUTED, "Writing keys")
    action, slot = start_action(material.reading, _name(material, order))
    name = action.name
    with discarded_on_error(action):
        writing = _write_steps(context, material, styled, order, (action, slot))
        known = yield from scaled(writing, _COMPUTED, _WRITTEN)
        with material.source.stage():
            full = replace(order, settings=replace(order.settings, amount=computed))
            write_record(action, material.source.take(), full, known, computer.software)
        yield Progress(_WRITTEN, "Writing keys")
        with _kept_in_full(action, computed) as companion:
            yield Progress(_WRITTEN, "Writing keys")
            if styled.rate != 1.0:
                note_rate(action, styled.rate, (material.reading.frames[0], material.reading.frames[-1]))
            yield from scaled(_show_steps(action, material, order.settings.amount), _WRITTEN, 1.0)
            with material.source.stage():
                complete(action, name)
                if companion is not None:
                    complete(companion, f".{action.name}")
                put(context, material.reading, action, slot)
                material.source.leave()
    if order.settings.amount != computed and material.reading.take.is_stack:
        # Only the strip of a track can be shown in part.
        show(action, order.settings.amount)
    return action


def _show_steps(action: bpy.types.Action, material: Material, amount: float) -> Steps[None]:
    """Learn what the slider needs, so that it is live at once, and let an action that nobody plays yet follow it."""
    # Without a window nobody moves the slider; a script that does lets the cache fill then.
    whole = amount >= _WHOLE and not is_timed(action)
    if material.reading.take.is_stack or (bpy.app.background and whole):
        return
    yield from scaled(CACHE.fill_steps(action), 0.0, 0.6 if is_timed(action) else 1.0)
    if is_timed(action):
        yield from scaled(show_steps(action, amount), 0.6, 1.0)
    elif amount < _WHOLE:
        yield Progress(1.0, "Writing keys")
        show(action, amount)


@contextmanager
def _kept_in_full(action: bpy.types.Action, computed: float) -> Iterator[bpy.types.Action | None]:
    """Keep the full curves in a companion, hidden like the action; it is gone again if that was not to be."""
    keep_full(action, computed)
    companion = full_of(action)
    if companion is None:
        yield None
    else:
        with discarded_on_error(companion):
            yield companion


def _material_steps(context: bpy.types.Context, order: Order, watch: Watch) -> Steps[Material]:
    if order.settings.source == "LABEL" and lacks_styles():
        raise SetupError(f"{shown(NO_OWN_STYLES)}.")
    yield Progress(0.0, "Reading")
    source = yield from scaled(source_steps(watch.take), 0.0, 0.05)
    for action in source.actions:
        watch.add_action(action)
    return (yield from scaled(source.staged(_read_steps(context, source, order, watch)), 0.05, 1.0))


def _read_steps(context: bpy.types.Context, source: Source, order: Order, watch: Watch) -> Steps[Material]:
    rig = prepare(source.take())
    watch.add_bones(rig.needed.names)
    yield Progress(0.1, "Reading")
    controls = yield from scaled(find_controls_steps(context, source.take(), rig), 0.1, 0.5)
    reading = yield from scaled(read_clip_steps(context, source.take(), rig), 0.5, 0.9)
    if order.settings.timing:
        check_stretchable(reading)
    settings, reference = _joined(order.settings, reading), None
    if settings.source == "REFERENCE":
        other = _reference_take(source.armature, order.reference)
        watch.add_action(other.action)
        watch.add_armature(other.armature)
        reference = yield from scaled(_reference_steps(context, other), 0.9, 1.0)
    return Material(source, reading, controls, _clip(reading, order.calibration_frame), settings, reference)


def _write_steps(
    context: bpy.types.Context,
    material: Material,
    styled: Stylized,
    order: Order,
    target: tuple[bpy.types.Action, Slot],
) -> Steps[tuple[Digests, Digests]]:
    """Key the result; in the end digests of the original's curves and of the result's."""
    reading, (action, slot) = material.reading, target
    ready = _LED if material.controls else _SAID
    if material.controls:
        leading = material.source.staged(_lead_steps(context, material, styled.motion, action))
        edits = yield from scaled(leading, 0.0, ready)
    else:
        placed = place_root(reading, styled.motion, material.settings.root)
        yield Progress(0.0, "Writing keys")
        edits = yield from scaled(edits_steps(reading, placed), 0.0, ready)
        yield Progress(ready, "Writing keys")
    keys = replace(order.keys, moments=frames_of(context.scene, styled.moments))
    take = target_take(reading.take, action, slot)
    yield from scaled(write_edits_steps(action, take, reading.frames, edits, keys), ready, 0.9)
    before = yield from scaled(digest_steps(reading.take.action), 0.9, 0.95, "Writing keys")
    return before, (yield from scaled(digest_steps(action), 0.95, 1.0, "Writing keys"))


def _lead_steps(
    context: bpy.types.Context, material: Material, result: RigMotion, action: bpy.types.Action
) -> Steps[list[ChannelEdit]]:
    """What the controls must do for the mapped bones to follow ``result``."""
    reading, controls = material.reading, material.controls
    if not reading.take.is_stack:
        solving = solve_controls_steps(context, reading, result, controls, action)
        return (yield from scaled(solving, 0.0, 1.0))
    check_alone(reading.take)
    seed, slot = blank_action("Panache", reading.take.armature)
    with passing(seed):
        yield from scaled(seed_steps(context, reading, controls, (seed, slot)), 0.0, _SEEDED)
        alone = replace(reading, take=target_take(reading.take, seed, slot))
        solving = solve_controls_steps(context, alone, result, controls, seed)
        return (yield from scaled(solving, _SEEDED, 1.0))


def _name(material: Material, order: Order) -> str:
    """What a result is called: after the action, or after the character whose tracks play together."""
    take = material.reading.take
    return f"{take.armature.name if take.is_stack else take.action.name} {_suffix(order)}"


def _reference_take(armature: bpy.types.Object, name: str) -> Take:
    if not name:
        raise SetupError(f"{shown('Choose the action to take the style from')}.")
    action = bpy.data.actions.get(name)
    if action is None:
        raise SetupError(f'There is no action "{name}" in this file: choose another reference.')
    return take_of_action(action, armature)


def _reference_steps(context: bpy.types.Context, take: Take) -> Steps[Clip]:
    rig = read_rig(take.armature, take)
    yield Progress(0.5, "Reading")
    return _clip((yield from scaled(read_clip_steps(context, take, rig, whole=True), 0.5, 1.0)))


def _clip(reading: Reading, calibration_frame: int | None = None) -> Clip:
    row = None if calibration_frame is None else row_of(reading.frames, calibration_frame)
    return Clip(reading.motion, reading.bone_map, reading.cyclic, row)


def _joined(settings: StyleSettings, reading: Reading) -> StyleSettings:
    """Settings with which the restyled frames join what the preview range leaves as it is."""
    span = reading.span
    return replace(settings, pin_start=settings.pin_start or span.cut_start, pin_end=settings.pin_end or span.cut_end)


def _suffix(order: Order) -> str:
    """What the result's name adds to the original's."""
    settings = order.settings
    if settings.source == "REFERENCE":
        return f"like {order.reference}"
    return f"Random {settings.seed}" if settings.source == "RANDOM" else settings.style.title()
