# SPDX-License-Identifier: GPL-3.0-or-later
import json
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from models.bundle import Bundle, BundleError, read_bundle, read_info, write_bundle
from models.manifest import MEAN, STD
from models.tensorfile import TensorFileError, read_tensors, write_tensors

from .tiny import LAYOUT, make_bundle

SOME = "content.layers.0.weight"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    target = tmp_path / "tiny.safetensors"
    write_bundle(target, make_bundle())
    return target


def test_round_trip_keeps_everything_to_half_precision(path: Path) -> None:
    bundle, again = make_bundle(), read_bundle(path, LAYOUT.signature)
    assert (again.config, again.info) == (bundle.config, bundle.info)
    assert set(again.tensors) == set(bundle.tensors)
    for name, array in bundle.tensors.items():
        np.testing.assert_allclose(again.tensors[name], array, rtol=1e-3, atol=1e-6)
    np.testing.assert_array_equal(again.mean, bundle.mean)
    np.testing.assert_array_equal(again.std, bundle.std)


def test_the_header_alone_says_what_is_inside(path: Path, tmp_path: Path) -> None:
    whole, data = read_bundle(path), path.read_bytes()
    assert read_info(path) == whole.info
    length = 8 + int.from_bytes(data[:8], "little")
    beginning = tmp_path / "beginning.safetensors"
    beginning.write_bytes(data[:length])
    assert read_info(beginning) == whole.info
    for damaged in (data[: length - 1], data[:4], b"", b"\xff" * 20):
        beginning.write_bytes(damaged)
        with pytest.raises(BundleError, match=r"beginning\.safetensors"):
            read_info(beginning)
    with pytest.raises(BundleError, match="cannot be read"):
        read_info(tmp_path / "missing.safetensors")


def test_a_bundle_may_have_no_labels(tmp_path: Path) -> None:
    path, bundle = tmp_path / "unlabelled.safetensors", make_bundle(styles=())
    write_bundle(path, bundle)
    again = read_bundle(path, LAYOUT.signature)
    assert (again.config, again.info) == (bundle.config, bundle.info)
    assert (again.info.styles, again.config.style_count) == ((), 0)
    rewrite(path, styles='["calm"]')
    with pytest.raises(BundleError, match="contradicts"):
        read_bundle(path)


def test_writing_twice_gives_the_same_bytes(path: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.safetensors"
    write_bundle(again, read_bundle(path))
    assert again.read_bytes() == path.read_bytes()


def test_the_safetensors_library_reads_what_we_write(path: Path) -> None:
    ours, _ = read_tensors(path.read_bytes())
    theirs = load_file(path)
    assert set(ours) == set(theirs)
    for name, array in theirs.items():
        assert array.dtype == ours[name].dtype
        np.testing.assert_array_equal(array, ours[name])


def test_we_read_what_the_safetensors_library_writes(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    arrays = {
        "b": rng.standard_normal((3, 5)).astype(np.float16),
        "a": rng.standard_normal(7).astype(np.float32),
        "scalar": np.array(2.5, np.float32),
        "empty": np.zeros((0, 4), np.float32),
    }
    save_file(arrays, tmp_path / "x.safetensors", metadata={"k": "v"})
    read, metadata = read_tensors((tmp_path / "x.safetensors").read_bytes())
    assert metadata == {"k": "v"}
    assert set(read) == set(arrays)
    for name, array in arrays.items():
        assert read[name].shape == array.shape
        np.testing.assert_array_equal(read[name], array)


def test_every_truncation_is_noticed(path: Path) -> None:
    data = path.read_bytes()
    for length in [*range(0, 200, 7), len(data) // 2, len(data) - 1]:
        path.write_bytes(data[:length])
        with pytest.raises(BundleError, match="reinstall|choose"):
            read_bundle(path)


def test_trailing_bytes_are_noticed(path: Path) -> None:
    with pytest.raises(TensorFileError, match="after its last"):
        read_tensors(path.read_bytes() + b"x")


@pytest.mark.parametrize("offsets", [[0, 4], [4, 12], [-4, 4], [0, 400], [8, 0]])
def test_offsets_that_do_not_fit_are_refused(offsets: list[int]) -> None:
    header = json.dumps({"a": {"dtype": "F32", "shape": [2], "data_offsets": offsets}}).encode()
    with pytest.raises(TensorFileError):
        read_tensors(struct.pack("<Q", len(header)) + header + bytes(8))


@pytest.mark.parametrize("entry", [1, {}, {"dtype": "I64", "shape": [1], "data_offsets": [0, 8]}, None, "x"])
def test_entries_that_are_no_float_tensors_are_refused(entry: object) -> None:
    header = json.dumps({"a": entry}).encode()
    with pytest.raises(TensorFileError):
        read_tensors(struct.pack("<Q", len(header)) + header + bytes(8))


def test_other_dtypes_are_not_written() -> None:
    with pytest.raises(TypeError, match="float64"):
        write_tensors({"a": np.zeros(2)}, {})


def rewrite(path: Path, **metadata: str | None) -> None:
    """Change entries of the metadata in place; None removes one."""
    tensors, texts = read_tensors(path.read_bytes())
    changed = {key: value for key, value in {**texts, **metadata}.items() if value is not None}
    path.write_bytes(write_tensors(tensors, changed))


@pytest.mark.parametrize(
    ("metadata", "says"),
    [
        ({"format_version": "panache-stylizer-99"}, "update Panache"),
        ({"format_version": None}, "no Panache weights"),
        ({"network": None}, "damaged"),
        ({"network": "{}"}, "damaged"),
        ({"network": "not json"}, "damaged"),
        ({"styles": '["calm", "old"]'}, "contradicts"),
        ({"styles": "[]"}, "contradicts"),
        ({"styles": '["calm", "old", "old"]'}, "damaged"),
        ({"styles": '"calm"'}, "damaged"),
        ({"fps": "0"}, "damaged"),
        ({"fps": "NaN"}, "damaged"),
        ({"licence": None}, "damaged"),
        ({"layout_signature": "[]"}, "contradicts"),
    ],
)
def test_wrong_metadata_is_one_sentence(path: Path, metadata: dict[str, str | None], says: str) -> None:
    rewrite(path, **metadata)
    with pytest.raises(BundleError, match=says) as caught:
        read_bundle(path)
    assert "\n" not in str(caught.value)


def test_another_layout_is_refused(path: Path) -> None:
    with pytest.raises(BundleError, match="other motion features"):
        read_bundle(path, '[["root_height", 1]]')


def test_a_missing_file_is_a_bundle_error(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="cannot be read"):
        read_bundle(tmp_path / "none.safetensors")


def changed(name: str, array: np.ndarray | None) -> Bundle:
    bundle = make_bundle()
    tensors = {**bundle.tensors, name: array}
    return replace(bundle, tensors={key: value for key, value in tensors.items() if value is not None})


@pytest.mark.parametrize(
    ("bundle", "says"),
    [
        (changed(SOME, None), f"missing {SOME}"),
        (changed("extra", np.zeros(1, np.float32)), "unexpected extra"),
        (changed(SOME, np.zeros((8, 6, 2), np.float32)), "shape"),
        (changed(SOME, np.full((8, 6, 3), np.nan, np.float32)), "not finite"),
        (changed(SOME, np.full((8, 6, 3), 1e6, np.float32)), "not finite"),
        (changed(MEAN, np.full(LAYOUT.width, np.inf, np.float32)), "not finite"),
        (changed(STD, np.zeros(LAYOUT.width, np.float32)), "positive"),
    ],
)
def test_wrong_tensors_are_neither_written_nor_read(bundle: Bundle, says: str, path: Path, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=says):
        write_bundle(tmp_path / "bad.safetensors", bundle)
    assert not (tmp_path / "bad.safetensors").exists()
    _, metadata = read_tensors(path.read_bytes())
    with np.errstate(over="ignore"):
        half = {name: array.astype(np.float16) for name, array in bundle.tensors.items()}
    path.write_bytes(write_tensors(half, metadata))
    with pytest.raises(BundleError, match=says):
        read_bundle(path)


EXTRAS = {
    "tempo": np.linspace(-1.0, 1.0, 8, dtype=np.float32),
    "range.mean": np.full(4, 1e-6, dtype=np.float32),
    "range.whitening": np.eye(4, dtype=np.float32) * 12345.678,
}
BOUNDS = {
    "range.bend": np.array([17.12345, 27.65432], dtype=np.float32),
    "range.distance": np.array([1.23456, 2.34567], dtype=np.float32),
}


def with_extras(**extras: np.ndarray) -> Bundle:
    bundle = make_bundle()
    return replace(bundle, tensors={**bundle.tensors, **extras})


@pytest.mark.parametrize("tempo", [EXTRAS["tempo"], np.stack([EXTRAS["tempo"], -EXTRAS["tempo"]])])
def test_what_no_network_needs_is_kept_in_full(tempo: np.ndarray, tmp_path: Path) -> None:
    path = tmp_path / "extras.safetensors"
    write_bundle(path, with_extras(**{**EXTRAS, "tempo": tempo}))
    read = read_bundle(path)
    assert read.tempo is not None and read.content_range is not None
    np.testing.assert_array_equal(read.tempo, tempo)
    np.testing.assert_array_equal(read.content_range.mean, EXTRAS["range.mean"])
    np.testing.assert_array_equal(read.content_range.whitening, EXTRAS["range.whitening"])
    assert read.content_range.bounds is None
    assert make_bundle().tempo is None and make_bundle().content_range is None


def test_bounds_of_the_fade_are_kept_in_full(tmp_path: Path) -> None:
    path = tmp_path / "bounds.safetensors"
    write_bundle(path, with_extras(**EXTRAS, **BOUNDS))
    known = read_bundle(path).content_range
    assert known is not None and known.bounds is not None
    assert known.bounds.bend == tuple(BOUNDS["range.bend"].tolist())
    assert known.bounds.distance == tuple(BOUNDS["range.distance"].tolist())


@pytest.mark.parametrize(
    ("extras", "says"),
    [
        ({"tempo": np.zeros(7, np.float32)}, "shape"),
        ({"tempo": np.zeros((3, 8), np.float32)}, "shape"),
        ({"range.mean": np.zeros(4, np.float32)}, "missing range.whitening"),
        ({"tempo": np.full(8, np.nan, np.float32)}, "not finite"),
        ({"range.bend": BOUNDS["range.bend"]}, "missing range.distance"),
        (BOUNDS | {"range.distance": np.zeros(3, np.float32)}, "shape"),
        (BOUNDS | {"range.bend": BOUNDS["range.bend"][::-1].copy()}, "range.bend .* does not rise"),
        (BOUNDS | {"range.distance": np.array([0.0, 1.0], np.float32)}, "range.distance .* does not rise"),
        (BOUNDS | {"range.distance": np.array([2.0, 2.0], np.float32)}, "range.distance .* does not rise"),
    ],
)
def test_extras_that_are_wrong_are_refused(extras: dict[str, np.ndarray], says: str, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=says):
        write_bundle(tmp_path / "bad.safetensors", with_extras(**extras))
