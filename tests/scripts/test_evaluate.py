# SPDX-License-Identifier: GPL-3.0-or-later
import json
import sys
import zipfile
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from core.kinematics import joint_positions
from core.pipeline import LABEL, REFERENCE
from core.rotations import from_axis_angle, rotate, yaw_quaternion
from core.skeleton import CANONICAL, INDEX, JOINT_COUNT, PARENTS
from models.bundle import BundleError, read_bundle, write_bundle
from scripts import benchmark, evaluate
from scripts.evaluation.blender_suite import BlenderError, BlenderJob, newest_zip, run_in_blender
from scripts.evaluation.cases import Case, Court, Wishes, check_held_out, draw_cases
from scripts.evaluation.figures import Figure, mean, median, ratio, repeated, share
from scripts.evaluation.joints import complete, rig_joints, stance
from scripts.evaluation.judges import Judge, judge_input, open_bench
from scripts.evaluation.library import TEST, TRAIN, Library, Take, load_library, read_clip
from scripts.evaluation.measures import MEASURES, StyleScale, fit_scale, measure
from tests.blender_addon.weights import STYLES

from .takes import CONTENTS, QUICK, WALK, write_weights

UP = np.array([0.0, 1.0, 0.0])


@pytest.fixture(scope="module")
def walk() -> np.ndarray:
    clip = read_clip(WALK)
    return rig_joints(clip.motion, clip.bone_map)


def posed(**turns: tuple[tuple[float, float, float], float]) -> np.ndarray:
    """(20, 22, 3) joints of a still T-pose in which some joints and all below them are turned: axis, degrees."""
    rotations = np.zeros((JOINT_COUNT, 4))
    rotations[:, 0] = 1.0
    for name, (axis, degrees) in turns.items():
        below = {INDEX[name]}
        for joint, parent in enumerate(PARENTS):
            if parent in below:
                below.add(joint)
        rotations[sorted(below)] = from_axis_angle(np.array(axis), np.radians(degrees))
    joints = joint_positions(np.array([0.0, 0.9, 0.0]), rotations, CANONICAL.offsets)
    return np.broadcast_to(joints, (20, JOINT_COUNT, 3)).copy()


def value(joints: np.ndarray, name: str) -> float:
    return float(measure(joints)[MEASURES.index(name)])


class TestJoints:
    def test_are_the_heads_of_the_bones(self) -> None:
        clip = read_clip(WALK)
        joints = rig_joints(clip.motion, clip.bone_map)
        _, heads = clip.motion.world()
        knee = heads[:, clip.motion.skeleton.index[clip.bone_map.bones["left_knee"]]]
        assert np.allclose(joints[:, INDEX["left_knee"]], knee, atol=1e-4)

    def test_a_joint_without_a_bone_lies_between_its_neighbours(self) -> None:
        known = {"pelvis": np.zeros((1, 3)), "spine1": UP[None], "spine3": 2 * UP[None]}
        assert np.allclose(complete(known)[0, INDEX["spine2"]], [0.0, 1.5, 0.0])

    def test_stance_stands_over_the_origin_and_looks_ahead(self, walk: np.ndarray) -> None:
        seen = stance(walk)
        pelvis = seen.joints[:, INDEX["pelvis"]]
        across = seen.joints[:, INDEX["left_hip"]] - seen.joints[:, INDEX["right_hip"]]
        assert np.allclose(pelvis[:, [0, 2]], 0.0)
        assert (across[:, 0] > 0.8 * np.linalg.norm(across, axis=-1)).all()
        assert seen.travel[:, 1].mean() > 0.8


class TestMeasures:
    def test_there_are_eighteen(self, walk: np.ndarray) -> None:
        assert measure(walk).shape == (len(MEASURES),) == (18,)

    def test_place_and_heading_do_not_matter(self, walk: np.ndarray) -> None:
        moved = rotate(yaw_quaternion(np.array(2.0)), walk) + np.array([3.0, 0.4, -5.0])
        assert np.allclose(measure(moved), measure(walk), atol=1e-6)

    @pytest.mark.parametrize(
        ("bone", "axis", "name"), [("left_elbow", (0, -1, 0), "elbow"), ("left_knee", (1, 0, 0), "knee")]
    )
    def test_a_bent_joint_is_seen(self, bone: str, axis: tuple[float, float, float], name: str) -> None:
        straight, bent = posed(), posed(**{bone: (axis, 60.0)})
        assert value(straight, f"{name} bend") == pytest.approx(0.0, abs=1e-3)
        assert value(bent, f"{name} bend") == pytest.approx(30.0, abs=1e-3)

    def test_a_bow_is_a_forward_lean(self) -> None:
        bow = posed(spine1=((1.0, 0.0, 0.0), 30.0))
        assert value(bow, "trunk lean") > value(posed(), "trunk lean") + 15.0
        assert value(bow, "head height") < value(posed(), "head height")

    def test_speed_is_metres_per_second(self) -> None:
        walking = posed()
        walking[..., 2] += (np.arange(20) * 1.2 / 30.0)[:, None]
        assert value(walking, "speed") == pytest.approx(1.2)
        assert value(walking, "energy") == pytest.approx(0.0, abs=1e-6)


class TestExpression:
    @pytest.fixture
    def scale(self) -> StyleScale:
        rng = np.random.default_rng(0)
        classes = {("walk", style): rng.normal(4.0 * k, 1.0, (50, 18)) for k, style in enumerate(("old", "proud"))}
        return fit_scale(classes)

    def test_nothing_done_is_zero(self, scale: StyleScale) -> None:
        before = np.arange(18.0)
        step = scale.step(before, before, "walk", ("old", "proud"))
        assert (step.expression, step.off) == (0.0, 0.0)

    @pytest.mark.parametrize("amount", [-0.5, 0.4, 1.0, 1.5])
    def test_expression_is_the_share_of_the_way(self, scale: StyleScale, amount: float) -> None:
        before = np.arange(18.0)
        way = scale.means["walk", "proud"] - scale.means["walk", "old"]
        step = scale.step(before, before + amount * way, "walk", ("old", "proud"))
        assert step.expression == pytest.approx(amount)
        assert step.off == pytest.approx(0.0, abs=1e-6)

    def test_off_is_what_went_elsewhere(self, scale: StyleScale) -> None:
        way = (scale.means["walk", "proud"] - scale.means["walk", "old"]) / scale.spread
        across = np.zeros(18)
        across[:2] = way[1], -way[0]
        across *= 0.5 * np.linalg.norm(way) / np.linalg.norm(across)
        step = scale.step(np.zeros(18), across * scale.spread, "walk", ("old", "proud"))
        assert step.expression == pytest.approx(0.0, abs=1e-9)
        assert step.off == pytest.approx(0.5)


class TestJudges:
    def test_what_follows_a_clips_end_does_not_count(self) -> None:
        torch.manual_seed(0)
        judge = Judge(5, 3, QUICK).eval()
        clip = torch.randn(1, 40, 5)
        longer = torch.cat([clip, torch.full((1, 24, 5), 9.0)], dim=1)
        assert torch.allclose(judge(clip, torch.tensor([40])), judge(longer, torch.tensor([40])), atol=1e-5)

    def test_input_is_blind_to_place_and_heading(self, walk: np.ndarray) -> None:
        moved = rotate(yaw_quaternion(np.array(-1.0)), walk) + np.array([1.0, 0.0, 2.0])
        assert np.allclose(judge_input(moved), judge_input(walk), atol=1e-4)

    def test_learn_to_tell_styles_apart(self, library: Library, tmp_path: Path) -> None:
        bench = open_bench(library, tmp_path, replace(QUICK, steps=80, batch=16, width=16))
        verdicts = [bench.judge(library.joints_of(take)).style == take.style for take in library.of(TEST)]
        assert np.mean(verdicts) >= 0.75

    def test_are_trained_once(self, library: Library, tmp_path: Path) -> None:
        first = open_bench(library, tmp_path, QUICK)
        written = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
        again = open_bench(library, tmp_path, QUICK)
        assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == written
        for name, tensor in first.style.state_dict().items():
            assert torch.equal(tensor, again.style.state_dict()[name])

    def test_other_settings_are_other_judges(self, library: Library, tmp_path: Path) -> None:
        open_bench(library, tmp_path, QUICK)
        open_bench(library, tmp_path, replace(QUICK, seed=1))
        assert len(list(tmp_path.iterdir())) == 4


class TestCases:
    def test_are_held_out_and_of_another_style(self, library: Library) -> None:
        for case in draw_cases(library, Wishes(16, 3)):
            assert case.take.split == TEST
            assert case.target != case.take.style
            assert (case.reference is None) == (case.source == LABEL)
            assert case.reference is None or (case.reference.split, case.reference.style) == (TEST, case.target)

    def test_both_sources_get_the_same_work(self, library: Library) -> None:
        cases = draw_cases(library, Wishes(8, 3))
        work = {source: [(c.take, c.target) for c in cases if c.source == source] for source in (LABEL, REFERENCE)}
        assert work[LABEL] == work[REFERENCE]
        assert set(Counter(take.key for take, _ in work[LABEL]).values()) == {1}

    def test_depend_on_the_seed_alone(self, library: Library) -> None:
        assert (
            draw_cases(library, Wishes(6, 3)) == draw_cases(library, Wishes(6, 3)) != draw_cases(library, Wishes(6, 4))
        )

    def test_no_pair_comes_twice_before_all_were_there(self, library: Library) -> None:
        cases = [case for case in draw_cases(library, Wishes(24, 3)) if case.source == LABEL]
        assert len({(case.take.name, case.target) for case in cases}) == 24

    def test_a_system_that_does_nothing_expresses_nothing(self, library: Library, tmp_path: Path) -> None:
        court = Court(library, open_bench(library, tmp_path, QUICK))
        take = library.of(TEST)[0]
        other = next(style for style in STYLES if style != take.style)
        step = court.rule(Case(LABEL, take, other, None, 0), library.joints_of(take)).step
        assert step is not None
        assert (step.expression, step.off) == pytest.approx((0.0, 0.0), abs=1e-6)

    def test_are_of_the_wished_contents_and_styles(self, library: Library) -> None:
        cases = draw_cases(library, Wishes(12, 3, styles=("elderly",), contents=("wave",)))
        assert {(case.take.content, case.target) for case in cases} == {("wave", "elderly")}
        with pytest.raises(FileNotFoundError, match="choose other"):
            draw_cases(library, Wishes(12, 3, contents=("somersault",)))

    def test_weights_without_labels_are_asked_by_reference_only(self, library: Library) -> None:
        assert {case.source for case in draw_cases(library, Wishes(8, 3, labels=()))} == {REFERENCE}

    def test_every_other_case_asks_for_a_style_in_which_the_content_was_recorded(self, library: Library) -> None:
        gone = {("walk", "elderly"), ("walk", "exhausted"), ("wave", "elderly"), ("wave", "exhausted")}
        fewer = replace(library, takes=tuple(t for t in library.takes if t.split == TEST or t.key not in gone))
        cases = [case for case in draw_cases(fewer, Wishes(8, 3)) if case.source == LABEL]
        known = [(case.take.content, case.target) not in gone for case in cases]
        assert known == [True, False] * 4

    def test_a_class_that_was_never_recorded_has_no_expression(self, library: Library, tmp_path: Path) -> None:
        fewer = replace(
            library, takes=tuple(t for t in library.takes if t.split == TEST or t.key != ("walk", "elderly"))
        )
        court = Court(fewer, open_bench(library, tmp_path, QUICK))
        take = next(take for take in fewer.of(TEST) if take.key == ("walk", "normal"))
        joints = fewer.joints_of(take)
        assert court.rule(Case(LABEL, take, "elderly", None, 0), joints).step is None
        assert court.rule(Case(LABEL, take, "active", None, 0), joints).step is not None

    def test_a_take_that_training_saw_is_refused(self, library: Library, library_weights: Path) -> None:
        bundle = read_bundle(library_weights)
        seen = library.of(TRAIN)[0]
        check_held_out(bundle, draw_cases(library, Wishes(4, 3)))
        with pytest.raises(BundleError, match="Training saw 1 of the takes"):
            check_held_out(bundle, [Case(LABEL, seen, "elderly", None, 0)])
        elsewhere = replace(seen, data="Motions that training never had")
        check_held_out(bundle, [Case(LABEL, elsewhere, "elderly", None, 0)])


class TestLibrary:
    def test_leaves_out_what_has_no_label_or_no_file(
        self, takes_folder: Path, takes_dataset: Path, tmp_path: Path
    ) -> None:
        with np.load(takes_dataset) as saved:
            data = dict(saved)
        data["style"][0], data["content"][0] = -1, -1
        data["style"][1] = -1
        data["takes"][2] = "nowhere"
        np.savez(tmp_path / "data.npz", **data)
        library = load_library(tmp_path / "data.npz", takes_folder, tmp_path)
        names = {take.name for take in library.takes}
        assert library.absent == 2
        assert not names & {str(data["takes"][0]), "nowhere"}
        half = next(take for take in library.takes if take.name == str(data["takes"][1]))
        assert (half.style, half.content) == ("", CONTENTS[int(data["content"][1])])
        # Judges learn from what each take has; a take without a style is no case.
        open_bench(library, tmp_path, QUICK)
        assert all(case.take.style for case in draw_cases(library, Wishes(20, 1)))

    def test_says_where_its_takes_should_be(self, takes_dataset: Path, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError, match="name the archive"):
            load_library(takes_dataset, tmp_path, tmp_path)


class TestFigures:
    def test_share_has_wilsons_interval(self) -> None:
        figure = share([True] * 8 + [False] * 2)
        assert (figure.value, figure.low, figure.high) == pytest.approx((0.8, 0.490, 0.943), abs=1e-3)

    @pytest.mark.parametrize("hit", [True, False])
    def test_a_share_stays_between_zero_and_one(self, hit: bool) -> None:
        figure = share([hit] * 20)
        assert 0.0 <= figure.low <= figure.value == float(hit) <= figure.high <= 1.0

    def test_the_median_lies_in_its_interval(self) -> None:
        figure = median(list(np.random.default_rng(0).normal(size=101)))
        assert figure.low <= figure.value <= figure.high

    def test_what_was_not_measured_does_not_count(self) -> None:
        assert mean([1.0, float("nan"), 3.0]).value == 2.0
        assert mean([1.0, float("nan"), 3.0]).n == 2
        assert mean([float("nan")]).text(2) == share([]).text(2) == "-"

    def test_a_ratio_is_that_of_the_means_of_whole_pairs(self) -> None:
        assert ratio([1.0, 2.0, 9.0], [2.0, 4.0, float("nan")]).value == pytest.approx(0.5)

    def test_repeats_have_students_interval(self) -> None:
        figure = repeated([Figure(value, value, value, 10) for value in (0.8, 0.9, 1.0)])
        # Mean 0.9, standard deviation 0.1, t of 2 degrees of freedom 4.303.
        assert (figure.value, figure.high, figure.n) == pytest.approx((0.9, 0.9 + 4.303 * 0.1 / 3**0.5, 30))

    def test_a_rounded_zero_has_no_sign(self) -> None:
        assert Figure(-0.001, -0.5, 0.2).text(2) == "0.00 (-0.50 to 0.20)"


@pytest.mark.usefixtures("quick_judges")
class TestCommand:
    @pytest.mark.parametrize("suite", ["network", "pipeline", "decoded"])
    def test_writes_and_prints_a_table(
        self,
        suite: str,
        takes_folder: Path,
        takes_dataset: Path,
        library_weights: Path,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        weights, out = library_weights, library_weights.parent / "out"
        arguments = [takes_folder, "--suite", suite, "--takes", 4, "--weights", weights, "--dataset", takes_dataset]
        arguments += ["--cache", weights.parent / "cache", "--out", out, "--threads", 1]
        assert evaluate.main([str(item) for item in arguments]) == 0
        values = json.loads((out / f"{suite}.json").read_text(encoding="utf-8"))
        assert {row["source"] for row in values["outcomes"]} == {LABEL, REFERENCE}
        assert all(np.isfinite(row["expression"]) for row in values["outcomes"])
        assert (out / f"{suite}.md").read_text(encoding="utf-8").strip() == capsys.readouterr().out.strip()

    def test_refuses_takes_that_training_saw(
        self,
        takes_folder: Path,
        takes_dataset: Path,
        library: Library,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        weights = write_weights(tmp_path / "weights.safetensors", library)
        bundle = read_bundle(weights)
        write_bundle(weights, replace(bundle, info=replace(bundle.info, held_out_takes=())))
        arguments = [takes_folder, "--takes", 2, "--weights", weights, "--dataset", takes_dataset, "--cache", tmp_path]
        assert evaluate.main([str(item) for item in arguments]) == 1
        assert "Training saw" in capsys.readouterr().err

    def test_says_what_is_missing(self, takes_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert evaluate.main([str(takes_folder), "--weights", str(tmp_path / "none.safetensors")]) == 1
        assert "none.safetensors" in capsys.readouterr().err


class TestBlender:
    @pytest.fixture
    def job(self, tmp_path: Path) -> BlenderJob:
        (tmp_path / "w.safetensors").write_bytes(b"weights")
        with zipfile.ZipFile(tmp_path / "panache-1.zip", "w") as archive:
            archive.writestr("models/weights/w.safetensors", b"weights")
        # A Python without bpy: what the child says must reach the user.
        return BlenderJob(Path(sys.executable), tmp_path / "panache-1.zip", tmp_path / "w.safetensors")

    def test_other_weights_in_the_zip_are_refused(self, job: BlenderJob) -> None:
        job.weights.write_bytes(b"others")
        with pytest.raises(BlenderError, match="build it anew"):
            list(run_in_blender(job, []))

    @pytest.mark.skipif("bpy" in sys.modules, reason="needs a Python without bpy")
    def test_a_child_that_fails_is_quoted(self, job: BlenderJob) -> None:
        take = Take("walk", "walk", "normal", TEST, WALK)
        with pytest.raises(BlenderError, match="bpy"):
            list(run_in_blender(job, [Case(LABEL, take, "elderly", None, 0)]))

    def test_the_newest_zip_is_taken(self, job: BlenderJob, tmp_path: Path) -> None:
        (tmp_path / "panache-1-linux-x64.zip").write_bytes(b"")
        assert newest_zip(tmp_path) == job.extension
        with pytest.raises(BlenderError, match="build.py zip"):
            newest_zip(tmp_path / "nowhere")


def test_benchmark_prints_medians_and_shares() -> None:
    stages = [{"read": 0.1, "network": 0.3, "other": 0.0}] * 3
    times = {
        "bones": 65,
        "blender": "4.5.0",
        "totals": [0.5, 0.4, 0.9],
        "preflights": [0.2, 0.1, 0.4],
        "variations": [0.6, 0.5, 0.7],
        "steps": [[0.01] * 9 + [0.09]] * 3,
        "stages": stages,
    }
    options = benchmark.Options(Path("python"), None, 10.0, 3, "elderly")
    lines = benchmark.table(times, options).splitlines()
    assert "total  0.500 s" in lines[1]
    assert "preflight  0.200 s" in lines[2]
    assert "8 variations  0.600 s  (1.20 times one" in lines[3]
    assert "largest step  90 ms" in lines[4]
    assert next(line for line in lines if line.startswith("network")).endswith("75%")
