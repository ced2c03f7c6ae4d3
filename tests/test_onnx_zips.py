# SPDX-License-Identifier: GPL-3.0-or-later
"""The zips with onnxruntime, as far as they can be made without a network; tests/blender_addon installs a real one."""

import hashlib
import tomllib
import zipfile
from pathlib import Path

import onnxruntime
import pytest

import build
from scripts.building import environments, onnx_zips, wheels
from scripts.building.archive import Runtime, build_onnx_zip, build_zip
from scripts.building.processes import BuildError
from scripts.building.tally import Tally

from .test_build import tree  # noqa: F401

LINUX = "onnxruntime-1.23.2-cp311-cp311-manylinux_2_27_x86_64.manylinux_2_28_x86_64.whl"


@pytest.fixture
def runtime(tmp_path: Path) -> Runtime:
    """A wheel and a graph that nobody looks into."""
    folder = tmp_path / "made"
    folder.mkdir()
    (folder / LINUX).write_bytes(b"wheel" * 100)
    (folder / "stylize.onnx").write_bytes(b"graph")
    (folder / "stylize.log").write_bytes(b"")
    return Runtime("linux-x64", ("linux-x64",), (folder / LINUX,), folder)


class TestZip:
    def test_is_the_plain_one_with_wheels_and_graphs(self, tree: Path, runtime: Runtime) -> None:  # noqa: F811
        with zipfile.ZipFile(build_zip(tree)) as packed:
            plain = {name: packed.read(name) for name in packed.namelist()}
        built = build_onnx_zip(tree, runtime)
        assert built == tree / "dist" / "panache-1.2.3-linux-x64.zip"
        with zipfile.ZipFile(built) as packed:
            added = set(packed.namelist()) - set(plain)
            assert added == {f"wheels/{LINUX}", "models/onnx/stylize.onnx"}
            manifest = "blender_manifest.toml"
            assert all(packed.read(name) == data for name, data in plain.items() if name != manifest)
            said = tomllib.loads(packed.read(manifest).decode())
        before = tomllib.loads(plain["blender_manifest.toml"].decode())
        assert said == before | {"wheels": [f"./wheels/{LINUX}"], "platforms": ["linux-x64"]}

    def test_the_next_plain_one_is_plain_again(self, tree: Path, runtime: Runtime) -> None:  # noqa: F811
        before = build_zip(tree).read_bytes()
        build_onnx_zip(tree, runtime)
        assert build_zip(tree).read_bytes() == before

    def test_one_for_all_platforms_names_none(self, tree: Path, runtime: Runtime) -> None:  # noqa: F811
        everywhere = Runtime("all-platforms", (), runtime.wheels, runtime.graphs)
        with zipfile.ZipFile(build_onnx_zip(tree, everywhere)) as packed:
            assert "platforms" not in tomllib.loads(packed.read("blender_manifest.toml").decode())

    def test_tables_of_the_manifest_stay_tables(self, tree: Path, runtime: Runtime) -> None:  # noqa: F811
        manifest = tree / "blender_addon" / "blender_manifest.toml"
        manifest.write_text(manifest.read_text() + '[permissions]\nfiles = "Read motion files"\n')
        with zipfile.ZipFile(build_onnx_zip(tree, runtime)) as packed:
            said = tomllib.loads(packed.read("blender_manifest.toml").decode())
        assert said["permissions"] == {"files": "Read motion files"}
        assert said["platforms"] == ["linux-x64"]


class TestPins:
    def test_every_platform_has_a_wheel_for_every_python_of_blender(self) -> None:
        pythons = {environments.python_version(f"blender-{one}").replace(".", "") for one in environments.blenders()}
        assert pythons == {"311", "313"}
        for platform, files in wheels.pinned().items():
            assert {name.split("-")[2] for name in files} == {f"cp{python}" for python in pythons}, platform

    def test_all_are_of_the_version_that_the_tests_run(self) -> None:
        names = [name for files in wheels.pinned().values() for name in files]
        assert {name.split("-")[1] for name in names} == {onnxruntime.__version__}

    def test_no_wheel_brings_numpy(self) -> None:
        assert {name.split("-")[0] for files in wheels.pinned().values() for name in files} == {"onnxruntime"}


class TestWheels:
    def test_pip_is_asked_for_exactly_one_file(self, tmp_path: Path) -> None:
        asked = [str(part) for part in wheels.download(LINUX, tmp_path)]
        assert asked[-1] == "onnxruntime==1.23.2"
        assert asked[asked.index("--python-version") + 1] == "311"
        assert asked[asked.index("--abi") + 1] == "cp311"
        platforms = [asked[at + 1] for at, part in enumerate(asked) if part == "--platform"]
        assert platforms == ["manylinux_2_27_x86_64", "manylinux_2_28_x86_64"]
        assert "--no-deps" in asked

    def test_one_that_is_there_is_not_downloaded(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / LINUX).write_bytes(b"wheel")
        monkeypatch.setattr(wheels, "run", None)  # calling it would fail
        digest = hashlib.sha256(b"wheel").hexdigest()
        assert wheels.fetch(LINUX, digest, tmp_path) == tmp_path / LINUX

    def test_another_file_of_that_name_is_refused(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def download(*_arguments: object, **_options: object) -> int:
            (tmp_path / LINUX).write_bytes(b"something else")
            return 0

        monkeypatch.setattr(wheels, "run", download)
        with pytest.raises(BuildError, match="SHA-256 differs"):
            wheels.fetch(LINUX, hashlib.sha256(b"wheel").hexdigest(), tmp_path)
        assert not (tmp_path / LINUX).exists()

    def test_without_a_network_the_reason_is_given(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(wheels, "run", lambda *_arguments, **_options: 1)
        with pytest.raises(BuildError, match="needs a network, could not download onnxruntime"):
            wheels.fetch(LINUX, "0" * 64, tmp_path)

    def test_the_empty_one_is_the_same_every_time(self, tmp_path: Path) -> None:
        first = wheels.other_pythons(tmp_path).read_bytes()
        wheel = wheels.other_pythons(tmp_path)
        assert wheel.read_bytes() == first
        tags = wheel.name.split("-")[2].split(".")
        assert not {"py311", "py313"} & set(tags)
        with zipfile.ZipFile(wheel) as packed:
            assert all(".dist-info/" in name for name in packed.namelist())

    def test_this_machine_has_a_name(self) -> None:
        system, _, machine = wheels.this_platform().partition("-")
        assert system and machine


class TestCommand:
    def test_a_platform_without_wheels_is_named(self) -> None:
        with pytest.raises(BuildError, match="no wheels of onnxruntime for windows-arm64"):
            onnx_zips.build_onnx_zips(["windows-arm64"])

    def test_a_test_run_without_it_says_so(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def offline(_names: object) -> list[Path]:
            raise BuildError("there is no network.")

        monkeypatch.setattr(build, "build_onnx_zips", offline)
        tally = Tally()
        assert build.onnx_zip(tally) == {}
        assert tally.skipped == 1
        assert "there is no network" in tally.notes[0]
