# SPDX-License-Identifier: GPL-3.0-or-later
"""What every engine does the same way: draw seeds, mix styles, cut long clips into windows, wait for answers."""

from collections.abc import Callable, Sequence

import numpy as np

from ..errors import EngineError, InvalidMotionError, UnknownStyleError
from ..representation import feature_slice
from ..smoothing import rise
from ..steps import Progress, Steps, scaled
from . import LABEL, RANDOM, REFERENCE, SAVED, SOURCES, Answer, Cue, Features, Float32, StyleNetwork
from .answers import answered
from .windows import cut, shares

# Of the whole work, what reading the clip's own style and the references takes.
_READING = 0.2
# Frames that one content code stands for.
_CODE_FRAMES = 4
# Logarithms of the slowest and the fastest that an action may become: half and twice as fast.
_RATES = (-np.log(2.0), np.log(2.0))
# Metres per second over the floor, for the canonical body: below the one it stays in place, above the other it travels.
_IN_PLACE, _TRAVELLING = 0.2, 0.5


class StyleEngine:
    """A network and the way to ask it; the same seed gives the same motion on every network.

    Attributes:
        styles: names of the style labels.
        fps: frame rate of all features, per second.
        layout_signature: the feature layout of the training; compare with ``representation.SIGNATURE``.
        style_size: dimensions of a style code.
        knows_timing: whether the model says how fast a style moves.
        knows_range: whether the model says where the training's content lies.
        fade_bounds: between which values its style fades out; None if it does not say so.
    """

    def __init__(self, network: StyleNetwork, at_once: int | None = None) -> None:
        """Drive a network.

        Args:
            network: that computes.
            at_once: styles that it is asked for in one go, so that a step stays short; None for all of them.
        """
        self._network = network
        self._at_once = at_once
        self.styles = network.styles
        self.fps = network.fps
        self.layout_signature = network.layout_signature
        self.style_size = network.style_size
        self.knows_timing = network.tempo is not None
        self.knows_range = network.content_range is not None
        self.fade_bounds = network.content_range.bounds if network.content_range else None

    @property
    def software(self) -> str:
        """What computes, see :class:`core.engines.StyleNetwork`; of a network elsewhere once it has answered."""
        return self._network.software

    def stylize(self, features: Features, cues: Sequence[Cue]) -> Steps[tuple[Features, list[Features]]]:
        """The model's own reconstruction of a clip (T, WIDTH), and the clip in every style that is asked for.

        Returns:
            (T, WIDTH) each; in all, the planar root velocity is the one predicted for the pose.

        Raises:
            PanacheError: a cue that the model cannot use; the message says what to do.
        """
        for cue in cues:
            self.check(cue)
        conditions = yield from scaled(self._conditions(features, cues), 0.0, _READING)
        results = yield from scaled(self._in_windows(features, conditions), _READING, 1.0)
        return results[0], list(results[1:])

    def rates(self, features: Features, cues: Sequence[Cue]) -> Steps[list[float]]:
        """How much faster than the clip (T, WIDTH) each style moves, 0.5 to 2; 1 if the model does not know.

        Raises:
            PanacheError: a cue that the model cannot use; the message says what to do.
        """
        for cue in cues:
            self.check(cue)
        tempo = self._network.tempo
        if tempo is None:
            return [1.0] * len(cues)
        conditions = yield from self._conditions(features, cues)
        rows = np.atleast_2d(tempo).astype(np.float64)
        own = rows[0] + _travelling(features) * (rows[-1] - rows[0])
        logarithms = (conditions[1:] - conditions[0]).astype(np.float64) @ own
        return [float(np.exp(np.clip(one, *_RATES))) for one in logarithms]

    def style_code(self, features: Features) -> Steps[Float32]:
        """How a clip (T, WIDTH) is done, (S,): the mean of its style Gaussian, over all of a long clip."""
        return (yield from self._style_gaussian(features))[0]

    def _style_gaussian(self, features: Features) -> Steps[Float32]:
        """(2, S) mean and standard deviation of a clip's style, over all of a long clip."""
        windows = cut(len(features))
        codes: list[Float32] = []
        for window in windows:
            progress = Progress(len(codes) / len(windows))
            yield progress
            codes.append((yield from answered(self._network.style_gaussian(features[window]), progress)))
        if len(codes) == 1:
            return codes[0]
        # Each window counts as the frames that it stands for.
        frames = [share.sum() for share in shares(windows)]
        return np.average(codes, axis=0, weights=frames).astype(np.float32)

    def reconstruct(self, features: Features) -> Steps[Features]:
        """A clip (T, WIDTH) through the model's autoencoder and back."""
        return (yield from _over_windows(features, self._network.reconstruct, lambda known: known, features.shape[1]))

    def content_distance(self, features: Features) -> Steps[Float32 | None]:
        """How far what is done in a clip (T, WIDTH) lies from all that training saw; None if the model does not know.

        Returns:
            (T,) Mahalanobis distance of the content code, as a share of training's: its root mean square there is 1.
        """
        known = self._network.content_range
        if known is None:
            return None

        def away(code: Float32) -> Float32:
            distance = np.sqrt(np.mean(((code - known.mean) @ known.whitening.T) ** 2, axis=-1))
            return distance.repeat(_CODE_FRAMES)[:, None]

        return (yield from _over_windows(features, self._network.content_code, away, 1))[:, 0]

    def check(self, cue: Cue) -> None:
        """Refuse what the model cannot use.

        Raises:
            UnknownStyleError: a label that it does not know.
            InvalidMotionError: a source that does not exist, or REFERENCE without a reference.
            EngineError: a saved style of another model.
        """
        if cue.source not in SOURCES:
            raise InvalidMotionError("These style settings are of another version of Panache: set them again.")
        if cue.source == LABEL and cue.style not in self.styles:
            raise UnknownStyleError(self._no_style(cue.style))
        if cue.source == REFERENCE and cue.reference is None:
            raise InvalidMotionError("Choose a reference action to take the style from.")
        if cue.source == SAVED and not self._fits(cue.code):
            raise EngineError("The saved style was made with another model: save it again with this one.")
        if cue.mix is not None:
            self.check(cue.mix)

    def _no_style(self, style: str) -> str:
        if not self.styles:
            return "This model has no styles of its own: take the style from a reference, a saved style or at random."
        return f'There is no style "{style}": choose one of {", ".join(self.styles)}.'

    def _fits(self, code: Float32 | None) -> bool:
        return code is not None and code.shape == (self.style_size,) and bool(np.isfinite(code).all())

    def _conditions(self, features: Features, cues: Sequence[Cue]) -> Steps[Float32]:
        """(1 + cues, S + L) style code and label one-hot: those of the clip itself, then those of the cues."""
        clips = [features, *(cue.reference for cue in _with_mixed(cues) if cue.reference is not None)]
        # By identity: variations share one reference, which need not be read again for each of them.
        different = list({id(clip): clip for clip in clips}.values())
        codes: dict[int, Float32] = {}
        for number, clip in enumerate(different):
            share = number / len(different)
            codes[id(clip)] = yield from scaled(self._style_gaussian(clip), share, share + 1.0 / len(different))
        return np.stack([self._unlabelled(codes[id(features)][0]), *(self._condition(cue, codes) for cue in cues)])

    def _condition(self, cue: Cue, codes: dict[int, Float32]) -> Float32:
        """(S + L,) of a cue, with its share of the one that it is mixed with; ``codes`` (2, S) are the references'."""
        condition = self._plain(cue, codes)
        if cue.mix is None or cue.share <= 0.0:
            return condition
        share = np.float32(min(cue.share, 1.0))
        return (np.float32(1.0) - share) * condition + share * self._condition(cue.mix, codes)

    def _plain(self, cue: Cue, codes: dict[int, Float32]) -> Float32:
        if cue.source == REFERENCE:
            gaussian = codes[id(cue.reference)]
            return self._unlabelled(_drawn(gaussian, cue.seed) if cue.drawn else gaussian[0])
        if cue.source == SAVED and cue.code is not None:
            return self._unlabelled(cue.code)
        # Every engine of every version draws the label first (RANDOM only, if there are any), then the style vector.
        draw, labels = np.random.default_rng(cue.seed), self.styles
        label = labels[int(draw.integers(len(labels)))] if cue.source == RANDOM and labels else cue.style
        vector = draw.standard_normal(self.style_size).astype(np.float32)
        return np.concatenate([vector, np.array([label == one for one in labels], dtype=np.float32)])

    def _unlabelled(self, code: Float32) -> Float32:
        return np.concatenate([code.astype(np.float32), np.zeros(len(self.styles), dtype=np.float32)])

    def _in_windows(self, features: Features, conditions: Float32) -> Steps[Float32]:
        """(K, T, WIDTH): the windows' results, one gone over into the next."""
        windows, total = cut(len(features)), np.zeros((len(conditions), *features.shape), dtype=np.float32)
        size = self._at_once or len(conditions)
        for window, share in zip(windows, shares(windows), strict=True):
            for first in range(0, len(conditions), size):
                progress = Progress((window.start + first / len(conditions)) / len(features))
                yield progress
                asked = self._network.stylize(features[window], conditions[first : first + size])
                total[first : first + size, window] += (yield from answered(asked, progress)) * share[:, None]
        return total


def _over_windows(
    features: Features, ask: Callable[[Features], Answer], read: Callable[[Float32], Float32], width: int
) -> Steps[Float32]:
    """(T, width) what ``read`` makes of a network's answers about a clip, the windows of a long one blended."""
    windows, total = cut(len(features)), np.zeros((len(features), width), dtype=np.float32)
    for window, share in zip(windows, shares(windows), strict=True):
        progress = Progress(window.start / len(features))
        yield progress
        rows = read((yield from answered(ask(features[window]), progress)))
        total[window] += rows[: len(share)] * share[:, None]
    return total


def _drawn(gaussian: Float32, seed: int) -> Float32:
    """(S,) of a style Gaussian (2, S), which counts as no wider than that of a label, N(0, 1)."""
    noise = np.random.default_rng(seed).standard_normal(gaussian.shape[1])
    return (gaussian[0] + np.minimum(gaussian[1], 1.0) * noise).astype(np.float32)


def _travelling(features: Features) -> float:
    """0 for a clip (T, WIDTH) in one place, 1 for one that travels: styles change gestures and gaits differently."""
    speed = float(np.linalg.norm(features[:, feature_slice("root_planar_velocity")], axis=-1).mean())
    return float(rise(np.array(speed), _IN_PLACE, _TRAVELLING))


def _with_mixed(cues: Sequence[Cue]) -> list[Cue]:
    """The cues and all that they are mixed with."""
    found = list(cues)
    for cue in found:
        if cue.mix is not None:
            found.append(cue.mix)
    return found
