# SPDX-License-Identifier: GPL-3.0-or-later
"""The zips with onnxruntime: one for each platform that has wheels, and one for all of them."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from scripts.building.archive import STANDARD, Runtime, build_onnx_zip
from scripts.building.environments import environment, stamped_python
from scripts.building.processes import BUILD, ROOT, BuildError, run, tail
from scripts.building.wheels import fetch, other_pythons, pinned

ALL = "all-platforms"
_EXPORT_LIMIT = 120  # seconds


def build_onnx_zips(names: Sequence[str] = ()) -> list[Path]:
    """Build them.

    Args:
        names: platforms as Blender calls them, or ALL; empty for everything there is.

    Raises:
        BuildError: a platform without wheels, one that cannot be downloaded, or graphs that cannot be written.
    """
    platforms = pinned()
    unknown = [name for name in names if name not in (*platforms, ALL)]
    if unknown:
        raise BuildError(f"there are no wheels of onnxruntime for {', '.join(unknown)}.")
    wheels = {
        platform: tuple(fetch(name, digest) for name, digest in files.items())
        for platform, files in platforms.items()
        if not names or platform in names or ALL in names
    }
    graphs, others = export_graphs(), other_pythons()
    runtimes = [
        Runtime(name, (name,), (*files, others), graphs) for name, files in wheels.items() if not names or name in names
    ]
    if not names or ALL in names:
        # It names no platforms: where none of its wheels fits, numpy does.
        everything = [wheel for files in wheels.values() for wheel in files]
        runtimes.append(Runtime(ALL, (), (*everything, others), graphs))
    return [build_onnx_zip(ROOT, runtime) for runtime in runtimes]


def export_graphs() -> Path:
    """The folder with the ONNX graphs of the bundled weights, written anew."""
    weights = ROOT / STANDARD.files[0]
    if not weights.is_file():
        raise BuildError(f"the extension is incomplete, there is no {STANDARD.files[0]}.")
    folder, log = BUILD / "onnx", BUILD / "logs" / "onnx.log"
    shutil.rmtree(folder, ignore_errors=True)
    # The tools' environment can do it too; without it, a small one is enough.
    python = stamped_python("test") or environment("onnx")
    if run([python, "-m", "scripts.export_onnx", weights, folder], _EXPORT_LIMIT, log=log):
        raise BuildError(f"the ONNX graphs could not be written; {tail(log)}")
    return folder
