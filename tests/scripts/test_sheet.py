# SPDX-License-Identifier: GPL-3.0-or-later
"""The contact sheet and its numbers, on the walk of the repository and on bodies whose numbers are known."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from core.errors import InvalidMotionError
from core.figure import convex_hull
from core.rotations import Array
from scripts.figure import SIDE_COLOURS
from scripts.gait import Gait, Walk, footprints, measure, read_walk
from scripts.sheet import Clip, draw_sheet, read_clip

WALK = Path(__file__).parents[1] / "data" / "walk_normal.bvh"
SECONDS, SPEED, LEAN, ELBOW = 4.0, 1.2, 20.0, 90.0
STEP = 0.6  # metres from one foot's print to the next one's


def walker() -> Walk:
    """A body on rails: 1.2 m/s along +Z, a step of 0.6 m every half second, trunk bent by 20 degrees, elbows by 90."""
    times = np.arange(0.0, SECONDS, 1 / 60)
    pelvis = np.stack([0 * times, 0.9 + 0 * times, SPEED * times], axis=-1)
    up = np.array([0.0, np.cos(np.radians(LEAN)), np.sin(np.radians(LEAN))])
    joints = {"pelvis": pelvis, "neck": pelvis + 0.5 * up}
    for side, sign in (("left", 1.0), ("right", -1.0)):
        aside = np.array([0.1 * sign, 0.0, 0.0])
        foot = planted_foot(times, 0.0 if side == "left" else 0.5) + aside
        ankle = foot + [0.0, 0.06, -0.1]
        shoulder = pelvis + 0.5 * up + 2 * aside
        elbow = shoulder - [0.0, 0.25, 0.0]
        wrist = elbow + [0.0, 0.0, 0.22]
        hip = pelvis + aside
        joints |= {f"{side}_{name}": path for name, path in (
            ("hip", hip), ("knee", (hip + ankle) / 2), ("ankle", ankle), ("foot", foot),
            ("shoulder", shoulder), ("elbow", elbow), ("wrist", wrist))}  # fmt: skip
    return Walk(times, joints)


def planted_foot(times: Array, phase: float) -> Array:
    """A toe that stands for half a second and swings for half a second, two steps of 0.6 m per second."""
    cycle = times + phase
    swing = np.clip((cycle % 1.0) / 0.5 - 1.0, 0.0, 1.0)
    along = 2 * STEP * (np.floor(cycle) + swing * swing * (3 - 2 * swing) - phase)
    return np.stack([0 * times, 0.03 + 0.15 * np.sin(np.pi * swing), along], axis=-1)


def turned(walk: Walk, angle: float) -> Walk:
    c, s = np.cos(angle), np.sin(angle)
    turn = np.array([[c, 0.0, s], [0.0, 1.0, 0.0], [-s, 0.0, c]])
    return Walk(walk.times, {name: path @ turn.T + [3.0, 0.0, -7.0] for name, path in walk.joints.items()})


def values(gait: Gait) -> list[float]:
    return [gait.seconds, gait.distance, gait.speed, gait.stride, gait.lean, gait.elbow]


def test_a_known_walk_has_its_known_numbers() -> None:
    gait = measure(walker())
    assert gait.speed == pytest.approx(SPEED, abs=1e-6)
    assert gait.stride == pytest.approx(np.hypot(STEP, 0.2), abs=0.01)
    assert gait.lean == pytest.approx(LEAN, abs=1e-6)
    assert gait.elbow == pytest.approx(ELBOW, abs=1e-6)


@given(st.floats(-np.pi, np.pi))
def test_numbers_do_not_depend_on_where_a_walk_goes(angle: float) -> None:
    assert values(measure(turned(walker(), angle))) == pytest.approx(values(measure(walker())), abs=1e-6)


def test_footprints_alternate() -> None:
    sides = [side for side, _ in footprints(walker())]
    assert len(sides) >= 7
    assert all(a != b for a, b in zip(sides, sides[1:], strict=False))


def test_the_real_walk_is_a_walk() -> None:
    gait = read_clip("", WALK).gait
    assert 1.0 < gait.speed < 1.3
    assert 0.55 < gait.stride < 0.75
    assert -8.0 < gait.lean < 5.0


def test_up_axis_and_unit_are_found(tmp_path: Path) -> None:
    """The same file as Blender would write it (Z up) and in metres gives the same numbers."""
    head, motion = WALK.read_text().split("Frame Time:")
    first, *rows = motion.strip().splitlines()
    z_up = tmp_path / "z_up.bvh"
    # The outermost joint's channels are X Y Z position, then Z X Y rotation: a quarter turn about X.
    z_up.write_text(
        "\n".join([f"{head}Frame Time: {first}", *("0 0 0 0 90 0 " + row.split(" ", 6)[6] for row in rows)])
    )
    expected = values(measure(read_walk(WALK)))
    assert values(measure(read_walk(z_up))) == pytest.approx(expected, abs=1e-3)
    assert values(measure(read_walk(WALK, metres_per_unit=0.01))) == pytest.approx(expected)


def test_what_is_no_bvh_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.bvh").write_text("nothing")
    with pytest.raises(InvalidMotionError, match="not a BVH"):
        read_walk(tmp_path / "a.bvh")


def test_the_sheet_shows_both_clips(tmp_path: Path) -> None:
    clips = [Clip(name, walk, measure(walk)) for name, walk in (("Original", read_walk(WALK)), ("Result", walker()))]
    draw_sheet((clips[0], clips[1]), "A title", tmp_path / "deep" / "sheet.png")
    with Image.open(tmp_path / "deep" / "sheet.png") as picture:
        assert picture.width == 2000
        pixels = np.asarray(picture.convert("RGB"), dtype=int)
    for half in (pixels[: len(pixels) // 5], pixels[len(pixels) // 5 : len(pixels) // 2]):
        for colour in SIDE_COLOURS.values():
            assert (np.abs(half - colour).sum(axis=-1) < 24).sum() > 1000


@given(hnp.arrays(float, (12, 2), elements=st.floats(-5, 5)))
def test_a_hull_holds_all_points_and_turns_one_way(points: Array) -> None:
    hull = convex_hull(points)
    if len(hull) < 3:  # all on one line
        return
    edges = np.roll(hull, -1, axis=0) - hull
    for edge, corner in zip(edges, hull, strict=True):
        way = points - corner
        assert (edge[0] * way[:, 1] - edge[1] * way[:, 0] >= -1e-9).all()
