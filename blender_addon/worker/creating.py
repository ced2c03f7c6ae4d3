# SPDX-License-Identifier: GPL-3.0-or-later
"""Create Runtime: a private environment with the torch that suits this machine, and the way to get rid of it again.

Whatever interrupts it, it can be started again: what was downloaded to its end is kept beside the environment, and only
a complete runtime has the file that says so.
"""

import json
import os
import platform
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import bpy

from ..backend import EngineError, PanacheError, Progress, Steps, scaled
from ..log import write_note
from ..translations import say
from .commands import CommandError, run_command
from .interpreter import SENTINEL, VENV, python_of, runtime_folder, unwritable
from .keeper import reconsider, stop
from .plan import Plan, Source, make_plan

_CACHE, _SCRATCH, _LOG = "cache", "scratch", "install.log"
# Of the whole work, what asking for the driver takes; of installing, where environment and packages are done.
_ASKED: Final = 0.02
_MADE, _INSTALLED = 0.06, 0.95
# Seconds in which the driver must have said its version: a broken one never does.
_DRIVER_LIMIT: Final = 20.0
_CHECK: Final = (
    "import json, platform, numpy, torch;"
    "torch.zeros(2).numpy();"
    "print(json.dumps({'torch': torch.__version__, 'numpy': numpy.__version__, 'python': platform.python_version(),"
    "'cuda': torch.cuda.is_available()}))"
)
# Files that are removed between two looks at the window, and about how many there are in all.
_REMOVED_AT_ONCE, _MANY_FILES = 50, 20_000
# What pip says, and what to do about it.
_CAUSES: Final = (
    (("no space left", "errno 28", "disk full", "not enough space"), "the disk is full: make room and try again."),
    (("permission denied", "errno 13", "access is denied"), "its folder cannot be written: change its permissions."),
    (
        ("connection", "resolve", "timed out", "network", "proxy", "ssl"),
        "the network failed: check it and press Create Runtime again, which goes on where it stopped.",
    ),
    (("ensurepip", "no module named venv"), "install Python's venv module, or choose a Python that has torch."),
    (
        ("no matching distribution", "could not find a version"),
        "there is no torch for this Python: choose another one.",
    ),
)
_NO_TORCH: Final = _CAUSES[-1][0]


def create_steps() -> Steps[str]:
    """Make the runtime that suits this machine.

    Returns:
        A sentence about what there is now.

    Raises:
        PanacheError: it cannot be made; the message says what to do.

    """
    if not bpy.app.online_access:
        raise EngineError(
            say("Creating a runtime downloads torch: allow online access in Blender's preferences, under System.")
        )
    # On Windows, what a running worker has open can be neither replaced nor removed.
    stop()
    folder = runtime_folder(create=True)
    yield Progress(0.0, say("Looking at the graphics card"))
    driver = yield from scaled(_driver_steps(folder), 0.0, _ASKED)
    try:
        said = yield from scaled(install_steps(make_plan(driver), folder), _ASKED, 1.0)
    except OSError as error:
        raise unwritable(error) from error
    reconsider()
    return said


def install_steps(plan: Plan, folder: Path) -> Steps[str]:
    """Install a plan into a folder; see :func:`create_steps`."""
    _check_room(folder, plan.sources[-1])
    (folder / SENTINEL).unlink(missing_ok=True)
    python = yield from scaled(_environment_steps(plan, folder), 0.0, _MADE)
    source = yield from scaled(_package_steps(plan, python, folder), _MADE, _INSTALLED)
    said = yield from scaled(_check_steps(python, folder), _INSTALLED, 1.0)
    # Last of all: without this file the runtime is not used.
    (folder / SENTINEL).write_text(json.dumps(said | {"source": source.name}), encoding="utf-8")
    for name in (_CACHE, _SCRATCH):
        shutil.rmtree(folder / name, ignore_errors=True)
    sentence = say("The runtime is ready: torch {torch}, Python {python}.", **said)
    return f"{sentence} {plan.note}".strip()


def remove_steps() -> Steps[str]:
    """Remove the private runtime, complete or not.

    Raises:
        EngineError: something in it cannot be removed.

    """
    stop()
    folder = runtime_folder()
    (folder / SENTINEL).unlink(missing_ok=True)
    try:
        for count, remove in enumerate(_removals(folder)):
            remove()
            if count % _REMOVED_AT_ONCE == 0:
                yield Progress(count / (count + _MANY_FILES), say("Removing the runtime"))
    except OSError as error:
        raise EngineError(
            say(
                '"{path}" cannot be removed ({reason}): close what uses it and try again.',
                path=error.filename,
                reason=error.strerror,
            )
        ) from error
    return say("The runtime is removed")


def _removals(folder: Path) -> Iterator[Callable[[], None]]:
    """What removes everything in a folder, and at last the folder, from the inside out."""
    for parent, folders, files in os.walk(folder, topdown=False):
        here = Path(parent)
        yield from ((here / name).unlink for name in files)
        # Links to folders are no files to os.walk; real folders are removed already.
        yield from ((here / name).unlink for name in folders if (here / name).is_symlink())
        yield here.rmdir


def _driver_steps(folder: Path) -> Steps[str]:
    """Version of the NVIDIA driver; empty without one."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return ""
    ask = [program, "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        lines = yield from run_command(ask, folder / _LOG, lambda _lines: Progress(0.5), limit=_DRIVER_LIMIT)
    except CommandError:
        return ""
    return lines[0] if lines else ""


def _environment_steps(plan: Plan, folder: Path) -> Steps[Path]:
    """The environment's interpreter; what is there already is kept if it still fits."""
    venv, what = folder / VENV, say("Making an environment")
    python = python_of(venv)
    make = [plan.python, "-m", "venv", str(venv)]
    for extra in ([[]] if _is_of_this_python(venv) else []) + [["--clear"]]:
        try:
            yield from run_command([*make, *extra], folder / _LOG, lambda _lines: Progress(0.5, what))
        except CommandError as error:
            failure = error
        else:
            return python
    raise _explained(say("Python's environment could not be made"), failure)


def _is_of_this_python(venv: Path) -> bool:
    """Whether an environment, finished or not, was made by the Python that Blender has now."""
    try:
        text = (venv / "pyvenv.cfg").read_text(encoding="utf-8")
    except OSError:
        return False
    return re.search(rf"version\S* *= *{platform.python_version()}\b", text) is not None


def _package_steps(plan: Plan, python: Path, folder: Path) -> Steps[Source]:
    """The source that the packages came from."""
    reader = _PipReader(folder / _SCRATCH)
    # pip downloads into the folder for temporary files: what lies there is how far it has come.
    variables = dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(folder / _SCRATCH))
    for source in plan.sources:
        last = source is plan.sources[-1]
        _check_room(folder, source)
        _make_empty(folder / _SCRATCH)
        reader.begin(source)
        try:
            yield from run_command(_pip_command(source, python, folder), folder / _LOG, reader.read, variables)
        except CommandError as error:
            missing = any(sign in line.lower() for line in error.lines for sign in _NO_TORCH)
            if last or not missing:
                raise _explained(say("torch could not be installed"), error) from error
            write_note(f"{source.name}: {' | '.join(error.lines[-3:])}")
        else:
            return source
    raise AssertionError("a plan has sources")


def _pip_command(source: Source, python: Path, folder: Path) -> list[str]:
    options = ["--no-input", "--disable-pip-version-check", "--progress-bar", "off", "--cache-dir", folder / _CACHE]
    return [str(part) for part in (python, "-m", "pip", "install", *options, *source.arguments())]


def _make_empty(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


class _PipReader:
    """Turns what pip says, and what it has on the disk, into progress, over all sources that are tried."""

    def __init__(self, scratch: Path) -> None:
        self._scratch = scratch
        self._last = Progress(0.0)

    def begin(self, source: Source) -> None:
        """A source is tried: the first, or another one because the one before had nothing."""
        self._last = Progress(self._last.share, say("Looking for {name}", name=source.name))

    def read(self, lines: list[str]) -> Progress:
        """How far it has come; a second source does not send it back."""
        share, what = self._understood(lines)
        self._last = Progress(max(share, self._last.share), what)
        return self._last

    def _understood(self, lines: list[str]) -> tuple[float, str]:
        if any(line.startswith("Installing collected packages") for line in lines):
            return 0.8, say("Unpacking")
        for line in reversed(lines):
            found = re.match(r"Downloading (?:.*/)?([\w.]+)-.*\(([\d.]+) (MB|GB)\)", line)
            if found:
                size = float(found[2]) * (1000.0 if found[3] == "GB" else 1.0)
                done = min(_size(self._scratch) / 1e6, size)
                text = say(
                    "Downloading {name}: {done} of {size} MB", name=found[1], done=f"{done:.0f}", size=f"{size:.0f}"
                )
                return 0.75 * (done / size if found[1] == "torch" else 0.0), text
        return 0.0, self._last.what


def _check_steps(python: Path, folder: Path) -> Steps[dict[str, Any]]:
    """What the finished runtime says of itself."""
    what = say("Trying it out")
    try:
        lines = yield from run_command([str(python), "-c", _CHECK], folder / _LOG, lambda _lines: Progress(0.5, what))
        return dict(json.loads(lines[-1]))
    except CommandError as error:
        raise _explained(say("The new runtime does not work"), error) from error


def _explained(what: str, error: CommandError) -> PanacheError:
    """A sentence for what a program said at the end."""
    write_note("\n".join([str(error), *error.lines]))
    text = "\n".join(error.lines).lower()
    for signs, advice in _CAUSES:
        if any(sign in text for sign in signs):
            return EngineError(f"{what}: {say(advice)}")
    last = error.lines[-1] if error.lines else str(error)
    return EngineError(f"{what} ({last.rstrip('.')}): {say('see the log, or choose a Python that has torch.')}")


def _check_room(folder: Path, source: Source) -> None:
    """Refuse to fill the disk to the brim."""
    try:
        free = shutil.disk_usage(folder).free
    except OSError:
        return
    if free < source.space:
        raise EngineError(
            say(
                "The runtime needs {needed} GB and the disk has {free} GB left: make room and try again.",
                needed=f"{source.space / 1e9:.0f}",
                free=f"{free / 1e9:.1f}",
            )
        )


def _size(folder: Path) -> int:
    """Bytes in a folder."""
    total = 0
    for parent, _folders, files in os.walk(folder):
        for name in files:
            try:
                total += Path(parent, name).stat().st_size
            except OSError:
                continue
    return total
