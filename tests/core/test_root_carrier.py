# SPDX-License-Identifier: GPL-3.0-or-later
"""Root motion on a bone above the hips: who carries, and that the body's place in the world is not touched."""

from dataclasses import replace

import numpy as np
import pytest

from core.matching import BoneMap
from core.rig import RigMotion, RigSkeleton
from core.root_carrier import carry, find_carrier, lift
from core.rotations import from_axis_angle

FRAMES, FPS = 90, 30.0
NAMES = ("base", "root", "hips", "chest", "foot")
MAP = BoneMap({"pelvis": "hips", "spine3": "chest", "left_foot": "foot"})


def walker(travels: str = "root", distance: float = 3.0) -> RigMotion:
    """Three seconds in which one bone goes ``distance`` metres along a bend and the hips sway; scaled and turned."""
    rest = np.tile(np.eye(4), (5, 1, 1))
    # The root bone lies on the floor, along the way; the hips' own axes are turned against it.
    rest[1, :3, :3] = [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]]
    rest[2, :3, :3] = [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
    rest[2:, 1, 3] = [0.9, 1.4, 0.0]
    skeleton = RigSkeleton(NAMES, (-1, 0, 1, 2, 2), rest, np.full(5, 0.2))
    times = np.arange(FRAMES) / FPS
    locations = np.zeros((FRAMES, 5, 3))
    share = np.linspace(0.0, 1.0, FRAMES)
    way = distance * np.stack([share, 0.0 * share, 0.3 * share**2], axis=-1)
    bone = skeleton.index[travels]
    locations[:, bone] = way @ rest[bone, :3, :3]
    locations[:, 2] += 0.03 * np.sin(8.0 * times)[:, None]
    rotations = np.zeros((FRAMES, 5, 4))
    rotations[..., 0] = 1.0
    rotations[:, 1] = from_axis_angle(np.array([0.0, 0.0, 1.0]), 0.4 * share)
    placement = np.tile(np.diag([2.0, 2.0, 2.0, 1.0]), (FRAMES, 1, 1))
    placement[:, :3, 3] = (4.0, 0.0, -1.0)
    return RigMotion(skeleton, times, rotations, locations, np.ones((FRAMES, 5, 3)), placement)


def restyled(clip: RigMotion, distance: float = 1.0) -> RigMotion:
    """The hips somewhere else: a longer way, and more sway."""
    extra = np.linspace(0.0, distance, FRAMES)[:, None] * [1.0, 0.0, 0.2] + 0.05 * np.sin(9.0 * clip.times)[:, None]
    locations = clip.locations.copy()
    locations[:, 2] += extra @ clip.skeleton.rest[2, :3, :3]
    return replace(clip, locations=locations)


def heads(clip: RigMotion) -> np.ndarray:
    return clip.world()[1]


@pytest.mark.parametrize(("travels", "carrier"), [("root", "root"), ("base", "base"), ("hips", None)])
def test_the_bone_that_travels_is_found(travels: str, carrier: str | None) -> None:
    assert find_carrier(walker(travels), MAP) == carrier
    # Swaying on the spot is no travelling.
    assert find_carrier(walker(travels, 0.3), MAP) is None


def test_a_bone_that_only_shares_the_way_is_no_carrier() -> None:
    clip = walker("root", 1.0)
    clip.locations[:, 2] += walker("hips", 3.0).locations[:, 2]
    assert find_carrier(clip, MAP) is None


def test_a_body_that_does_not_hang_on_the_hips_has_no_carrier() -> None:
    clip = walker()
    loose = replace(clip.skeleton, parents=(-1, 0, 1, 2, 1))
    assert find_carrier(replace(clip, skeleton=loose), MAP) is None


@pytest.mark.parametrize("root", ["PREDICTED", "IN_PLACE", "KEEP"])
def test_the_body_stays_where_it_is(root: str) -> None:
    clip = walker()
    wanted = restyled(clip)
    carried = carry(wanted, clip, ("hips", "root"), root)
    assert np.abs(heads(carried) - heads(wanted))[:, 2:].max() < 1e-9
    assert np.array_equal(carried.rotations, wanted.rotations)
    others = [0, 3, 4]
    assert np.array_equal(carried.locations[:, others], wanted.locations[:, others])


def test_predicted_moves_the_root_bone_and_leaves_the_sway_to_the_hips() -> None:
    clip = walker()
    wanted = restyled(clip)
    carried = carry(wanted, clip, ("hips", "root"), "PREDICTED")
    moved, asked = (heads(carried) - heads(clip))[:, 1], (heads(wanted) - heads(clip))[:, 2]
    assert np.allclose(moved[:, 1], 0.0)
    # At both ends exactly, and in between up to the sway.
    assert np.allclose(moved[[0, -1]][:, [0, 2]], asked[[0, -1]][:, [0, 2]])
    assert np.abs(moved - asked)[:, [0, 2]].max() < 0.25
    rough = [np.abs(np.diff(path, 2, axis=0)).max() for path in (moved, asked)]
    assert rough[0] < 0.3 * rough[1]


def test_in_place_the_root_bone_rests() -> None:
    clip = walker()
    carried = carry(restyled(clip), clip, ("hips", "root"), "IN_PLACE")
    assert np.abs(np.diff(heads(carried)[:, 1], axis=0)).max() < 1e-9


def test_nothing_changes_where_nothing_changed() -> None:
    clip = walker()
    assert np.array_equal(carry(clip, clip, ("hips", "root"), "PREDICTED").locations, clip.locations)
    assert np.array_equal(lift(clip, clip, "hips", "root").locations, clip.locations)


def test_hips_that_cannot_move_are_lifted() -> None:
    clip = walker()
    wanted = restyled(clip)
    lifted = lift(wanted, clip, "hips", "root")
    assert np.abs(heads(lifted) - heads(wanted))[:, 2:].max() < 1e-9
    assert np.abs(lifted.locations - clip.locations)[:, 2].max() < 1e-9
