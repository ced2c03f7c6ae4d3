#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Panache's one command: ``python3 build.py demo | test | zip``.

Needs Python 3.11 and pip, nothing else: each subcommand makes the virtual environments it needs in build/venvs, from
the versions that pyproject.toml pins, and uses them again until those change.
"""

import argparse
import hashlib
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

if sys.version_info < (3, 11):  # noqa: UP036 - it is this line that says so
    sys.exit("build.py: Python 3.11 or newer is needed to run this; try python3.11 build.py.")

from scripts.building.archive import BUNDLES, STANDARD, build_zip, validate
from scripts.building.environments import (
    BLENDER,
    NoPythonError,
    blenders,
    dependency_groups,
    environment,
    stamped_python,
)
from scripts.building.gui_root import WINDOWS, NoWindowError, window_root
from scripts.building.onnx_zips import build_onnx_zips
from scripts.building.processes import BUILD, ROOT, BuildError, describe, run
from scripts.building.tally import NO_TESTS, Tally
from scripts.building.wheels import this_platform

DIST = ROOT / "dist"
TOOLS = "test"  # the environment for everything but Blender
DEMO_BLENDER = "4.5.15"

# Seconds after which a process is ended; even if each of them needs all of its time, a run ends.
LINT_LIMIT, CORE_LIMIT, BLENDER_LIMIT, DEMO_LIMIT, WINDOW_LIMIT = 300, 1500, 600, 600, 1800


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a subcommand; 0 only if everything it promises was done."""
    options = parse(arguments)
    try:
        return int(options.run(options))
    except BuildError as error:
        print(f"\nbuild.py: {error}", file=sys.stderr)
        return 1


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True, metavar="demo | test | zip")
    demo = commands.add_parser("demo", help="stylize a real walk in a real Blender: dist/demo/sheet.png")
    demo.add_argument("--style", default="elderly", help="any style that the weights know (default: %(default)s)")
    demo.set_defaults(run=run_demo)
    test = commands.add_parser("test", help="lint, check types, run all tests, also inside every supported Blender")
    test.add_argument("--only", choices=("lint", "core", "blender"), help="one part instead of all")
    test.add_argument("--blender", action="append", choices=blenders(), help="only this version; may be repeated")
    windows = sorted(WINDOWS.values())
    test.add_argument("--gui", nargs="*", choices=windows, help="instead of all that: the tests in real windows")
    test.add_argument("-k", dest="expression", help="run the tests that match this pytest expression")
    test.set_defaults(run=run_test)
    archive = commands.add_parser("zip", help="dist/panache-<version>.zip, ready to drop into Blender")
    archive.add_argument(
        "--onnx", action="store_true", help="also one with onnxruntime for each platform, and one for all of them"
    )
    archive.add_argument(
        "--weights",
        choices=BUNDLES,
        default=STANDARD.name,
        help="which weights are inside; free: made from freely licensed data only (default: %(default)s)",
    )
    archive.set_defaults(run=run_zip)
    return parser.parse_args(arguments)


# -- zip ---------------------------------------------------------------------------------------------------------------


def run_zip(options: argparse.Namespace) -> int:
    """Build the zip, or all of them; validate them if an environment with Blender exists already."""
    weights = BUNDLES[options.weights]
    if options.onnx and weights is not STANDARD:
        raise BuildError(f"zips with onnxruntime are made with the weights {STANDARD.name} only: leave --onnx out.")
    archives = [build_zip(ROOT, weights), *(build_onnx_zips() if options.onnx else ())]
    for archive in archives:
        digest = hashlib.sha256(archive.read_bytes()).hexdigest()
        print(f"{archive.relative_to(ROOT)}  {archive.stat().st_size / 1e6:.1f} MB  sha256 {digest[:16]}", flush=True)
    ready = [version for version in blenders() if stamped_python(BLENDER + version)]
    if not ready:
        print("Not validated: build.py demo or test installs the Blender that can.")
        return 0
    return max(validate(archive, environment(BLENDER + ready[-1])) for archive in archives)


# -- demo --------------------------------------------------------------------------------------------------------------


def run_demo(options: argparse.Namespace) -> int:
    """Install the zip into a clean headless Blender and stylize the walk of tests/data with it."""
    archive = build_zip(ROOT)
    python = environment(BLENDER + DEMO_BLENDER)
    if validate(archive, python):
        raise BuildError("Blender refuses the zip, see above.")
    out, user = DIST / "demo", BUILD / "blender-user"
    for folder in (out, user):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    command = [python, "-m", "scripts.demo", "--zip", archive, "--out", out, "--style", options.style]
    status = run(command, DEMO_LIMIT, {"BLENDER_USER_RESOURCES": str(user)})
    missing = [name for name in ("stylized.blend", "stylized.bvh", "sheet.png") if not (out / name).is_file()]
    if status or missing:
        raise BuildError(f"the demo {describe(status)}; missing: {', '.join(missing) or 'nothing'}.")
    return 0


# -- test --------------------------------------------------------------------------------------------------------------


def run_test(options: argparse.Namespace) -> int:
    """Run the parts that were asked for; each runs even if one before it failed."""
    tally = Tally()
    chosen = ["-k", options.expression] if options.expression else []
    parts: dict[str, Callable[[], None]] = {
        "lint": lambda: lint(tally),
        "core": lambda: test_core(tally, chosen),
        "blender": lambda: test_blenders(tally, options.blender or blenders(), chosen),
    }
    if options.gui is not None:
        parts = {"gui": lambda: test_windows(tally, options.gui or sorted(WINDOWS.values()), chosen)}
    for name, part in parts.items():
        if options.only in (None, name):
            try:
                part()
            except BuildError as error:
                tally.fail(f"{name}: {error}")
    return tally.close()


def lint(tally: Tally) -> None:
    """Style, format and types."""
    python = environment(TOOLS)
    # Without this, pyright asks the network for a newer version of itself.
    quiet = {"PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"}
    for tool in (["ruff", "check"], ["ruff", "format", "--check"], ["pyright", "--pythonpath", str(python)]):
        name = " ".join(tool[:2]) if tool[0] == "ruff" else tool[0]
        headline(name)
        tally.check(name, run([python, "-m", *tool], LINT_LIMIT, quiet))


def test_core(tally: Tally, chosen: Sequence[str]) -> None:
    """All tests that need no Blender."""
    headline("Tests without Blender")
    run_pytest(tally, TOOLS, ["tests", "--ignore=tests/blender_addon", *chosen], CORE_LIMIT)


def test_blenders(tally: Tally, versions: Sequence[str], chosen: Sequence[str]) -> None:
    """The zip, built, validated and installed in one process per Blender version."""
    headline("The zip")
    archive = build_zip(ROOT)
    archives = {"PANACHE_ZIP": archive, **onnx_zip(tally)}
    validated = False
    for version in versions:
        headline(f"Blender {version}")
        try:
            python = environment(BLENDER + version)
        except NoPythonError as error:
            tally.skip(f"Blender {version}: {error}")
            continue
        if not validated:
            for one in archives.values():
                tally.check(f"validation of {one.name}", validate(one, python))
            validated = True
        variables = {name: str(one) for name, one in archives.items()}
        run_pytest(tally, BLENDER + version, ["tests/blender_addon", *chosen], BLENDER_LIMIT, variables)


def onnx_zip(tally: Tally) -> dict[str, Path]:
    """The zip with onnxruntime for this machine, by the variable that the tests look for it in."""
    try:
        return {"PANACHE_ONNX_ZIP": build_onnx_zips([this_platform()])[0]}
    except BuildError as error:
        tally.skip(f"the zip with onnxruntime: {error}")
        return {}


def test_windows(tally: Tally, versions: Sequence[str], chosen: Sequence[str]) -> None:
    """The zip in real Blender windows, clicked with a real mouse; pictures of it in dist/gui."""
    archive = build_zip(ROOT)
    for suite, version in WINDOWS.items():
        if version not in versions:
            continue
        headline(f"Blender {version} in a window")
        try:
            root = window_root(suite)
        except NoWindowError as error:
            tally.skip(f"the window of Blender {version}: {error}")
            continue
        variables = {"PANACHE_GUI_ROOT": str(root), "PANACHE_GUI_NAME": version, "PANACHE_ZIP": str(archive)}
        run_pytest(tally, f"window-{version}", ["tests/gui", *chosen], WINDOW_LIMIT, variables)


def run_pytest(
    tally: Tally, name: str, arguments: Sequence[str], limit: float, variables: dict[str, str] | None = None
) -> None:
    """One pytest process in the environment ``name``, or in the one of the tools if there is none of that name."""
    report = BUILD / "reports" / f"{name}.xml"
    report.unlink(missing_ok=True)
    python = environment(name if name in dependency_groups() else TOOLS)
    command = [python, "-m", "pytest", "-q", f"--junitxml={report}", *arguments]
    status = run(command, limit, variables)
    tally.add_report(f"tests in {name}", report, status)
    if status == NO_TESTS and "-k" not in arguments:
        tally.fail(f"no tests were found for {name}")


def headline(text: str) -> None:
    """Say what comes next."""
    print(f"\n== {text} ==", flush=True)


if __name__ == "__main__":
    sys.exit(main())
