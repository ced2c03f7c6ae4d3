# SPDX-License-Identifier: GPL-3.0-or-later
"""One clip's way through the house: rig to canonical motion, through the network, and back onto the rig."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from .canonical import CanonicalClip
from .engines import LABEL, RANDOM, REFERENCE, SAVED, SOURCES, Features
from .engines.engine import StyleEngine
from .motion import Motion
from .out_of_range import out_of_range_steps
from .representation import RootStart, decode_steps, encode_steps
from .restyling import Clip, Ready, canonical_steps, posed_steps, ready_steps, restyle_steps
from .rig import RigMotion
from .root_motion import PREDICTED, ROOT_MODES
from .rotations import Array
from .steps import Steps, finish, scaled
from .style_settings import MAX_AMOUNT, StyleSettings, check_settings, cue_of
from .transfer import PARTS, Reconstruction, reconstruction_steps

__all__ = [
    "LABEL",
    "MAX_AMOUNT",
    "PARTS",
    "PREDICTED",
    "RANDOM",
    "REFERENCE",
    "ROOT_MODES",
    "SAVED",
    "SOURCES",
    "Clip",
    "StyleSettings",
    "Stylized",
    "canonical_clip",
    "check_settings",
    "stylize",
    "stylize_steps",
    "vary_steps",
]

_READING, _STYLIZING, _POSING = "Reading the clip", "Stylizing", "Posing the rig"


@dataclass(frozen=True)
class Stylized:
    """What came out.

    Attributes:
        motion: the rig's channels, at the clip's times.
        moments: (M,) seconds, increasing: when feet or hands touch or let go in the clip.
        rate: how much faster than the clip it is to be played at an amount of 1, see :mod:`core.timing`.
    """

    motion: RigMotion
    moments: Array
    rate: float = 1.0


def stylize(clip: Clip, reference: Clip | None, engine: StyleEngine, settings: StyleSettings) -> Stylized:
    """All of :func:`stylize_steps` at once."""
    return finish(stylize_steps(clip, reference, engine, settings))


def stylize_steps(clip: Clip, reference: Clip | None, engine: StyleEngine, settings: StyleSettings) -> Steps[Stylized]:
    """The same performance in another style, on the same rig, at the same times.

    Raises:
        PanacheError: something is missing or cannot be used; the message says what to do.
    """
    return (yield from _styled_steps(clip, reference, engine, [settings]))[0]


def vary_steps(
    clip: Clip, reference: Clip | None, engine: StyleEngine, settings: Sequence[StyleSettings]
) -> Steps[list[Stylized]]:
    """One clip in several styles: it is read once, and the engine is asked once.

    Args:
        clip: the clip.
        reference: a clip in the wanted style, for REFERENCE.
        engine: that stylizes.
        settings: one or more, which differ in nothing but what the engine is asked for.

    Raises:
        PanacheError: something is missing or cannot be used; the message says what to do.
        ValueError: settings that differ in more.
    """
    if len({_apart_from_style(one) for one in settings}) != 1:
        raise ValueError("Variations differ in their style only.")
    return (yield from _styled_steps(clip, reference, engine, settings))


def canonical_clip(clip: Clip) -> CanonicalClip:
    """A rig's clip as the network sees it."""
    return finish(canonical_steps(clip))


def _styled_steps(
    clip: Clip, reference: Clip | None, engine: StyleEngine, settings: Sequence[StyleSettings]
) -> Steps[list[Stylized]]:
    for one in settings:
        check_settings(one, reference is not None, engine)
    ready = yield from scaled(ready_steps(clip, settings[0]), 0.0, 0.2, _READING)
    features, start = yield from scaled(encode_steps(ready.canonical.motion), 0.2, 0.25, _READING)
    model = None
    if reference is not None:
        model = yield from scaled(_reference_steps(reference), 0.25, 0.3, _READING)
    if settings[0].fade and engine.knows_range:
        unknown = yield from scaled(out_of_range_steps(features, engine), 0.3, 0.33, _READING)
        ready = replace(ready, known=1.0 - unknown if unknown.any() else None)
    cues = [cue_of(one, model) for one in settings]
    rates = [1.0] * len(cues)
    if settings[0].timing:
        rates = yield from scaled(engine.rates(features, cues), 0.33, 0.33, _STYLIZING)
    own, results = yield from scaled(engine.stylize(features, cues), 0.33, 0.5, _STYLIZING)
    seen = yield from scaled(decode_steps(own, start), 0.5, 0.52, _STYLIZING)
    reconstruction = yield from scaled(reconstruction_steps(seen, ready.canonical), 0.52, 0.55, _STYLIZING)
    styled: list[Motion | None] = []
    for number, one in enumerate(settings):
        begin = 0.55 + 0.25 * number / len(settings)
        restyled = _restyled_steps(ready, (reconstruction, results[number], start), one)
        styled.append((yield from scaled(restyled, begin, begin + 0.25 / len(settings), _STYLIZING)))
    motions = yield from scaled(posed_steps(ready, styled), 0.8, 1.0, _POSING)
    return [Stylized(motion, ready.moments, rate) for motion, rate in zip(motions, rates, strict=True)]


def _restyled_steps(
    ready: Ready, answer: tuple[Reconstruction, Features, RootStart], settings: StyleSettings
) -> Steps[Motion | None]:
    """The body in one of the styles that the engine gave."""
    reconstruction, result, start = answer
    stylized = yield from scaled(decode_steps(result, start), 0.0, 0.1, _STYLIZING)
    delta = yield from scaled(reconstruction.delta_steps(stylized), 0.1, 0.4, _STYLIZING)
    return (yield from scaled(restyle_steps(ready, delta, settings), 0.4, 1.0, _STYLIZING))


def _reference_steps(reference: Clip) -> Steps[Features]:
    canonical = yield from scaled(canonical_steps(reference), 0.0, 0.8, _READING)
    return (yield from scaled(encode_steps(canonical.motion), 0.8, 1.0, _READING))[0]


def _apart_from_style(settings: StyleSettings) -> StyleSettings:
    return replace(settings, source=LABEL, style="", seed=0, drawn=False, mix_style="", mix=0.0, code=(), mix_code=())
