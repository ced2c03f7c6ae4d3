# SPDX-License-Identifier: GPL-3.0-or-later
"""Joints of the SMPL family, and where they lie on a mean body.

SMPL (Loper et al., 2015) has 24 joints, SMPL-H (Romero et al., 2017) 52, SMPL-X (Pavlakos et al., 2019) 55; the first
22 are the same, and are core's own. Positions are in the models' own space: metres, Y up, facing +Z, the origin at
the chest.

The mean positions are those of the neutral models at zero shape, rounded to 0.1 mm, as published in the MuJoCo files
``smpl_humanoid.xml`` and ``smplx_humanoid.xml`` of PHC (Luo et al., 2023) and ProtoMotions (NVIDIA, Apache-2.0), whose
axes are another order of these. SMPL-H shares SMPL's body; its fingers hang on it as they do on SMPL-X. Jaw and eyes
are in neither file: theirs are rounded averages of our own.
"""

from dataclasses import dataclass

import numpy as np

from ..rotations import Array
from ..skeleton import JOINTS, PARENTS

Offset = tuple[float, float, float]

MODELS: tuple[str, ...] = ("smpl", "smplh", "smplx")

_FINGERS = ("index", "middle", "pinky", "ring", "thumb")

# Offsets from the parent joint, in the order of JOINTS; the pelvis' own is its position.
_SMPL_BODY: tuple[Offset, ...] = (
    (-0.0018, -0.2233, 0.0282),
    (0.0695, -0.0914, -0.0068),
    (-0.0677, -0.0905, -0.0043),
    (-0.0025, 0.1090, -0.0267),
    (0.0343, -0.3752, -0.0045),
    (-0.0383, -0.3826, -0.0089),
    (0.0055, 0.1352, 0.0011),
    (-0.0136, -0.3980, -0.0437),
    (0.0158, -0.3984, -0.0423),
    (0.0015, 0.0529, 0.0254),
    (0.0264, -0.0558, 0.1193),
    (-0.0254, -0.0481, 0.1233),
    (-0.0028, 0.2139, -0.0429),
    (0.0788, 0.1217, -0.0341),
    (-0.0818, 0.1188, -0.0386),
    (0.0052, 0.0650, 0.0513),
    (0.0910, 0.0305, -0.0089),
    (-0.0960, 0.0326, -0.0091),
    (0.2596, -0.0128, -0.0275),
    (-0.2537, -0.0133, -0.0214),
    (0.2492, 0.0090, -0.0012),
    (-0.2553, 0.0078, -0.0056),
)
_SMPLX_BODY: tuple[Offset, ...] = (
    (0.0031, -0.3514, 0.0120),
    (0.0582, -0.0928, -0.0260),
    (-0.0633, -0.1039, -0.0213),
    (-0.0028, 0.1099, -0.0276),
    (0.0547, -0.3788, -0.0094),
    (-0.0442, -0.3624, -0.0168),
    (0.0094, 0.1319, -0.0059),
    (-0.0435, -0.4031, -0.0319),
    (0.0154, -0.4107, -0.0202),
    (-0.0113, 0.0522, 0.0284),
    (0.0473, -0.0580, 0.1182),
    (-0.0388, -0.0583, 0.1190),
    (-0.0122, 0.1652, -0.0316),
    (0.0464, 0.0849, -0.0072),
    (-0.0477, 0.0843, -0.0134),
    (0.0248, 0.1605, 0.0207),
    (0.1192, 0.0577, -0.0155),
    (-0.1026, 0.0535, -0.0127),
    (0.2541, -0.0722, -0.0425),
    (-0.2711, -0.0365, -0.0265),
    (0.2520, 0.0232, -0.0025),
    (-0.2493, -0.0045, -0.0153),
)
_SMPL_HANDS: tuple[Offset, ...] = ((0.0840, -0.0082, -0.0149), (-0.0846, -0.0061, -0.0103))
# Rounded averages of our own: jaw, left eye, right eye from the head joint.
_FACE: tuple[Offset, ...] = ((0.0, 0.0, 0.02), (0.031, 0.07, 0.075), (-0.031, 0.07, 0.075))
# Index, middle, pinky, ring, thumb; three joints each, the first from the wrist.
_LEFT_FINGERS: tuple[Offset, ...] = (
    (0.1019, -0.0087, 0.0194), (0.0319, 0.0022, 0.0030), (0.0225, -0.0024, 0.0001),
    (0.1094, -0.0063, -0.0040), (0.0306, 0.0008, -0.0040), (0.0235, -0.0020, -0.0041),
    (0.0840, -0.0145, -0.0437), (0.0155, -0.0011, -0.0120), (0.0155, -0.0017, -0.0112),
    (0.0974, -0.0093, -0.0273), (0.0280, 0.0015, -0.0053), (0.0228, -0.0015, -0.0071),
    (0.0406, -0.0180, 0.0256), (0.0170, 0.0010, 0.0250), (0.0205, -0.0052, 0.0155),
)  # fmt: skip
_RIGHT_FINGERS: tuple[Offset, ...] = (
    (-0.0999, -0.0118, 0.0196), (-0.0319, 0.0022, 0.0030), (-0.0225, -0.0023, 0.0001),
    (-0.1074, -0.0094, -0.0037), (-0.0306, 0.0008, -0.0040), (-0.0235, -0.0020, -0.0041),
    (-0.0820, -0.0176, -0.0435), (-0.0155, -0.0011, -0.0120), (-0.0155, -0.0017, -0.0112),
    (-0.0954, -0.0124, -0.0271), (-0.0280, 0.0015, -0.0053), (-0.0228, -0.0015, -0.0071),
    (-0.0386, -0.0211, 0.0259), (-0.0170, 0.0010, 0.0250), (-0.0205, -0.0052, 0.0155),
)  # fmt: skip


@dataclass(frozen=True)
class SmplBody:
    """The joints of one body at rest.

    Attributes:
        model: one of ``MODELS``.
        names: J joint names, as the smplx package writes them.
        parents: J indices, -1 for the pelvis.
        rest: (J, 3) joint positions in the model's space, metres.
    """

    model: str
    names: tuple[str, ...]
    parents: tuple[int, ...]
    rest: Array


def mean_body(model: str) -> SmplBody:
    """The mean skeleton of a model, for who does not have the body model itself."""
    names, parents = joint_tree(model)
    offsets = {
        "smpl": (*_SMPL_BODY, *_SMPL_HANDS),
        "smplh": (*_SMPL_BODY, *_LEFT_FINGERS, *_RIGHT_FINGERS),
        "smplx": (*_SMPLX_BODY, *_FACE, *_LEFT_FINGERS, *_RIGHT_FINGERS),
    }[model]
    rest = np.array(offsets)
    for joint, parent in enumerate(parents):
        if parent >= 0:
            rest[joint] += rest[parent]
    return SmplBody(model, names, parents, rest)


def joint_tree(model: str) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Names and parents of a model's joints, in the order of its pose vector."""
    extra = [(name, "head") for name in ("jaw", "left_eye_smplhf", "right_eye_smplhf")] if model == "smplx" else []
    for side in ("left", "right"):
        if model == "smpl":
            extra.append((f"{side}_hand", f"{side}_wrist"))
            continue
        for finger in _FINGERS:
            chain = [f"{side}_wrist", *(f"{side}_{finger}{number}" for number in (1, 2, 3))]
            extra += list(zip(chain[1:], chain, strict=False))
    names = (*JOINTS, *(name for name, _ in extra))
    return names, (*PARENTS, *(names.index(parent) for _, parent in extra))
