# SPDX-License-Identifier: GPL-3.0-or-later
"""What the retarget suite measures of one rig, inside Blender, with the code of the installed extension."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import bpy
import numpy as np

from core.rotations import Array, angle_between, normalize
from core.skeleton import CANONICAL
from scripts.bvh import read_bvh
from scripts.evaluation.retarget_armature import curves_of

# Joints between which a limb runs that both ends of say the direction of.
LIMBS: Final = (
    ("spine1", "spine2"), ("spine2", "spine3"), ("spine3", "neck"), ("neck", "head"),
    *((f"{side}_{a}", f"{side}_{b}") for side in ("left", "right") for a, b in (
        ("hip", "knee"), ("knee", "ankle"), ("ankle", "foot"),
        ("collar", "shoulder"), ("shoulder", "elbow"), ("elbow", "wrist"))),
)  # fmt: skip
_CARRIED_FRAMES: Final = 60
_COMPARED_FRAMES: Final = 24
# Bones whose heads stay within this share of the rig's size lie in one place.
_NEAR: Final = 0.02
_FPS: Final = 30.0
# Bones shorter than this share of a leg point nowhere.
_SHORT: Final = 0.01
_SAME: Final = 1e-6


@dataclass(frozen=True)
class Product:
    """The installed extension: ``module("core.rig")`` is a module of it."""

    module: Callable[[str], ModuleType]

    def core(self, name: str) -> Any:  # noqa: ANN401
        """A module of its core."""
        return self.module(f"core.{name}")

    def addon(self, name: str) -> Any:  # noqa: ANN401
        """A module of its add-on."""
        return self.module(f"blender_addon.{name}")

    def read(self, armature: Any) -> Any:  # noqa: ANN401
        """What the armature plays, as the operators read it."""
        reader, take = self.addon("rig.reader"), self.addon("rig.take").active_take(bpy.context)
        return reader.read_clip(bpy.context, take, reader.read_rig(armature, take))

    def sample(self, skeleton: Any, frames: Array) -> Any:  # noqa: ANN401
        """What the bones of a skeleton do at some frames, as a rig motion."""
        reader, take = self.addon("rig.reader"), self.addon("rig.take").active_take(bpy.context)
        return reader.sample_motion(bpy.context, take, skeleton, frames)

    def joints_of_bvh(self, path: Path) -> Any:  # noqa: ANN401
        """A BVH file's first seconds as joints, 30 fps."""
        clip = read_bvh(path)
        calibration = self.core("calibration").calibrate(clip, self.core("matching").match_bones(clip.skeleton))
        motion = self.core("retarget").to_motion(clip, calibration)
        resample = self.core("resample")
        return resample.resample(motion, resample.even_times(motion.times, _FPS)[:_CARRIED_FRAMES])


def renamed_match(product: Product, reading: Any) -> dict[str, object]:  # noqa: ANN401
    """Whether the structure alone tells what the names told."""
    reader = product.addon("rig.reader")
    skeleton = reader.read_skeleton(reading.take.armature)
    nameless = replace(skeleton, names=tuple(f"b{index:03d}" for index in range(len(skeleton))))
    # As the product does it: a few frames of the clip, where all bones can be read, else the rest pose alone.
    glimpse = reader.glimpse(reading.take, skeleton)
    clip = None if glimpse is None else replace(glimpse, skeleton=nameless)
    found = product.core("matching").match_bones(nameless, clip)
    given = {joint: nameless.names[skeleton.index[bone]] for joint, bone in reading.bone_map.bones.items()}
    rest = product.core("calibration_pose").rest_pose(nameless, reading.motion.placement[0])
    heads, index = (clip or rest).world()[1], nameless.index
    near = _NEAR * float(np.ptp(heads, axis=1).max())
    pairs = [(index[bone], index[given[joint]]) for joint, bone in found.bones.items() if joint in given]
    return {
        "renamed_joints": len(found.bones),
        # Control rigs have several chains in one place; without names one is as good as the other.
        "renamed_near": sum(bool(np.linalg.norm(heads[:, a] - heads[:, b], axis=-1).max() < near) for a, b in pairs),
        "renamed_same": sum(given.get(joint) == bone for joint, bone in found.bones.items()),
        "renamed_swapped": sum(given.get(_mirrored(joint)) == bone for joint, bone in found.bones.items()),
        "renamed_confidence": found.confidence,
        "renamed_other": [joint for joint, bone in found.bones.items() if given.get(joint, bone) != bone],
    }


def round_trip(product: Product, reading: Any, calibration: Any) -> dict[str, float]:  # noqa: ANN401
    """Rig to joints to rig against what Blender shows: degrees, and centimetres of a human-sized character."""
    rows = np.unique(np.linspace(0, len(reading.frames) - 1, _COMPARED_FRAMES).astype(int)).tolist()
    clip, retarget = reading.motion.rows(rows), product.core("retarget")
    mapped = [clip.skeleton.index[bone] for bone in reading.bone_map.bones.values()]
    # Nothing of the bones' own channels may leak past the joints into the result.
    rotations, locations = clip.rotations.copy(), clip.locations.copy()
    rotations[:, mapped] = (1.0, 0.0, 0.0, 0.0)
    locations[:, clip.skeleton.index[reading.bone_map.bones["pelvis"]]] = 0.0
    back = retarget.to_rig(retarget.to_motion(clip, calibration), clip.with_channels(rotations, locations), calibration)
    turns, heads = back.world()
    names = list(reading.bone_map.bones.values())
    shown_turns, shown_heads = _shown(product, reading.take.armature, names, reading.frames[rows])
    human = 100.0 * CANONICAL.leg_length / calibration.skeleton.leg_length
    return {
        "round_trip_degrees": float(np.degrees(angle_between(turns[:, mapped], shown_turns)).max()),
        "round_trip_cm": human * float(np.linalg.norm(heads[:, mapped] - shown_heads, axis=-1).max()),
    }


def carried_directions(product: Product, motion: Any, reading: Any, calibration: Any) -> Array:  # noqa: ANN401
    """(T, P, 3) directions of ``LIMBS`` in the world when the rig plays another character's motion; NaN if lacking."""
    clip, retarget = reading.motion, product.core("retarget")
    poses = product.core("calibration_pose")
    if calibration.from_rest:
        still = poses.rest_pose(clip.skeleton, clip.placement[0])
    else:
        # Bones between the joints that no joint stands for stay as they are in the frame that is calibrated from.
        best = int(np.argmin(poses.standing_error(poses.gather(clip, reading.bone_map))))
        calibration = product.core("calibration").calibrate(clip, reading.bone_map, best)
        still = clip.rows([best])
    blank = replace(still.rows([0] * len(motion)), times=motion.times)
    size = calibration.skeleton.leg_length / motion.skeleton.leg_length
    posed = retarget.to_rig(replace(motion, root=motion.root * size), blank, calibration)
    _, heads = retarget.rejoin(posed, blank, reading.bone_map).world()
    place = {joint: heads[:, clip.skeleton.index[bone]] for joint, bone in reading.bone_map.bones.items()}
    directions = np.full((len(motion), len(LIMBS), 3), np.nan)
    for limb, (start, end) in enumerate(LIMBS):
        if {start, end} <= place.keys():
            way = place[end] - place[start]
            if np.linalg.norm(way, axis=-1).min() > _SHORT * calibration.skeleton.leg_length:
                directions[:, limb] = normalize(way)
    return directions


def key_share(original: Any, result: Any, frames: int) -> dict[str, float]:  # noqa: ANN401
    """Keys of the curves that changed, as shares of one key on every frame: in the result, and in the original."""
    before = {(curve.data_path, curve.array_index): _keys(curve) for curve in curves_of(original)}
    kept, had = [], []
    for curve in curves_of(result):
        own, old = _keys(curve), before.get((curve.data_path, curve.array_index))
        if old is None or own.shape != old.shape or not np.allclose(own, old, atol=_SAME):
            kept.append(len(own) / frames)
            had.append(0.0 if old is None else len(old) / frames)
    return {"curves": len(kept), "result": float(np.mean(kept or [0.0])), "original": float(np.mean(had or [0.0]))}


def _shown(product: Product, armature: Any, names: list[str], frames: Array) -> tuple[Array, Array]:  # noqa: ANN401
    """Rotations (T, K, 4) and heads (T, K, 3) as Blender evaluates them, in core's world."""
    scene: Any = bpy.context.scene
    matrices: list[Any] = []
    for frame in frames.tolist():
        whole = int(np.floor(frame))
        scene.frame_set(whole, subframe=frame - whole)
        evaluated = armature.evaluated_get(bpy.context.evaluated_depsgraph_get())
        matrices.append([np.array(evaluated.matrix_world @ evaluated.pose.bones[name].matrix) for name in names])
    shape = (len(frames), len(names), 4, 4)
    world = product.addon("rig.space").placement_of(np.array(matrices, dtype=np.float64).reshape(-1, 4, 4))
    turns = product.core("rotations").from_matrix(product.core("rig").rotation_part(world.reshape(shape)))
    return turns, world.reshape(shape)[..., :3, 3]


def _keys(curve: Any) -> Array:  # noqa: ANN401
    """(K, 2) times and values."""
    values = np.empty(2 * len(curve.keyframe_points), dtype=np.float32)
    curve.keyframe_points.foreach_get("co", values)
    return values.reshape(-1, 2).astype(np.float64)


def _mirrored(joint: str) -> str:
    side, _, part = joint.partition("_")
    return {"left": f"right_{part}", "right": f"left_{part}"}.get(side, "")
