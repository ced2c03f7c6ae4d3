# SPDX-License-Identifier: GPL-3.0-or-later
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.contacts import floor_height
from core.rotations import from_axis_angle, multiply, yaw_quaternion
from core.skeleton import INDEX
from scripts import evaluate
from scripts.evaluation.changes import Original
from scripts.evaluation.library import TEST, Library, Take, read_clip
from scripts.evaluation.looks.contact_sheet import draw_contact_sheet
from scripts.evaluation.looks.film import draw_film
from scripts.evaluation.looks.performance import Camera, Performance, camera, performance
from scripts.evaluation.looks.sheets import spread
from tests.blender_addon.weights import STYLES

from .takes import WALK


@pytest.fixture(scope="module")
def walk() -> Performance:
    return performance("walk", Original(read_clip(WALK)).motion)


@pytest.fixture(scope="module")
def seen() -> Camera:
    motion = Original(read_clip(WALK)).motion
    return camera(motion, floor_height(motion))


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"), dtype=np.int16)


def lifted(walk: Performance, metres: float) -> Performance:
    return replace(walk, joints=walk.joints + np.array([0.0, metres, 0.0]))


class TestPerformance:
    def test_is_of_human_size_and_looks_where_the_head_is_turned(self) -> None:
        motion = Original(read_clip(WALK)).motion
        before = performance("", motion)
        assert np.ptp(before.joints[0, :, 1]) == pytest.approx(1.5, abs=0.3)
        rotations = motion.rotations.copy()
        half_turn = yaw_quaternion(np.array(np.pi))
        rotations[:, INDEX["head"]] = multiply(half_turn, rotations[:, INDEX["head"]])
        after = performance("", motion.with_pose(motion.root, rotations))
        assert np.allclose(after.looks[:, [0, 2]], -before.looks[:, [0, 2]], atol=1e-6)

    def test_the_camera_stands_before_the_body(self, seen: Camera) -> None:
        motion = Original(read_clip(WALK)).motion
        turned = motion.with_pose(
            motion.root, multiply(from_axis_angle(np.array([0.0, 1.0, 0.0]), np.array(1.0)), motion.rotations)
        )
        assert np.linalg.norm(seen.toward) == pytest.approx(1.0)
        assert seen.toward @ seen.right == pytest.approx(0.0, abs=1e-9)
        assert not np.allclose(camera(turned, 0.0).toward, seen.toward)


class TestPictures:
    def test_every_row_is_drawn_on_its_floor(self, walk: Performance, seen: Camera, tmp_path: Path) -> None:
        draw_contact_sheet("A walk", [walk, walk], seen, tmp_path / "same.png")
        draw_contact_sheet("A walk", [walk, lifted(walk, 0.5)], seen, tmp_path / "lifted.png")
        same, other = pixels(tmp_path / "same.png"), pixels(tmp_path / "lifted.png")
        height = same.shape[0]
        moved = (np.abs(same - other).max(axis=-1) > 60).sum(axis=1)
        # Only the second row has moved, but for edges that the two palettes draw differently.
        assert moved[: height // 2].sum() < 0.05 * moved[height // 2 :].sum()
        coloured = [np.flatnonzero((np.ptp(p[height // 2 :], axis=-1) > 60).any(axis=1)).max() for p in (same, other)]
        assert coloured[0] - coloured[1] == pytest.approx(0.5 * 78.0, abs=3.0)

    def test_a_film_moves(self, walk: Performance, seen: Camera, tmp_path: Path) -> None:
        draw_film([walk, lifted(walk, 0.2)], seen, tmp_path / "walk.webp")
        with Image.open(tmp_path / "walk.webp") as film:
            assert film.n_frames == min(-(-len(walk) // 2), 90)  # pyright: ignore[reportAttributeAccessIssue]
            frames = []
            for frame in (0, 5):
                film.seek(frame)
                frames.append(np.asarray(film.convert("RGB"), dtype=np.int16))
        assert np.abs(frames[0] - frames[1]).max() > 50


class TestSpread:
    def test_contents_and_styles_come_in_turn(self) -> None:
        takes = [Take(f"{c}{s}{n}", c, s, TEST, Path()) for c in "abc" for s in "xy" for n in range(2)]
        chosen = spread(takes, 3)
        assert {take.content for take in chosen} == set("abc")
        assert {take.style for take in chosen} == set("xy")
        assert len({take.key for take in spread(takes, 20)}) == len(spread(takes, 20)) == 6


def test_command_draws_every_clip_twice(
    takes_folder: Path, takes_dataset: Path, library: Library, library_weights: Path, tmp_path: Path
) -> None:
    arguments = [takes_folder, "--sheet", tmp_path / "sheets", "--weights", library_weights, "--contents", "wave"]
    arguments += ["--dataset", takes_dataset, "--cache", tmp_path, "--threads", 1]
    assert evaluate.main([str(item) for item in arguments]) == 0
    expected = {f"wave-{style}" for style in STYLES}
    assert {path.stem for path in (tmp_path / "sheets").glob("*.png")} == expected
    assert {path.stem for path in (tmp_path / "sheets").glob("*.webp")} == expected
    assert library.of(TEST)
