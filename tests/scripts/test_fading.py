# SPDX-License-Identifier: GPL-3.0-or-later
"""Bounds of the fade: fitted by one rule, written with the weights, and where there is not a single label, too."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.engines import Cue, Features, Float32
from core.engines.engine import StyleEngine
from core.out_of_range import witnesses_steps
from core.representation import SIGNATURE, WIDTH, encode, feature_slice, split
from core.rotations import from_axis_angle, from_sixd, multiply, to_sixd
from core.skeleton import JOINT_COUNT
from core.steps import finish
from models.bundle import ContentRange, FadeBounds, read_bundle
from models.runtime import TorchNetwork
from scripts import train
from scripts.evaluation import known_motion
from scripts.training import fading
from scripts.training.dataset import MotionDataset, Split, load_dataset
from tests.blender_addon.weights import write_test_weights
from tests.core.characters import walk

from .synthetic import SMALL, TAKES

TAKE_FRAMES = 40
NONSENSE_DEGREES, NONSENSE_DISTANCE = 40.0, 8.0
HEIGHT, YAW = feature_slice("root_height"), feature_slice("root_yaw_velocity")


class SayingNetwork:
    """Bends a take by as many degrees as it is high, and puts it as far away as it turns; nonsense it knows at once."""

    styles = ()
    fps = 30.0
    layout_signature = SIGNATURE
    style_size = 1
    software = "none"
    tempo: Float32 | None = None
    content_range: ContentRange | None = ContentRange(np.zeros(1, np.float32), np.eye(1, dtype=np.float32))

    def style_gaussian(self, _features: Features) -> Any:
        return np.zeros((2, 1), np.float32)

    def stylize(self, features: Features, conditions: Float32) -> Any:
        return np.repeat(features[None], len(conditions), axis=0)

    def reconstruct(self, features: Features) -> Any:
        degrees = features[:, HEIGHT] if len(features) == TAKE_FRAMES else np.full((len(features), 1), NONSENSE_DEGREES)
        joints = from_sixd(split(features)["rotations"].reshape(len(features), JOINT_COUNT, -1))
        turn = from_axis_angle(np.array([0.0, 0.0, 1.0]), np.radians(degrees))
        bent = features.copy()
        bent[:, feature_slice("rotations")] = to_sixd(multiply(turn, joints)).reshape(len(features), -1)
        return bent

    def content_code(self, features: Features) -> Any:
        away = features[::4, YAW] if len(features) == TAKE_FRAMES else np.full((75, 1), NONSENSE_DISTANCE)
        return away.astype(np.float32)


def takes(degrees: list[float], distances: list[float]) -> Iterator[Features]:
    for bend, away in zip(degrees, distances, strict=True):
        clip = encode(walk(TAKE_FRAMES))[0]
        clip[:, HEIGHT], clip[:, YAW] = bend, away
        yield clip


def fitted(degrees: list[float], distances: list[float]) -> FadeBounds:
    return fading.fit_bounds(StyleEngine(SayingNetwork()), takes(degrees, distances))


def test_half_of_the_nonsense_lies_above_the_bounds() -> None:
    found = fitted([5.0] * 9 + [24.0], [1.0] * 10)
    assert found.bend == pytest.approx((25.0, 40.0), rel=1e-3)
    assert found.distance == pytest.approx((5.0, 8.0), rel=1e-3)


def test_what_takes_show_pushes_the_bounds_up_but_for_a_few_frames() -> None:
    found = fitted([5.0] * 90 + [30.0] * 10, [1.0] * 98 + [9.0] * 2)
    assert found.bend == pytest.approx((30.0, 48.0), rel=1e-3)
    assert found.distance == pytest.approx((5.0, 8.0), rel=1e-3)


def test_a_glitch_of_a_frame_does_not_count() -> None:
    clips = list(takes([5.0] * 10, [1.0] * 10))
    for clip in clips:
        clip[[10, 28], HEIGHT] = 60.0
    found = fading.fit_bounds(StyleEngine(SayingNetwork()), clips)
    assert found.bend[0] == pytest.approx(25.0, rel=1e-3)


def test_without_takes_or_range_there_are_no_bounds() -> None:
    with pytest.raises(ValueError, match="there are none"):
        fitted([], [])
    network = SayingNetwork()
    network.content_range = None
    with pytest.raises(ValueError, match="do not know where"):
        fading.fit_bounds(StyleEngine(network), takes([5.0], [1.0]))


@pytest.mark.parametrize(("splits", "asked"), [({}, Split.VALIDATION), ({Split.VALIDATION: Split.TEST}, Split.TRAIN)])
def test_takes_that_training_did_not_see_are_asked(
    folder: Path, monkeypatch: pytest.MonkeyPatch, splits: dict[Split, Split], asked: Split
) -> None:
    dataset = load_dataset(folder / "data.npz")
    dataset = replace(dataset, split=np.array([splits.get(Split(one), one) for one in dataset.split]))
    seen: list[int] = []

    def fit(_engine: StyleEngine, clips: Iterator[Features]) -> FadeBounds:
        seen.extend(take_of(clip, dataset) for clip in clips)
        return FadeBounds((1.0, 2.0), (3.0, 4.0))

    monkeypatch.setattr(fading, "fit_bounds", fit)
    bundle = fading.with_bounds(read_bundle(write_test_weights(folder / "plain.safetensors")), dataset)
    assert sorted(seen) == dataset.indices(asked).tolist()
    assert len(seen) > 1
    assert [bundle.tensors[name].tolist() for name in ("range.bend", "range.distance")] == [[1.0, 2.0], [3.0, 4.0]]


def take_of(clip: Features, dataset: MotionDataset) -> int:
    return next(take for take in range(TAKES) if np.array_equal(dataset.take(take), clip))


def test_training_without_a_single_label_makes_a_bundle_that_runs(folder: Path) -> None:
    with np.load(folder / "data.npz") as data:
        nobody = np.full(TAKES, -1, np.int16)
        np.savez(folder / "nameless.npz", **{**data, "style": nobody, "style_names": np.array([], dtype="<U1")})
    settings = folder / "unsupervised.toml"
    settings.write_text(SMALL + "[swaps]\nsupervised = false\n[discovery]\nactions = 3\nstyles = 4\nframes = 50\n")
    files = ["--data", str(folder / "nameless.npz"), "--settings", str(settings), "--out", str(folder / "nameless")]
    target = folder / "nameless.safetensors"
    assert train.main([*files, "--weights", str(target), "--device", "cpu", "--threads", "1", "--steps", "2"]) == 0
    bundle, dataset = read_bundle(target), load_dataset(folder / "nameless.npz")
    assert (bundle.info.styles, bundle.config.style_count, bundle.tempo) == ((), 0, None)
    engine = StyleEngine(TorchNetwork(bundle, "cpu", 1))
    cues = [Cue("REFERENCE", reference=dataset.take(2)), Cue("RANDOM", seed=1)]
    for styled in finish(engine.stylize(dataset.take(1), cues))[1]:
        assert styled.shape == (dataset.lengths[1], WIDTH) and np.isfinite(styled).all()


def test_training_writes_bounds_that_its_own_weights_are_judged_by(folder: Path) -> None:
    files = ["--data", str(folder / "data.npz"), "--settings", str(folder / "small.toml"), "--out", str(folder / "own")]
    target = folder / "own.safetensors"
    assert train.main([*files, "--weights", str(target), "--device", "cpu", "--threads", "1", "--steps", "2"]) == 0
    bundle, dataset = read_bundle(target), load_dataset(folder / "data.npz")
    engine = StyleEngine(TorchNetwork(bundle, "cpu", 1))
    assert engine.fade_bounds is not None
    # Weights are kept in half precision, the bounds were fitted before.
    again = fading.fit_bounds(engine, [dataset.take(int(take)) for take in dataset.indices(Split.VALIDATION)])
    assert engine.fade_bounds.bend == pytest.approx(again.bend, rel=1e-2)
    assert engine.fade_bounds.distance == pytest.approx(again.distance, rel=1e-2)
    assert finish(witnesses_steps(dataset.take(1), engine)).bounds == engine.fade_bounds


def test_bounds_are_written_into_older_weights(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    target = write_test_weights(folder / "older.safetensors")
    command = ["known_motion", str(folder / "data.npz"), "--weights", str(target)]
    monkeypatch.setattr("sys.argv", command)
    known_motion.main()
    assert "bounds: those of core.out_of_range" in capsys.readouterr().out
    assert read_bundle(target).content_range is None
    monkeypatch.setattr("sys.argv", [*command, "--write"])
    known_motion.main()
    bundle, said = read_bundle(target), capsys.readouterr().out
    assert bundle.content_range is not None and bundle.content_range.bounds is not None
    assert "bounds: FadeBounds" in said and "T-pose upside down" in said
