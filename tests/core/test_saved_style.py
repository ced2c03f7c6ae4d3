# SPDX-License-Identifier: GPL-3.0-or-later
"""Saved styles: what is written is read again, and every bad name and file has its sentence."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.saved_style import (
    LONGEST_NAME,
    LONGEST_NOTE,
    Model,
    SavedStyle,
    SavedStyleError,
    check_name,
    licence_of,
    path_of,
    read_style,
    tidy,
    write_style,
)
from core.style_statistics import StyleStatistics

STYLE = SavedStyle("Old Pirate", (0.1, -2.5, 1e-9), "abc", "CC0-1.0", "walk_limping")
STATISTICS = StyleStatistics(5.2, 24.0, 7.5, 0.1, 0.6, 0.8, (0.25,) * 66, (0.125,) * 22)


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    path = path_of(tmp_path, STYLE.name)
    write_style(path, STYLE)
    assert read_style(path) == STYLE
    assert [file.name for file in tmp_path.iterdir()] == ["Old Pirate.json"]


@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1, max_size=80))
def test_a_code_comes_back_bit_for_bit(values: list[float]) -> None:
    kept = np.array(json.loads(json.dumps(values)), dtype=np.float32)
    assert kept.tobytes() == np.array(values, dtype=np.float32).tobytes()


@pytest.mark.parametrize("name", ["Pirate", "Ältere Dame", "走る", "a.b", "Nr. 5 (schnell)", "x" * LONGEST_NAME])
def test_good_names(name: str, tmp_path: Path) -> None:
    check_name(tidy(name), [])
    path = path_of(tmp_path, tidy(name))
    write_style(path, SavedStyle(name, (1.0,), "m", "", ""))
    assert read_style(path).name == tidy(name)


BAD = [
    ("", "Give the style a name"),
    ("   ", "Give the style a name"),
    ("x" * (LONGEST_NAME + 1), "too long"),
    ("../../etc", "dot|cannot have /"),
    ("a/b", "cannot have /"),
    ("a\\b", r"cannot have \\"),
    ("C:", "cannot have :"),
    ("what?", r"cannot have \?"),
    ("a\x00b", r"cannot have U\+0000"),
    ("a\u202eb", r"cannot have U\+202E"),
    ("\ud800", r"cannot have U\+D800"),
    (".hidden", "dot"),
    ("end.", "dot"),
    ("CON", "Windows"),
    ("nul.txt", "Windows"),
    ("Lpt1", "Windows"),
    ("old pirate", "already"),
]


@pytest.mark.parametrize(("name", "sentence"), BAD)
def test_bad_names(name: str, sentence: str) -> None:
    with pytest.raises(SavedStyleError, match=sentence):
        check_name(tidy(name), ["Old Pirate"])


@given(st.text(max_size=60))
def test_a_good_name_stays_in_its_folder(name: str) -> None:
    try:
        check_name(tidy(name), [])
    except SavedStyleError as error:
        assert str(error).endswith(".")
        return
    assert path_of(Path("styles"), tidy(name)).parent == Path("styles")
    assert path_of(Path("styles"), tidy(name)).stem == tidy(name)


GOOD = {"format": "panache style", "version": 1, "model": "m", "licence": "", "source": "", "code": [1.0]}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "damaged"),
        ("[" * 100_000, "damaged"),
        ("[]", "another version"),
        ('{"format": "something else"}', "another version"),
        (json.dumps(GOOD | {"version": 2}), "another version"),
        (json.dumps(GOOD | {"code": []}), "damaged"),
        (json.dumps(GOOD | {"code": ["1"]}), "damaged"),
        (json.dumps(GOOD | {"code": [True]}), "damaged"),
        (json.dumps(GOOD | {"code": [float("nan")]}), "damaged"),
        (json.dumps(GOOD | {"code": [1e999]}), "damaged"),
        (json.dumps(GOOD | {"model": 3}), "damaged"),
        (json.dumps(GOOD | {"licence": "x" * 300_000}), "damaged"),
    ],
)
def test_bad_files(text: str, sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "Broken.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SavedStyleError, match=f'"Broken".*{sentence}'):
        read_style(path)


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    path = tmp_path / "Broken.json"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SavedStyleError, match="damaged"):
        read_style(path)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(SavedStyleError, match='no saved style "Gone"'):
        read_style(tmp_path / "Gone.json")


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(SavedStyleError, match="cannot be saved"):
        write_style(tmp_path / "nowhere" / "a.json", STYLE)


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = path_of(tmp_path, STYLE.name)
    write_style(path, STYLE)

    def full(file: Path, *_arguments: object, **_options: object) -> int:
        file.write_bytes(b'{"form')
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(SavedStyleError, match="make room"):
        write_style(path, SavedStyle("Old Pirate", (9.0,), "m", "", ""))
    assert read_style(path) == STYLE
    assert len(list(tmp_path.iterdir())) == 1


def test_all_that_is_known_is_kept(tmp_path: Path) -> None:
    code = tuple(np.random.default_rng(0).standard_normal(64).astype(np.float32).tolist())
    licence = licence_of("x" * (2 * LONGEST_NOTE), "CC BY-NC 4.0")
    style = SavedStyle("Full", code, "a" * 40, licence, "s" * 60, "bandai-namco", refined=True, statistics=STATISTICS)
    path = path_of(tmp_path, style.name)
    write_style(path, style)
    assert read_style(path) == style
    assert path.stat().st_size < 50_000


def test_files_of_before_statistics_were_kept(tmp_path: Path) -> None:
    path = tmp_path / "Old.json"
    path.write_text(json.dumps(GOOD), encoding="utf-8")
    assert read_style(path) == SavedStyle("Old", (1.0,), "m", "", "")


@pytest.mark.parametrize("other", [None, 3, {}, {"seconds": "5"}, {**STATISTICS.as_data(), "spread": [1.0]}])
def test_other_statistics_do_not_cost_the_style(other: object, tmp_path: Path) -> None:
    path = tmp_path / "Old.json"
    path.write_text(json.dumps(GOOD | {"statistics": other, "refined": 1, "weights": None}), encoding="utf-8")
    assert read_style(path) == SavedStyle("Old", (1.0,), "m", "", "")


def test_a_note_on_the_licence() -> None:
    licence = licence_of("  mine,\n all mine ", "CC BY-NC 4.0")
    assert licence == "mine, all mine; made with a model under CC BY-NC 4.0"
    assert SavedStyle("a", (1.0,), "m", licence, "").note == "mine, all mine"
    assert STYLE.note == "CC0-1.0"


def test_a_style_of_another_model() -> None:
    assert STYLE.code_for(Model("abc", "whatever")) == STYLE.code
    with pytest.raises(SavedStyleError, match=r'of another model \(abc, this one is free abd\).* "walk_limping"'):
        STYLE.code_for(Model("abd", "free"))


def test_one_trainer_makes_several_models() -> None:
    style = SavedStyle("a", (1.0,), "0123456789abcdef", "", "walk", weights="bandai-namco")
    assert style.is_of(Model("0123456789abcdef", "bandai-namco"))
    assert not style.is_of(Model("0123456789abcdef", "free"))
    with pytest.raises(SavedStyleError, match=r"\(bandai-namco 01234567, this one is free 01234567\)"):
        style.code_for(Model("0123456789abcdef", "free"))
