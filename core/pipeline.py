# SPDX-License-Identifier: GPL-3.0-or-later
"""One clip's way through the house: rig to canonical motion, through the network, and back onto the rig."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from .canonical import CanonicalClip
from .engines import LABEL, RANDOM, REFERENCE, SAVED, SOURCES, Features, Float32
from .engines.engine import StyleEngine
from .motion import Motion
from .representation import RootStart, decode_steps, encode_steps
from .restyling import Clip, Ready, canonical_steps, posed_steps, ready_steps, restyle_steps
from .rig import RigMotion
from .root_motion import PREDICTED, ROOT_MODES
from .rotations import Array
from .steps import Progress, Steps, T, finish
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
    "style_code_steps",
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
    """

    motion: RigMotion
    moments: Array


def stylize(clip: Clip, reference: Clip | None, engine: StyleEngine, settings: StyleSettings) -> Stylized:
    """All of :func:`stylize_steps` at once."""
    return finish(stylize_steps(clip, reference, engine, settings))


def stylize_steps(clip: Clip, reference: Clip | None, engine: StyleEngine, settings: StyleSettings) -> Steps[Stylized]:
    """The same performance in another style, on the same rig, at the same times.

    Raises:
        PanacheError: something is missing or cannot be used; the message says what to do.
    """
    ready, motions = yield from _styled_steps(clip, reference, engine, [settings])
    return Stylized(motions[0], ready.moments)


def vary_steps(
    clip: Clip, reference: Clip | None, engine: StyleEngine, settings: Sequence[StyleSettings]
) -> Steps[list[RigMotion]]:
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
    return (yield from _styled_steps(clip, reference, engine, settings))[1]


def style_code_steps(clip: Clip, engine: StyleEngine) -> Steps[Float32]:
    """The style in which a clip is performed, (S,), to be saved and asked for again as ``StyleSettings.code``.

    Raises:
        PanacheError: the clip cannot be read; the message says what to do.
    """
    features = yield from _shown(_reference_steps(clip), 0.0, 0.5, _READING)
    return (yield from _shown(engine.style_code(features), 0.5, 1.0, _READING))


def canonical_clip(clip: Clip) -> CanonicalClip:
    """A rig's clip as the network sees it."""
    return finish(canonical_steps(clip))


def _styled_steps(
    clip: Clip, reference: Clip | None, engine: StyleEngine, settings: Sequence[StyleSettings]
) -> Steps[tuple[Ready, list[RigMotion]]]:
    for one in settings:
        check_settings(one, reference is not None, engine)
    ready = yield from _shown(ready_steps(clip, settings[0]), 0.0, 0.2, _READING)
    features, start = yield from _shown(encode_steps(ready.canonical.motion), 0.2, 0.25, _READING)
    model = None
    if reference is not None:
        model = yield from _shown(_reference_steps(reference), 0.25, 0.3, _READING)
    cues = [cue_of(one, model) for one in settings]
    own, results = yield from _shown(engine.stylize(features, cues), 0.3, 0.5, _STYLIZING)
    seen = yield from _shown(decode_steps(own, start), 0.5, 0.52, _STYLIZING)
    reconstruction = yield from _shown(reconstruction_steps(seen, ready.canonical), 0.52, 0.55, _STYLIZING)
    styled: list[Motion | None] = []
    for number, one in enumerate(settings):
        begin = 0.55 + 0.25 * number / len(settings)
        restyled = _restyled_steps(ready, (reconstruction, results[number], start), one)
        styled.append((yield from _shown(restyled, begin, begin + 0.25 / len(settings), _STYLIZING)))
    return ready, (yield from _shown(posed_steps(ready, styled), 0.8, 1.0, _POSING))


def _restyled_steps(
    ready: Ready, answer: tuple[Reconstruction, Features, RootStart], settings: StyleSettings
) -> Steps[Motion | None]:
    """The body in one of the styles that the engine gave."""
    reconstruction, result, start = answer
    stylized = yield from _shown(decode_steps(result, start), 0.0, 0.1, _STYLIZING)
    delta = yield from _shown(reconstruction.delta_steps(stylized), 0.1, 0.4, _STYLIZING)
    return (yield from _shown(restyle_steps(ready, delta, settings), 0.4, 1.0, _STYLIZING))


def _reference_steps(reference: Clip) -> Steps[Features]:
    canonical = yield from _shown(canonical_steps(reference), 0.0, 0.8, _READING)
    return (yield from _shown(encode_steps(canonical.motion), 0.8, 1.0, _READING))[0]


def _apart_from_style(settings: StyleSettings) -> StyleSettings:
    return replace(settings, source=LABEL, style="", seed=0, mix_style="", mix=0.0, code=(), mix_code=())


def _shown(steps: Steps[T], start: float, end: float, what: str) -> Steps[T]:
    """Part of a longer work, as ``steps.scaled``, under one name."""
    yield Progress(start, what)
    try:
        while True:
            try:
                progress = next(steps)
            except StopIteration as stop:
                return stop.value
            yield Progress(start + (end - start) * progress.share, what)
    finally:
        steps.close()
