# SPDX-License-Identifier: GPL-3.0-or-later
"""The thumbnails: one per style of the weights, small, and drawn from takes of an archive."""

import io
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.portrait import SIZE, picture, png, telling_frame
from core.skeleton import JOINTS
from models.bundle import read_bundle
from scripts.gait import read_walk
from scripts.thumbnails import Pose, draw_all

ROOT = Path(__file__).parents[2]
WALK = ROOT / "tests" / "data" / "walk_normal.bvh"
THUMBNAILS = sorted((ROOT / "blender_addon" / "thumbnails").glob("*.png"))


def archive_of(folder: Path, **takes: Path) -> Path:
    path = folder / "takes.tar.xz"
    with tarfile.open(path, "w:xz") as target:
        for name, take in takes.items():
            target.add(take, f"data/bvh/{name}.bvh")
    return path


def test_every_style_of_the_weights_has_a_small_picture() -> None:
    styles = read_bundle(ROOT / "models" / "weights" / "bandai-namco.safetensors").info.styles
    assert {path.stem for path in THUMBNAILS} == set(styles)
    assert sum(path.stat().st_size for path in THUMBNAILS) < 150_000
    for path in THUMBNAILS:
        assert Image.open(path).size == (SIZE, SIZE)


def test_pictures_differ() -> None:
    pictures = [np.asarray(Image.open(path), dtype=np.int32)[..., 3] for path in THUMBNAILS]
    for i, one in enumerate(pictures):
        for other in pictures[:i]:
            assert np.abs(one - other).mean() > 5.0


def test_a_picture_is_drawn_from_an_archive(tmp_path: Path) -> None:
    archive = archive_of(tmp_path, walk_normal_015=WALK)
    draw_all(archive, tmp_path / "out", {"normal": Pose("walk_normal_015", 60)})
    drawn = np.asarray(Image.open(tmp_path / "out" / "normal.png"))
    walk = read_walk(WALK, 0.01)
    expected = picture({name: path[60] for name, path in walk.joints.items()})
    assert np.array_equal(drawn, expected)


def test_a_take_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(KeyError, match="walk_gone_001"):
        draw_all(archive_of(tmp_path, walk_normal_015=WALK), tmp_path, {"gone": Pose("walk_gone_001", 0)})


def test_a_png_is_what_it_was_made_of() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (7, 5, 4), dtype=np.uint8)
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(png(pixels)))), pixels)


def test_a_figure_stays_inside_its_picture_wherever_it_turns() -> None:
    walk = read_walk(WALK, 0.01)
    joints = {name: path[60] for name, path in walk.joints.items()}
    for turn in np.linspace(0.0, 2 * np.pi, 7):
        around = np.array([[np.cos(turn), 0.0, np.sin(turn)], [0.0, 1.0, 0.0], [-np.sin(turn), 0.0, np.cos(turn)]])
        drawn = picture({name: place @ around.T + [5.0, 0.3, -2.0] for name, place in joints.items()})
        assert not drawn[0, :, 3].any() and not drawn[-1, :, 3].any() and not drawn[:, [0, -1], 3].any()
        # The body turns, and so does the viewer.
        assert np.abs(drawn.astype(int) - picture(joints)).mean() < 0.5


def test_the_telling_frame_is_the_odd_one_out() -> None:
    places = np.tile(np.random.default_rng(1).normal(size=(1, len(JOINTS), 3)), (20, 1, 1))
    places[7, JOINTS.index("left_wrist")] += 1.0
    assert telling_frame(places) == 7
    assert telling_frame(places + np.linspace(0, 9, 20)[:, None, None]) == 7
