# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the window of the tests comes from, and what is said where there can be none."""

import os
from pathlib import Path

import pytest

import build
from scripts.building import gui_root
from scripts.building.gui_root import NoWindowError, window_root


def refused(*_arguments: object) -> Path:
    raise NoWindowError("there is no screen")


@pytest.fixture
def nothing_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PANACHE_GUI_ROOTS", raising=False)
    monkeypatch.setattr(gui_root, "BUILD", tmp_path)


@pytest.mark.usefixtures("nothing_made")
class TestRefusals:
    def test_another_system(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(gui_root.sys, "platform", "darwin")
        with pytest.raises(NoWindowError, match="need Linux"):
            window_root("sid")

    @pytest.mark.skipif(not hasattr(os, "geteuid"), reason="there is no root user")
    def test_not_root(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(gui_root.sys, "platform", "linux")
        monkeypatch.setattr(gui_root.os, "geteuid", lambda: 1000)
        with pytest.raises(NoWindowError, match="run this as root"):
            window_root("sid")

    def test_no_mirror(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "other.list").write_text("deb https://example.org/packages stable main\n")
        monkeypatch.setattr(gui_root, "_check_machine", lambda: None)
        monkeypatch.setattr(gui_root, "_SOURCES", (tmp_path / "other.list",))
        with pytest.raises(NoWindowError, match="no Debian mirror"):
            window_root("sid")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("sources.list", "# http://old/debian\ndeb http://mirror.example/debian bookworm main\n"),
        ("debian.sources", "Types: deb\nURIs: http://mirror.example/debian\nSuites: bookworm\n"),
    ],
)
def test_the_mirror_is_the_machines_own(name: str, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / name).write_text(text)
    monkeypatch.setattr(gui_root, "_SOURCES", (tmp_path / name,))
    assert gui_root._mirror() == "http://mirror.example/debian"


def test_a_machine_without_windows_skips_them_loudly(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(build, "window_root", refused)
    monkeypatch.setattr(build, "build_zip", lambda _root: Path("panache.zip"))
    assert build.main(["test", "--gui"]) == 1, "a run that ran nothing is no success"
    said = capsys.readouterr().out
    for version in ("5.2", "4.3"):
        assert f"SKIPPED: the window of Blender {version}: there is no screen" in said
    assert "0 passed, 0 failed, 2 skipped" in said
