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

from .characters import RigStyle, rig, walk
from .skeletons import Bone, body, build, hands, moved, placed, quadruped, renamed, shuffled, twists, without
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


def strand(name: str, parent: str, start: Array, step: tuple[float, float, float]) -> list[Bone]:
    """Six bones in a row."""
    return [
        (f"{name}{i}", f"{name}{i - 1}" if i else parent, start + i * np.asarray(step, dtype=np.float64))
        for i in range(6)
    ]


def test_hair_skirt_tail_and_props_are_not_taken() -> None:
    bones = body()
    heads = {name: np.asarray(head) for name, _, head in bones}
    bones += strand("tail", "pelvis", heads["pelvis"] + (0.0, 0.0, -0.1), (0.0, 0.0, -0.15))
    bones += strand("sword", "right_wrist", heads["right_wrist"] + (-0.1, 0.0, 0.0), (0.0, 0.0, 0.2))
    for side, sign in (("left", 1.0), ("right", -1.0)):
        bones += strand(f"{side}_hair", "head", heads["head"] + (sign * 0.08, 0.1, -0.1), (0.0, -0.15, 0.0))
        bones += strand(f"{side}_skirt", "pelvis", heads["pelvis"] + (sign * 0.2, 0.0, 0.1), (0.0, -0.1, 0.0))
    skeleton = build([*bones, *hands(bones)], np.random.default_rng(4))
    found, confidence = found_in(skeleton)
    assert found == expected(skeleton, 3)
    assert confidence > ACCEPTED


def test_feet_that_hang_on_the_root_are_tied_to_the_legs() -> None:
    bones: list[Bone] = [("root", "", (0.0, 0.0, 0.0))]
    bones += [(n, "root" if not p or n.endswith("_ankle") else p, h) for n, p, h in body({"hip": 1.6})]
    skeleton = build(bones)
    # The shins end where the feet begin, as in Blender, though nothing hangs there.
    shins = np.array(["knee" in name for name in skeleton.names])
    skeleton = dataclasses.replace(skeleton, lengths=np.where(shins, 0.41, skeleton.lengths))
    found, confidence = found_in(skeleton)
    assert {joint: found[joint] for joint in expected(skeleton, 3)} == expected(skeleton, 3)
    assert confidence > ACCEPTED


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
