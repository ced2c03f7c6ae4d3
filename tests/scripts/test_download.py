# SPDX-License-Identifier: GPL-3.0-or-later
"""Downloads, from a real server on this machine: whole, in pieces, cut off, changed meanwhile, and wrong."""

import hashlib
import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

from scripts import prepare_data
from scripts.preparation.download import HOMES, PIECE, DownloadError, Home, bar, download

CONTENT = np.random.default_rng(3).bytes(1_000_000)
EXCERPTS = Path(__file__).resolve().parents[1] / "data"


@dataclass
class Site:
    """What the server has, how it behaves, and what it was asked.

    Attributes:
        content: its only file.
        tag: the file's ETag.
        cuts: after how many bytes each of the next answers breaks off.
        ranges: whether it can answer with a part of the file.
        status: what it answers instead of the file, 0 for the file.
        asked: the Range header of every request, "" for none.
    """

    content: bytes = CONTENT
    tag: str = '"first"'
    cuts: list[int] = field(default_factory=list[int])
    ranges: bool = True
    status: int = 0
    asked: list[str] = field(default_factory=list[str])
    url: str = ""


class Handler(BaseHTTPRequestHandler):
    site: Site

    def do_GET(self) -> None:
        site, wanted = self.site, self.headers.get("Range", "")
        site.asked.append(wanted)
        if site.status:
            self.send_error(site.status)
            return
        match = re.fullmatch(r"bytes=(\d+)-", wanted)
        start = int(match[1]) if match and site.ranges and self.headers.get("If-Range", site.tag) == site.tag else 0
        if start and start >= len(site.content):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(site.content)}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        body = site.content[start:]
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(site.content) - 1}/{len(site.content)}")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", site.tag)
        self.end_headers()
        self.wfile.write(body[: site.cuts.pop(0)] if site.cuts else body)

    def log_message(self, format: str, *args: object) -> None:
        """Keep the test's output clean."""


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    handler = type("Handler", (Handler,), {"site": site})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        site.url = f"http://127.0.0.1:{server.server_address[1]}/set.zip"
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield site
        server.shutdown()
        thread.join()


def home(site: Site, sha256: str = "") -> Home:
    return Home(site.url, "set.zip", sha256)


def nobody(done: int, total: int) -> None:
    """Show nothing."""


def fetched(site: Site, folder: Path, sha256: str = "") -> bytes:
    return download(home(site, sha256), folder, nobody, pause=0.0).read_bytes()


def test_a_file_arrives_whole_and_says_how_far_it_is(site: Site, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    path = download(home(site), tmp_path, lambda done, total: told.append((done, total)), pause=0.0)
    assert path.read_bytes() == CONTENT
    assert told[0] == (0, len(CONTENT))
    assert told[-1] == (len(CONTENT), len(CONTENT))
    assert told == sorted(told)
    assert len(told) > 3
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["set.zip", "set.zip.sha256"]


def test_what_was_cut_off_goes_on_where_it_was(site: Site, tmp_path: Path) -> None:
    site.cuts = [5 * PIECE, 2 * PIECE]
    assert fetched(site, tmp_path) == CONTENT
    assert site.asked == ["", f"bytes={5 * PIECE}-", f"bytes={7 * PIECE}-"]


def test_a_later_run_goes_on_where_an_earlier_one_gave_up(site: Site, tmp_path: Path) -> None:
    site.cuts = [5 * PIECE, *[0] * 5]
    with pytest.raises(DownloadError, match="run the command again"):
        fetched(site, tmp_path)
    assert (tmp_path / "set.zip.part").stat().st_size == 5 * PIECE
    assert not (tmp_path / "set.zip").exists()
    site.asked.clear()
    told: list[tuple[int, int]] = []
    path = download(home(site), tmp_path, lambda done, total: told.append((done, total)), pause=0.0)
    assert path.read_bytes() == CONTENT
    assert site.asked == [f"bytes={5 * PIECE}-"]
    assert told[0] == (5 * PIECE, len(CONTENT))


def test_a_part_of_a_file_that_has_changed_since_is_not_continued(site: Site, tmp_path: Path) -> None:
    site.cuts = [5 * PIECE, *[0] * 5]
    with pytest.raises(DownloadError):
        fetched(site, tmp_path)
    site.content, site.tag = CONTENT[::-1], '"second"'
    assert fetched(site, tmp_path) == CONTENT[::-1]


def test_a_server_without_ranges_is_asked_for_all_of_it_again(site: Site, tmp_path: Path) -> None:
    site.ranges, site.cuts = False, [5 * PIECE]
    assert fetched(site, tmp_path) == CONTENT
    assert site.asked == ["", f"bytes={5 * PIECE}-"]


def test_a_part_that_is_whole_already_is_taken(site: Site, tmp_path: Path) -> None:
    (tmp_path / "set.zip.part").write_bytes(CONTENT)
    (tmp_path / "set.zip.part.etag").write_text(site.tag)
    assert fetched(site, tmp_path) == CONTENT
    assert site.asked == [f"bytes={len(CONTENT)}-"]


def test_the_right_checksum_is_accepted(site: Site, tmp_path: Path) -> None:
    assert fetched(site, tmp_path, hashlib.sha256(CONTENT).hexdigest()) == CONTENT


def test_a_wrong_checksum_is_refused_and_nothing_is_kept(site: Site, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="another file than expected"):
        fetched(site, tmp_path, "0" * 64)
    assert not list(tmp_path.iterdir())


def test_what_is_there_is_not_fetched_again(site: Site, tmp_path: Path) -> None:
    fetched(site, tmp_path)
    fetched(site, tmp_path)
    assert len(site.asked) == 1


def test_what_was_damaged_since_its_download_is_refused(site: Site, tmp_path: Path) -> None:
    fetched(site, tmp_path)
    (tmp_path / "set.zip").write_bytes(CONTENT[:-1])
    with pytest.raises(DownloadError, match="delete it"):
        fetched(site, tmp_path)


def test_an_error_page_is_no_file(site: Site, tmp_path: Path) -> None:
    site.status = 503
    with pytest.raises(DownloadError, match="503"):
        fetched(site, tmp_path)
    assert not list(tmp_path.iterdir())


def test_nobody_there_is_said_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match=r"could not be fetched .* --from"):
        download(Home("http://127.0.0.1:9/set.zip", "set.zip"), tmp_path, nobody, pause=0.0)


def test_the_bar_ends_at_all_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    show = bar("set.zip")
    for done in range(0, 10_000_001, 100_000):
        show(done, 10_000_000)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 11
    assert lines[-1] == "set.zip: 100 % of 10 MB"


def test_sets_are_downloaded_and_prepared(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(EXCERPTS / "100style/angry_reference.bvh", "100STYLE/Angry/Angry_FW.bvh")
    site.content = packed.getvalue()
    monkeypatch.setitem(HOMES, "100style", home(site))
    out = tmp_path / "set.npz"
    downloads = ["--downloads", str(tmp_path / "downloads"), "--workers", "1"]
    assert prepare_data.main(["--source", "100style", "--out", str(out), *downloads]) == 0
    with np.load(out) as data:
        assert list(data["style_names"]) == ["angry"]
        assert list(data["content_names"]) == ["walk"]
        assert list(data["split"]) == [0, 1, 2]
    assert sorted(path.name for path in (tmp_path / "downloads").iterdir()) == ["set.zip", "set.zip.sha256"]
