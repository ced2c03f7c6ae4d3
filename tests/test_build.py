# SPDX-License-Identifier: GPL-3.0-or-later
"""build.py: what gets into the zip, how runs are counted, what happens when something is missing."""

import ast
import re
import sys
import zipfile
from pathlib import Path

import pytest

import build
from scripts.building import archive, environments, processes
from scripts.building.archive import build_zip
from scripts.building.environments import NoPythonError
from scripts.building.processes import TIMED_OUT, BuildError
from scripts.building.tally import NO_TESTS, Tally

ROOT = Path(__file__).resolve().parents[1]

IN_THE_ZIP = {
    "LICENSE",
    "__init__.py",
    "blender_manifest.toml",
    "blender_addon/__init__.py",
    "blender_addon/rig/reader.py",
    "blender_addon/locale/de_DE.json",
    "blender_addon/thumbnails/LICENSE.txt",
    "blender_addon/thumbnails/elderly.png",
    "core/__init__.py",
    "core/rig_maps/mixamo.json",
    "models/__init__.py",
    "models/weights/bandai-namco.safetensors",
    "models/weights/bandai-namco.txt",
}
OF_FREE = {"models/weights/free.safetensors", "models/weights/free.txt"}
OF_BANDAI = {name for name in IN_THE_ZIP if "thumbnails" in name or "bandai" in name}
NOT_IN_THE_ZIP = {
    "README.md",
    "pyproject.toml",
    "build.py",
    "scripts/train.py",
    "tests/test_build.py",
    "core/__pycache__/rig.cpython-311.pyc",
    "core/notes.md",
    "models/weights/checkpoint.pt",
    "blender_addon/blender_manifest.toml",
    ".git/config",
    "build/stage/core/stale.py",
}


MANIFEST = 'id = "panache"\nversion = "1.2.3"\nlicense = ["SPDX:GPL-3.0-or-later"]\n'


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A source tree in small."""
    for name in (IN_THE_ZIP | NOT_IN_THE_ZIP | OF_FREE) - {"__init__.py", "blender_manifest.toml"}:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"# {name}\n")
    (tmp_path / archive.MANIFEST).write_text(MANIFEST)
    return tmp_path


class TestZip:
    def test_holds_the_extension_and_nothing_else(self, tree: Path) -> None:
        built = build_zip(tree)
        assert built == tree / "dist" / "panache-1.2.3.zip"
        with zipfile.ZipFile(built) as packed:
            assert set(packed.namelist()) == IN_THE_ZIP
            assert packed.read("core/__init__.py") == (tree / "core/__init__.py").read_bytes()
            assert packed.read("__init__.py") == b"from .blender_addon import register, unregister\n"

    def test_equal_sources_give_equal_bytes(self, tree: Path) -> None:
        first = build_zip(tree).read_bytes()
        for path in tree.rglob("*.py"):
            path.touch()
        assert build_zip(tree).read_bytes() == first

    def test_leaves_the_sources_alone(self, tree: Path) -> None:
        def snapshot() -> dict[str, bytes]:
            files = (path for path in tree.rglob("*") if path.is_file())
            return {
                str(path): path.read_bytes() for path in files if path.parts[len(tree.parts)] not in ("build", "dist")
            }

        before = snapshot()
        build_zip(tree)
        assert snapshot() == before

    @pytest.mark.parametrize(
        "part", ["models/weights/bandai-namco.safetensors", "core/rig_maps/mixamo.json", "LICENSE"]
    )
    def test_is_not_built_without_a_part_that_it_needs(self, tree: Path, part: str) -> None:
        (tree / part).unlink()
        with pytest.raises(BuildError, match="incomplete"):
            build_zip(tree)

    def test_holds_one_bundle_and_nothing_that_is_made_from_other_data(self, tree: Path) -> None:
        built = build_zip(tree, archive.FREE)
        assert built.name == "panache-1.2.3-free.zip"
        with zipfile.ZipFile(built) as packed:
            assert set(packed.namelist()) == (IN_THE_ZIP - OF_BANDAI) | OF_FREE
            free = packed.read("blender_manifest.toml").decode()
        with zipfile.ZipFile(build_zip(tree)) as packed:
            standard = packed.read("blender_manifest.toml").decode()
        licences = [environments.tomllib.loads(manifest)["license"] for manifest in (standard, free)]
        assert "SPDX:CC-BY-NC-4.0" in licences[0]
        assert not any("NC" in licence for licence in licences[1])
        assert all("SPDX:GPL-3.0-or-later" in listed for listed in licences)

    def test_free_weights_that_are_not_there_are_named(
        self, tree: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tree / "models/weights/free.safetensors").unlink()
        monkeypatch.setattr(build, "ROOT", tree)
        assert build.main(["zip", "--weights", "free"]) == 1
        said = capsys.readouterr().err.strip()
        assert said.startswith("build.py: the extension is incomplete, there is no models/weights/free.safetensors")
        assert "\n" not in said

    def test_every_bundle_has_its_licence_beside_it(self) -> None:
        for weights in archive.BUNDLES.values():
            text = (ROOT / "models" / "weights" / f"{weights.name}.txt").read_text(encoding="utf-8")
            assert text.startswith(f"{weights.name}.safetensors\n")
            assert ("NonCommercial" in text) == any("NC" in licence for licence in weights.licences)

    def test_the_manifest_is_the_only_place_with_a_version(self) -> None:
        version = environments.tomllib.loads((ROOT / archive.MANIFEST).read_text())["version"]
        project = environments.tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
        assert re.fullmatch(r"\d+\.\d+\.\d+", version)
        assert "version" not in project
        assert "version" in project["dynamic"]


class TestTally:
    def report(self, folder: Path, tests: int, failures: int = 0, errors: int = 0, skipped: int = 0) -> Path:
        path = folder / "report.xml"
        counts = f'tests="{tests}" failures="{failures}" errors="{errors}" skipped="{skipped}"'
        path.write_text(f"<testsuites><testsuite {counts}/></testsuites>")
        return path

    def test_counts_what_the_report_says(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        tally = Tally()
        tally.add_report("a", self.report(tmp_path, 10, failures=1, errors=1, skipped=3), 1)
        tally.check("b", 0)
        assert tally.close() == 1
        assert capsys.readouterr().out.splitlines()[-1] == "6 passed, 2 failed, 3 skipped"

    @pytest.mark.parametrize("status", [1, -11, TIMED_OUT])
    def test_a_process_that_dies_after_a_good_report_has_failed(self, tmp_path: Path, status: int) -> None:
        tally = Tally()
        tally.add_report("a", self.report(tmp_path, 10), status)
        assert (tally.passed, tally.failed) == (10, 1)
        assert tally.close() == 1

    def test_a_process_that_dies_before_its_report_has_failed(self, tmp_path: Path) -> None:
        tally = Tally(passed=5)
        tally.add_report("a", tmp_path / "none.xml", -11)
        assert tally.close() == 1

    def test_a_run_without_any_test_is_no_success(self, tmp_path: Path) -> None:
        tally = Tally()
        tally.add_report("a", self.report(tmp_path, 0), NO_TESTS)
        tally.skip("the rest")
        assert tally.close() == 1

    def test_skips_are_said_twice_and_do_not_fail(self, capsys: pytest.CaptureFixture[str]) -> None:
        tally = Tally(passed=1)
        tally.skip("Blender 9: no Python")
        assert tally.close() == 0
        assert capsys.readouterr().out.count("SKIPPED: Blender 9: no Python") == 2


class TestEnvironments:
    def test_every_requirement_is_pinned(self) -> None:
        groups = environments.dependency_groups()
        loose = [one for group in groups for one in environments.requirements(group) if "==" not in one]
        assert not loose

    def test_torch_is_the_version_that_weights_were_trained_with(self) -> None:
        assert "torch==2.13.0" in environments.requirements("models")
        assert "torch==2.13.0" in environments.requirements("test")

    def test_included_groups_are_resolved(self) -> None:
        assert set(environments.requirements("core")) < set(environments.requirements("models"))

    def test_each_blender_gets_the_python_that_it_is_built_for(self) -> None:
        versions = {version: environments.python_version(f"blender-{version}") for version in environments.blenders()}
        assert versions == {"4.2.23": "3.11", "4.5.15": "3.11", "5.0.1": "3.11", "5.2.3": "3.13"}

    def test_the_running_python_is_found(self) -> None:
        assert environments.find_python("{}.{}".format(*sys.version_info)) == Path(sys.executable)

    def test_a_python_that_is_not_there_is_named(self) -> None:
        with pytest.raises(NoPythonError, match=r"Python 3\.99 was not found"):
            environments.find_python("3.99")

    def test_a_blender_without_its_python_is_skipped(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def nowhere(version: str) -> Path:
            raise NoPythonError(f"Python {version} was not found.")

        monkeypatch.setattr(environments, "find_python", nowhere)
        monkeypatch.setattr(environments, "stamped_python", lambda _name: None)
        monkeypatch.setattr(build, "build_zip", lambda root: root / "panache.zip")
        monkeypatch.setattr(build, "onnx_zip", lambda _tally: {})
        tally = Tally()
        build.test_blenders(tally, ["5.2.3"], [])
        assert (tally.passed, tally.failed, tally.skipped) == (0, 0, 1)
        assert "Python 3.13 was not found" in tally.notes[0]


class TestProcesses:
    def test_gives_the_exit_status(self) -> None:
        assert processes.run([sys.executable, "-c", "raise SystemExit(3)"], 60) == 3

    def test_a_process_that_hangs_is_ended_with_its_children(self, tmp_path: Path) -> None:
        alive = tmp_path / "alive"
        child = f"import pathlib, time\ntime.sleep(3)\npathlib.Path({str(alive)!r}).touch()"
        parent = f"import subprocess, sys, time\nsubprocess.Popen([sys.executable, '-c', {child!r}])\ntime.sleep(600)"
        assert processes.run([sys.executable, "-c", parent], 1.0) == TIMED_OUT
        processes.run([sys.executable, "-c", "import time; time.sleep(4)"], 60)
        assert not alive.exists()

    def test_other_pythons_are_kept_out(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PYTHONPATH", "/elsewhere")
        log = tmp_path / "log.txt"
        processes.run([sys.executable, "-c", "import sys; print('/elsewhere' in sys.path)"], 60, log=log)
        assert log.read_text().strip() == "False"


class TestCommandLine:
    def test_says_what_is_missing_in_one_sentence(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        def incomplete(_root: Path, _weights: archive.Weights) -> Path:
            raise BuildError("there are no weights.")

        monkeypatch.setattr(build, "build_zip", incomplete)
        assert build.main(["zip"]) == 1
        assert capsys.readouterr().err.strip() == "build.py: there are no weights."

    def test_a_part_that_cannot_start_fails_the_run(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def incomplete(_root: Path) -> Path:
            raise BuildError("there are no weights.")

        monkeypatch.setattr(build, "build_zip", incomplete)
        assert build.main(["test", "--only", "blender"]) == 1

    def test_needs_nothing_but_the_standard_library(self) -> None:
        files = [ROOT / "build.py", *(ROOT / "scripts" / "building").glob("*.py")]
        imported = {name for file in files for name in imports(file)}
        assert {name for name in imported if name not in sys.stdlib_module_names} == {"scripts"}

    def test_ci_runs_the_test_command_and_nothing_else(self) -> None:
        lines = (ROOT / ".ci" / "run").read_text().splitlines()
        commands = [line for line in lines if line and not line.startswith(("#", "set ", "cd "))]
        assert commands == ["exec python3 build.py test"]


def imports(path: Path) -> set[str]:
    """Top names of all absolute imports of a file."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.add((node.module or "").partition(".")[0])
    return found
