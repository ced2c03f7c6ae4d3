# SPDX-License-Identifier: GPL-3.0-or-later
"""The ``.npz`` container: a zip of ``.npy`` arrays, read without ever unpickling, and written member by member.

What is not understood is passed on as the bytes it came in.
"""

import io
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import PanacheError

Members = dict[str, bytes]
"""Array name to its ``.npy`` bytes, in the file's order."""

_SUFFIX = ".npy"


class SmplFileError(PanacheError):
    """A motion or body model file that cannot be used; the text says what to do."""


def read_members(source: Path | bytes, name: str) -> Members:
    """All arrays of an ``.npz``, still encoded; ``name`` is what messages call the file.

    Raises:
        SmplFileError: there is no such file, or it is no ``.npz``.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(source) if isinstance(source, bytes) else source) as archive:
            entries = [entry for entry in archive.namelist() if entry.endswith(_SUFFIX)]
            members = {entry.removesuffix(_SUFFIX): archive.read(entry) for entry in entries}
    except OSError as error:
        raise SmplFileError(f"{name} cannot be read ({error.strerror or error}): choose another file.") from error
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise SmplFileError(f"{name} is not an .npz file, or is damaged: choose another file.") from error
    if not members:
        raise SmplFileError(f"{name} holds no arrays: choose an AMASS or SMPL .npz file.")
    return members


def decode(member: bytes) -> NDArray[Any] | None:
    """The array; None for pickled objects, which are never opened, and for bytes that are no array."""
    try:
        return np.lib.format.read_array(io.BytesIO(member), allow_pickle=False)
    except (ValueError, TypeError, EOFError, SyntaxError, OverflowError, MemoryError):
        return None


def encode(array: NDArray[Any]) -> bytes:
    """The array as ``.npy`` bytes."""
    target = io.BytesIO()
    np.lib.format.write_array(target, array, allow_pickle=False)
    return target.getvalue()


def pack(members: Members) -> bytes:
    """The arrays as the bytes of a compressed ``.npz``."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, member in members.items():
            archive.writestr(name + _SUFFIX, member)
    return target.getvalue()
