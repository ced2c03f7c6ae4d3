# SPDX-License-Identifier: GPL-3.0-or-later
"""glTF files: where animated nodes are in the world, what may stand in a file, and what is refused."""

import base64
import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.errors import InvalidMotionError
from core.matching import match_bones
from core.skeleton import JOINTS
from scripts.preparation.gltf import read_animation, read_gltf

QUARTER = [0.0, 0.0, float(np.sqrt(0.5)), float(np.sqrt(0.5))]  # about Z, xyzw
STILL = [0.0, 0.0, 0.0, 1.0]


class Maker:
    """A file with an armature of scale 100, below it an upper and a lower bone of 1 m each, and a prop."""

    def __init__(self) -> None:
        self.data = b""
        self.content: dict[str, Any] = {
            "asset": {"version": "2.0"},
            "nodes": [
                {"name": "Armature", "scale": [100.0, 100.0, 100.0], "children": [1, 4]},
                {"name": "upper", "translation": [0.0, 0.01, 0.0], "children": [2]},
                {"name": "lower", "translation": [0.0, 0.01, 0.0], "children": [3]},
                {"name": "prop", "translation": [0.0, 0.01, 0.0]},
                {"name": "mesh"},
            ],
            "skins": [{"joints": [3, 2, 1]}],
            "accessors": [],
            "bufferViews": [],
            "animations": [{"name": "move", "channels": [], "samplers": []}],
        }

    def numbers(self, values: list[Any], kind: str, code: int = 5126, *, normalized: bool = False) -> int:
        """An accessor of rows of numbers."""
        array = np.array(values)
        packed = array.astype({5126: "<f4", 5122: "<i2"}[code]).tobytes()
        views, accessors = self.content["bufferViews"], self.content["accessors"]
        views.append({"buffer": 0, "byteOffset": len(self.data), "byteLength": len(packed)})
        accessor = {"bufferView": len(views) - 1, "componentType": code, "count": len(array), "type": kind}
        accessors.append(accessor | ({"normalized": True} if normalized else {}))
        self.data += packed + b"\0" * (-len(packed) % 4)
        return len(accessors) - 1

    def curve(self, node: int, path: str, times: list[float], values: list[Any], interpolation: str = "") -> "Maker":
        """Animate a property of a node."""
        output = self.numbers(values, "VEC4" if path == "rotation" else "VEC3")
        return self.sampler(node, path, (self.numbers(times, "SCALAR"), output), interpolation)

    def sampler(self, node: int, path: str, accessors: tuple[int, int], interpolation: str = "") -> "Maker":
        """Animate a property with accessors that are there."""
        animation = self.content["animations"][0]
        entry = {"input": accessors[0], "output": accessors[1]}
        animation["samplers"].append(entry | ({"interpolation": interpolation} if interpolation else {}))
        animation["channels"].append(
            {"sampler": len(animation["samplers"]) - 1, "target": {"node": node, "path": path}}
        )
        return self

    def binary(self, path: Path) -> Path:
        """Write a .glb file."""
        text = json.dumps(self.content | {"buffers": [{"byteLength": len(self.data)}]}).encode()
        text += b" " * (-len(text) % 4)
        chunks = struct.pack("<II", len(text), 0x4E4F534A) + text
        chunks += struct.pack("<II", len(self.data), 0x004E4942) + self.data
        path.write_bytes(struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks)
        return path

    def text(self, path: Path, uri: str) -> Path:
        """Write a .gltf file whose buffer is elsewhere."""
        buffers = [{"byteLength": len(self.data), "uri": uri}]
        path.write_text(json.dumps(self.content | {"buffers": buffers}), encoding="utf-8")
        return path


def swung() -> Maker:
    """The upper bone swings by a quarter turn about Z within a second."""
    return Maker().curve(1, "rotation", [0.0, 1.0], [STILL, QUARTER])


def heads(path: Path) -> tuple[np.ndarray, dict[str, int]]:
    """World positions (T, B, 3) and the bones' places."""
    clip = read_animation(read_gltf(path), "move")
    return clip.world()[1], clip.skeleton.index


def test_bones_are_where_the_file_puts_them(tmp_path: Path) -> None:
    positions, at = heads(swung().binary(tmp_path / "a.glb"))
    assert positions.shape == (31, 4, 3)
    assert "mesh" not in at
    np.testing.assert_allclose(positions[:, at["upper"]], [[0.0, 1.0, 0.0]] * 31, atol=1e-6)
    angle = np.radians(90.0) * np.arange(31) / 30.0
    expected = np.stack([-np.sin(angle), 1.0 + np.cos(angle), np.zeros(31)], axis=-1)
    np.testing.assert_allclose(positions[:, at["lower"]], expected, atol=1e-6)


def test_rest_pose_and_lengths_are_in_the_world(tmp_path: Path) -> None:
    clip = read_animation(read_gltf(swung().binary(tmp_path / "a.glb")), "move")
    assert clip.skeleton.lengths[clip.skeleton.index["upper"]] == pytest.approx(1.0)
    np.testing.assert_allclose(clip.skeleton.rest[clip.skeleton.index["prop"], :3, 3], [0.0, 3.0, 0.0], atol=1e-6)
    assert np.abs(clip.rotations[0] - clip.rotations[0, 0]).max() < 1e-6


@pytest.mark.parametrize("embedded", [True, False])
def test_buffers_may_lie_beside_the_file_or_in_it(embedded: bool, tmp_path: Path) -> None:
    maker = swung()
    (tmp_path / "my data.bin").write_bytes(maker.data)
    uri = (
        "data:application/octet-stream;base64," + base64.b64encode(maker.data).decode() if embedded else "my%20data.bin"
    )
    expected, _ = heads(maker.binary(tmp_path / "a.glb"))
    found, _ = heads(maker.text(tmp_path / "a.gltf", uri))
    np.testing.assert_allclose(found, expected)


def test_steps_hold_and_splines_are_smooth(tmp_path: Path) -> None:
    maker = Maker().curve(1, "translation", [0.0, 0.5, 1.0], [[0, 0.01, 0], [0, 0.02, 0], [0, 0.03, 0]], "STEP")
    zero = [0.0, 0.0, 0.0]
    maker.curve(2, "translation", [0.0, 1.0], [zero, zero, zero, zero, [0, 0, 0.01], zero], "CUBICSPLINE")
    positions, at = heads(maker.binary(tmp_path / "a.glb"))
    np.testing.assert_allclose(positions[[0, 14, 15, 29, 30], at["upper"], 1], [1, 1, 2, 2, 3], atol=1e-6)
    t = np.arange(31) / 30.0
    np.testing.assert_allclose(positions[:, at["lower"], 2], 3 * t**2 - 2 * t**3, atol=1e-6)


def test_whole_numbers_stand_for_shares(tmp_path: Path) -> None:
    maker, full = Maker(), 32767
    turns = np.round(np.array([STILL, QUARTER]) * full).tolist()
    times = maker.numbers([0.0, 1.0], "SCALAR")
    maker.sampler(1, "rotation", (times, maker.numbers(turns, "VEC4", 5122, normalized=True)))
    positions, _ = heads(maker.binary(tmp_path / "a.glb"))
    expected, _ = heads(swung().binary(tmp_path / "b.glb"))
    np.testing.assert_allclose(positions, expected, atol=1e-3)


def test_a_prop_that_is_scaled_to_nothing_does_no_harm(tmp_path: Path) -> None:
    maker = swung().curve(3, "scale", [0.0, 1.0], [[1, 1, 1], [0, 0, 0]])
    found, _ = heads(maker.binary(tmp_path / "a.glb"))
    expected, _ = heads(swung().binary(tmp_path / "b.glb"))
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("name", ["none.glb", "text.gltf"])
def test_what_is_no_gltf_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"glTF" if name.endswith("glb") else b"once upon a time")
    with pytest.raises(InvalidMotionError, match="not a whole glTF file"):
        read_gltf(tmp_path / name)


def test_a_file_that_was_cut_off_is_refused(tmp_path: Path) -> None:
    path = swung().binary(tmp_path / "a.glb")
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(InvalidMotionError, match="not a whole glTF file"):
        heads(path)


def test_a_missing_animation_is_said(tmp_path: Path) -> None:
    with pytest.raises(InvalidMotionError, match='no animation "jump"'):
        read_animation(read_gltf(swung().binary(tmp_path / "a.glb")), "jump")


def test_an_animation_of_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidMotionError, match="moves nothing"):
        heads(Maker().binary(tmp_path / "a.glb"))


@pytest.mark.parametrize("name", ["human-base-animations.glb", "human-addon-animations.glb"])
def test_real_characters_have_all_joints(name: str, shared_data: Callable[[str], Path]) -> None:
    (path,) = shared_data("rigs.tar.xz").rglob(name)
    document = read_gltf(path)
    clip = read_animation(document, document.animations[1])
    assert set(match_bones(clip.skeleton, clip).bones) == set(JOINTS)
