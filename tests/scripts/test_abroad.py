# SPDX-License-Identifier: GPL-3.0-or-later
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from core.engines.engine import StyleEngine
from core.engines.numpy_engine import NumpyNetwork
from models.bundle import read_bundle
from scripts import evaluate
from scripts.evaluation.abroad import Journey, markdown, run_abroad
from scripts.evaluation.changes import Original
from scripts.evaluation.library import read_clip
from tests.blender_addon.weights import write_test_weights

from .takes import WALK


@pytest.fixture(scope="module")
def abroad(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three walks, one of them far too long, and a file that is none."""
    folder = tmp_path_factory.mktemp("abroad")
    for name in ("first", "second"):
        shutil.copy(WALK, folder / f"{name}.bvh")
    head, _, body = WALK.read_text(encoding="utf-8").partition("Frames:")
    rows = body.splitlines()[2:]
    long = (rows * (1 + 700 // len(rows)))[:700]
    text = "\n".join([f"{head}Frames: {len(long)}", body.splitlines()[1], *long])
    (folder / "long.bvh").write_text(text + "\n", encoding="utf-8")
    (folder / "scaled_first.bvh").write_text(text + "\n", encoding="utf-8")
    (folder / "none.bvh").write_text("nothing", encoding="utf-8")
    return folder


@pytest.fixture
def engine(tmp_path: Path) -> StyleEngine:
    return StyleEngine(NumpyNetwork(read_bundle(write_test_weights(tmp_path / "weights.safetensors"))))


def test_every_clip_goes_into_every_style(abroad: Path, engine: StyleEngine) -> None:
    report = run_abroad(engine, Journey((abroad,), ("elderly", "normal"), 12), ())
    assert {(result.clip, result.style) for result in report.results} == {
        (clip, style) for clip in ("first", "second", "long") for style in ("elderly", "normal")
    }
    assert len(report.left_out) == 1
    assert report.left_out[0].startswith("none")
    seconds = {known.clip: known.seconds for known in report.known}
    assert seconds["long"] == pytest.approx(20.0, abs=0.05)
    assert all(known.degrees > 0.0 and 0.0 <= known.outside <= 1.0 for known in report.known)
    assert f"{abroad.name} | 3 |" in markdown(report)


def test_a_model_without_labels_takes_the_next_clip_for_its_style(abroad: Path, engine: StyleEngine) -> None:
    report = run_abroad(engine, Journey((abroad,), (), 12), ())
    asked = {result.clip: result.style for result in report.results}
    assert asked == {"first": "long", "long": "second", "second": "first"}


def test_equal_clips_have_equal_figures(abroad: Path, engine: StyleEngine) -> None:
    report = run_abroad(engine, Journey((abroad,), ("elderly",), 12), ())
    first, second = (next(r for r in report.results if r.clip == name) for name in ("first", "second"))
    assert first.changes == second.changes
    before = Original(read_clip(WALK)).changes(read_clip(WALK).motion).skate.speed
    assert first.changes.skate.original_speed == pytest.approx(before)


def test_command_writes_one_table_and_one_json(
    abroad: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weights = write_test_weights(tmp_path / "weights.safetensors")
    arguments = ["--suite", "abroad", "--folder", abroad, "--weights", weights, "--out", tmp_path, "--clips", 2]
    arguments += ["--styles", "elderly", "--threads", 1]
    assert evaluate.main([str(item) for item in arguments]) == 0
    assert (tmp_path / "abroad.md").read_text(encoding="utf-8").strip() == capsys.readouterr().out.strip()
    values = json.loads((tmp_path / "abroad.json").read_text(encoding="utf-8"))
    figures = values["figures"][abroad.name]
    assert np.isfinite(figures["jerk"]["value"])
    assert figures["skate_gain"]["value"] == pytest.approx(
        figures["skate"]["value"] - figures["skate_original"]["value"]
    )


def test_command_asks_for_folders_with_clips(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    weights = write_test_weights(tmp_path / "weights.safetensors")
    arguments = ["--suite", "abroad", "--weights", str(weights), "--out", str(tmp_path)]
    assert evaluate.main(arguments) == 1
    assert "--folder" in capsys.readouterr().err
    assert evaluate.main([*arguments, "--folder", str(tmp_path)]) == 1
    assert "name another folder" in capsys.readouterr().err
