# SPDX-License-Identifier: GPL-3.0-or-later
"""Time Stylize in a real Blender, from the operator's call to the keys written, and say what takes how long.

    python -m scripts.benchmark --python PYTHON_WITH_BPY --zip ZIP

The clip has 10 seconds on a rig of 65 bones, all keyed on every frame. Nothing is asserted: times are the machine's.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.evaluation.blender_suite import BlenderError, newest_zip

ROOT = Path(__file__).resolve().parent.parent
_CHILD = ROOT / "scripts/evaluation/benchmark_child.py"
_STAGES = ("read", "retarget", "encode", "network", "transfer", "contacts", "write", "other")
_WARM_UP = 2
VARIATIONS = 8
_LAST_LINES = 15


@dataclass(frozen=True)
class Options:
    """The command line."""

    python: Path
    zip: Path | None
    seconds: float
    repeats: int
    style: str


def main(arguments: list[str] | None = None) -> int:
    """Run the command; the exit status says whether it could be timed."""
    options = Options(**vars(_parser().parse_args(arguments)))
    try:
        print(table(measure(options), options))
    except BlenderError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def measure(options: Options) -> dict[str, Any]:
    """Seconds of each repeat, whole (``totals``) and by stage (``stages``), from a Blender of its own.

    Raises:
        BlenderError: it did not finish.
    """
    extension = options.zip or newest_zip(ROOT / "dist")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        job = {
            "zip": str(extension.resolve()), "out": str(folder / "times.json"), "seconds": options.seconds,
            "repeats": options.repeats, "warm": _WARM_UP, "style": options.style,
            "variations": VARIATIONS,
        }  # fmt: skip
        (folder / "job.json").write_text(json.dumps(job), encoding="utf-8")
        command = [str(options.python), "-I", str(_CHILD), str(folder / "job.json")]
        environment = {**os.environ, "BLENDER_USER_RESOURCES": str(folder / "user")}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            lines = (done.stdout + done.stderr).strip().splitlines()[-_LAST_LINES:]
            raise BlenderError("Blender did not finish:\n" + "\n".join(lines))
        return json.loads((folder / "times.json").read_text(encoding="utf-8"))


def table(times: dict[str, Any], options: Options) -> str:
    """Median total, and the median share of every stage."""
    total = statistics.median(times["totals"])
    lines = [
        f"{options.seconds:g} s clip, {times['bones']} bones, Blender {times['blender']}, {os.cpu_count()} cores, warm",
        f"total  {total:.3f} s  (median of {options.repeats}, {min(times['totals']):.3f}-{max(times['totals']):.3f})",
    ]
    checks = times["preflights"]
    lines.append(f"preflight  {statistics.median(checks):.3f} s  ({min(checks):.3f}-{max(checks):.3f})")
    many = statistics.median(times["variations"])
    lines.append(f"{VARIATIONS} variations  {many:.3f} s  ({many / total:.2f} times one Stylize)")
    steps = [sorted(own) for own in times["steps"]]
    largest, common = (statistics.median(own[int(share * (len(own) - 1))] for own in steps) for share in (1.0, 0.99))
    lines.append(
        f"largest step  {1e3 * largest:.0f} ms of processor time, 99 in 100 under {1e3 * common:.0f} ms  "
        f"({statistics.median(map(len, steps)):.0f} steps, between which a window is drawn)"
    )
    medians = {name: statistics.median(stage.get(name, 0.0) for stage in times["stages"]) for name in _STAGES}
    whole = sum(medians.values())
    lines += [f"{name:<9}{seconds:.3f} s  {seconds / whole:4.0%}" for name, seconds in medians.items()]
    return "\n".join(lines)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scripts.benchmark", description=(__doc__ or "").partition("\n")[0])
    add = parser.add_argument
    add("--python", type=Path, default=Path(sys.executable), help="a Python with bpy and torch")
    add("--zip", type=Path, help="the extension; default: the newest in dist")
    add("--seconds", type=float, default=10.0, help="length of the clip")
    add("--repeats", type=int, default=7, help="calls that are timed, after two that are not")
    add("--style", default="elderly", help="any style that the weights know")
    return parser


if __name__ == "__main__":
    sys.exit(main())
