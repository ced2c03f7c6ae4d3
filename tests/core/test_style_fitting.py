# SPDX-License-Identifier: GPL-3.0-or-later
"""A code is fitted to its reference: found again where it is known, kept where nothing is gained, in short steps."""

from pathlib import Path

import numpy as np
import pytest

from core.canonical import to_canonical
from core.engines import ContentRange, Features, Float32
from core.engines.engine import StyleEngine
from core.engines.numpy_engine import NumpyNetwork
from core.errors import EngineError
from core.representation import SIGNATURE, WIDTH, encode, feature_slice
from core.steps import Progress, finish
from core.style_fitting import Fitting, reach_steps, refine_code_steps
from models.bundle import read_bundle

from .characters import walk

SIZE = 6
WEIGHTS = Path(__file__).parents[2] / "models/weights/bandai-namco.safetensors"
_DIRECTIONS = np.linalg.qr(np.random.default_rng(5).standard_normal((63, SIZE)))[0].T


class PosingNetwork:
    """A style is a pose and how wide the body swings about it; the encoder sees half of the pose only."""

    styles = ("plain",)
    fps = 30.0
    layout_signature = SIGNATURE
    style_size = SIZE
    tempo: Float32 | None = None
    content_range: ContentRange | None = None

    def __init__(self) -> None:
        self.asked: list[tuple[int, int]] = []

    def style_gaussian(self, features: Features) -> Float32:
        code = (0.5 * self._posed(features)).astype(np.float32)
        return np.stack([code, np.ones_like(code)])

    def stylize(self, features: Features, conditions: Float32) -> Float32:
        self.asked.append((len(conditions), len(features)))
        result = np.repeat(features[None], len(conditions), axis=0)
        positions = features[:, feature_slice("positions")]
        swing = positions - positions.mean(axis=0)
        codes = conditions[:, :SIZE]
        swing /= swing.std()
        wide = 0.05 * np.exp(0.3 * codes[:, :1, None])
        poses = 0.1 * np.tanh(codes) @ _DIRECTIONS
        result[:, :, feature_slice("positions")] = wide * swing + poses[:, None]
        return result

    def content_code(self, _features: Features) -> Float32:
        raise EngineError("Nobody knows its range.")

    def reconstruct(self, features: Features) -> Features:
        return features

    @staticmethod
    def _posed(features: Features) -> Float32:
        mean = features[:, feature_slice("positions")].mean(axis=0)
        return np.arctanh(np.clip(mean @ _DIRECTIONS.T / 0.1, -0.99, 0.99))


class Remote:
    """The same network in another process, as far as the fit can tell: answers come after some looks."""

    def __init__(self, value: Float32) -> None:
        self.value, self.looks = value, 2

    def result(self) -> Float32 | None:
        self.looks -= 1
        return self.value if self.looks < 0 else None


class RemoteNetwork(PosingNetwork):
    """Answers later."""

    def stylize(self, features: Features, conditions: Float32) -> Remote:  # type: ignore[override]
        return Remote(super().stylize(features, conditions))


class DeafNetwork(PosingNetwork):
    """Says the same whatever the style."""

    def stylize(self, features: Features, conditions: Float32) -> Float32:
        return super().stylize(features, np.zeros_like(conditions))


CODE = np.array([0.8, -0.5, 0.3, 1.0, -1.1, 0.2], dtype=np.float32)


def reference(frames: int = 150, network: PosingNetwork | None = None) -> Features:
    """A clip in the style CODE."""
    plain = np.random.default_rng(1).standard_normal((frames, WIDTH)).astype(np.float32) * np.float32(0.05)
    return (network or PosingNetwork()).stylize(plain, np.append(CODE, 0.0)[None].astype(np.float32))[0]


def refined(network: PosingNetwork, features: Features, fitting: Fitting | None = None) -> Float32:
    return finish(refine_code_steps(features, StyleEngine(network), fitting))


@pytest.mark.parametrize("frames", [40, 150, 600, 2000])
def test_a_known_code_is_found(frames: int) -> None:
    network = PosingNetwork()
    features = reference(frames)
    seen = network.style_gaussian(features)[0]
    assert np.abs(seen - CODE).max() > 0.3
    found = refined(network, features, Fitting(nearness=1e-6, normality=0.0))
    # A long one is looked at in stretches, none of which is all of it.
    assert np.abs(found - CODE).max() < (0.05 if frames <= 600 else 0.15)
    # However long the reference, the engine is never asked for more than this at once.
    assert max(codes * length for codes, length in network.asked) <= 9 * 640


def test_a_strong_prior_keeps_the_code() -> None:
    network, features = PosingNetwork(), reference()
    seen = network.style_gaussian(features)[0]
    assert np.abs(refined(network, features, Fitting(nearness=1e6)) - seen).max() < 1e-3
    near = [np.abs(refined(network, features, Fitting(nearness=n)) - seen).max() for n in (10.0, 0.1, 0.001)]
    assert near == sorted(near)
    small = refined(network, features, Fitting(nearness=0.0, normality=100.0))
    assert np.linalg.norm(small) < 0.2 * np.linalg.norm(seen)


def test_what_cannot_be_heard_changes_nothing() -> None:
    network = DeafNetwork()
    features, fitting = reference(), Fitting(normality=0.0)
    np.testing.assert_array_equal(refined(network, features, fitting), network.style_gaussian(features)[0])


def test_another_process_makes_no_difference() -> None:
    features = reference()
    np.testing.assert_array_equal(refined(RemoteNetwork(), features), refined(PosingNetwork(), features))


def test_the_fit_is_the_same_every_time() -> None:
    features = reference()
    np.testing.assert_array_equal(refined(PosingNetwork(), features), refined(PosingNetwork(), features))


def test_progress_goes_up_and_closing_stops() -> None:
    network = RemoteNetwork()
    steps = refine_code_steps(reference(), StyleEngine(network))
    shares = [progress.share for progress in steps]
    assert len(shares) > 20
    assert shares == sorted(shares) and shares[0] >= 0.0 and shares[-1] <= 1.0
    stopped = refine_code_steps(reference(), StyleEngine(network))
    assert isinstance(next(stopped), Progress)
    asked = len(network.asked)
    stopped.close()
    assert len(network.asked) == asked


def test_reach() -> None:
    network, features = PosingNetwork(), reference()
    engine = StyleEngine(network)
    assert finish(reach_steps(features, CODE, engine)) == pytest.approx(1.0, abs=1e-4)
    assert finish(reach_steps(features, np.zeros_like(CODE), engine)) == pytest.approx(0.0, abs=1e-6)
    assert finish(reach_steps(features, -CODE, engine)) == 0.0
    assert 0.2 < finish(reach_steps(features, network.style_gaussian(features)[0], engine)) < 0.9
    # The plainest clip has nothing that could be shown.
    plain = network.stylize(features, np.zeros((1, SIZE + 1), dtype=np.float32))[0]
    assert finish(reach_steps(plain, CODE, engine)) == 1.0


def test_the_shipped_model_shows_more_with_a_fitted_code() -> None:
    engine = StyleEngine(NumpyNetwork(read_bundle(WEIGHTS)))
    features = encode(to_canonical(walk(150)).motion)[0]
    seen = finish(engine.style_code(features))
    fitted = finish(refine_code_steps(features, engine, Fitting(iterations=2)))
    reach = [finish(reach_steps(features, code, engine)) for code in (seen, fitted)]
    assert reach[1] > reach[0] + 0.02
    # Nobody has seen what the generator does with a code that is far from all of training's.
    assert np.sqrt(np.mean(np.square(fitted))) < 4.01
