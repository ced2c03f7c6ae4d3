# SPDX-License-Identifier: GPL-3.0-or-later
"""A clip made ready for the network, and what the network changed brought back onto its rig."""

from dataclasses import dataclass, replace

import numpy as np

from .balance import balanced_steps
from .blocks import blocks, rig_frames
from .calibration import Calibration, calibrate_steps
from .canonical import CanonicalClip, check_length, to_canonical_steps
from .contact_lock import lock_contacts_steps
from .contacts import Contacts, contact_moments, detect_planted
from .cycles import Cycle
from .limbs import keep_hinges_steps
from .matching import BoneMap
from .motion import Motion
from .pins import pin_path, pin_weights
from .resample import interpolate_smooth
from .retarget import Posing, rejoin, to_motion_steps
from .rig import RigMotion
from .root_motion import IN_PLACE, KEEP, close_path, follow_feet, follow_path, settle, stay_in_place
from .rotations import Array
from .steps import Progress, Steps, scaled
from .stride import within_reach
from .style_settings import StyleSettings
from .transfer import StyleDelta, apply_delta_steps, part_weights, upright_share
from .treadmill import floor_way, step_off, step_on


@dataclass(frozen=True)
class Clip:
    """A rig's clip and which of its bones are which joints.

    Attributes:
        motion: the rig's channels.
        bone_map: joint to bone.
        cyclic: the last frame is the first again, up to the way over the floor, and shall be so afterwards.
        calibration_frame: frame of ``motion`` in which the body stands as in a T or A pose; None to look for one.
    """

    motion: RigMotion
    bone_map: BoneMap
    cyclic: bool = False
    calibration_frame: int | None = None


@dataclass(frozen=True)
class Body:
    """A clip as the joints of a body.

    Attributes:
        calibration: how the bones lie in it.
        original: the clip.
        floor: (T, 3) of ``floor_way``.
        travelling: ``original`` as it goes over a floor at rest.
    """

    calibration: Calibration
    original: Motion
    floor: Array
    travelling: Motion


@dataclass(frozen=True)
class Ready:
    """A clip made ready for any number of styles.

    Attributes:
        clip: as it came.
        body: as joints.
        moments: seconds at which its contacts start or end.
        cycle: the body as one repetition, if it has to repeat.
        contacts: of what the network sees: the body, or some repetitions of it.
        canonical: the same at the network's size and rate.
        known: (T,) 1 where the model knows the frame of what it sees, at its rate, 0 where it would guess; None
            if nobody asked.
    """

    clip: Clip
    body: Body
    moments: Array
    cycle: Cycle | None
    contacts: Contacts
    canonical: CanonicalClip
    known: Array | None = None


def body_steps(clip: Clip) -> Steps[Body]:
    """Read the joints off a rig's clip.

    Raises:
        PanacheError: it cannot be done; the message says why.
    """
    motion = clip.motion
    motion.check()
    calibration = yield from scaled(calibrate_steps(motion, clip.bone_map, clip.calibration_frame), 0.0, 0.5)
    original = yield from scaled(to_motion_steps(motion, calibration), 0.5, 0.9)
    check_length(original)
    yield Progress(0.9)
    floor = floor_way(original)
    return Body(calibration, original, floor, step_off(original, floor))


def canonical_steps(clip: Clip) -> Steps[CanonicalClip]:
    """A rig's clip as the network sees it."""
    body = yield from scaled(body_steps(clip), 0.0, 0.7)
    return (yield from scaled(to_canonical_steps(body.travelling), 0.7, 1.0))


def ready_steps(clip: Clip, settings: StyleSettings) -> Steps[Ready]:
    """Do with a clip all that does not depend on the style; the settings say what is pinned."""
    body = yield from scaled(body_steps(clip), 0.0, 0.6)
    yield Progress(0.6)
    planted = detect_planted(body.travelling)
    pinned = _pinned_alike(clip, settings)
    cycle = Cycle(body.travelling) if clip.cyclic and not pinned.pin_start else None
    yield Progress(0.7)
    shown = body.travelling if cycle is None else cycle.repeated()
    freedom = pin_weights(shown.times, pinned.pin_start, pinned.pin_end)
    contacts = Contacts(shown, planted if cycle is None else detect_planted(shown), freedom)
    canonical = yield from scaled(to_canonical_steps(shown), 0.8, 1.0)
    return Ready(clip, body, contact_moments(planted, body.original.times), cycle, contacts, canonical)


def restyle_steps(ready: Ready, delta: StyleDelta, settings: StyleSettings) -> Steps[Motion | None]:
    """The body in another style, with its contacts, on its path; None if nothing is to be changed."""
    shown, body = ready.contacts.original, ready.body
    share = settings.amount * ready.contacts.freedom * upright_share(shown)
    if ready.known is not None:
        even = ready.canonical.motion.times
        share = share * np.clip(interpolate_smooth(ready.known, even, shown.times), 0.0, 1.0)
    weights = part_weights(settings.part_shares())
    delta = yield from scaled(balanced_steps(delta, settings.posture, settings.dynamics), 0.0, 0.05)
    styled = yield from scaled(apply_delta_steps(shown, delta, share, weights), 0.05, 0.2)
    if styled is shown:
        return None
    styled = yield from scaled(keep_hinges_steps(styled, shown), 0.2, 0.3)
    styled = yield from scaled(_on_the_ground_steps(styled, ready.contacts, settings), 0.3, 1.0)
    in_place = settings.root == IN_PLACE and not body.floor.any()
    styled = stay_in_place(styled) if in_place else styled
    if ready.cycle is not None:
        styled = ready.cycle.close(styled, shown)
        styled = close_path(styled) if in_place else styled
    if body.floor.any():
        pinned = _pinned_alike(ready.clip, settings)
        freedom = pin_weights(body.original.times, pinned.pin_start, pinned.pin_end)
        styled = step_on(styled, body.travelling, body.floor, freedom * float(settings.root != KEEP))
    return styled


def posed_steps(ready: Ready, motions: list[Motion | None]) -> Steps[list[RigMotion]]:
    """The rig as each of some bodies moves, at the clip's times; None stands for the clip's own channels."""
    clip = ready.clip.motion
    rotations = [clip.rotations if motion is None else np.empty_like(clip.rotations) for motion in motions]
    locations = [clip.locations if motion is None else np.empty_like(clip.locations) for motion in motions]
    for frames in blocks(len(clip), rig_frames(len(clip.skeleton))):
        # Block by block and not rig by rig: what all of them need is computed once, and forgotten after its block.
        posing = Posing(clip.part(frames), ready.body.calibration)
        for number, motion in enumerate(motions):
            if motion is not None:
                yield Progress(frames.start / len(clip))
                posed = rejoin(posing.posed(motion.part(frames)), posing.clip, ready.clip.bone_map)
                rotations[number][frames], locations[number][frames] = posed.rotations, posed.locations
    return [
        clip if motion is None else clip.with_channels(rotations[number], locations[number])
        for number, motion in enumerate(motions)
    ]


def _on_the_ground_steps(styled: Motion, contacts: Contacts, settings: StyleSettings) -> Steps[Motion]:
    """The clip with its way over the floor, its height and its contacts."""
    if settings.root == KEEP:
        styled = follow_path(styled, contacts.original)
    if settings.contacts:
        yield Progress(0.0)
        styled = settle(styled, contacts)
        yield Progress(0.1)
        if settings.root != KEEP:
            styled = follow_feet(styled, contacts)
            yield Progress(0.15)
            styled = within_reach(styled, contacts)
    yield Progress(0.2)
    styled = pin_path(styled, contacts.original, contacts.freedom)
    return (yield from scaled(lock_contacts_steps(styled, contacts), 0.2, 1.0)) if settings.contacts else styled


def _pinned_alike(clip: Clip, settings: StyleSettings) -> StyleSettings:
    """The settings with both ends of a cycle pinned if one is: they are the same pose."""
    pinned = clip.cyclic and (settings.pin_start or settings.pin_end)
    return replace(settings, pin_start=True, pin_end=True) if pinned else settings
