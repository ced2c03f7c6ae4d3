# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of rigs: which files are taken for rigs, what is compared, and what a person reads."""

import json
from pathlib import Path

import numpy as np
import pytest

from scripts import evaluate
from scripts.evaluation.retarget_suite import RetargetReport, compare, folder_of_rigs, markdown, write


def test_every_rig_file_below_a_folder_is_taken(tmp_path: Path) -> None:
    for name in ("a/Knight.glb", "a/deep/rig.game_engine.json", "a/deep/weights.game_engine.json", "b.FBX", "c.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    rigs = folder_of_rigs(tmp_path).rigs
    assert [(rig.name, rig.kind) for rig in rigs] == [
        ("a-Knight", ".glb"), ("a-game_engine", ".json"), (f"{tmp_path.name}-b", ".fbx"),
    ]  # fmt: skip


def test_rigs_are_compared_limb_by_limb() -> None:
    straight = np.tile([0.0, 1.0, 0.0], (5, 3, 1))
    turned = straight.copy()
    turned[2, 1] = [np.sin(np.radians(10.0)), np.cos(np.radians(10.0)), 0.0]
    lacking = straight.copy()
    lacking[:, 2] = np.nan
    rows: list[dict[str, object]] = [{}, {}, {}, {}]
    assert compare(rows, [straight, turned, None, lacking], "walk") == pytest.approx(10.0)
    assert [row.get("cross_walk") for row in rows] == [
        pytest.approx(0.0), pytest.approx(10.0), None, pytest.approx(0.0),
    ]  # fmt: skip


def test_the_table_has_a_line_for_every_rig_and_says_what_went_wrong(tmp_path: Path) -> None:
    whole = {
        "rig": "knight", "problems": [], "joints": 20, "lacking": ["left_foot"], "keys": {"result": 0.25},
        "round_trip_degrees": 0.01,
    }  # fmt: skip
    report = RetargetReport("Rigs", ("a note",), (whole, {"rig": "box", "problems": ["no armature."]}), {"walk": 1.0})
    text = markdown(report)
    lines = text.splitlines()
    assert [line.count("|") for line in lines if line.startswith("|")] == [lines[5].count("|")] * 4
    assert "| 20 of 22 |" in text
    assert "25%" in text
    assert "- box: no armature." in text
    assert "- knight: left_foot" in text
    write(report, tmp_path)
    assert (tmp_path / "retarget.md").read_text(encoding="utf-8") == text
    assert json.loads((tmp_path / "retarget.json").read_text(encoding="utf-8"))["rows"][1]["rig"] == "box"


def test_a_suite_without_a_source_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert evaluate.main(["--suite", "retarget"]) == 1
    assert "Name the archive" in capsys.readouterr().err
