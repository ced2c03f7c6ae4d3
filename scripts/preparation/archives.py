# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the files of a set are: a folder, an archive, or either of them in a folder of several sets."""

import tarfile
import zipfile
from pathlib import Path
from typing import Final

from core.errors import PanacheError

# What the folder or the archive of a set may be called.
_NAMES: Final = {
    "bandai-1": ("bandai-1", "bandai", "bandai-namco"),
    "bandai-2": ("bandai-2", "bandai", "bandai-namco"),
    "cc0": ("cc0", "rigs"),
}
_SUFFIXES: Final = ("", ".tar.xz", ".tar.gz", ".tar", ".zip")


class MissingDataError(PanacheError):
    """A set is not where it should be."""


def locate(source: str, given: Path) -> Path:
    """The set's own folder or archive within ``given``, else ``given`` itself.

    Raises:
        MissingDataError: there is nothing.
    """
    if not given.exists():
        raise MissingDataError(f"{given} does not exist: name a folder or an archive with --from.")
    if given.is_dir():
        for name in _NAMES.get(source, (source,)):
            for suffix in _SUFFIXES:
                if (given / f"{name}{suffix}").exists():
                    return given / f"{name}{suffix}"
    return given


def unpack(source: Path, scratch: Path) -> Path:
    """The folder that holds the files: the source itself, or its contents in ``scratch``.

    Raises:
        MissingDataError: the source is no archive.
    """
    if source.is_dir():
        return source
    try:
        if zipfile.is_zipfile(source):
            with zipfile.ZipFile(source) as archive:
                for member in archive.namelist():
                    # Absolute and climbing paths end up below the folder, too.
                    archive.extract(member, scratch)
        else:
            with tarfile.open(source) as archive:
                archive.extractall(scratch, filter="data")
    except (tarfile.TarError, zipfile.BadZipFile, EOFError) as error:
        raise MissingDataError(f"{source} is no whole archive: unpack or download it again.") from error
    return scratch
