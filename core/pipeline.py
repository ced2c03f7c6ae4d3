# SPDX-License-Identifier: GPL-3.0-or-later
"""One clip's way through the house: rig to canonical motion, through the network, and back onto the rig."""

from dataclasses import dataclass, replace

from .calibration import Calibration, calibrate
from .canonical import CanonicalClip, check_length, to_canonical
from .contact_lock import lock_contacts
from .contacts import Contacts, contact_moments, detect_planted
from .cycles import Cycle
from .engines import Features, StyleEngine
from .errors import EngineError, InvalidMotionError, UnknownStyleError
from .limbs import keep_hinges
from .matching import BoneMap
from .motion import Motion
from .pins import pin_path, pin_weights
from .representation import SIGNATURE, decode, encode
from .retarget import rejoin, to_motion, to_rig
from .rig import RigMotion
from .root_motion import (
    IN_PLACE,
    KEEP,
    PREDICTED,
    ROOT_MODES,
    close_path,
    follow_feet,
    follow_path,
    settle,
    stay_in_place,
)
from .rotations import Array
from .transfer import PARTS, StyleDelta, apply_delta, style_delta, upright_share
from .treadmill import floor_way, step_off, step_on

LABEL, REFERENCE, RANDOM = "LABEL", "REFERENCE", "RANDOM"
SOURCES: tuple[str, ...] = (LABEL, REFERENCE, RANDOM)
MAX_AMOUNT = 1.5


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
class StyleSettings:
    """What the user asked for.

    Attributes:
        source: LABEL, REFERENCE or RANDOM.
        style: style name, for LABEL.
        amount: 0 (the original) to 1.5.
        seed: of everything random, at least 0.
        root: KEEP, PREDICTED or IN_PLACE.
        contacts: keep planted feet planted.
        parts: what the style may touch, out of ``PARTS``.
        pin_start: the first frame stays the original's; a cyclic clip is then pinned at both ends. Where the
            clip is to stay in place, its place over the floor is pinned at the start only.
        pin_end: the same for the last frame.
    """

    source: str = LABEL
    style: str = ""
    amount: float = 1.0
    seed: int = 0
    root: str = PREDICTED
    contacts: bool = True
    parts: frozenset[str] = frozenset(PARTS)
    pin_start: bool = False
    pin_end: bool = False


@dataclass(frozen=True)
class Stylized:
    """What came out.

    Attributes:
        motion: the rig's channels, at the clip's times.
        moments: (M,) seconds, increasing: when feet or hands touch or let go in the clip.
    """

    motion: RigMotion
    moments: Array


@dataclass(frozen=True)
class _Request:
    """What is asked of a clip: ``reference`` is (R, WIDTH) features, ``in_place`` takes the travelled path away."""

    engine: StyleEngine
    settings: StyleSettings
    reference: Features | None
    in_place: bool


def stylize(clip: Clip, reference: Clip | None, engine: StyleEngine, settings: StyleSettings) -> Stylized:
    """The same performance in another style, on the same rig, at the same times.

    Raises:
        PanacheError: something is missing or cannot be used; the message says what to do.
    """
    check_settings(settings, reference, engine)
    calibration = _calibrated(clip)
    original = to_motion(clip.motion, calibration)
    check_length(original)
    floor = floor_way(original)
    travelling = step_off(original, floor)
    moments = contact_moments(detect_planted(travelling), original.times)
    in_place = settings.root == IN_PLACE and not floor.any()
    request = _Request(engine, _pinned_alike(clip, settings), _reference_features(reference), in_place)
    styled = _restyle_cycle(travelling, request) if clip.cyclic else _restyle(travelling, request)
    if styled is travelling:
        return Stylized(clip.motion, moments)
    if floor.any():
        styled = step_on(styled, travelling, floor, _freedom(original, request) * float(settings.root != KEEP))
    posed = to_rig(styled, clip.motion, calibration)
    return Stylized(rejoin(posed, clip.motion, clip.bone_map), moments)


def _restyle(original: Motion, request: _Request) -> Motion:
    """The clip in another style, with its contacts, on its path; the same object if nothing is to be changed."""
    settings, freedom = request.settings, _freedom(original, request)
    delta = _ask(to_canonical(original), request)
    share = settings.amount * freedom * upright_share(original)
    styled = apply_delta(original, delta, share, settings.parts)
    if styled is not original:
        styled = keep_hinges(styled, original)
        styled = _on_the_ground(styled, Contacts(original, detect_planted(original), freedom), settings)
    return stay_in_place(styled) if request.in_place else styled


def _restyle_cycle(original: Motion, request: _Request) -> Motion:
    """A clip that repeats, so that it still does."""
    if request.settings.pin_start:
        return _restyle(original, request)
    cycle = Cycle(original)
    repeated = cycle.repeated()
    styled = _restyle(repeated, request)
    if styled is repeated:
        return original
    closed = cycle.close(styled, repeated)
    return close_path(closed) if request.in_place else closed


def _on_the_ground(styled: Motion, contacts: Contacts, settings: StyleSettings) -> Motion:
    """The clip with its way over the floor, its height and its contacts."""
    if settings.root == KEEP:
        styled = follow_path(styled, contacts.original)
    if settings.contacts:
        styled = settle(styled, contacts)
        styled = styled if settings.root == KEEP else follow_feet(styled, contacts)
    styled = pin_path(styled, contacts.original, contacts.freedom)
    return lock_contacts(styled, contacts) if settings.contacts else styled


def _pinned_alike(clip: Clip, settings: StyleSettings) -> StyleSettings:
    """The settings with both ends of a cycle pinned if one is: they are the same pose."""
    pinned = clip.cyclic and (settings.pin_start or settings.pin_end)
    return replace(settings, pin_start=True, pin_end=True) if pinned else settings


def _freedom(original: Motion, request: _Request) -> Array:
    """(T,) 0 at pinned ends, else up to 1."""
    return pin_weights(original.times, request.settings.pin_start, request.settings.pin_end)


def check_settings(settings: StyleSettings, reference: Clip | None, engine: StyleEngine) -> None:
    """Refuse what no engine can do, before any work.

    Raises:
        UnknownStyleError: a style name that the weights do not know.
        InvalidMotionError: REFERENCE without a reference, or a mode that does not exist.
        EngineError: weights of another feature layout.
    """
    if engine.layout_signature != SIGNATURE:
        raise EngineError("The weight file expects other motion features: install the one of this version.")
    if settings.source not in SOURCES or settings.root not in ROOT_MODES or not settings.parts <= set(PARTS):
        raise InvalidMotionError("These style settings are of another version of Panache: set them again in the panel.")
    if settings.source == LABEL and settings.style not in engine.styles:
        raise UnknownStyleError(f'There is no style "{settings.style}": choose one of {", ".join(engine.styles)}.')
    if settings.source == REFERENCE and reference is None:
        raise InvalidMotionError("Choose a reference action to take the style from.")


def canonical_clip(clip: Clip) -> CanonicalClip:
    """A rig's clip as the network sees it."""
    motion = to_motion(clip.motion, _calibrated(clip))
    return to_canonical(step_off(motion, floor_way(motion)))


def _calibrated(clip: Clip) -> Calibration:
    clip.motion.check()
    if clip.calibration_frame is None:
        return calibrate(clip.motion, clip.bone_map)
    return calibrate(clip.motion, clip.bone_map, clip.calibration_frame)


def _reference_features(reference: Clip | None) -> Features | None:
    return None if reference is None else encode(canonical_clip(reference).motion)[0]


def _ask(clip: CanonicalClip, request: _Request) -> StyleDelta:
    """What the network changes about the clip."""
    features, start = encode(clip.motion)
    settings = request.settings
    pair = request.engine.stylize(
        features, source=settings.source, style=settings.style, reference=request.reference, seed=settings.seed
    )
    reconstruction, stylized = (decode(result, start) for result in pair)
    return style_delta(reconstruction, stylized, clip.motion, clip.scale)
