# SPDX-License-Identifier: GPL-3.0-or-later
"""Skeletons built from points, for the tests of matching: bodies of any proportions and names, animals, and worse."""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from core.rig import RigSkeleton
from core.rotations import Array, normalize, to_matrix
from core.skeleton import CANONICAL, JOINTS, PARENTS

# Bone, its parent ("" for none), its head.
Bone = tuple[str, str, Sequence[float]]

# Part of a dog's leg, height of its head, and how far it lies forward.
_DOG_LEG = (("upper", 0.55, 0.0), ("lower", 0.3, 0.05), ("paw", 0.06, -0.02), ("toe", 0.0, 0.06))


def build(bones: Sequence[Bone], rng: np.random.Generator | None = None) -> RigSkeleton:
    """A skeleton of bones at points, parents first; each points at its first child, rolled at random with ``rng``."""
    names = [name for name, _, _ in bones]
    index = {name: i for i, name in enumerate(names)}
    parents = tuple(index[parent] if parent else -1 for _, parent, _ in bones)
    heads = np.array([head for _, _, head in bones], dtype=np.float64)
    rest = np.tile(np.eye(4), (len(bones), 1, 1))
    lengths = np.zeros(len(bones))
    for bone, parent in enumerate(parents):
        child = next((i for i, above in enumerate(parents) if above == bone), None)
        way = heads[child] - heads[bone] if child is not None else 0.5 * (heads[bone] - heads[max(parent, 0)])
        lengths[bone] = float(np.linalg.norm(way)) or 0.05
        rest[bone, :3, :3] = _frame(way, rng.uniform(-np.pi, np.pi) if rng is not None else 0.0)
        rest[bone, :3, 3] = heads[bone]
    return RigSkeleton(tuple(names), parents, rest, lengths)


def body(proportions: Mapping[str, float] | None = None, spine: int = 3) -> list[Bone]:
    """The canonical joints as bones with their own names, facing +Z; spine bones are chest0, chest1, ...

    ``proportions`` scales the offsets of joints by the second part of their names ("knee", "shoulder", ...).
    """
    scale = dict(proportions or {})
    bones: list[Bone] = []
    heads: dict[str, Array] = {"": np.zeros(3)}
    for joint, parent, offset in zip(JOINTS, PARENTS, CANONICAL.offsets, strict=True):
        above = JOINTS[parent] if parent >= 0 else ""
        factor = scale.get(joint.partition("_")[2] or joint, 1.0)
        heads[joint] = heads[above] + (offset * factor if parent >= 0 else np.array([0.0, 0.95, 0.0]))
        if joint == "spine1":
            bones += _spine(spine, heads["pelvis"])
            above = "pelvis"
        if joint in ("spine1", "spine2", "spine3"):
            continue
        carrier = (f"chest{spine - 1}" if spine else "pelvis") if above == "spine3" else above
        bones.append((joint, carrier, heads[joint]))
    return bones


def named(bones: Sequence[Bone], names: Mapping[str, str]) -> list[Bone]:
    """The bones with other names, as far as ``names`` has them."""
    return [(names.get(name, name), names.get(parent, parent), head) for name, parent, head in bones]


def without(bones: Sequence[Bone], *parts: str) -> list[Bone]:
    """The bones without those whose names contain a part; what they carried hangs on what carried them."""
    gone = {name: parent for name, parent, _ in bones if any(part in name for part in parts)}
    kept: list[Bone] = []
    for name, above, head in bones:
        parent = above
        while parent in gone:
            parent = gone[parent]
        if name not in gone:
            kept.append((name, parent, head))
    return kept


def hands(bones: Sequence[Bone], fingers: int = 5) -> list[Bone]:
    """Fingers of three bones each for both wrists."""
    added: list[Bone] = []
    for side, sign in (("left", 1.0), ("right", -1.0)):
        wrist = next(np.asarray(head) for name, _, head in bones if name == f"{side}_wrist")
        for finger in range(fingers):
            parent, head = f"{side}_wrist", wrist
            for part in range(3):
                head = head + np.array([sign * (0.07 if part == 0 else 0.03), 0.0, 0.02 * (2 - finger) * (part == 0)])
                name = f"{side}_finger{finger}{part}"
                added.append((name, parent, head))
                parent = name
    return added


def twists(bones: Sequence[Bone]) -> list[Bone]:
    """Twist bones in the middle of all upper and lower limbs, as side branches."""
    heads = {name: np.asarray(head) for name, _, head in bones}
    pairs = (("hip", "knee"), ("knee", "ankle"), ("shoulder", "elbow"), ("elbow", "wrist"))
    return [
        (f"{side}_{a}_twist", f"{side}_{a}", 0.5 * (heads[f"{side}_{a}"] + heads[f"{side}_{b}"]))
        for side in ("left", "right")
        for a, b in pairs
    ]


def on_root(bones: Sequence[Bone]) -> list[Bone]:
    """The bones below a root on the floor."""
    return [("root", "", np.zeros(3)), *((name, parent or "root", head) for name, parent, head in bones)]


def lowered(bones: Sequence[Bone], angle: float) -> list[Bone]:
    """The bones with the arms turned down at the shoulders by an angle in radians."""
    places = {name: np.asarray(head, dtype=np.float64) for name, _, head in bones}
    shoulder_of: dict[str, str] = {}
    turned: list[Bone] = []
    for name, parent, _ in bones:
        shoulder = name if name.endswith("_shoulder") else shoulder_of.get(parent, "")
        place = places[name]
        if shoulder:
            shoulder_of[name] = shoulder
            lean = angle if shoulder.startswith("left") else -angle
            turn = [[np.cos(lean), np.sin(lean), 0.0], [-np.sin(lean), np.cos(lean), 0.0], [0.0, 0.0, 1.0]]
            place = places[shoulder] + np.array(turn) @ (place - places[shoulder])
        turned.append((name, parent, place))
    return turned


def layered(bones: Sequence[Bone]) -> list[Bone]:
    """A control rig: the bones, split limbs that deform and carry the fingers, and controls that carry the trunk.

    As in Rigify, the hips hang from the chest's control, and bones of the spine do not carry each other.
    """
    places = {name: np.asarray(head, dtype=np.float64) for name, _, head in bones}
    carriers = {"pelvis": "hips_end", "chest0": "hips_end", "chest1": "chest_control1", "chest2": "chest_control2"}
    after = {"pelvis": "chest0", "chest0": "chest1", "chest1": "chest2"}
    rig: list[Bone] = [("root", "", np.zeros(3)), ("torso", "root", places["chest0"] - [0.0, 0.02, 0.0])]
    rig += [("chest_control1", "torso", places["chest1"]), ("chest_control2", "chest_control1", places["chest2"])]
    rig += [("hips", "torso", places["chest1"]), ("hips_below", "hips", places["chest1"])]
    rig += [("hips_offset", "hips_below", places["chest1"]), ("hips_end", "hips_offset", places["chest0"])]
    for name, above, head in bones:
        carrier = f"deform_{above}" if "finger" in name and "finger" not in above else carriers.get(name, above)
        rig.append((name, carrier, head))
        if name in after:
            rig.append((f"{name}_end", name, places[after[name]]))
        elif name.endswith(("_hip", "_knee", "_shoulder", "_elbow")):
            child = next(below for below, parent, _ in bones if parent == name)
            carrier = above if name.endswith(("_hip", "_shoulder")) else f"deform_{above}_half"
            half = 0.5 * (places[name] + places[child])
            rig += [(f"deform_{name}", carrier, head), (f"deform_{name}_half", f"deform_{name}", half)]
        elif name.endswith(("_ankle", "_wrist")):
            rig.append((f"deform_{name}", f"deform_{above}_half", head))
    return rig


def quadruped() -> list[Bone]:
    """A dog: level spine, four legs of the same length that reach the floor, a neck, a head and a tail."""
    bones: list[Bone] = [("spine0", "", (0.0, 0.6, -0.4))]
    bones += [(f"spine{i}", f"spine{i - 1}", (0.0, 0.6, -0.4 + 0.2 * i)) for i in range(1, 5)]
    bones += [("neck", "spine4", (0.0, 0.7, 0.5)), ("head", "neck", (0.0, 0.8, 0.6)), ("jaw", "head", (0.0, 0.8, 0.7))]
    bones += [("tail0", "spine0", (0.0, 0.6, -0.5)), ("tail1", "tail0", (0.0, 0.55, -0.7))]
    for side, x in (("left", 0.1), ("right", -0.1)):
        for leg, (z, carrier) in {"hind": (-0.4, "spine0"), "fore": (0.4, "spine4")}.items():
            parent = carrier
            for part, y, shift in _DOG_LEG:
                bones.append((f"{side}_{leg}_{part}", parent, (x, y, z + shift)))
                parent = f"{side}_{leg}_{part}"
    return bones


def moved(bones: Sequence[Bone], offset: Sequence[float], mark: str = "") -> list[Bone]:
    """The bones elsewhere, with a mark after their names."""
    shift = np.asarray(offset)
    return [(name + mark, parent and parent + mark, np.asarray(head) + shift) for name, parent, head in bones]


def renamed(skeleton: RigSkeleton) -> RigSkeleton:
    """The same bones with names that say nothing."""
    return dataclasses.replace(skeleton, names=tuple(f"b{bone:03d}" for bone in range(len(skeleton))))


def shuffled(bones: Sequence[Bone], rng: np.random.Generator) -> list[Bone]:
    """The same tree with siblings in another order."""
    below: dict[str, list[Bone]] = {}
    for bone in bones:
        below.setdefault(bone[1], []).append(bone)
    order: list[Bone] = []
    waiting = list(below[""])
    while waiting:
        order.append(waiting.pop(int(rng.integers(len(waiting)))))
        waiting.extend(below.get(order[-1][0], []))
    return order


def placed(skeleton: RigSkeleton, rotation: Array, scale: float) -> RigSkeleton:
    """The whole skeleton turned by a quaternion and scaled."""
    turn = to_matrix(rotation)
    rest = skeleton.rest.copy()
    rest[:, :3, :3] = turn @ rest[:, :3, :3]
    rest[:, :3, 3] = scale * rest[:, :3, 3] @ turn.T
    return dataclasses.replace(skeleton, rest=rest, lengths=scale * skeleton.lengths)


def _spine(count: int, pelvis: Array) -> list[Bone]:
    """``count`` bones between the pelvis and the height of the third spine joint."""
    way = CANONICAL.offsets[[JOINTS.index(joint) for joint in ("spine1", "spine2", "spine3")]].sum(axis=0)
    return [(f"chest{i}", f"chest{i - 1}" if i else "pelvis", pelvis + way * (i + 1) / count) for i in range(count)]


def _frame(way: Array, roll: float) -> Array:
    """(3, 3) bone frame with Y along ``way``."""
    y = normalize(way) if np.linalg.norm(way) > 1e-9 else np.array([0.0, 1.0, 0.0])
    helper = np.eye(3)[int(np.argmin(np.abs(y)))]
    x = normalize(np.cross(y, helper))
    z = np.cross(x, y)
    return np.stack([np.cos(roll) * x + np.sin(roll) * z, y, np.cos(roll) * z - np.sin(roll) * x], axis=-1)
