# SPDX-License-Identifier: GPL-3.0-or-later
"""The style code fitted to one reference; the networks stay as they are.

The style encoder reads a code off a clip in one glance, and of a style that training never had it sees little. Fitting
asks the whole model instead: which code makes it say what the reference shows? The reference's own content code would
say much of that by itself, since some of the style is in it, and reproducing one's own clip is not what a style is for.
So the reference is first put into the plainest style there is, the middle of the prior N(0, I), and the code must
bring that back to the reference, as it will have to bring other clips there. Compared is how the body is held and how
much it moves, not only each frame, because a style does not say when a foot is lifted.

``python -m scripts.evaluation.refinement`` measures what this does to styles on clips that are not the reference.
"""

from dataclasses import dataclass

import numpy as np

from .engines import SAVED, Cue, Features, Float32
from .engines.engine import StyleEngine
from .representation import feature_slice
from .rotations import Array
from .steps import Progress, Steps, scaled

# What is compared, and by how much it differs between frames of everyday movement: metres, one, metres per second.
_UNITS = {"root_height": 0.02, "positions": 0.06, "rotations": 0.18, "velocities": 0.3}
# Frames of a longer reference that are looked at, in so many stretches; 20 seconds are one stretch.
_MOST_FRAMES, _STRETCHES = 600, 4
# The spread over time counts as much as the mean although it is smaller; the training's class statistics do the same.
_SPREAD = 2.0
# Frames, spread evenly, that are compared one by one: between them nothing new happens.
_COMPARED = 64
# Rows of a large matrix product that are done in one step: some builds of numpy multiply slowly.
_ROWS = 4096
# Of a code's coordinates, which are of size 1: small against that, large against rounding.
_NUDGE = np.float32(0.05)
# Codes that the engine is asked for at once, which bounds the memory.
_AT_ONCE = 8
# Damping of Levenberg and Marquardt that is tried in every iteration, as a share of the mean curvature.
_DAMPING = (0.0, 0.1, 1.0)
# An iteration that gains less than this share was the last.
_ENOUGH = 0.005
# Root mean square of a code, 1 in training, beyond which nobody knows what the generator does.
_FARTHEST = 4.0
# Units by which nobody sees a difference.
_NOTHING = 1e-2
_START, _ITERATIONS = 0.05, 0.95


@dataclass(frozen=True)
class Fitting:
    """How a code is fitted.

    Attributes:
        iterations: at most.
        nearness: weight of the mean square distance from the encoder's code; a residual is 1 where the body is off
            by one unit everywhere.
        normality: weight of the mean square of the code itself, which is 1 for the codes of training.
        frames: weight of the comparison frame by frame; that of mean and spread is 1.
    """

    iterations: int = 5
    nearness: float = 0.001
    normality: float = 0.003
    frames: float = 1.0


@dataclass(frozen=True)
class _Stretch:
    """Part of the reference: in the plainest style, and what it is to become."""

    plain: Features
    wanted: Float32


def refine_code_steps(features: Features, engine: StyleEngine, fitting: Fitting | None = None) -> Steps[Float32]:
    """The style code (S,) that makes the model show the style of a clip (T, WIDTH) best.

    Levenberg-Marquardt over the S coordinates, with differences for derivatives, from the mean that the style encoder
    gives. The same on every engine, up to rounding; nothing is random.

    Raises:
        PanacheError: the engine cannot answer; the message says what to do.
    """
    fitting = fitting or Fitting()
    start = yield from scaled(engine.style_code(features), 0.0, 0.5 * _START)
    target = yield from scaled(_target_steps(features, engine, fitting), 0.5 * _START, _START)
    code, residual = start, (yield from scaled(target.residual_steps(start[None]), _START, _START))[0]
    for number in range(fitting.iterations):
        share = _ITERATIONS / fitting.iterations
        begin = _START + number * share
        nudged = code + _NUDGE * np.eye(len(code), dtype=np.float32)
        ahead = yield from scaled(target.residual_steps(nudged), begin, begin + 0.85 * share)
        normal_steps = _normal_steps((ahead - residual) / float(_NUDGE), residual)
        normal = yield from scaled(normal_steps, begin + 0.85 * share, begin + 0.9 * share)
        if not all(np.isfinite(part).all() for part in normal):
            break
        proposed = _proposals(*normal, code - start, code, fitting)
        tried = _within(code + proposed)
        residuals = yield from scaled(target.residual_steps(tried), begin + 0.9 * share, begin + share)
        costs = [_cost(one, at, start, fitting) for one, at in zip(residuals, tried, strict=True)]
        before, best = _cost(residual, code, start, fitting), int(np.argmin(costs))
        if not costs[best] < before:
            break
        code, residual = tried[best], residuals[best]
        if costs[best] > (1.0 - _ENOUGH) * before:
            break
    return code


def reach_steps(features: Features, code: Float32, engine: StyleEngine) -> Steps[float]:
    """How much of what sets a clip (T, WIDTH) apart the model shows with a code: 1 all of it, 0 nothing, at least 0.

    Without a style of its own there is nothing to be shown; that counts as all of it.
    """
    target = yield from scaled(_target_steps(features, engine, Fitting()), 0.0, 0.5)
    both = np.stack([np.zeros_like(code), code])
    plain, styled = np.linalg.norm((yield from scaled(target.residual_steps(both), 0.5, 1.0)), axis=-1)
    return float(max(1.0 - styled / plain, 0.0)) if plain > _NOTHING else 1.0


@dataclass(frozen=True)
class _Target:
    """What the code is fitted to."""

    engine: StyleEngine
    stretches: list[_Stretch]
    frames: float

    def residual_steps(self, codes: Float32) -> Steps[Array]:
        """(K, R) how far the stretches in the style of each code (K, S) are from the reference, in units per number."""
        parts: list[Array] = []
        for number, stretch in enumerate(self.stretches):
            rows: list[Array] = []
            for first in range(0, len(codes), _AT_ONCE):
                begin = (number + first / len(codes)) / len(self.stretches)
                end = begin + min(_AT_ONCE, len(codes) - first) / len(codes) / len(self.stretches)
                cues = [Cue(SAVED, code=code) for code in codes[first : first + _AT_ONCE]]
                styled = yield from scaled(self.engine.stylize(stretch.plain, cues), begin, end)
                rows += [self._compared(one, stretch.wanted) for one in styled[1]]
            parts.append(np.stack(rows))
        return np.concatenate(parts, axis=-1) / np.sqrt(len(self.stretches))

    def _compared(self, styled: Features, wanted: Float32) -> Array:
        shown = _in_units(styled)
        held = (shown.mean(axis=0) - wanted.mean(axis=0), _SPREAD * (shown.std(axis=0) - wanted.std(axis=0)))
        parts = [np.concatenate(held)]
        if self.frames > 0.0:
            parts.append(np.sqrt(self.frames) * (shown - wanted)[:: max(len(shown) // _COMPARED, 1)].ravel())
        return np.concatenate([part / np.sqrt(part.size) for part in parts]).astype(np.float64)


def _target_steps(features: Features, engine: StyleEngine, fitting: Fitting) -> Steps[_Target]:
    plainest = Cue(SAVED, code=np.zeros(engine.style_size, dtype=np.float32))
    chosen, stretches = _stretches(len(features)), list[_Stretch]()
    for number, frames in enumerate(chosen):
        asked = engine.stylize(features[frames], [plainest])
        plain = (yield from scaled(asked, number / len(chosen), (number + 1) / len(chosen)))[1][0]
        stretches.append(_Stretch(plain, _in_units(features[frames])))
    return _Target(engine, stretches, fitting.frames)


def _stretches(frames: int) -> list[slice]:
    """The parts of a reference that are looked at, spread evenly over a long one."""
    if frames <= _MOST_FRAMES:
        return [slice(0, frames)]
    size = _MOST_FRAMES // _STRETCHES
    starts = np.linspace(0, frames - size, _STRETCHES).astype(int).tolist()
    return [slice(start, start + size) for start in starts]


def _in_units(features: Features) -> Float32:
    """(T, C) what is compared of a clip."""
    parts = [features[:, feature_slice(name)] / np.float32(unit) for name, unit in _UNITS.items()]
    return np.concatenate(parts, axis=-1)


def _within(codes: Float32) -> Float32:
    """Codes (K, S), those that are too large brought back."""
    size = np.sqrt(np.mean(np.square(codes), axis=-1, keepdims=True))
    return codes * (np.float32(_FARTHEST) / np.maximum(size, np.float32(_FARTHEST)))


def _cost(residual: Array, code: Float32, start: Float32, fitting: Fitting) -> float:
    away, size = np.mean(np.square(code - start)), np.mean(np.square(code))
    cost = float(residual @ residual + fitting.nearness * away + fitting.normality * size)
    return cost if np.isfinite(cost) else np.inf


def _normal_steps(jacobian: Array, residual: Array) -> Steps[tuple[Array, Array]]:
    """(S, S) curvature and (S,) slope of the squares of residuals (R,) with these derivatives (S, R)."""
    curvature, slope = np.zeros((len(jacobian), len(jacobian))), np.zeros(len(jacobian))
    for first in range(0, len(residual), _ROWS):
        yield Progress(first / len(residual))
        part = jacobian[:, first : first + _ROWS]
        curvature += part @ part.T
        slope += part @ residual[first : first + _ROWS]
    return curvature, slope


def _proposals(curvature: Array, slope: Array, away: Float32, code: Float32, fitting: Fitting) -> Float32:
    """(K, S) steps: of Gauss and Newton, shorter ones in its direction, and ones that go downhill more."""
    size = len(code)
    curvature = curvature + (fitting.nearness + fitting.normality) / size * np.eye(size)
    slope = slope + (fitting.nearness * away + fitting.normality * code) / size
    mean = np.trace(curvature) / size
    # A model that answers the same to every code has no curvature, and no step either.
    steps = [-np.linalg.lstsq(curvature + damping * mean * np.eye(size), slope, rcond=None)[0] for damping in _DAMPING]
    return np.stack([*steps, 0.5 * steps[0]]).astype(np.float32)
