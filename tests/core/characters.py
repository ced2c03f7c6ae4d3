# SPDX-License-Identifier: GPL-3.0-or-later
"""Characters for the tests of core: rigs built in code, motions made by arithmetic, and an engine that computes."""

from dataclasses import dataclass

import numpy as np

from core.engines import ContentRange, Features, Float32
from core.engines.engine import StyleEngine
from core.kinematics import joint_positions, to_global
from core.motion import Motion
from core.representation import SIGNATURE, decode, encode, feature_slice
from core.rig import RigMotion, RigSkeleton
from core.rotations import (
    Array,
    conjugate,
    from_axis_angle,
    from_frame,
    from_matrix,
    from_rotation_vector,
    multiply,
    normalize,
    to_matrix,
)
from core.skeleton import CANONICAL, INDEX, JOINTS, PARENTS

MIXAMO = {
    "pelvis": "mixamorig:Hips", "spine1": "mixamorig:Spine", "spine2": "mixamorig:Spine1", "spine3": "mixamorig:Spine2",
    "neck": "mixamorig:Neck", "head": "mixamorig:Head",
    **{f"{side.lower()}_{joint}": f"mixamorig:{side}{bone}" for side in ("Left", "Right") for joint, bone in (
        ("collar", "Shoulder"), ("shoulder", "Arm"), ("elbow", "ForeArm"), ("wrist", "Hand"),
        ("hip", "UpLeg"), ("knee", "Leg"), ("ankle", "Foot"), ("foot", "ToeBase"))},
}  # fmt: skip


def walk(frames: int = 90, fps: float = 30.0, speed: float = 1.1) -> Motion:
    """A made-up walk: legs and arms swing, stance feet stand nearly still, the root bobs and travels along +Z."""
    times = np.arange(frames) / fps
    phase = 2.0 * np.pi * 0.9 * times
    local = np.zeros((frames, len(JOINTS), 4))
    local[..., 0] = 1.0
    for side, shift in (("left", 0.0), ("right", np.pi)):
        swing, bend = 0.45 * np.sin(phase + shift), 0.35 * (1.0 + np.sin(phase + shift + 2.0))
        local[:, INDEX[f"{side}_hip"]] = about([1, 0, 0], -swing)
        local[:, INDEX[f"{side}_knee"]] = about([1, 0, 0], bend)
        local[:, INDEX[f"{side}_ankle"]] = about([1, 0, 0], swing - bend)
        sign = 1.0 if side == "left" else -1.0
        down = about([0, 0, 1], np.full(frames, -sign * 1.2))
        local[:, INDEX[f"{side}_shoulder"]] = multiply(about([1, 0, 0], swing), down)
        local[:, INDEX[f"{side}_elbow"]] = about([0, 1, 0], np.full(frames, -sign * 0.5))
    local[:, INDEX["spine1"]] = about([0, 1, 0], 0.1 * np.sin(phase))
    root = np.stack([0.02 * np.sin(phase), 0.87 + 0.02 * np.cos(2 * phase), speed * times], axis=-1)
    return Motion(times, root, to_global(local), CANONICAL)


def about(axis: list[float], angle: Array) -> Array:
    """Rotations about one axis."""
    return from_axis_angle(np.array(axis, dtype=np.float64), angle)


@dataclass(frozen=True)
class RigStyle:
    """How a test rig is built: roll of every bone, unit size, object placement."""

    rolls: float = 0.0
    size: float = 1.0
    placement: Array | None = None
    names: dict[str, str] | None = None


def rig(style: RigStyle, motion: Motion) -> RigMotion:
    """A T-pose rig with the canonical proportions that plays ``motion`` exactly, bones rolled as asked."""
    names = style.names or MIXAMO
    heads = _t_pose() / style.size
    rest = np.tile(np.eye(4), (len(JOINTS), 1, 1))
    rng = np.random.default_rng(7)
    for joint in range(len(JOINTS)):
        roll = from_axis_angle(np.array([0.0, 1.0, 0.0]), np.array(style.rolls * rng.uniform(-np.pi, np.pi)))
        rest[joint, :3, :3] = to_matrix(multiply(_along(joint), roll))
        rest[joint, :3, 3] = heads[joint]
    skeleton = RigSkeleton(tuple(names[j] for j in JOINTS), PARENTS, rest, np.full(len(JOINTS), 0.1 / style.size))
    placement = np.diag([style.size] * 3 + [1.0]) if style.placement is None else style.placement
    return _pose(skeleton, motion, placement)


def _t_pose() -> Array:
    upright = np.tile([1.0, 0.0, 0.0, 0.0], (len(JOINTS), 1))
    return joint_positions(np.array([0.0, 0.9, 0.0]), upright, CANONICAL.offsets)


def _along(joint: int) -> Array:
    """Rest frame of a bone, its Y towards the first child (or on along its parent's bone)."""
    children = [i for i, p in enumerate(PARENTS) if p == joint]
    way = normalize(CANONICAL.offsets[children[0] if children else joint])
    helper = np.array([0.0, 0.0, 1.0]) if abs(way[2]) < 0.9 else np.array([1.0, 0.0, 0.0])
    # from_frame puts the bone on X; a quarter turn about Z puts it on Y.
    return multiply(from_frame(way, helper), from_axis_angle(np.array([0.0, 0.0, 1.0]), np.array(-np.pi / 2)))


def _pose(skeleton: RigSkeleton, motion: Motion, placement: Array) -> RigMotion:
    """Basis channels that make the rig play the motion: every bone turns with its joint from the T-pose on."""
    size = float(np.cbrt(np.linalg.det(placement[:3, :3])))
    frames = from_matrix(skeleton.rest[:, :3, :3])
    world = multiply(motion.rotations, frames)
    rotations = np.zeros_like(world)
    for bone, parent in enumerate(PARENTS):
        base = (
            multiply(world[:, parent], multiply(conjugate(frames[parent]), frames[bone]))
            if parent >= 0
            else frames[bone]
        )
        rotations[:, bone] = multiply(conjugate(np.broadcast_to(base, world[:, bone].shape)), world[:, bone])
    locations = np.zeros((len(motion), len(JOINTS), 3))
    locations[:, 0] = (motion.root / size - skeleton.rest[0, :3, 3]) @ skeleton.rest[0, :3, :3]
    return RigMotion(
        skeleton, motion.times, rotations, locations, np.ones_like(locations),
        np.broadcast_to(placement, (len(motion), 4, 4)),
    )  # fmt: skip


class BendingEngine(StyleEngine):
    """An engine that bends the trunk and shortens the path: no network, but the arithmetic of one."""

    def __init__(self, lean: float = 0.4, slow: float = 0.6) -> None:
        self.lean, self.slow = lean, slow
        super().__init__(BendingNetwork(self))

    def leans(self, frames: int) -> Array:
        """(T,) radians that the trunk is bent by."""
        return np.full(frames, self.lean)


class BendingNetwork:
    """What bends: every label does."""

    styles = ("bent", "straight")
    fps = 30.0
    layout_signature = SIGNATURE
    style_size = 1
    tempo: Float32 | None = None
    content_range: ContentRange | None = None

    def __init__(self, engine: BendingEngine) -> None:
        self.engine = engine

    def style_gaussian(self, _features: Features) -> Float32:
        """Clips have no style of their own."""
        return np.zeros((2, 1), dtype=np.float32)

    def stylize(self, features: Features, conditions: Float32) -> Float32:
        """Reconstruction = the clip; stylized = leaning forward about the hips, at a share of the speed."""
        return np.stack([self._bent(features) if any(cue[1:]) else features for cue in conditions])

    def reconstruct(self, features: Features) -> Features:
        """Everything is known to this network."""
        return features

    def content_code(self, features: Features) -> Float32:
        """Nothing is done in any clip."""
        return np.zeros((-(-len(features) // 4), 1), dtype=np.float32)

    def _bent(self, features: Features) -> Features:
        motion = decode(features)
        rotations = motion.rotations.copy()
        upper = [
            i for i, j in enumerate(JOINTS) if not any(leg in j for leg in ("pelvis", "hip", "knee", "ankle", "foot"))
        ]
        lean = from_rotation_vector(self.engine.leans(len(motion))[:, None] * np.array([1.0, 0.0, 0.0]))
        rotations[:, upper] = multiply(lean[:, None], rotations[:, upper])
        slow = self.engine.slow
        bent, _ = encode(motion.with_pose(motion.root * np.array([slow, 1.0, slow]), rotations))
        yaw = feature_slice("root_yaw_velocity")
        bent[:, yaw] = features[:, yaw]
        return bent
