# SPDX-License-Identifier: GPL-3.0-or-later
"""What is the same for every engine: cues, mixtures, seeds, windows, waiting."""

from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.engines import ContentRange, Cue, Features, Float32
from core.engines.engine import StyleEngine
from core.engines.windows import OVERLAP, WINDOW, cut, shares
from core.errors import EngineError, InvalidMotionError, PanacheError, UnknownStyleError
from core.representation import SIGNATURE, WIDTH, feature_slice
from core.steps import Progress, finish

STYLES = ("calm", "wild", "old")
SIZE = 4


class AddingNetwork:
    """A network whose result can be reckoned up: the clip plus a column of each condition; its style is its mean.

    A window more or less must not be noticed then, so that the driver alone is tested.
    """

    styles = STYLES
    fps = 30.0
    layout_signature = SIGNATURE
    style_size = SIZE
    tempo: Float32 | None = None
    content_range: ContentRange | None = None

    def __init__(self) -> None:
        self.asked: list[Float32] = []
        self.longest = 0

    def style_gaussian(self, features: Features) -> Any:
        self.longest = max(self.longest, len(features))
        return np.stack([features[:, :SIZE].mean(axis=0), np.full(SIZE, 0.5, dtype=np.float32)])

    def stylize(self, features: Features, conditions: Float32) -> Any:
        self.longest = max(self.longest, len(features))
        self.asked.append(conditions)
        return features[None] + conditions.sum(axis=-1)[:, None, None]

    def reconstruct(self, features: Features) -> Any:
        return 2.0 * features

    def content_code(self, features: Features) -> Any:
        return features[::4, :SIZE]


class Parcel:
    """An answer that arrives after some looks into the letter box."""

    def __init__(self, content: Float32, looks: int) -> None:
        self.content, self.looks = content, looks

    def result(self) -> Float32 | None:
        self.looks -= 1
        return self.content if self.looks < 0 else None


class DistantNetwork(AddingNetwork):
    """The same, computed elsewhere."""

    def style_gaussian(self, features: Features) -> Any:
        return Parcel(super().style_gaussian(features), 2)

    def stylize(self, features: Features, conditions: Float32) -> Any:
        return Parcel(super().stylize(features, conditions), 3)

    def reconstruct(self, features: Features) -> Any:
        return Parcel(super().reconstruct(features), 1)

    def content_code(self, features: Features) -> Any:
        return Parcel(super().content_code(features), 2)


@dataclass(frozen=True)
class Known:
    """Where content codes usually lie."""

    mean: Float32
    whitening: Float32
    bounds: None = None


class BrokenNetwork(AddingNetwork):
    """A network that dies while it computes."""

    def stylize(self, _features: Features, _conditions: Float32) -> Any:
        class Lost:
            def result(self) -> Float32 | None:
                raise EngineError("The worker stopped: try again.")

        return Lost()


def noise(frames: int, seed: int = 0) -> Features:
    return np.random.default_rng(seed).standard_normal((frames, WIDTH)).astype(np.float32)


def stylized(cues: list[Cue], frames: int = 40, network: AddingNetwork | None = None) -> list[Features]:
    return finish(StyleEngine(network or AddingNetwork()).stylize(noise(frames), cues))[1]


def condition(cue: Cue) -> Float32:
    network = AddingNetwork()
    stylized([cue], network=network)
    return network.asked[0][1]


@given(st.integers(1, 40_000))
@settings(deadline=None)
def test_windows_cover_every_frame_once(frames: int) -> None:
    windows = cut(frames)
    total = np.zeros(frames)
    for window, share in zip(windows, shares(windows), strict=True):
        assert window.stop - window.start == len(share)
        assert share.min() >= 0.0
        total[window] += share
    np.testing.assert_allclose(total, 1.0, atol=1e-6)
    assert windows[0].start == 0 and windows[-1].stop == frames
    if frames > WINDOW:
        assert all(WINDOW <= window.stop - window.start < WINDOW + 16 for window in windows)
        assert all(a.stop - b.start >= OVERLAP for a, b in zip(windows[:-1], windows[1:], strict=True))
        assert len(windows) <= frames / (WINDOW - OVERLAP - 16) + 1


def test_windows_go_over_without_a_corner() -> None:
    windows = cut(3000)
    for window, share in zip(windows, shares(windows), strict=True):
        whole = np.zeros(3000)
        whole[window] = share
        inner = whole[1:-1] if window.start and window.stop < 3000 else whole[window][2:-2]
        assert np.abs(np.diff(inner, 2)).max() < 6.0 / OVERLAP**2


@pytest.mark.parametrize("frames", [8, WINDOW, WINDOW + 1, 5000])
def test_long_clips_are_what_their_windows_are(frames: int) -> None:
    clip, network = noise(frames), AddingNetwork()
    engine = StyleEngine(network)
    own, (styled,) = finish(engine.stylize(clip, [Cue("LABEL", "wild", seed=3)]))
    assert network.longest < WINDOW + 16
    np.testing.assert_allclose(own - clip, network.asked[0][0].sum(), atol=1e-5)
    np.testing.assert_allclose(styled - clip, network.asked[0][1].sum(), atol=1e-5)
    np.testing.assert_allclose(finish(engine.reconstruct(clip)), 2.0 * clip, rtol=1e-5)
    # The style of a clip is that of all of it, in every window.
    assert all(np.array_equal(asked, network.asked[0]) for asked in network.asked)


def test_a_long_clips_style_counts_its_frames_alike() -> None:
    slope = np.repeat(np.linspace(0.0, 1.0, 6000, dtype=np.float32)[:, None], WIDTH, axis=1)
    np.testing.assert_allclose(finish(StyleEngine(AddingNetwork()).style_code(slope)), 0.5, atol=0.01)


def test_what_is_drawn_from_the_seed_and_in_which_order() -> None:
    """The order that results of earlier versions were made with."""
    for source in ("LABEL", "RANDOM"):
        draw = np.random.default_rng(11)
        label = int(draw.integers(len(STYLES))) if source == "RANDOM" else 1
        expected = np.concatenate([draw.standard_normal(SIZE).astype(np.float32), np.eye(len(STYLES))[label]])
        np.testing.assert_array_equal(condition(Cue(source, "wild", seed=11)), expected.astype(np.float32))
    assert not np.array_equal(condition(Cue("LABEL", "wild", seed=1)), condition(Cue("LABEL", "wild", seed=2)))


def test_a_reference_and_its_saved_code_are_one_style() -> None:
    reference = noise(70, 5)
    code = finish(StyleEngine(AddingNetwork()).style_code(reference))
    given_code = condition(Cue("SAVED", code=code))
    np.testing.assert_array_equal(condition(Cue("REFERENCE", reference=reference)), given_code)
    assert not given_code[SIZE:].any()


CUES = {
    "label": Cue("LABEL", "wild", seed=3),
    "other label": Cue("LABEL", "old", seed=3),
    "reference": Cue("REFERENCE", reference=noise(50, 7)),
    "saved": Cue("SAVED", code=np.arange(SIZE, dtype=np.float32)),
}


@pytest.mark.parametrize("first", CUES)
@pytest.mark.parametrize("second", CUES)
def test_mixtures_go_from_the_one_style_to_the_other(first: str, second: str) -> None:
    one, other = CUES[first], CUES[second]
    ends = [replace(one, mix=other, share=share) for share in (0.0, 1.0)]
    np.testing.assert_array_equal(condition(ends[0]), condition(one))
    np.testing.assert_array_equal(condition(ends[1]), condition(other))
    middle = condition(replace(one, mix=other, share=0.5))
    np.testing.assert_allclose(middle, 0.5 * (condition(one) + condition(other)), atol=1e-6)


def test_styles_together_are_what_each_is_alone() -> None:
    cues = list(CUES.values())
    for at_once in (None, 1, 3):
        engine = StyleEngine(AddingNetwork(), at_once)
        together = finish(engine.stylize(noise(700), cues))[1]
        for cue, result in zip(cues, together, strict=True):
            np.testing.assert_allclose(result, stylized([cue], 700)[0], atol=1e-6)


def test_one_reference_is_read_once() -> None:
    class Counting(AddingNetwork):
        read = 0

        def style_gaussian(self, features: Features) -> Any:
            self.read += 1
            return super().style_gaussian(features)

    network, reference = Counting(), noise(30)
    stylized([Cue("REFERENCE", reference=reference, seed=seed) for seed in range(5)], network=network)
    assert network.read == 2


def test_a_style_is_drawn_around_its_reference() -> None:
    reference = noise(700)
    cue = Cue("REFERENCE", reference=reference, seed=3)
    drawn = [condition(replace(cue, drawn=True, seed=seed))[:SIZE] for seed in range(400)]
    assert np.array_equal(drawn[3], condition(replace(cue, drawn=True))[:SIZE])
    own = condition(cue)
    assert np.array_equal(own, condition(replace(cue, seed=4))) and not own[SIZE:].any()
    np.testing.assert_allclose(np.mean(drawn, axis=0), own[:SIZE], atol=0.1)
    np.testing.assert_allclose(np.std(drawn, axis=0), 0.5, atol=0.06)


def steps_of(steps: Generator[Progress, None, Any]) -> tuple[list[float], Any]:
    found: list[float] = []
    while True:
        try:
            found.append(next(steps).share)
        except StopIteration as end:
            return found, end.value


def test_answers_from_elsewhere_are_waited_for_step_by_step() -> None:
    clip, cues = noise(2000), list(CUES.values())
    here, (own, results) = steps_of(StyleEngine(AddingNetwork()).stylize(clip, cues))
    away, (own_away, results_away) = steps_of(StyleEngine(DistantNetwork()).stylize(clip, cues))
    np.testing.assert_array_equal(own_away, own)
    for a, b in zip(results_away, results, strict=True):
        np.testing.assert_array_equal(a, b)
    windows = len(cut(2000))
    assert len(away) - len(here) == 3 * windows + 2 * (windows + 1)
    for shares_of in (here, away):
        assert all(a <= b <= 1.0 for a, b in zip(shares_of[:-1], shares_of[1:], strict=True))


@pytest.mark.parametrize("frames", [5, 8, WINDOW, 2001])
def test_content_is_compared_with_trainings_frame_by_frame(frames: int) -> None:
    clip, mixing = noise(frames), noise(SIZE, 3)[:, :SIZE]
    known = Known(noise(1, 5)[0, :SIZE], mixing)
    for network in (AddingNetwork(), DistantNetwork()):
        assert finish(StyleEngine(network).content_distance(clip)) is None
        network.content_range = known
        found = finish(StyleEngine(network).content_distance(clip))
        code = clip[::4, :SIZE].repeat(4, axis=0)[:frames]
        expected = np.linalg.norm((code - known.mean) @ mixing.T, axis=-1) / SIZE**0.5
        np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_what_breaks_elsewhere_is_said() -> None:
    with pytest.raises(EngineError, match="worker stopped"):
        stylized([Cue("RANDOM")], network=BrokenNetwork())


@pytest.mark.parametrize(
    ("cue", "error", "says"),
    [
        (Cue("LABEL", "sad"), UnknownStyleError, "calm, wild, old"),
        (Cue("LABEL"), UnknownStyleError, "calm, wild, old"),
        (Cue("RANDOM", mix=Cue("LABEL", "sad"), share=0.5), UnknownStyleError, "sad"),
        (Cue("REFERENCE"), InvalidMotionError, "reference action"),
        (Cue("SAVED"), EngineError, "another model"),
        (Cue("SAVED", code=np.zeros(SIZE + 1, dtype=np.float32)), EngineError, "another model"),
        (Cue("SAVED", code=np.full(SIZE, np.nan, dtype=np.float32)), EngineError, "another model"),
        (Cue("MAGIC"), InvalidMotionError, "another version"),
    ],
)
def test_cues_that_cannot_be_used_are_refused(cue: Cue, error: type[PanacheError], says: str) -> None:
    network = AddingNetwork()
    with pytest.raises(error, match=says):
        stylized([CUES["label"], cue], network=network)
    assert not network.asked


def rates(cues: list[Cue], tempo: Float32 | None, clip: Features) -> list[float]:
    network = AddingNetwork()
    network.tempo = tempo
    return finish(StyleEngine(network).rates(clip, cues))


def test_rates_are_what_separates_two_conditions() -> None:
    clip, tempo = noise(40), np.linspace(-0.2, 0.3, SIZE + len(STYLES), dtype=np.float32)
    own = np.append(clip[:, :SIZE].mean(axis=0), np.zeros(len(STYLES)))
    for cue in CUES.values():
        wanted = np.exp(np.clip((condition(cue) - own) @ tempo, -np.log(2.0), np.log(2.0)))
        assert rates([cue], tempo, clip)[0] == pytest.approx(wanted, rel=1e-5)
    assert rates(list(CUES.values()), None, clip) == [1.0] * len(CUES)
    assert rates([CUES["reference"]], 1000.0 * tempo, clip)[0] in (pytest.approx(0.5), pytest.approx(2.0))
    assert rates([Cue("REFERENCE", reference=clip)], tempo, clip) == [1.0]


def test_gestures_and_gaits_have_rates_of_their_own() -> None:
    rows = np.zeros((2, SIZE + len(STYLES)), dtype=np.float32)
    rows[:, SIZE + STYLES.index("old")] = np.log([0.5, 1.1])
    clip = noise(40)
    for speed, wanted in ((0.0, 0.5), (1.2, 1.1), (0.35, np.sqrt(0.5 * 1.1))):
        clip[:, feature_slice("root_planar_velocity")] = (speed, 0.0)
        assert rates([CUES["other label"]], rows, clip)[0] == pytest.approx(wanted, rel=1e-5)


def test_rates_of_unusable_cues_are_refused() -> None:
    with pytest.raises(UnknownStyleError):
        rates([Cue("LABEL", "sad")], np.zeros(SIZE + len(STYLES), dtype=np.float32), noise(30))
