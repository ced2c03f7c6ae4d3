# SPDX-License-Identifier: GPL-3.0-or-later
"""Ghosts: their points are the rig's, their mesh is closed around them, they stand apart and can be pointed at."""

import numpy as np
import pytest

from core.ghosts import (
    GhostBody,
    Look,
    Picker,
    View,
    facings,
    ghost_body_steps,
    ghost_colours,
    ghost_indices,
    ghost_steps,
    ghost_vertices,
    nearest_ghost,
    part_of_change,
    project,
    row_offsets,
    slots,
)
from core.matching import match_bones
from core.motion import Motion
from core.pipeline import Clip
from core.rig import RigMotion
from core.rotations import Array, from_axis_angle, to_matrix
from core.steps import finish

from .characters import RigStyle, rig, walk

RIGHT = np.array([1.0, 0.0, 0.0])
FORWARD = np.array([0.0, 0.0, 1.0])


def clip_of(motion: Motion, style: RigStyle | None = None) -> Clip:
    played = rig(style or RigStyle(0.6, 0.01), motion)
    return Clip(played, match_bones(played.skeleton))


def body_of(clip: Clip) -> GhostBody:
    return finish(ghost_body_steps(clip))


def points_of(motion: RigMotion, body: GhostBody) -> Array:
    return finish(ghost_steps(motion, body))


def figure(motion: Motion) -> tuple[GhostBody, Array]:
    clip = clip_of(motion)
    body = body_of(clip)
    return body, points_of(clip.motion, body)


def walkers(speeds: list[float], turn: float = 0.0) -> tuple[GhostBody, Array]:
    """Points (N, T, P, 3) of walkers at different speeds, who head ``turn`` radians to the left of +Z."""
    matrix = to_matrix(from_axis_angle(np.array([0.0, 1.0, 0.0]), np.array(turn)))
    figures = [figure(walk(120, speed=speed)) for speed in speeds]
    return figures[0][0], np.stack([points @ matrix.T for _, points in figures]).astype(np.float32)


def camera(distance: float) -> View:
    """A perspective view from +Z towards the origin at the height of a chest."""
    projection = np.array([[1.5, 0, 0, 0], [0, 2.5, 0, 0], [0, 0, -1.0, -0.02], [0, 0, -1.0, 0]])
    looking = np.eye(4)
    looking[:3, 3] = 0.0, -1.0, -distance
    return View(projection @ looking, (1000.0, 600.0))


def test_the_points_are_the_heads_of_the_mapped_bones() -> None:
    clip = clip_of(walk())
    body = body_of(clip)
    points, heads = points_of(clip.motion, body), clip.motion.world()[1]
    joints = np.flatnonzero(~body.offsets.any(axis=-1))
    assert points.dtype == np.float32 and len(joints) == 22
    for point in joints:
        bone = clip.motion.skeleton.index[body.bones[point]]
        assert np.abs(points[:, point] - heads[:, bone]).max() < 1e-5


@pytest.mark.parametrize("size", [0.01, 1.0, 3.0])
def test_the_tips_do_not_depend_on_the_rigs_axes_and_units(size: float) -> None:
    plain, other = clip_of(walk(), RigStyle()), clip_of(walk(), RigStyle(1.0, size))
    first, second = (points_of(clip.motion, body_of(clip)) for clip in (plain, other))
    assert first.shape == second.shape
    assert np.abs(first - second).max() < 2e-3


def test_the_nose_and_the_toes_lead() -> None:
    clip = clip_of(walk(30, speed=0.0))
    body = body_of(clip)
    mean = points_of(clip.motion, body).mean(axis=0)
    assert len(mean) == 29
    head = body.bones.index("mixamorig:Head")
    nose = max(range(22, 29), key=lambda point: mean[point, 2] if body.bones[point] == body.bones[head] else -np.inf)
    assert mean[nose, 2] > mean[head, 2] + 0.08
    assert mean[:, 1].argmax() in [point for point in range(22, 29) if body.bones[point] == body.bones[head]]


def test_a_rig_without_spine_toes_and_head_has_a_body_all_the_same() -> None:
    clip = clip_of(walk())
    left_out = ("spine2", "spine3", "head", "neck", "left_foot", "right_foot", "left_collar", "right_wrist")
    fewer = {joint: bone for joint, bone in clip.bone_map.bones.items() if joint not in left_out}
    body = body_of(Clip(clip.motion, type(clip.bone_map)(fewer)))
    assert len(body.bones) == 14 + 1
    assert set(body.limbs.ravel()) == set(range(15))


def test_long_clips_are_sampled_in_pieces() -> None:
    clip = clip_of(walk(1100))
    body = body_of(clip)
    late = RigMotion.rows(clip.motion, range(1000, 1100))
    assert np.array_equal(points_of(clip.motion, body)[1000:], points_of(late, body))


def test_a_part_of_a_change_lies_between() -> None:
    original, full = clip_of(walk()).motion, clip_of(walk(speed=0.4)).motion
    assert part_of_change(original, full, 1.0) is full
    none, half = (part_of_change(original, full, share) for share in (0.0, 0.5))
    assert np.abs(none.pose - original.pose).max() < 1e-9
    middle = 0.5 * (original.locations + full.locations)
    assert np.abs(half.locations - middle).max() < 1e-9
    assert np.abs(part_of_change(half, full, 1.0).pose - full.pose).max() == 0.0


def test_the_mesh_is_closed_and_as_thick_as_its_limbs() -> None:
    body, points = figure(walk(40))
    now = np.stack([points[0], points[20]])
    positions, normals = ghost_vertices(body, now, floor=-0.1)
    triangles = ghost_indices(body, 2)
    assert triangles.max() == len(positions) - 1 and triangles.min() == 0
    assert np.abs(np.linalg.norm(normals, axis=-1) - 1.0).max() < 0.02
    per_ghost = positions.reshape(2, -1, 3)
    capsules = per_ghost[:, :-24].reshape(2, len(body.limbs), -1, 3)
    starts = now[:, body.limbs[:, 0]][:, :, None]
    ends = now[:, body.limbs[:, 1]][:, :, None]
    away = np.minimum(np.linalg.norm(capsules - starts, axis=-1), np.linalg.norm(capsules - ends, axis=-1))
    assert (away <= body.radii.max(axis=-1)[None, :, None] * 1.02).all()
    assert np.ptp(per_ghost[:, -24:, 1]) == 0.0


def test_the_hovered_ghost_is_the_lightest() -> None:
    body, points = figure(walk(40))
    _, normals = ghost_vertices(body, np.stack([points[0]] * 3), floor=0.0)
    look = Look(np.full((3, 3), 0.5), FORWARD, FORWARD)
    plain = ghost_colours(normals, look).reshape(3, -1, 4)
    assert np.array_equal(plain[0], plain[1])
    lit = ghost_colours(normals, Look(look.colours, FORWARD, FORWARD, hovered=1)).reshape(3, -1, 4)
    assert (lit[1] > plain[1])[..., :3].all() and (lit[0] < plain[0])[..., :3].all()
    assert plain.min() >= 0.0 and lit.max() <= 1.0


def test_the_middle_of_the_row_is_the_originals() -> None:
    assert slots(1).tolist() == [-1]
    assert slots(4).tolist() == [-2, -1, 1, 2]
    assert slots(5).tolist() == [-3, -2, -1, 1, 2]


@pytest.mark.parametrize("turn", [0.0, 0.6, np.pi / 2, -np.pi / 2, np.pi])
@pytest.mark.parametrize("speeds", [[1.1] * 4, [0.4, 1.8, 0.0, 1.1, 1.4]])
def test_nobody_walks_into_anybody(turn: float, speeds: list[float]) -> None:
    body, points = walkers(speeds, turn)
    original = walkers([1.1], turn)[1][0]
    moved = points + row_offsets(points, original, RIGHT, body.size)[:, None, None]
    everybody = np.insert(moved, np.searchsorted(slots(len(speeds)), 0), original, axis=0)
    ways = np.stack([[np.cos(angle), 0.0, np.sin(angle)] for angle in np.linspace(0.0, np.pi, 24, endpoint=False)])
    reach = everybody @ ways.T
    for one, other in zip(reach, reach[1:], strict=False):
        # Somewhere around there is a direction along which one is beside the other, in every frame.
        apart = np.maximum(other.min(axis=1) - one.max(axis=1), one.min(axis=1) - other.max(axis=1))
        assert (apart.max(axis=-1) > 0.05).all()


def test_a_row_of_equals_is_no_wider_than_it_must_be() -> None:
    body, points = walkers([1.1] * 4)
    offsets = row_offsets(points, points[0], RIGHT, body.size)
    steps = np.diff(offsets @ RIGHT)
    assert np.abs(offsets @ FORWARD).max() < 1e-9 and np.abs(offsets[:, 1]).max() == 0.0
    assert steps[0] < 1.6 and steps[1] == pytest.approx(2 * steps[0])


def test_a_rolled_view_has_a_row_too() -> None:
    body, points = walkers([1.1])
    assert np.isfinite(row_offsets(points, points[0], np.array([0.0, 1.0, 0.0]), body.size)).all()


def test_numbers_run_from_left_to_right_from_all_sides() -> None:
    for right in facings(np.array([0.6, 0.5, -0.3])):
        assert np.linalg.norm(right) == pytest.approx(1.0) and right[1] == 0.0
    around = np.array(facings(RIGHT))
    assert np.allclose(around @ around.T, [[1, 0, -1, 0], [0, 1, 0, -1], [-1, 0, 1, 0], [0, -1, 0, 1]])


def test_the_ghost_under_the_pointer_is_found() -> None:
    body, points = figure(walk(40, speed=0.0))
    row = np.stack([points[0] + x * RIGHT for x in (-1.5, 0.0, 1.5)]).astype(np.float32)
    view = camera(6.0)
    pixels, _ = project(view, row)
    for ghost in range(3):
        assert nearest_ghost(view, body, row, Picker(pixels[ghost, 0], 4.0)) == ghost
        hand = body.bones.index("mixamorig:LeftHand")
        assert nearest_ghost(view, body, row, Picker(pixels[ghost, hand] + [3.0, 0.0], 4.0)) == ghost
    assert nearest_ghost(view, body, row, Picker(pixels[:, 0].mean(axis=0) + [0.0, 290.0], 4.0)) == -1


def test_of_two_ghosts_the_one_in_front_is_found_and_none_behind_the_viewer() -> None:
    body, points = figure(walk(40, speed=0.0))
    row = np.stack([points[0] - FORWARD, points[0] + FORWARD]).astype(np.float32)
    view = camera(6.0)
    place = project(view, row)[0][0, 0]
    assert nearest_ghost(view, body, row, Picker(place, 4.0)) == 1
    assert nearest_ghost(view, body, row + 20.0 * FORWARD.astype(np.float32), Picker(place, 1e4)) == -1
    assert nearest_ghost(view, body, row[:0], Picker(place, 4.0)) == -1
