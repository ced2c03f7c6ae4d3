# SPDX-License-Identifier: GPL-3.0-or-later
"""What characters wear and carry, as chains of bones that may be taken for limbs: skirts, hair, capes, wings, props.

All functions take the bones of a body as ``skeletons.body`` makes it, below a bone "root", and return further bones.
"""

from collections.abc import Callable, Sequence

import numpy as np

from core.rotations import Array

from .skeletons import Bone

SIDES = (("left", 1.0), ("right", -1.0))
_PARTS = (("hip", "knee"), ("knee", "ankle"), ("shoulder", "elbow"), ("elbow", "wrist"))


def heads(bones: Sequence[Bone]) -> dict[str, Array]:
    """Bone name to the place of its head."""
    return {name: np.asarray(head, dtype=np.float64) for name, _, head in bones}


def strand(name: str, parent: str, start: Array, step: Sequence[float], count: int = 6) -> list[Bone]:
    """``count`` bones in a row."""
    return [(f"{name}{i}", f"{name}{i - 1}" if i else parent, start + i * np.asarray(step)) for i in range(count)]


def mirrored(name: str, parent: str, start: Array, step: Sequence[float], count: int) -> list[Bone]:
    """A strand for each side; "{side}" in the parent stands for the side."""
    added: list[Bone] = []
    for side, sign in SIDES:
        mirror = np.array([sign, 1.0, 1.0])
        added += strand(f"{side}_{name}", parent.format(side=side), start * mirror, step * mirror, count)
    return added


def ring(bones: Sequence[Bone], carrier: str, strands: int, parts: int, reach: float) -> list[Bone]:
    """Strands all around a bone that hang down as far as ``reach`` legs."""
    places = heads(bones)
    leg = float(places["left_hip"][1] - places["left_ankle"][1])
    added: list[Bone] = []
    for i in range(strands):
        angle = 2.0 * np.pi * (i + 0.5) / strands
        out = np.array([np.sin(angle), 0.0, np.cos(angle)])
        down = 0.1 / parts * out - [0.0, reach * leg / parts, 0.0]
        added += strand(f"skirt{i}_", carrier, places[carrier] + 0.17 * out, down, parts + 1)
    return added


def hair(bones: Sequence[Bone], strands: int, reach: float) -> list[Bone]:
    """Strands from the back of the head."""
    top = heads(bones)["head"]
    added: list[Bone] = []
    for i in range(strands):
        angle = np.pi + 0.5 * (i - 0.5 * (strands - 1))
        out = np.array([np.sin(angle), 0.0, np.cos(angle)])
        added += strand(f"hair{i}_", "head", top + 0.1 * out + [0.0, 0.12, 0.0], 0.02 * out - [0.0, reach / 5, 0.0])
    return added


def cape(bones: Sequence[Bone]) -> list[Bone]:
    """Three strands from the shoulders to the calves."""
    chest = heads(bones)["chest2"]
    return [
        bone
        for i, x in enumerate((-0.15, 0.0, 0.15))
        for bone in strand(f"cape{i}_", "chest2", chest + [x, 0.08, -0.12], (0.05 * x, -0.22, -0.02))
    ]


def wings(bones: Sequence[Bone]) -> list[Bone]:
    """Wings longer than the arms, with feathers."""
    chest = heads(bones)["chest2"]
    spread = mirrored("wing", "chest2", chest + [0.06, 0.02, -0.1], (0.26, 0.16, -0.1), 5)
    feathers: list[Bone] = []
    for i in (1, 2, 3):
        start = np.asarray(spread[i][2]) - [0.0, 0.1, 0.0]
        feathers += mirrored(f"feather{i}_", f"{{side}}_wing{i}", start, (0.05, -0.25, 0.0), 3)
    return spread + feathers


def sleeves(bones: Sequence[Bone]) -> list[Bone]:
    """Wide sleeves that reach farther from the elbows than the hands do."""
    places = heads(bones)
    start = 0.5 * (places["left_elbow"] + places["left_wrist"]) - [0.0, 0.05, 0.0]
    return mirrored("sleeve", "{side}_elbow", start, (0.0, -0.16, 0.0), 5)


def face(bones: Sequence[Bone]) -> list[Bone]:
    """A hundred bones for brows, lids, lips and jaw, single and in rows."""
    head, rng = heads(bones)["head"], np.random.default_rng(2)
    added: list[Bone] = [("jaw", "head", head + [0.0, 0.0, 0.03])]
    for i in range(32):
        place = head + rng.uniform((0.01, 0.0, 0.05), (0.07, 0.2, 0.11))
        added += mirrored(f"face{i}_", "head" if i % 5 else "jaw", place, (0.0, 0.0, 0.0), 1)
    added += mirrored("brow", "head", head + [0.02, 0.12, 0.09], (0.02, 0.003, -0.005), 5)
    added += mirrored("lip", "head", head + [0.02, 0.04, 0.09], (0.01, 0.004, -0.01), 5)
    return added + mirrored("ear", "head", head + [0.07, 0.08, 0.0], (0.01, 0.03, -0.01), 5)


def game_rig(bones: Sequence[Bone]) -> list[Bone]:
    """Bones for inverse kinematics below the root, and two twist bones on each part of the limbs."""
    places = heads(bones)
    floor = np.zeros(3)
    added: list[Bone] = [("ik_feet", "root", floor), ("ik_hands", "root", floor), ("mass", "root", places["pelvis"])]
    for side, _ in SIDES:
        added += [(f"ik_foot_{side}", "ik_feet", places[f"{side}_ankle"])]
        added += [(f"ik_hand_{side}", "ik_hands", places[f"{side}_wrist"])]
        for start, end in _PARTS:
            bone = f"{side}_{start}"
            third = (places[f"{side}_{end}"] - places[bone]) / 3
            added += strand(f"{bone}_twist", bone, places[bone] + third, (0.0, 0.0, 0.0), 1)
            added += strand(f"{bone}_second_twist", bone, places[bone] + 2 * third, (0.0, 0.0, 0.0), 1)
    return added


def sword(bones: Sequence[Bone]) -> list[Bone]:
    """A weapon as long as an arm in the right hand, and a rack beside the character on the root."""
    rack = strand("rack", "root", np.array([0.5, 0.0, 0.5]), (0.0, 0.3, 0.0))
    return rack + strand("sword", "right_wrist", heads(bones)["right_wrist"] - [0.08, 0.0, 0.0], (0.0, 0.0, 0.45), 3)


def tail(bones: Sequence[Bone]) -> list[Bone]:
    """A tail as long as a leg."""
    return strand("tail", "pelvis", heads(bones)["pelvis"] - [0.0, 0.0, 0.1], (0.0, -0.03, -0.15), 7)


def breasts(bones: Sequence[Bone]) -> list[Bone]:
    """Two bones on each side of the chest."""
    return mirrored("breast", "chest2", heads(bones)["chest2"] + [0.08, -0.08, 0.08], (0.02, -0.02, 0.08), 2)


ACCESSORIES: dict[str, Callable[[Sequence[Bone]], list[Bone]]] = {
    "long skirt": lambda bones: ring(bones, "pelvis", 12, 3, 1.0),
    "skirt of eight": lambda bones: ring(bones, "pelvis", 8, 4, 0.95),
    "skirt of two": lambda bones: ring(bones, "pelvis", 2, 2, 1.0),
    "short skirt": lambda bones: ring(bones, "pelvis", 6, 2, 0.45),
    "coat": lambda bones: ring(bones, "chest0", 4, 3, 0.9),
    "hair": lambda bones: hair(bones, 10, 0.9),
    "pigtails": lambda bones: hair(bones, 2, 0.6),
    "hair to the knees": lambda bones: hair(bones, 2, 1.2),
    "cape": cape,
    "wings": wings,
    "sleeves": sleeves,
    "face": face,
    "game rig": game_rig,
    "sword": sword,
    "tail": tail,
    "breasts": breasts,
    "princess": lambda bones: [
        bone
        for part in (ring(bones, "pelvis", 12, 4, 0.8), hair(bones, 10, 0.9), breasts(bones), cape(bones), face(bones))
        for bone in part
    ],
}
