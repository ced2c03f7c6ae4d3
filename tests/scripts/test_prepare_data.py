# SPDX-License-Identifier: GPL-3.0-or-later
"""From files to a dataset: real excerpts end to end, what names mean, what is left out, and which side takes are on."""

import json
import re
import shutil
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from core.representation import WIDTH
from models.bundle import read_bundle
from scripts import prepare_data
from scripts.preparation.archives import locate, unpack
from scripts.preparation.dataset_file import Labels, combined_licence, write_dataset
from scripts.preparation.known import cmu_fps, cmu_style, style100_cuts
from scripts.preparation.reading import best_calibrations, read_clip, survey, without_pose
from scripts.preparation.recording import Recording, Take
from scripts.preparation.sets import find
from scripts.preparation.splits import TEST, TRAIN, VALIDATION, split_recordings
from scripts.training.dataset import load_dataset

ROOT = Path(__file__).resolve().parents[2]
EXCERPTS = ROOT / "tests/data"
WEIGHTS = ROOT / "models/weights"


def prepared(out: Path, *arguments: str) -> dict[str, np.ndarray]:
    options = ["--out", str(out), "--workers", "1", "--downloads", str(out.parent / "downloads")]
    assert prepare_data.main([*arguments, *options]) == 0
    with np.load(out) as data:
        return {name: data[name] for name in data.files}


# -- end to end --------------------------------------------------------------------------------------------------------


def test_excerpts_of_100style_and_cmu_become_one_dataset(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "free.npz"
    data = prepared(out, "--source", "cmu", "100style", "--from", str(EXCERPTS))
    parts = [f"100style_{style}_reference_{side}" for style in ("angry", "elated") for side in (0, 1, 2)]
    assert list(data["takes"]) == ["cmu_002_03", *parts]
    assert list(data["source_names"]) == ["cmu", "100style"]
    assert list(data["source"]) == [0, 1, 1, 1, 1, 1, 1]
    assert list(data["style_names"]) == ["angry", "elated"]
    assert list(data["style"]) == [-1, 0, 0, 0, 1, 1, 1]
    assert list(data["content"]) == [-1] * 7
    assert list(data["split"])[1:] == [TRAIN, VALIDATION, TEST] * 2
    info = json.loads(str(data["info"]))
    assert info["licences"]["100style"] == "CC BY 4.0"
    assert "mocap.cs.cmu.edu" in info["licence"]
    dataset = load_dataset(out)
    assert dataset.features.shape[1] == WIDTH
    assert np.isfinite(dataset.features).all()
    # 173 frames at 120 per second; 78, 9 and 9 % of 420 at 30.
    assert list(dataset.lengths) == [44, *[328, 38, 38] * 2]
    said = capsys.readouterr().out
    assert "cmu: 1 takes" in said
    assert "100style: 6 takes" in said


def test_the_older_use_still_prepares_set_2(tmp_path: Path) -> None:
    archive = tmp_path / "bandai.tar"
    with tarfile.open(archive, "w") as file:
        file.add(EXCERPTS / "walk_normal.bvh", "bvh/dataset-2_walk_normal_015.bvh")
        file.add(EXCERPTS / "walk_normal.bvh", "bvh/dataset-1_walk_normal_001.bvh")
    data = prepared(tmp_path / "set.npz", str(archive))
    assert list(data["takes"]) == ["dataset-2_walk_normal_015"]
    assert json.loads(str(data["info"]))["licence"] == "CC BY-NC 4.0"


def test_folders_of_ones_own_name_their_styles(tmp_path: Path) -> None:
    for name in ("proud/walk.bvh", "sad/slow/walk.bvh", "other.bvh"):
        (tmp_path / "own" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(EXCERPTS / "walk_normal.bvh", tmp_path / "own" / name)
    arguments = ["--source", "folder", "--from", str(tmp_path / "own"), "--licence", "mine alone"]
    data = prepared(tmp_path / "own.npz", *arguments)
    assert list(data["takes"]) == ["other", "proud/walk", "sad/slow/walk"]
    assert [("", *data["style_names"])[style + 1] for style in data["style"]] == ["", "proud", "sad"]
    assert json.loads(str(data["info"]))["licence"] == "mine alone"


def test_what_is_left_out_is_said_with_the_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "cmu"
    shutil.copytree(EXCERPTS / "cmu", folder)
    shutil.copy(EXCERPTS / "walk_normal.bvh", folder / "scaled_02_03.bvh")
    shutil.copy(EXCERPTS / "walk_normal.bvh", folder / "notes.bvh")
    (folder / "02_04.bvh").write_text("no motion at all")
    text = (folder / "02_03.amc").read_text()
    (folder / "02_05.amc").write_text(text[: text.index("\n81\n") + 1])
    data = prepared(tmp_path / "cmu.npz", "--source", "cmu", "--from", str(tmp_path))
    assert list(data["takes"]) == ["cmu_002_03"]
    said = capsys.readouterr().out
    for sentence in (
        "scaled_02_03.bvh: is the same motion as 02_03.amc",
        "notes: is not named subject_trial",
        "cmu_002_04: 02_04.bvh is not a BVH file",
        "cmu_002_05: is shorter than 32 frames",
        "cmu: 1 takes, 0.0 minutes; 4 left out",
    ):
        assert sentence in said


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--source", "cmu", "--from", "nowhere"], "nowhere does not exist"),
        (["--source", "cmu", "--from", str(EXCERPTS / "100style")], "No clip was found"),
        (["--source", "cmu", "--from", str(EXCERPTS / "README.md")], "no whole archive"),
        (["--source", "cc0"], "No clip was found"),
    ],
)
def test_a_wrong_place_is_said_in_a_sentence(
    arguments: list[str], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "set.npz"
    assert prepare_data.main([*arguments, "--out", str(out), "--downloads", str(tmp_path), "--workers", "1"]) == 1
    assert sentence in capsys.readouterr().err
    assert not out.exists()


def test_a_folder_needs_to_be_named() -> None:
    with pytest.raises(SystemExit):
        prepare_data.main(["--source", "folder"])


# -- what names mean ---------------------------------------------------------------------------------------------------


def touched(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def test_set_1_keeps_its_own_labels_where_set_2_has_the_same(tmp_path: Path) -> None:
    styles = ("active", "masculinity", "old", "tired")
    touched(tmp_path, *(f"dataset-1_walk_{style}_001.bvh" for style in styles), "dataset-2_walk_active_001.bvh")
    assert [r.style for r in find("bandai-1", tmp_path).recordings] == ["active-2", "masculine-2", "old", "tired"]
    assert [r.style for r in find("bandai-2", tmp_path).recordings] == ["active"]


def test_of_one_cmu_motion_the_original_is_taken(tmp_path: Path) -> None:
    touched(tmp_path, "a/01_02.amc", "b/001_02.bvh", "b/07_01.bvh", "b/scaled_07_01.bvh", "137_13.amc", "60_01.amc")
    found = find("cmu", tmp_path)
    assert [(r.path.name, r.style, r.fps) for r in found.recordings] == [
        ("01_02.amc", "", 120.0), ("07_01.bvh", "", 0.0), ("60_01.amc", "", 60.0), ("137_13.amc", "drunk", 120.0),
    ]  # fmt: skip
    assert {entry.take for entry in found.left_out} == {"001_02.bvh", "scaled_07_01.bvh"}


def test_the_index_of_cmu_knows_rates_and_styles() -> None:
    assert (cmu_fps(1, 1), cmu_fps(79, 3), cmu_fps(136, 19), cmu_fps(136, 20)) == (120.0, 60.0, 60.0, 120.0)
    assert (cmu_style(142, 7), cmu_style(91, 9), cmu_style(7, 4)) == ("elderly", "drunk", "")


def test_files_of_100style_are_divided_in_time_with_gaps(tmp_path: Path) -> None:
    touched(tmp_path, "Angry/Angry_FW.bvh", "Old/Old_TR2.bvh", "readme.bvh")
    (tmp_path / "Frame_Cuts.csv").write_text(
        "STYLE_NAME,FW_START,FW_STOP,TR2_START,TR2_STOP\nAngry,100,900,5,6\nOld,N/A,N/A,10,20\n"
    )
    recordings = find("100style", tmp_path).recordings
    assert [(r.style, r.content, r.split) for r in recordings[:3]] == [("angry", "walk", side) for side in (0, 1, 2)]
    assert {(r.style, r.content, r.frames) for r in recordings} == {
        ("angry", "walk", (100, 900)), ("old", "transition", (10, 20)),
    }  # fmt: skip
    assert all(before.span[1] < after.span[0] for before, after in zip(recordings[:2], recordings[1:3], strict=True))
    assert style100_cuts(tmp_path / "Old") == {}


def test_both_clips_of_one_performer_are_one_group(tmp_path: Path) -> None:
    touched(tmp_path, "acted/003_acted.bvh", "genuine/003_genuine.bvh", "genuine/004_genuine.bvh")
    assert [r.group for r in find("reactidle", tmp_path).recordings] == ["003", "003", "004"]


def test_sets_are_found_under_their_names_in_a_common_folder(tmp_path: Path) -> None:
    touched(tmp_path, "cmu/a.bvh", "bandai-namco.tar.xz", "rigs.zip")
    assert locate("cmu", tmp_path) == tmp_path / "cmu"
    assert locate("bandai-1", tmp_path) == tmp_path / "bandai-namco.tar.xz"
    assert locate("cc0", tmp_path) == tmp_path / "rigs.zip"
    assert locate("100style", tmp_path) == tmp_path


def test_archives_cannot_write_beside_their_folder(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
        archive.writestr("../outside.bvh", "climbs")
    unpack(tmp_path / "set.zip", tmp_path / "inside")
    assert not (tmp_path / "outside.bvh").exists()
    assert (tmp_path / "inside/outside.bvh").exists()


# -- reading -----------------------------------------------------------------------------------------------------------


def posed_first(path: Path, frames: int = 60) -> None:
    """The recorded walk with its rest pose put before it, as some exporters do."""
    head, _, body = (EXCERPTS / "walk_normal.bvh").read_text().partition("Frame Time:")
    rate, *rows = body.strip().splitlines()
    rest = " ".join(["0"] * len(rows[0].split()))
    head = re.sub(r"Frames:\s*\d+", f"Frames: {frames + 1}", head)
    path.write_text("\n".join([head + "Frame Time: " + rate, rest, *rows[:frames], ""]))


def test_a_first_frame_that_is_a_rest_pose_is_cut(tmp_path: Path) -> None:
    posed_first(tmp_path / "posed.bvh")
    clip = read_clip(Recording("folder", tmp_path / "posed.bvh", "posed"))
    cut = without_pose(clip)
    assert len(cut) == len(clip) - 1
    assert np.array_equal(cut.rotations, clip.rotations[1:])
    assert len(without_pose(cut)) == len(cut)


def test_files_of_one_rig_share_the_best_calibration(shared_data: Callable[[str], Path]) -> None:
    folder = shared_data("cmu.tar.xz")
    names = ("007_02.bvh", "007_03.bvh")  # the second begins with a T-pose
    recordings = [r for r in find("cmu", folder).recordings if r.path.name in names]
    surveyed = [survey(recording) for recording in recordings]
    (best,) = best_calibrations(surveyed).values()
    errors = [entry.calibration.error for entry in surveyed if entry]
    assert best.error == min(errors)
    assert max(errors) > 2.0 * min(errors)


# -- splits ------------------------------------------------------------------------------------------------------------


def recordings_of(source: str, *members: tuple[str, str, str]) -> list[Recording]:
    return [
        Recording(source, Path(f"{i}.bvh"), f"{source}_{i}", content, style, group)
        for i, (content, style, group) in enumerate(members)
    ]


def set_1() -> list[Recording]:
    contents, styles = [f"content {i}" for i in range(9)], [f"style {i:02d}" for i in range(15)]
    shared = [(content, style, "") for content in contents for style in styles for _ in range(1 + (content[-1] == "0"))]
    return recordings_of("bandai-1", *shared, ("kick", styles[0], ""), ("slash", styles[0], ""))


def test_set_1_holds_two_contents_of_every_style_out() -> None:
    recordings = set_1()
    split = split_recordings(recordings)
    sides = {
        side: {(r.style, r.content) for r, s in zip(recordings, split, strict=True) if s == side} for side in (0, 2)
    }
    assert not sides[TRAIN] & sides[TEST]
    assert set(split) == {TRAIN, TEST}
    for style in {r.style for r in recordings}:
        assert sum(style == held for held, _ in sides[TEST]) == 2
    held = [content for _, content in sides[TEST]]
    assert {content: held.count(content) >= 3 for content in set(held)} == {f"content {i}": True for i in range(9)}
    assert {r.content for r in recordings} == {content for _, content in sides[TRAIN]}


def test_groups_are_never_divided() -> None:
    recordings = recordings_of("reactidle", *(("", "", str(i // 2)) for i in range(40)))
    split = split_recordings(recordings)
    assert (split[0::2] == split[1::2]).all()
    assert [int((split == side).sum()) for side in (0, 1, 2)] == [32, 4, 4]


def test_a_set_is_divided_alike_whatever_is_prepared_with_it() -> None:
    idle, others = recordings_of("reactidle", *(("", "", str(i)) for i in range(20))), set_1()
    together = split_recordings([*others, *idle])
    assert np.array_equal(together[: len(others)], split_recordings(others))
    assert np.array_equal(together[len(others) :], split_recordings(idle))


def test_the_shipped_weights_held_out_what_is_held_out_now(shared_data: Callable[[str], Path]) -> None:
    recordings = find("bandai-2", shared_data("bandai-namco.tar.xz")).recordings
    split = split_recordings(recordings)
    held_out = {r.take for r, side in zip(recordings, split, strict=True) if side != TRAIN}
    bundles = [read_bundle(path).info.held_out_takes for path in sorted(WEIGHTS.glob("*.safetensors"))]
    of_set_2 = [{take for take in takes if take.startswith("dataset-2")} for takes in bundles]
    assert any(of_set_2)
    assert all(takes == held_out for takes in of_set_2 if takes)


# -- the file ----------------------------------------------------------------------------------------------------------


def take(source: str, style: str, content: str = "walk", width: int = WIDTH) -> Take:
    recording = Recording(source, Path("x.bvh"), f"{source}_{style}", content, style, group=style)
    return Take(recording, np.zeros((40, width), dtype=np.float32))


def test_labels_are_alphabetical_set_after_set(tmp_path: Path) -> None:
    takes = [
        take("bandai-2", "youthful"),
        take("bandai-2", "active"),
        take("bandai-1", "angry", "kick"),
        take("cmu", "sad"),
    ]
    write_dataset(takes, tmp_path / "set.npz", Labels(frozenset({"bandai-1", "bandai-2"}), {}))
    with np.load(tmp_path / "set.npz") as data:
        assert list(data["style_names"]) == ["active", "youthful", "angry"]
        assert list(data["style"]) == [1, 0, 2, -1]
        assert list(data["content"]) == [0, 0, 1, -1]


def test_a_file_that_cannot_be_written_whole_leaves_the_old_one(tmp_path: Path) -> None:
    out = tmp_path / "set.npz"
    out.write_bytes(b"old")
    with pytest.raises(ValueError, match="dimension"):
        write_dataset([take("cmu", "a"), take("cmu", "b", width=3)], out, Labels(frozenset(), {}))
    assert out.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [out]


def test_the_strictest_licence_is_named_first() -> None:
    licences = {"cmu": "free", "bandai-2": "CC BY-NC 4.0", "bandai-1": "CC BY-NC 4.0"}
    assert combined_licence(licences) == "CC BY-NC 4.0 (bandai-2, bandai-1); free (cmu)"
    assert combined_licence({"bandai-2": "CC BY-NC 4.0", "bandai-1": "CC BY-NC 4.0"}) == "CC BY-NC 4.0"
