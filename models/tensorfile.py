# SPDX-License-Identifier: GPL-3.0-or-later
"""The safetensors file format, in numpy alone.

Blender's Python has numpy but neither torch nor the safetensors package. A file is the header's length (8 bytes,
little-endian), a JSON header, and the tensors' bytes without gaps
(https://github.com/huggingface/safetensors, "Format"). Nothing in it can run code.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, cast

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

_DTYPES: Final[dict[str, str]] = {"F16": "<f2", "F32": "<f4"}
_NAMES: Final[dict[str, str]] = {dtype: name for name, dtype in _DTYPES.items()}
_ALIGNMENT: Final = 8
_LONGEST_HEADER: Final = 10_000_000


class TensorFileError(ValueError):
    """The bytes are not a whole safetensors file of 16 or 32 bit floats. The message is a clause without a subject."""


def write_tensors(tensors: Mapping[str, Array], metadata: Mapping[str, str]) -> bytes:
    """Bytes of a file with float16 and float32 arrays and text metadata; TypeError for any other dtype."""
    # Wide types first, then by name: every tensor stays aligned and equal contents give equal bytes.
    ordered = sorted(tensors.items(), key=lambda item: (-item[1].dtype.itemsize, item[0]))
    header: dict[str, object] = {"__metadata__": dict(metadata)} if metadata else {}
    payload: list[bytes] = []
    end = 0
    for name, array in ordered:
        dtype = array.dtype.newbyteorder("<").str
        if dtype not in _NAMES:
            raise TypeError(f"{name} is {array.dtype}; only float16 and float32 can be written.")
        start, end = end, end + array.nbytes
        header[name] = {"dtype": _NAMES[dtype], "shape": list(array.shape), "data_offsets": [start, end]}
        payload.append(np.ascontiguousarray(array, dtype=dtype).tobytes())
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % _ALIGNMENT)
    return b"".join([struct.pack("<Q", len(text)), text, *payload])


def save_tensors(path: Path, tensors: Mapping[str, Array], metadata: Mapping[str, str]) -> None:
    """Write a file in one step, so that a crash leaves the old one whole."""
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(write_tensors(tensors, metadata))
    partial.replace(path)


def read_tensors(data: bytes) -> tuple[dict[str, Array], dict[str, str]]:
    """Arrays and metadata of a file; TensorFileError unless every byte is accounted for."""
    header, body = _split(data)
    texts = _texts(header.pop("__metadata__", {}))
    spans: list[tuple[int, int]] = []
    arrays = {name: _read_array(entry, body, spans) for name, entry in header.items()}
    _check_spans(spans, len(body))
    return arrays, texts


def read_metadata(path: Path) -> dict[str, str]:
    """Metadata of a file, of which only the header is read; TensorFileError for a header that is none."""
    with path.open("rb") as file:
        length = file.read(8)
        header, _ = _split(length + file.read(min(int.from_bytes(length, "little"), _LONGEST_HEADER)))
    return _texts(header.get("__metadata__", {}))


def _texts(metadata: object) -> dict[str, str]:
    if not isinstance(metadata, dict):
        raise TensorFileError("has metadata that is not a table")
    return {str(key): str(value) for key, value in cast("dict[Any, Any]", metadata).items()}


def _split(data: bytes) -> tuple[dict[str, Any], bytes]:
    length = struct.unpack("<Q", data[:8])[0] if len(data) >= 8 else _LONGEST_HEADER + 1
    if length > _LONGEST_HEADER:
        raise TensorFileError("is not a safetensors file")
    if 8 + length > len(data):
        raise TensorFileError("is truncated")
    try:
        header: Any = json.loads(data[8 : 8 + length])
    except ValueError as error:
        raise TensorFileError("has a damaged header") from error
    if not isinstance(header, dict):
        raise TensorFileError("has a damaged header")
    return cast("dict[str, Any]", header), data[8 + length :]


def _read_array(entry: object, body: bytes, spans: list[tuple[int, int]]) -> Array:
    match entry:
        case {"dtype": str(name), "shape": [*shape], "data_offsets": [int(start), int(end)]} if name in _DTYPES:
            dimensions = shape
        case _:
            raise TensorFileError("holds a tensor that is not of 16 or 32 bit floats")
    if not all(type(size) is int and size >= 0 for size in dimensions):
        raise TensorFileError("has a damaged header")
    dtype = np.dtype(_DTYPES[name])
    if end > len(body):
        raise TensorFileError("is truncated")
    if not 0 <= start <= end or end - start != math.prod(dimensions) * dtype.itemsize:
        raise TensorFileError("has a damaged header")
    spans.append((start, end))
    return np.frombuffer(body[start:end], dtype=dtype).reshape(dimensions)


def _check_spans(spans: list[tuple[int, int]], size: int) -> None:
    """Tensors must tile the body: overlaps and unread bytes are how other content hides in a file."""
    end = 0
    for start, stop in sorted(spans):
        if start != end:
            raise TensorFileError("has a damaged header")
        end = stop
    if end != size:
        raise TensorFileError("has bytes after its last tensor")
