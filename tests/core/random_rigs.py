# SPDX-License-Identifier: GPL-3.0-or-later
"""Skeletons and clips as hypothesis draws them: any spine, any rest pose, any roll, size, place and frame rate."""

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

from core.matching import BoneMap
from core.rig import RigMotion, RigSkeleton
from core.rotations import Array, from_axis_angle, from_rotation_vector, multiply, normalize, rotate, to_matrix
from core.skeleton import CANONICAL, INDEX, JOINTS, PARENTS

# Which joints the bones of a spine are, from the pelvis up; None is a bone that no joint stands for.
SPINES: dict[int, tuple[str | None, ...]] = {
    1: ("spine3",),
    2: ("spine1", "spine3"),
    3: ("spine1", "spine2", "spine3"),
    4: ("spine1", "spine2", None, "spine3"),
    5: ("spine1", None, "spine2", None, "spine3"),
}
REST_POSES = ("T", "A", "HANGING", "NONE")
_ARMS = {"T": 0.0, "A": 0.8, "HANGING": 1.45}


@dataclass(frozen=True)
class Plan:
    """What a random character is like; ``seed`` decides everything that is a number of many."""

    spine: int
    collars: bool
    toes: bool
    hands: bool
    twists: bool
    rest: str
    size: float
    frames: int
    fps: float
    tilted: bool
    seed: int


def plans() -> st.SearchStrategy[Plan]:
    """Any character."""
    return st.builds(
        Plan,
        spine=st.integers(1, 5),
        collars=st.booleans(),
        toes=st.booleans(),
        hands=st.booleans(),
        twists=st.booleans(),
        rest=st.sampled_from(REST_POSES),
        size=st.floats(0.01, 100.0),
        frames=st.integers(9, 40),
        fps=st.floats(8.0, 240.0),
        tilted=st.booleans(),
        seed=st.integers(0, 2**16),
    )


@dataclass
class _Bones:
    """Bones under construction: T-pose heads, and which joint each is."""

    names: list[str]
    parents: list[int]
    heads: list[Array]
    joints: list[str | None]

    def add(self, joint: str | None, parent: int, head: Array) -> int:
        """A new bone's index."""
        index = len(self.names)
        self.names.append(f"bone.{index:02d}")
        self.parents.append(parent)
        self.heads.append(head)
        self.joints.append(joint)
        return index


def character(plan: Plan) -> tuple[RigMotion, BoneMap]:
    """A clip in which every bone moves, and its bone map."""
    rng = np.random.default_rng(plan.seed)
    bones = _tree(plan, rng)
    rest = _rest(plan, bones, rng)
    count = len(bones.names)
    skeleton = RigSkeleton(tuple(bones.names), tuple(bones.parents), rest, np.full(count, 0.1 / plan.size))
    shape = (plan.frames, count)
    # A part of the intervals is halved: keys between frames.
    times = np.cumsum(rng.choice([0.5, 1.0], plan.frames)) / plan.fps
    swings = rng.normal(0.0, 0.5, (1, count, 3)) * np.sin(
        rng.uniform(0.0, 6.0, (1, count, 3)) + 3.0 * times[:, None, None]
    )
    clip = RigMotion(
        skeleton,
        times,
        from_rotation_vector(swings),
        rng.normal(0.0, 0.03 / plan.size, (*shape, 3)),
        np.ones((*shape, 3)),
        np.broadcast_to(_placement(plan, rng), (plan.frames, 4, 4)),
    )
    return clip, BoneMap({joint: name for joint, name in zip(bones.joints, bones.names, strict=True) if joint})


def _tree(plan: Plan, rng: np.random.Generator) -> _Bones:
    places = _t_pose()
    bones = _Bones([], [], [], [])
    index: dict[str, int] = {"pelvis": bones.add("pelvis", bones.add(None, -1, np.zeros(3)), places["pelvis"])}
    top = index["pelvis"]
    for step, joint in enumerate(SPINES[plan.spine]):
        share = (step + 1.0) / (plan.spine + 1.0)
        top = bones.add(joint, top, (1.0 - share) * places["pelvis"] + share * places["neck"])
    index["spine3"] = top
    left_out = {
        "spine1": True, "spine2": True, "spine3": True, "collar": not plan.collars, "foot": not plan.toes,
        "wrist": not plan.hands, "pelvis": True,
    }  # fmt: skip
    for joint in JOINTS:
        if left_out.get(joint, left_out.get(joint.partition("_")[2], False)):
            continue
        above = JOINTS[PARENTS[INDEX[joint]]]
        while above not in index:
            above = JOINTS[PARENTS[INDEX[above]]]
        parent = index[above]
        if plan.twists and joint.partition("_")[2] in ("elbow", "knee"):
            parent = bones.add(None, parent, 0.5 * (places[joint] + places[above]))
        index[joint] = bones.add(joint, parent, places[joint])
        if rng.uniform() < 0.3:
            bones.add(None, index[joint], places[joint] + rng.normal(0.0, 0.05, 3))
    return bones


def _t_pose() -> dict[str, Array]:
    places = {"pelvis": np.array([0.0, 0.9, 0.0])}
    for joint in JOINTS[1:]:
        places[joint] = places[JOINTS[PARENTS[INDEX[joint]]]] + CANONICAL.offsets[INDEX[joint]]
    return places


def _rest(plan: Plan, bones: _Bones, rng: np.random.Generator) -> Array:
    """(B, 4, 4) the T-pose with turned arms, or with every bone turned anyhow; all bones rolled anyhow."""
    turns = np.tile([1.0, 0.0, 0.0, 0.0], (len(bones.names), 1))
    heads = np.zeros((len(bones.names), 3))
    for bone, parent in enumerate(bones.parents):
        local = np.array([1.0, 0.0, 0.0, 0.0])
        joint = bones.joints[bone] or ""
        if plan.rest == "NONE":
            local = from_rotation_vector(rng.normal(0.0, 1.5, 3))
        elif joint.endswith("_shoulder"):
            sign = -1.0 if joint.startswith("left") else 1.0
            local = from_axis_angle(np.array([0.0, 0.0, 1.0]), np.array(sign * _ARMS[plan.rest]))
        if parent < 0:
            turns[bone], heads[bone] = local, bones.heads[bone]
        else:
            turns[bone] = multiply(turns[parent], local)
            heads[bone] = heads[parent] + rotate(turns[parent], bones.heads[bone] - bones.heads[parent])
    rolls = from_rotation_vector(rng.normal(0.0, 2.0, (len(bones.names), 3)))
    rest = np.tile(np.eye(4), (len(bones.names), 1, 1))
    rest[:, :3, :3] = to_matrix(multiply(turns, rolls))
    rest[:, :3, 3] = heads / plan.size
    return rest


def _placement(plan: Plan, rng: np.random.Generator) -> Array:
    placement = np.diag([plan.size] * 3 + [1.0])
    if plan.tilted:
        turn = from_axis_angle(normalize(rng.normal(size=3)), np.array(rng.uniform(-3.0, 3.0)))
        placement[:3, :3] = to_matrix(turn) * plan.size
        placement[:3, 3] = rng.normal(0.0, 3.0, 3)
    return placement
