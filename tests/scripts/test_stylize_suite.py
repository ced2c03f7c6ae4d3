# SPDX-License-Identifier: GPL-3.0-or-later
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.pipeline import LABEL, REFERENCE, StyleSettings
from core.rotations import Array
from models.bundle import read_bundle
from scripts import evaluate
from scripts.evaluation.cases import REAL, Case, Court, Outcome, Wishes, draw_cases
from scripts.evaluation.changes import Original
from scripts.evaluation.distances import frechet
from scripts.evaluation.judges import Verdict, open_bench
from scripts.evaluation.library import TEST, Library, read_clip
from scripts.evaluation.stylize.scores import HEADINGS, distances, judged, real_scores, variety_scores
from scripts.evaluation.stylize.speed import speeds
from scripts.evaluation.stylize.trials import Stage
from scripts.evaluation.stylize.variety import Variety, varieties
from tests.blender_addon.weights import STYLES

from .takes import QUICK, WALK


@pytest.fixture(scope="module")
def court(library: Library, tmp_path_factory: pytest.TempPathFactory) -> Court:
    return Court(library, open_bench(library, tmp_path_factory.mktemp("judges"), QUICK))


@pytest.fixture(scope="module")
def original() -> Original:
    return Original(read_clip(WALK))


@pytest.fixture
def stage(court: Court, library_weights: Path) -> Stage:
    # Untrained weights know nothing, so that all of the style would fade out.
    return Stage(court, read_bundle(library_weights), 1, fade=False)


def seen(style: str, content: str, features: Array) -> Verdict:
    return Verdict(style, content, features.astype(np.float32), features.astype(np.float32))


class TestChanges:
    def test_the_original_itself_has_none(self, original: Original) -> None:
        changes = original.changes(original.clip.motion)
        assert (changes.jerk, changes.path, changes.contact_f1) == pytest.approx((1.0, 1.0, 1.0), abs=1e-6)
        assert changes.geodesic == pytest.approx(0.0, abs=1e-5)
        assert changes.skate.speed == pytest.approx(changes.skate.original_speed)
        assert original.path_error(original.clip.motion) == pytest.approx(0.0, abs=1e-6)

    def test_shaking_and_sliding_are_seen(self, original: Original) -> None:
        clip = original.clip
        moved = clip.motion.locations.copy()
        root = clip.motion.skeleton.index[clip.bone_map.bones["pelvis"]]
        moved[:, root] += np.random.default_rng(0).normal(0.0, 2.0, moved[:, root].shape)
        changes = original.changes(clip.motion.with_channels(clip.motion.rotations, moved))
        assert changes.jerk > 1.5
        assert changes.skate.speed > changes.skate.original_speed + 10.0
        assert changes.contact_f1 < 0.9


class TestStage:
    def test_measures_every_case(self, stage: Stage, library: Library) -> None:
        cases = draw_cases(library, Wishes(3, 1))
        trials = list(stage.trials(cases))
        assert [trial.outcome.case for trial in trials] == cases
        # Every fifth case keeps its path, and no take is measured twice.
        assert [trial.keep_error is not None for trial in trials] == [number % 5 == 0 for number in range(6)]
        assert [trial.reconstruction is not None for trial in trials] == [True, False] * 3
        assert trials[0].keep_error == pytest.approx(0.0, abs=0.05)
        assert all(0.0 < trial.changes.geodesic < np.pi for trial in trials)
        assert all(trial.jerk_beyond > 0.0 for trial in trials)
        assert all(0.0 <= trial.predicted_f1 <= 1.0 or np.isnan(trial.predicted_f1) for trial in trials)

    def test_samples_of_a_label_differ_by_their_seed_alone(self, stage: Stage, library: Library) -> None:
        take = library.of(TEST)[0]
        settings = [StyleSettings(source=LABEL, style="elderly", seed=seed, fade=False) for seed in (1, 2, 1)]
        first, second, again = stage.samples(take, settings)
        assert np.array_equal(first.rotations, again.rotations)
        assert not np.allclose(first.rotations, second.rotations)


class TestVariety:
    def test_every_label_has_its_turn(self, stage: Stage, library: Library) -> None:
        found = list(varieties(stage, STYLES, Wishes(2, 1)))
        assert [variety.target for variety in found] == sorted(STYLES)[:2]
        takes = {take.name: take for take in library.takes}
        assert all(takes[variety.take].style != variety.target for variety in found)
        assert all(variety.samples > 0.0 and variety.real > 0.0 for variety in found)

    def test_without_labels_there_is_none(self, stage: Stage) -> None:
        assert list(varieties(stage, (), Wishes(4, 1))) == []

    def test_the_share_is_of_clips_that_have_real_takes(self) -> None:
        figures = variety_scores([Variety("a", "old", 0.1, 0.2), Variety("b", "sad", 0.5, float("nan"))])
        assert figures["share"].value == pytest.approx(0.5)
        assert figures["samples"].value == pytest.approx(0.3)


class TestScores:
    def test_accuracies_count_what_the_judges_say(self, library: Library) -> None:
        take = library.of(TEST)[0]
        unnamed = replace(take, content="")
        far = np.ones(4)
        outcomes = [
            Outcome(Case(LABEL, take, "elderly", None, 0), seen("elderly", take.content, far), None),
            Outcome(Case(LABEL, take, "elderly", None, 0), seen("normal", "other", far), None),
            Outcome(Case(LABEL, unnamed, "elderly", None, 0), seen("elderly", "other", far), None),
        ]
        figures = judged(outcomes)
        assert figures["style_accuracy"].value == pytest.approx(2.0 / 3.0)
        assert (figures["content_accuracy"].value, figures["content_accuracy"].n) == (0.5, 2)
        assert figures["expression"].n == 0

    def test_fid_is_taken_to_held_out_takes_of_the_wanted_class(self, court: Court) -> None:
        takes = court.library.of(TEST)
        outcomes = [
            Outcome(Case(LABEL, take, take.style, None, 0), court.verdict(take), None) for take in takes
        ]  # results that are the one held-out take of their class themselves
        assert distances(court, outcomes)["style_fid"].value == pytest.approx(0.0, abs=1e-6)
        shifted = [
            replace(o, verdict=replace(o.verdict, style_features=o.verdict.style_features + np.float32(0.1)))
            for o in outcomes
        ]
        width = len(outcomes[0].verdict.style_features)
        assert distances(court, shifted)["style_fid"].value == pytest.approx(0.01 * width, rel=1e-3)
        features = np.array([o.verdict.content_features for o in outcomes], dtype=np.float64)
        assert distances(court, shifted)["content_fid"].value == pytest.approx(frechet(features, features), abs=1e-6)

    def test_real_takes_are_the_measure(self, court: Court) -> None:
        pairs = court.real_pairs()
        figures = real_scores(court, pairs, pairs)
        assert figures["expression"].value == pytest.approx(1.0, abs=0.4)
        assert figures["style_fid"].value >= 0.0
        assert figures["jerk"].value > 0.0


def test_speeds_are_of_the_network_and_of_the_whole_path(library_weights: Path) -> None:
    found = speeds(read_bundle(library_weights), read_clip(WALK), 1)
    names = ("numpy", "torch", "whole path")
    assert set(found) == {*names, *(f"{name}, processor" for name in names)}
    assert all(figure.value > 0.0 for figure in found.values())


@pytest.mark.usefixtures("quick_judges")
class TestCommand:
    @pytest.fixture
    def arguments(self, takes_folder: Path, takes_dataset: Path, library_weights: Path) -> list[str]:
        folder = library_weights.parent
        given = [takes_folder, "--suite", "stylize", "--weights", library_weights, "--dataset", takes_dataset]
        given += ["--cache", folder / "cache", "--out", folder / "out", "--threads", 1, "--no-fade"]
        return [str(item) for item in given]

    def test_writes_one_table_and_one_json(
        self, arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert evaluate.main([*arguments, "--takes", "5"]) == 0
        text = (tmp_path / "out/stylize.md").read_text(encoding="utf-8")
        assert text.strip() == capsys.readouterr().out.strip()
        values = json.loads((tmp_path / "out/stylize.json").read_text(encoding="utf-8"))
        assert set(values["figures"]) == {LABEL, REFERENCE, REAL}
        # Everything is measured, on some source at least.
        assert {name for figures in values["figures"].values() for name in figures} == set(HEADINGS)
        assert all(heading in text for heading, _ in HEADINGS.values())
        assert set(values["diversity"]) == {"samples", "real", "share"}
        assert "CC0-1.0" in values["notes"]["licence of the data"]
        assert "7001" in values["notes"]["judges"]
        assert len(values["cases"]) == 10
        for figures in values["figures"].values():
            for figure in figures.values():
                assert figure["low"] - 1e-9 <= figure["value"] <= figure["high"] + 1e-9

    def test_repeats_and_narrower_cases(self, arguments: list[str], tmp_path: Path) -> None:
        narrow = ["--contents", "wave", "--styles", "elderly,normal", "--takes", "2", "--repeats", "2"]
        assert evaluate.main([*arguments, *narrow]) == 0
        values = json.loads((tmp_path / "out/stylize.json").read_text(encoding="utf-8"))
        assert {case["content"] for case in values["cases"]} == {"wave"}
        assert {case["into"] for case in values["cases"]} <= {"elderly", "normal"}
        assert values["notes"]["cases"].startswith("8 in 2 repeats")
        assert "repeats" in values["notes"]["intervals"]
