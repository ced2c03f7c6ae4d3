# SPDX-License-Identifier: GPL-3.0-or-later
import re
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from core.pipeline import LABEL, REFERENCE
from models.bundle import read_bundle
from models.manifest import RANGE_MEAN, RANGE_WHITENING
from models.runtime import TorchNetwork
from scripts import ablate, train
from scripts.ablate import FULL, NO_ROOT, VARIANTS, Options, lend, settings_of
from scripts.evaluation.ablations import Score, changes, keep, kept, rows
from scripts.evaluation.cases import Court
from scripts.evaluation.judges import open_bench
from scripts.evaluation.library import Library
from scripts.training.checkpoint import load_checkpoint, save_checkpoint
from scripts.training.settings import Settings, load_settings, override

from .synthetic import SMALL, write_small_run
from .takes import QUICK, write_motions

QUICKLY = """
[autoencoder]
steps = 2
[auxiliaries]
steps = 2
[root]
steps = 2
"""


def options(**chosen: object) -> Options:
    usual = {"source": Path(), "variants": (FULL,), "base": Path(), "data": Path(), "out": Path(), "settings": None}
    numbers = {"steps": 800, "joint_steps": None, "left_out": (), "takes": 7, "threads": 1, "cache": Path()}
    return Options(**{**usual, **numbers, **chosen})


def test_every_variant_changes_something() -> None:
    texts = [override(Settings(), changes).to_json() for changes in VARIANTS.values()]
    assert len(set(texts)) == len(texts)
    assert override(Settings(), VARIANTS[FULL]) == Settings()


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of one step."""
    folder = tmp_path_factory.mktemp("base")
    write_small_run(folder)
    files = ["--data", str(folder / "data.npz"), "--settings", str(folder / "small.toml"), "--steps", "1"]
    target = ["--out", str(folder), "--weights", str(folder / "w.safetensors"), "--device", "cpu", "--threads", "1"]
    assert train.main([*files, *target]) == 0
    return folder


@pytest.mark.parametrize(
    ("changes", "lent"),
    [
        ({"style_weights": {"cycle": 0.0}}, ["autoencoder", "auxiliaries"]),
        ({"swaps": {"learned_prior": False}}, ["autoencoder", "auxiliaries"]),
        ({"augmentation": {"join": 0.0}}, ["autoencoder"]),
        ({"left_out": ["wave"]}, ["autoencoder"]),
        ({"pose_weights": {"divergence": 1e-3}}, []),
        ({"augmentation": {"mirror": 0.0}}, []),
        ({"method": {"pose_space": True}}, []),
        ({"method": {"end_to_end": True}}, []),
    ],
    ids=str,
)
def test_what_would_be_trained_the_same_is_lent(
    changes: dict[str, object], lent: list[str], base: Path, tmp_path: Path
) -> None:
    settings = override(load_settings(base / "small.toml").with_steps(1), changes)
    lend(base, tmp_path, settings)
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"{name}.pt" for name in lent]
    for name in lent:
        assert (tmp_path / f"{name}.pt").read_bytes() == (base / f"{name}.pt").read_bytes()


def test_classifiers_of_another_autoencoder_are_not_lent(base: Path, tmp_path: Path) -> None:
    (tmp_path / "autoencoder.pt").write_bytes(b"one of its own")
    lend(base, tmp_path, load_settings(base / "small.toml").with_steps(1))
    assert [path.name for path in tmp_path.iterdir()] == ["autoencoder.pt"]
    assert (tmp_path / "autoencoder.pt").read_bytes() == b"one of its own"


def test_what_is_not_finished_is_not_lent(base: Path, tmp_path: Path) -> None:
    settings, begun = load_settings(base / "small.toml").with_steps(1), tmp_path / "begun/autoencoder.pt"
    state = load_checkpoint(base / begun.name, settings.scope("autoencoder"), torch.device("cpu"))
    assert state is not None
    save_checkpoint(begun, state | {"finished": False})
    for number, other in enumerate((begun.parent, tmp_path / "nothing")):
        lend(other, tmp_path / str(number), settings)
        assert not list((tmp_path / str(number)).iterdir())


def test_a_variant_that_does_not_exist_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        ablate.main(["archive", "--variants", "full,no-such-thing"])
    assert "no-such-thing" in capsys.readouterr().err


def test_files_are_named_by_what_was_trained() -> None:
    assert ablate.tag(options(left_out=("run", "walk"))) == "800-without-run-without-walk"


def test_training_together_takes_as_many_steps_as_both_stages() -> None:
    assert settings_of(FULL, options()).stylizer.steps == 800
    assert settings_of("end-to-end", options()).stylizer.steps == 800 + Settings().autoencoder.steps
    assert settings_of("end-to-end", options(joint_steps=9)).stylizer.steps == 9
    assert settings_of(NO_ROOT, options(left_out=("run",))) == settings_of(FULL, options(left_out=("run",)))


def test_the_style_is_judged_in_full_where_it_would_fade_out(
    library: Library, library_weights: Path, tmp_path: Path
) -> None:
    bundle = read_bundle(library_weights)
    width = bundle.config.content_channels
    # Everything is far away from what this network knows.
    nowhere = {RANGE_MEAN: np.zeros(width, np.float32), RANGE_WHITENING: 1e4 * np.eye(width, dtype=np.float32)}
    network = TorchNetwork(replace(bundle, tensors={**bundle.tensors, **nowhere}), "cpu", 1)
    court = Court(library, open_bench(library, tmp_path, QUICK))
    outcomes = ablate.judged(FULL, network, court, options(takes=2))
    assert [outcome.case.source for outcome in outcomes] == [LABEL, REFERENCE] * 2
    assert all(outcome.step is not None and outcome.step.off > 1e-3 for outcome in outcomes)


class TestTable:
    nan = float("nan")
    whole = (
        Score(LABEL, "a", 1.0, 1.0, 0.8, 0.3),
        Score(LABEL, "b", 1.0, 0.0, 0.6, 0.4),
        Score(REFERENCE, "a", 1.0, nan, nan, nan),
    )

    def test_changes_are_of_the_same_cases(self) -> None:
        other = [Score(LABEL, "b", 0.0, 1.0, 0.5, 0.0), Score(LABEL, "c", 1.0, 1.0, 9.0, 9.0)]
        found = changes(other, self.whole)
        assert found["style"] == [-1.0]
        assert found["content"] == [1.0]
        assert found["expression"] == pytest.approx([-0.1])

    def test_a_row_has_every_figure_with_its_interval(self) -> None:
        label, reference = (line.strip("| ").split(" | ") for line in rows("no-cycle", self.whole, self.whole))
        assert label[:3] == ["no-cycle", LABEL, "2"]
        assert label[3].startswith("1.00 (") and label[4].startswith("0.50 (") and label[5].startswith("0.70 (")
        assert label[7:] == ["0.00 (0.00-0.00)"] * 3
        assert reference[4:] == ["-", "-", "-", "0.00 (0.00-0.00)", "-", "-"]

    def test_without_the_whole_method_there_are_no_changes(self) -> None:
        assert all(line.endswith("| - | - | - |") for line in rows("no-cycle", self.whole, []))

    def test_scores_are_kept(self, tmp_path: Path) -> None:
        keep(tmp_path / "scores.json", self.whole)
        np.testing.assert_equal([vars(s) for s in kept(tmp_path / "scores.json")], [vars(s) for s in self.whole])
        assert kept(tmp_path / "none.json") == []


class TestCommand:
    @pytest.fixture
    def arguments(self, takes_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        monkeypatch.setattr(ablate, "open_bench", partial(open_bench, config=QUICK))
        write_motions(tmp_path / "data.npz", takes_folder)
        (tmp_path / "small.toml").write_text(SMALL.replace("64, 40", "48, 40") + QUICKLY)
        given = [takes_folder, "--data", tmp_path / "data.npz", "--settings", tmp_path / "small.toml", "--steps", 2]
        given += ["--cache", tmp_path / "cache", "--out", tmp_path / "out", "--base", tmp_path / "base"]
        return [str(item) for item in [*given, "--takes", 3, "--threads", 1]]

    def test_both_ablations_of_the_method_are_trained_and_judged(
        self, arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert ablate.main([*arguments, "--variants", "pose-space,end-to-end"]) == 0
        printed = [line for line in capsys.readouterr().out.splitlines() if line.startswith(("| pose", "| end"))]
        assert [line.split(" | ")[:3] for line in printed] == [
            [f"| {name}", source, "3"] for name in ("pose-space", "end-to-end") for source in (LABEL, REFERENCE)
        ]
        # Accuracies, expression and off are numbers, which they are of finite motion only.
        figure = r"-?\d+\.\d\d \(\S+(-| to )\S+\)"
        assert all(len(re.findall(figure, line)) == 4 for line in printed)
        # What was judged before comes into the table of a later run, and is compared with the whole method then.
        assert ablate.main([*arguments, "--variants", FULL]) == 0
        table = (tmp_path / "out/2.md").read_text(encoding="utf-8").splitlines()
        names = [line.split(" | ")[0].strip("| ") for line in table[5:]]
        assert names == [name for name in (FULL, "pose-space", "end-to-end") for _ in range(2)]
        assert all(len(re.findall(figure, line)) == 7 for line in table[5:])
        # The same command finds everything there, and the same.
        assert ablate.main([*arguments, "--variants", "pose-space"]) == 0
        assert printed[0].split(" | - |")[0] in capsys.readouterr().out

    def test_a_run_that_fails_has_written_what_it_had(
        self, arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert ablate.main([*arguments, "--variants", FULL]) == 0
        (tmp_path / "out/full-2").rename(tmp_path / "out/no-cycle-2")
        assert ablate.main([*arguments, "--variants", f"{NO_ROOT},no-cycle"]) == 1
        output = capsys.readouterr()
        # Weights of another variant are not taken for its own.
        assert "trained with other settings" in output.err
        rows = [line for line in output.out.splitlines() if line.startswith(f"| {NO_ROOT}")]
        assert len(rows) == 2
        assert set(rows) <= set((tmp_path / "out/2.md").read_text(encoding="utf-8").splitlines())
