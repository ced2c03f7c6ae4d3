# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the animations of glTF 2.0 files into core's rig types, without Blender.

Only what a moving skeleton needs is read: nodes, skins, buffers and animations. Scale that nodes have is in the
places of the bones afterwards, not in their channels.
"""

import base64
import json
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

import numpy as np

from core.errors import InvalidMotionError
from core.representation import FPS
from core.resample import even_times, interpolate, interpolate_rotations
from core.rig import RigMotion, RigSkeleton, rotation_part
from core.rotations import Array, from_matrix, normalize, to_matrix

_MAGIC: Final = b"glTF"
_CHUNK_JSON: Final = 0x4E4F534A
_COMPONENTS: Final = {5120: "<i1", 5121: "<u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
_WIDTHS: Final = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}
# Determinant of unit axes; below, scale has made a bone flat.
_FLAT: Final = 0.5
_DEFAULTS: Final = {"translation": (0.0, 0.0, 0.0), "rotation": (0.0, 0.0, 0.0, 1.0), "scale": (1.0, 1.0, 1.0)}


@dataclass(frozen=True)
class Document:
    """A parsed file: its JSON, and the bytes of its buffers."""

    name: str
    content: dict[str, Any]
    buffers: tuple[bytes, ...]

    @property
    def animations(self) -> tuple[str, ...]:
        """Names of the clips, in the file's order; unnamed ones have a number."""
        entries = self.content.get("animations", [])
        return tuple(str(entry.get("name", f"animation {i}")) for i, entry in enumerate(entries))


@dataclass(frozen=True)
class _Node:
    """A node that is a bone, or that carries bones."""

    index: int
    name: str
    parent: int


def read_gltf(path: Path) -> Document:
    """A .glb or .gltf file.

    Raises:
        InvalidMotionError: it is none, or its buffers are missing.
    """
    data = path.read_bytes()
    try:
        text, binary = _chunks(data) if data[:4] == _MAGIC else (data, b"")
        content: dict[str, Any] = json.loads(text)
        buffers = tuple(_buffer(entry, path.parent, binary) for entry in content.get("buffers", []))
    except (OSError, ValueError, struct.error) as error:
        raise InvalidMotionError(f"{path.name} is not a whole glTF file.") from error
    return Document(path.name, content, buffers)


def read_animation(document: Document, name: str) -> RigMotion:
    """One clip of the file's skeleton at 30 frames per second, metres.

    Raises:
        InvalidMotionError: there is no such clip, or no skeleton.
    """
    if name not in document.animations:
        raise InvalidMotionError(f'{document.name} has no animation "{name}".')
    curves = _curves(document, document.content["animations"][document.animations.index(name)])
    if not curves:
        raise InvalidMotionError(f'Animation "{name}" of {document.name} moves nothing.')
    nodes = _skeleton_nodes(document, {node for node, _ in curves})
    ends = [float(times[-1]) for times, _, _ in curves.values()]
    times = even_times(np.array([0.0, max(max(ends), 1.0 / FPS)]), FPS)
    rest = _world(nodes, _locals(document, nodes, {}, times[:1]))[0]
    return _motion(nodes, rest, _world(nodes, _locals(document, nodes, curves, times)), times)


def _chunks(data: bytes) -> tuple[bytes, bytes]:
    """The JSON and the binary chunk of a .glb file."""
    length, kind = struct.unpack_from("<II", data, 12)
    if kind != _CHUNK_JSON:
        raise ValueError("the first chunk is no JSON")
    binary = 20 + length
    if binary + 8 > len(data):
        return data[20:binary], b""
    (size,) = struct.unpack_from("<I", data, binary)
    return data[20:binary], data[binary + 8 : binary + 8 + size]


def _buffer(entry: dict[str, Any], folder: Path, binary: bytes) -> bytes:
    uri = entry.get("uri")
    if uri is None:
        return binary
    if uri.startswith("data:"):
        return base64.b64decode(uri.partition(",")[2])
    return (folder / unquote(uri)).read_bytes()


def _accessor(document: Document, index: int) -> Array:
    """(count, width) numbers of an accessor."""
    entry = document.content["accessors"][index]
    width, kind = _WIDTHS[entry["type"]], np.dtype(_COMPONENTS[entry["componentType"]])
    if "sparse" in entry or "bufferView" not in entry:
        raise InvalidMotionError(f"{document.name} has sparse animation data: export it again without compression.")
    view = document.content["bufferViews"][entry["bufferView"]]
    start: int = view.get("byteOffset", 0) + entry.get("byteOffset", 0)
    count, size = int(entry["count"]), width * kind.itemsize
    stride = int(view.get("byteStride", size))
    end = start + (count - 1) * stride + size
    data = np.frombuffer(document.buffers[view["buffer"]][start:end], np.uint8)
    if len(data) < end - start:
        raise InvalidMotionError(f"{document.name} is not a whole glTF file.")
    rows = np.lib.stride_tricks.as_strided(data, (count, size), (stride, 1))
    values = np.ascontiguousarray(rows).view(kind).astype(np.float64)
    # Integers stand for shares of their range (glTF 2.0, 3.11).
    return np.maximum(values / np.iinfo(kind).max, -1.0) if entry.get("normalized") else values


_Curves = dict[tuple[int, str], tuple[Array, Array, str]]


def _curves(document: Document, animation: dict[str, Any]) -> _Curves:
    """(node, path) to times, values and interpolation."""
    found: _Curves = {}
    for channel in animation["channels"]:
        node, path = channel["target"].get("node"), channel["target"]["path"]
        if node is None or path not in _DEFAULTS:
            continue
        sampler = animation["samplers"][channel["sampler"]]
        times, values = _accessor(document, sampler["input"])[:, 0], _accessor(document, sampler["output"])
        found[node, path] = times, values, sampler.get("interpolation", "LINEAR")
    return found


def _skeleton_nodes(document: Document, moved: set[int]) -> list[_Node]:
    """The joints of the largest skin, or what moves where there is none, with all that carries them; parents first."""
    entries = document.content["nodes"]
    parents = {child: i for i, entry in enumerate(entries) for child in entry.get("children", ())}
    skins = [skin["joints"] for skin in document.content.get("skins", [])]
    wanted: set[int] = set(max(skins, key=len)) if skins else set(moved)
    for node in tuple(wanted):
        while node in parents:
            node = parents[node]
            wanted.add(node)
    order: list[int] = []
    waiting = sorted(node for node in wanted if node not in parents)
    while waiting:
        node = waiting.pop(0)
        order.append(node)
        waiting = [child for child in entries[node].get("children", ()) if child in wanted] + waiting
    place = {node: i for i, node in enumerate(order)}
    return [
        _Node(node, str(entries[node].get("name", f"node {node}")), place.get(parents.get(node, -1), -1))
        for node in order
    ]


def _locals(document: Document, nodes: list[_Node], curves: _Curves, times: Array) -> Array:
    """(T, B, 4, 4) matrices of the nodes within their parents."""
    matrices = np.tile(np.eye(4), (len(times), len(nodes), 1, 1))
    for b, node in enumerate(nodes):
        entry = document.content["nodes"][node.index]
        if "matrix" in entry:
            # Such nodes cannot be animated (glTF 2.0, 3.5.3); matrices are column by column.
            matrices[:, b] = np.array(entry["matrix"], dtype=np.float64).reshape(4, 4).T
            continue
        move, turn, scale = (
            _sampled(curves[node.index, path], times, path)
            if (node.index, path) in curves
            else np.tile(np.array(entry.get(path, default), dtype=np.float64), (len(times), 1))
            for path, default in _DEFAULTS.items()
        )
        matrices[:, b, :3, :3] = to_matrix(normalize(turn[:, [3, 0, 1, 2]])) * scale[:, None, :]
        matrices[:, b, :3, 3] = move
    return matrices


def _sampled(curve: tuple[Array, Array, str], times: Array, path: str) -> Array:
    """Values (T, n) of a curve, in the file's order of components."""
    old, values, kind = curve
    if kind == "STEP":
        return values[np.clip(np.searchsorted(old, times + 1e-6, side="right") - 1, 0, len(old) - 1)]
    if kind == "CUBICSPLINE":
        return _hermite(old, values.reshape(len(old), 3, -1), times)
    if path == "rotation":
        return interpolate_rotations(normalize(values), old, times)
    return interpolate(values, old, times)


def _hermite(old: Array, keys: Array, times: Array) -> Array:
    """Cubic splines of keys (K, 3, n): tangent before, value, tangent after (glTF 2.0, appendix C.5)."""
    if len(old) == 1:
        return np.repeat(keys[:, 1], len(times), axis=0)
    before = np.clip(np.searchsorted(old, times, side="right") - 1, 0, len(old) - 2)
    span = (old[before + 1] - old[before])[:, None]
    t = np.clip((times - old[before])[:, None] / span, 0.0, 1.0)
    start, out, end, into = keys[before, 1], keys[before, 2], keys[before + 1, 1], keys[before + 1, 0]
    ends = (2 * t**3 - 3 * t**2 + 1) * start + (3 * t**2 - 2 * t**3) * end
    return ends + span * ((t**3 - 2 * t**2 + t) * out + (t**3 - t**2) * into)


def _world(nodes: list[_Node], matrices: Array) -> Array:
    """(T, B, 4, 4) rigid matrices in the world: scale places what hangs on a bone, and may well be zero."""
    turns = _turns(matrices)
    places: list[Array] = []
    turned: list[Array] = []
    for b, node in enumerate(nodes):
        at_root = node.parent < 0
        places.append(matrices[:, b] if at_root else places[node.parent] @ matrices[:, b])
        turned.append(turns[:, b] if at_root else turned[node.parent] @ turns[:, b])
    rigid = np.stack(places, axis=1)
    rigid[..., :3, :3] = np.stack(turned, axis=1)
    return rigid


def _turns(matrices: Array) -> Array:
    """(..., 3, 3) rotations of (..., 4, 4) matrices; none where scale has left no direction."""
    linear = rotation_part(matrices)
    return np.where(np.abs(np.linalg.det(linear))[..., None, None] > _FLAT, linear, np.eye(3))


def _motion(nodes: list[_Node], rest: Array, world: Array, times: Array) -> RigMotion:
    """Rig motion with rest matrices (B, 4, 4) that has the world matrices (T, B, 4, 4)."""
    parents = tuple(node.parent for node in nodes)
    skeleton = RigSkeleton(tuple(node.name for node in nodes), parents, rest, _lengths(rest, parents))
    carried = world.copy()
    for b, parent in enumerate(parents):
        if parent >= 0:
            carried[:, b] = np.linalg.inv(world[:, parent]) @ world[:, b]
    basis = np.linalg.inv(skeleton.relative_rest) @ carried
    locations = basis[..., :3, 3]
    placement = np.broadcast_to(np.eye(4), (len(times), 4, 4))
    rotations = from_matrix(basis[..., :3, :3])
    return RigMotion(skeleton, times, rotations, locations, np.ones_like(locations), placement)


def _lengths(rest: Array, parents: tuple[int, ...]) -> Array:
    """(B,) how far the children are; leaves are as long as their parents."""
    lengths = np.zeros(len(parents))
    for b, parent in enumerate(parents):
        ways = [float(np.linalg.norm(rest[c, :3, 3] - rest[b, :3, 3])) for c, above in enumerate(parents) if above == b]
        lengths[b] = np.mean(ways) if ways else (lengths[parent] if parent >= 0 else 0.0)
    return np.maximum(lengths, 1e-6)
