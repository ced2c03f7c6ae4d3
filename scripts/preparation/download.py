# SPDX-License-Identifier: GPL-3.0-or-later
"""Fetch a set from its public home: goes on where it was cut off, and keeps no file that is not the right one."""

import hashlib
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from core.errors import PanacheError
from scripts.preparation.sets import BANDAI_1, BANDAI_2, CMU, REACTIDLE, STYLE100

if TYPE_CHECKING:
    from requests import Response

PIECE: Final = 1 << 16
"""Bytes that are written at once; less than that is lost when a connection breaks."""
_ATTEMPTS: Final = 5
# Seconds to connect, and between two pieces.
_PATIENCE: Final = (15.0, 60.0)
_PARTIAL, _UNSATISFIABLE = 206, 416

Show = Callable[[int, int], None]
"""Is told how many bytes there are, and of how many; 0 if the server does not say."""


class DownloadError(PanacheError):
    """A set could not be fetched."""


@dataclass(frozen=True)
class Home:
    """Where a set is published.

    Attributes:
        url: its archive.
        name: what the archive is called here.
        sha256: of the archive, where it never changes and is known; else what arrives first is remembered.
    """

    url: str
    name: str
    sha256: str = ""


_BANDAI: Final = Home(
    "https://github.com/BandaiNamcoResearchInc/Bandai-Namco-Research-Motiondataset/archive/HEAD.zip",
    "bandai-namco.zip",
)
HOMES: Final = {
    BANDAI_1: _BANDAI,
    BANDAI_2: _BANDAI,
    CMU: Home("http://mocap.cs.cmu.edu/allasfamc.zip", "cmu-allasfamc.zip"),
    REACTIDLE: Home("https://github.com/Enekoassets/ReActIdle/archive/HEAD.zip", "reactidle.zip"),
    STYLE100: Home(
        "https://zenodo.org/api/records/8127870/files/100STYLE.zip/content",
        "100STYLE.zip",
        "2c3b4017f8e2397ee6904c9b9f43551d8b426d39ddc3558d121fee9e55cb2d58",
    ),
}


def download(home: Home, folder: Path, show: Show, pause: float = 1.0) -> Path:
    """The archive in the folder, fetched if it is not there yet.

    Args:
        home: what to fetch.
        folder: where to; a part that a stopped run left there is used.
        show: is told about progress.
        pause: seconds before the second attempt, more before later ones.

    Raises:
        DownloadError: it cannot be reached, or is not the file that it should be.
    """
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / home.name
    expected = home.sha256 or _remembered(target)
    if not target.exists():
        part = target.with_name(f"{target.name}.part")
        _fetch(home, part, show, pause)
        _check(part, expected, home)
        part.replace(target)
        _etag_of(part).unlink(missing_ok=True)
        _record_of(target).write_text(f"{_digest(target)}  {target.name}\n", encoding="ascii")
    else:
        _check(target, expected, home)
    return target


def bar(name: str) -> Show:
    """A line on the terminal that counts up to 100 %; in a log, where nothing can be overwritten, one line a tenth."""
    told = [-1]
    overwrites = sys.stderr.isatty()

    def show(done: int, total: int) -> None:
        step = done * (100 if overwrites else 10) // total if total else done >> (20 if overwrites else 26)
        if step == told[0]:
            return
        told[0] = step
        share = f"{100 * done // total:3d} % of {total / 1e6:.0f} MB" if total else f"{done / 1e6:.0f} MB"
        start, end = ("\r", "") if overwrites else ("", "\n")
        print(f"{start}{name}: {share}", end=end, file=sys.stderr, flush=True)
        if overwrites and total and done >= total:
            print(file=sys.stderr)

    return show


def _fetch(home: Home, part: Path, show: Show, pause: float) -> None:
    """Bring the part up to the whole, in as many attempts as needed while they get further."""
    try:
        from requests import RequestException
    except ImportError as error:
        raise DownloadError(
            "Downloading needs the Python package requests: install it, or give files of your own with --from."
        ) from error
    failures, reason = 0, ""
    while failures < _ATTEMPTS:
        before = _size(part)
        try:
            if _attempt(home, part, show):
                return
            reason = "the connection ended early"
        except (RequestException, OSError) as error:
            reason = str(error) or type(error).__name__
        # Only attempts that brought nothing count: a bad line gets there in many small steps.
        failures = failures + 1 if _size(part) <= before else 0
        time.sleep(pause * (1 + failures))
    raise DownloadError(
        f"{home.url} could not be fetched ({reason}): run the command again to go on from there, or download it "
        "with a browser and name it with --from."
    )


def _attempt(home: Home, part: Path, show: Show) -> bool:
    """One request; whether the file is whole afterwards."""
    import requests

    have, tag = _size(part), _etag_of(part)
    headers = {"Accept-Encoding": "identity"}
    if have and tag.exists():
        # A part is only continued if the server still has the same file.
        headers |= {"Range": f"bytes={have}-", "If-Range": tag.read_text(encoding="latin-1")}
    with requests.get(home.url, headers=headers, stream=True, timeout=_PATIENCE) as answer:
        if answer.status_code == _UNSATISFIABLE:
            # There is nothing after what we have: that is all, or it belongs to another file.
            whole = answer.headers.get("Content-Range", "").rpartition("/")[2] == str(have)
            if not whole:
                part.unlink()
            return whole
        answer.raise_for_status()
        continued = answer.status_code == _PARTIAL
        if not continued:
            have = 0
            tag.unlink(missing_ok=True)
            if entity := answer.headers.get("ETag") or answer.headers.get("Last-Modified"):
                tag.write_text(entity, encoding="latin-1")
        length = int(answer.headers.get("Content-Length", 0))
        return _store(answer, part, have, (have + length if length else 0, show))


def _store(answer: "Response", part: Path, have: int, told: tuple[int, Show]) -> bool:
    total, show = told
    with part.open("ab" if have else "wb") as file:
        show(have, total)
        for piece in answer.iter_content(PIECE):
            file.write(piece)
            have += len(piece)
            show(have, total)
    return not total or have == total


def _check(file: Path, expected: str, home: Home) -> None:
    """Refuse a file whose contents are others than expected; what was only just fetched is thrown away."""
    if not expected or _digest(file) == expected:
        return
    if file.name != home.name:
        file.unlink()
        _etag_of(file).unlink(missing_ok=True)
        raise DownloadError(
            f"{home.url} sent another file than expected (its SHA-256 is not {expected[:16]}...): try again later, or "
            "use a file of your own with --from."
        )
    raise DownloadError(f"{file} was changed or damaged since it was downloaded: delete it, then run this again.")


def _remembered(target: Path) -> str:
    record = _record_of(target)
    return record.read_text(encoding="ascii").partition(" ")[0] if record.exists() and target.exists() else ""


def _record_of(target: Path) -> Path:
    return target.with_name(f"{target.name}.sha256")


def _etag_of(part: Path) -> Path:
    return part.with_name(f"{part.name}.etag")


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0
