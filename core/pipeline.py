# SPDX-License-Identifier: GPL-3.0-or-later
"""One clip's way through the house: rig to canonical motion, through the network, and back onto the rig."""

from dataclasses import dataclass

from .calibration import Calibration, calibrate
from .canonical import CanonicalClip, to_canonical
from .engines import Features, StyleEngine
from .errors import EngineError, InvalidMotionError, UnknownStyleError
from .foot_lock import lock_feet
from .matching import BoneMap
from .representation import SIGNATURE, decode, encode
from .retarget import to_motion, to_rig
from .rig import RigMotion
from .root_motion import IN_PLACE, KEEP, PREDICTED, ROOT_MODES, follow_path, stay_in_place
from .transfer import PARTS, StyleDelta, apply_delta, style_delta

LABEL, REFERENCE, RANDOM = "LABEL", "REFERENCE", "RANDOM"
SOURCES: tuple[str, ...] = (LABEL, REFERENCE, RANDOM)
MAX_AMOUNT = 1.5


@dataclass(frozen=True)
class Clip:
    """A rig's clip and which of its bones are which joints."""

    motion: RigMotion
    bone_map: BoneMap


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
    """

    source: str = LABEL
    style: str = ""
    amount: float = 1.0
    seed: int = 0
    root: str = PREDICTED
    contacts: bool = True
    parts: frozenset[str] = frozenset(PARTS)


def stylize(clip: Clip, reference: Clip | None, engine: StyleEngine, settings: StyleSettings) -> RigMotion:
    """The same performance in another style, on the same rig, at the same times.

    Raises:
        PanacheError: something is missing or cannot be used; the message says what to do.
    """
    check_settings(settings, reference, engine)
    calibration = _calibrated(clip)
    original = to_motion(clip.motion, calibration)
    canonical = to_canonical(original)
    delta = _ask(engine, canonical, _reference_features(reference), settings)
    styled = apply_delta(original, delta, settings.amount, settings.parts)
    if settings.root == KEEP:
        styled = follow_path(styled, original)
    if settings.contacts:
        styled = lock_feet(styled, original, path_is_free=settings.root != KEEP)
    if settings.root == IN_PLACE:
        styled = stay_in_place(styled)
    return to_rig(styled, clip.motion, calibration)


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
    return to_canonical(to_motion(clip.motion, _calibrated(clip)))


def _calibrated(clip: Clip) -> Calibration:
    clip.motion.check()
    return calibrate(clip.motion, clip.bone_map)


def _reference_features(reference: Clip | None) -> Features | None:
    return None if reference is None else encode(canonical_clip(reference).motion)[0]


def _ask(engine: StyleEngine, clip: CanonicalClip, reference: Features | None, settings: StyleSettings) -> StyleDelta:
    """What the network changes about the clip."""
    features, start = encode(clip.motion)
    pair = engine.stylize(
        features, source=settings.source, style=settings.style, reference=reference, seed=settings.seed
    )
    reconstruction, stylized = (decode(result, start) for result in pair)
    return style_delta(reconstruction, stylized, clip.motion.times, clip.scale)
