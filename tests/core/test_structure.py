# SPDX-License-Identifier: GPL-3.0-or-later
"""Bodies without names: any proportions, any rest pose, any place; left is never right."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.matching import ACCEPTED, match_bones
from core.rig import RigMotion, RigSkeleton
from core.rotations import Array, from_matrix, normalize
from core.skeleton import JOINTS, PARENTS
from core.structure import find_body

from .accessories import ACCESSORIES, strand
from .characters import RigStyle, rig, walk
from .skeletons import (
    body,
    build,
    hands,
    layered,
    lowered,
    moved,
    on_root,
    placed,
    quadruped,
    renamed,
    shuffled,
    twists,
    without,
)
from .test_matching import SPINES

PROPORTIONS = ("hip", "knee", "ankle", "foot", "neck", "head", "collar", "shoulder", "elbow", "wrist")


def expected(skeleton: RigSkeleton, spine: int) -> dict[str, str]:
    """The map of a body of ``skeletons.body``."""
    joints = {joint: joint for joint in JOINTS if joint in skeleton.index}
    return joints | {joint: f"chest{place}" for joint, place in SPINES[spine].items()}


def found_in(skeleton: RigSkeleton, clip: RigMotion | None = None) -> tuple[dict[str, str], float]:
    """What structure alone finds, by the bones' own names, and the confidence."""
    found = find_body(skeleton, clip)
    return {joint: skeleton.names[bone] for joint, bone in found.joints.items()}, found.confidence


@settings(max_examples=60)
@given(
    proportions=st.fixed_dictionaries({part: st.floats(0.75, 1.3) for part in PROPORTIONS}),
    spine=st.integers(1, 5),
    seed=st.integers(0, 10_000),
    scale=st.floats(-2.0, 2.0),
    extras=st.sets(st.sampled_from(("hands", "twists", "fingerless"))),
)
def test_a_body_is_found_whatever_its_build_place_and_order(
    proportions: dict[str, float], spine: int, seed: int, scale: float, extras: set[str]
) -> None:
    rng = np.random.default_rng(seed)
    bones = body(proportions, spine)
    bones += hands(bones, 3 if "fingerless" in extras else 5) if "hands" in extras else []
    bones += twists(bones) if "twists" in extras else []
    skeleton = placed(build(shuffled(bones, rng), rng), normalize(rng.normal(size=4)), 10.0**scale)
    found, confidence = found_in(skeleton)
    right = expected(skeleton, spine)
    assert sum(found.get(joint) == bone for joint, bone in right.items()) >= len(right) - 2
    assert all(bone.partition("_")[0] == joint.partition("_")[0] for joint, bone in found.items() if "_" in joint)
    assert confidence > ACCEPTED


@pytest.mark.parametrize("missing", [("collar",), ("neck",), ("foot",), ("collar", "foot"), ("wrist",)])
def test_joints_that_a_rig_lacks_are_left_out(missing: tuple[str, ...]) -> None:
    bones = without(body(), *missing)
    if "foot" in missing:
        # Without toes the knees alone say where the front is.
        bones = [(n, p, (h[0], h[1], h[2] + 0.04 * ("knee" in n))) for n, p, h in bones]
    skeleton = build(bones)
    found, confidence = found_in(skeleton)
    assert found == expected(skeleton, 3)
    assert confidence > ACCEPTED


def test_what_is_mirrored_changes_sides() -> None:
    mirrored = [(name, parent, (-head[0], head[1], head[2])) for name, parent, head in body()]
    found, _ = found_in(build(mirrored))
    assert found["left_knee"] == "right_knee"
    assert found["right_wrist"] == "left_wrist"


@pytest.mark.parametrize("worn", ACCESSORIES)
@pytest.mark.parametrize("arms_down", [0.0, 0.8])
def test_what_a_character_wears_is_not_taken_for_limbs(worn: str, arms_down: float) -> None:
    for seed, proportions in enumerate(({"knee": 1.15, "ankle": 1.1, "elbow": 1.1}, {"hip": 1.2, "knee": 0.8})):
        rng = np.random.default_rng(seed)
        bones = on_root(body(proportions))
        bones = lowered([*bones, *hands(bones)], arms_down)
        skeleton = build(shuffled([*bones, *ACCESSORIES[worn](bones)], rng), rng)
        found, confidence = found_in(skeleton)
        right = expected(skeleton, 3)
        assert sum(found.get(joint) == bone for joint, bone in right.items()) >= len(right) - 2
        assert not [j for j, bone in found.items() if "_" in j and bone.startswith(opposite(j))]
        assert confidence > ACCEPTED
        match_bones(renamed(skeleton)).require()


def opposite(joint: str) -> str:
    """The other side's name."""
    return "right" if joint.startswith("left") else "left"


def test_a_dressed_character_is_not_two() -> None:
    bones = on_root(body())
    dressed = [*bones, *(bone for worn in ("cape", "wings", "short skirt") for bone in ACCESSORIES[worn](bones))]
    assert find_body(build(dressed)).others == 0
    match_bones(build(dressed)).require()


@pytest.mark.parametrize("hanging", [("_ankle",), ("_hip",), ("_ankle", "_hip")])
@pytest.mark.parametrize("legs", [1.0, 0.5])
def test_legs_and_feet_that_hang_on_the_root_are_tied_to_the_body(hanging: tuple[str, ...], legs: float) -> None:
    bones = on_root(body({"knee": legs, "ankle": legs, "hip": 1.4}))
    lift = np.array([0.0, 0.8 * (legs - 1.0), 0.0])
    bones = [(n, "root" if n.endswith(hanging) else p, h + lift * (n != "root")) for n, p, h in bones]
    bones += [(f"{side}_pole", "root", (x, 0.4, 0.8)) for side, x in (("left", 0.1), ("right", -0.1))]
    skeleton = build(bones)
    # Nothing tells where a shin ends: some exports give all bones one tiny length.
    skeleton = dataclasses.replace(skeleton, lengths=np.full(len(skeleton), 1e-3))
    found, confidence = found_in(skeleton)
    assert {joint: found.get(joint) for joint in expected(skeleton, 3)} == expected(skeleton, 3)
    assert confidence > ACCEPTED


def test_of_a_control_rigs_layers_one_is_taken_throughout() -> None:
    bones = body()
    skeleton = build(layered([*bones, *hands(bones)]))
    found, confidence = found_in(skeleton)
    assert found == expected(skeleton, 3)
    assert confidence > ACCEPTED


def test_of_several_toes_the_middle_one_is_the_toe_base() -> None:
    bones = without(body(), "foot")
    places = {name: np.asarray(head, dtype=np.float64) for name, _, head in body()}
    for side in ("left", "right"):
        for toe in range(5):
            start = places[f"{side}_foot"] + [0.02 * (toe - 2), 0.0, 0.005 * (2 - toe)]
            bones += strand(f"{side}_toe{toe}_", f"{side}_ankle", start, (0.0, 0.0, 0.03), 2)
    found, _ = found_in(build(bones))
    assert (found["left_foot"], found["right_foot"]) == ("left_toe2_0", "right_toe2_0")


def no_pose(clip: RigMotion) -> RigMotion:
    """The same motion on a rig whose bones all point along +X at rest, as some BVH files have it."""
    old = clip.skeleton
    rest = np.tile(np.eye(4), (len(old), 1, 1))
    # Y of the bone along +X.
    rest[:, :3, :3] = [[0.0, 1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    for bone, parent in enumerate(PARENTS):
        if parent >= 0:
            length = float(np.linalg.norm(old.rest[bone, :3, 3] - old.rest[parent, :3, 3]))
            rest[bone, :3, 3] = rest[parent, :3, 3] + [length, 0.0, 0.0]
    skeleton = dataclasses.replace(old, rest=rest)
    world = clip.pose.copy()
    # The new bone frames stand in the old ones so that each bone points to its child in the pose, too.
    for bone in range(len(old)):
        child = next((i for i, parent in enumerate(PARENTS) if parent == bone), None)
        way = world[:, child, :3, 3] - world[:, bone, :3, 3] if child is not None else world[:, bone, :3, 1]
        world[:, bone, :3, :3] = _frames(way)
    basis = np.stack([np.linalg.inv(_base(skeleton, world, bone)) @ world[:, bone] for bone in range(len(old))], axis=1)
    return dataclasses.replace(
        clip, skeleton=skeleton, rotations=from_matrix(basis[..., :3, :3]), locations=basis[..., :3, 3]
    )


def _frames(way: Array) -> Array:
    y = normalize(way)
    x = normalize(np.cross(y, np.array([0.3, 0.1, 1.0])))
    return np.stack([x, y, np.cross(x, y)], axis=-1)


def _base(skeleton: RigSkeleton, world: Array, bone: int) -> Array:
    parent = skeleton.parents[bone]
    relative = skeleton.relative_rest[bone]
    return world[:, parent] @ relative if parent >= 0 else np.broadcast_to(relative, world[:, bone].shape)


def test_a_rest_pose_that_is_no_pose_needs_the_clip() -> None:
    clip = no_pose(rig(RigStyle(names={joint: joint for joint in JOINTS}), walk(60)))
    assert find_body(clip.skeleton).confidence < ACCEPTED
    bones, confidence = found_in(clip.skeleton, clip)
    assert sum(bones.get(joint) == joint for joint in JOINTS) >= 20
    assert all(bone.partition("_")[0] == joint.partition("_")[0] for joint, bone in bones.items() if "_" in joint)
    assert confidence > ACCEPTED
    anonymous = renamed(clip.skeleton)
    match_bones(anonymous, dataclasses.replace(clip, skeleton=anonymous)).require()


def test_animals_and_crowds_are_no_body() -> None:
    assert find_body(build(quadruped())).confidence < ACCEPTED
    crowd = [*body(), *moved(body(), (1.2, 0.0, 0.3), "_2")]
    assert find_body(build(crowd)).others > 0
    assert find_body(build(body())).others == 0


def test_real_rigs_without_their_names(shared_data: Callable[[str], Path]) -> None:
    from scripts.bvh import read_bvh

    for archive, pattern, joints in (
        ("reactidle.tar.xz", "*_acted.bvh", 17),
        ("100style.tar.xz", "*.bvh", 22),
        ("cmu.tar.xz", "131_*.bvh", 22),
    ):
        path = sorted(shared_data(archive).rglob(pattern))[0]
        clip = read_bvh(path)
        named = match_bones(clip.skeleton, clip)
        anonymous = renamed(clip.skeleton)
        found = match_bones(anonymous, dataclasses.replace(clip, skeleton=anonymous))
        bones = {joint: clip.skeleton.names[int(bone[1:])] for joint, bone in found.bones.items()}
        assert len(named.bones) == joints
        assert sum(bones.get(joint) == bone for joint, bone in named.bones.items()) >= joints - 2
        assert not [j for j, bone in bones.items() if bone in named.bones.values() and named.bones.get(j) != bone]
        found.require()
