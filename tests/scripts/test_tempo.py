# SPDX-License-Identifier: GPL-3.0-or-later
from dataclasses import replace

import numpy as np
import pytest

from core.representation import FPS
from scripts.training.dataset import MotionDataset, Split, load_dataset
from scripts.training.tempo import cadence, fit_tempo, fit_tempos, log_paces, rate_of_movement, travelling_contents

from .synthetic import write_dataset

ACTIONS = (0.4, 0.7)  # Hz
STYLES = {"calm": 0.8, "old": 0.5, "proud": 1.25}
FRAMES = 150
CODE = np.array([[1.0, 0.0, 0.3], [-0.5, 1.0, 0.0], [0.2, -1.0, 0.5]])


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> MotionDataset:
    """Hands that wave once per so many seconds, in every action and style a few times; nobody travels."""
    path = tmp_path_factory.mktemp("tempo") / "data.npz"
    write_dataset(path)
    empty, rng = load_dataset(path), np.random.default_rng(0)
    kinds = [(action, style) for action in range(2) for style in range(3) for _ in range(5)]
    takes = len(kinds)
    features = np.zeros((takes, FRAMES, empty.layout.width), np.float32)
    positions = empty.layout.slice("positions")
    for take, (action, style) in enumerate(kinds):
        hertz = ACTIONS[action] * list(STYLES.values())[style] * np.exp(0.03 * rng.standard_normal())
        wave = np.sin(2.0 * np.pi * (hertz * np.arange(FRAMES) / FPS + rng.random()))
        features[take][:, positions] = rng.uniform(0.1, 1.0) * wave[:, None]
    return replace(
        empty,
        features=features.reshape(-1, empty.layout.width),
        starts=FRAMES * np.arange(takes),
        lengths=np.full(takes, FRAMES),
        content=np.array([action for action, _ in kinds]),
        style=np.array([style for _, style in kinds]),
        split=np.full(takes, Split.TRAIN),
        takes=tuple(f"take {number}" for number in range(takes)),
        style_names=tuple(STYLES),
    )


def conditions_of(dataset: MotionDataset) -> np.ndarray:
    """Style codes that are near each other within a style, and labels."""
    noise = 0.05 * np.random.default_rng(1).standard_normal((len(dataset.takes), 3))
    return np.concatenate([CODE[dataset.style] + noise, np.eye(3)[dataset.style]], axis=1).astype(np.float32)


def test_the_rate_of_movement_is_of_its_frequency_and_not_of_its_size(dataset: MotionDataset) -> None:
    for take in (0, 7, 20):
        hertz = ACTIONS[dataset.content[take]] * list(STYLES.values())[dataset.style[take]]
        assert rate_of_movement(dataset, take) == pytest.approx(2.0 * np.pi * hertz, rel=0.15)


def test_cadence_is_of_the_steps(dataset: MotionDataset) -> None:
    features = dataset.features.copy().reshape(-1, FRAMES, dataset.layout.width)
    contacts = dataset.layout.slice("contacts").start
    time = np.arange(FRAMES)
    for foot in (0, 2):
        # Each foot is down for half a second of every one and a half, the toe a little longer than the heel.
        phase = (time + 22 * (foot // 2)) % 45
        features[3][:, contacts + foot], features[3][:, contacts + foot + 1] = phase < 15, phase < 18
    walks = replace(dataset, features=features.reshape(-1, dataset.layout.width))
    assert cadence(walks, 3) == pytest.approx(2.0 / 1.5, rel=0.01)
    assert np.isnan(cadence(dataset, 3))


def test_labels_and_codes_each_tell_the_pace_alone(dataset: MotionDataset) -> None:
    conditions = conditions_of(dataset)
    tempo = fit_tempo(dataset, conditions, np.arange(len(dataset.takes))).astype(np.float64)
    rates = np.log(list(STYLES.values()))
    labels = np.concatenate([np.zeros((3, 3)), np.eye(3)], axis=1)
    codes = np.concatenate([CODE, np.zeros((3, 3))], axis=1)
    wanted = rates[:, None] - rates[None]
    np.testing.assert_allclose((labels[:, None] - labels[None]) @ tempo, wanted, atol=0.08)
    # A ridge keeps what codes say small, so that a draw of one hardly changes the pace; here they have three numbers.
    for target, own in ((labels, codes), (codes, labels), (codes, codes)):
        found = (target[:, None] - own[None]) @ tempo
        assert 0.35 < float((found * wanted).sum() / (wanted**2).sum()) < 1.1
    assert np.array_equal(np.argsort(codes @ tempo), np.argsort(rates))


def test_clips_in_place_and_clips_that_travel_have_weights_of_their_own(dataset: MotionDataset) -> None:
    takes = np.arange(len(dataset.takes))
    alone = fit_tempos(dataset, conditions_of(dataset), takes)
    np.testing.assert_array_equal(alone[0], alone[1])
    features = dataset.features.copy()
    away = np.repeat(dataset.content == 1, FRAMES)
    features[away, dataset.layout.slice("root_planar_velocity").stop - 1] = 1.0
    # The second action travels, and its styles do not change its pace.
    steady = replace(dataset, features=features)
    positions = dataset.layout.slice("positions")
    wave = np.sin(2.0 * np.pi * 0.7 * np.arange(FRAMES) / FPS)
    features[away, positions] = np.tile(wave, int((dataset.content == 1).sum()))[:, None]
    assert travelling_contents(steady).tolist() == [1]
    placed, travelling = fit_tempos(steady, conditions_of(dataset), takes).astype(np.float64)
    assert (placed[4] - placed[3]) == pytest.approx(np.log(0.5 / 0.8), abs=0.08)
    assert (travelling[4] - travelling[3]) == pytest.approx(0.0, abs=0.08)


def test_paces_of_actions_are_not_compared(dataset: MotionDataset) -> None:
    paces = log_paces(dataset, np.arange(len(dataset.takes)))
    assert np.isfinite(paces).all()
    calm = (dataset.style == 0) & (dataset.content == 0)
    old = (dataset.style == 1) & (dataset.content == 0)
    assert paces[calm].mean() - paces[old].mean() == pytest.approx(np.log(0.8 / 0.5), abs=0.05)
