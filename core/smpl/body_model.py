# SPDX-License-Identifier: GPL-3.0-or-later
"""The licensed body models, read from the ``.npz`` files that their makers distribute.

Vertices at rest are ``v_template + shapedirs @ betas``, joints ``J_regressor @ vertices`` (Loper et al., 2015,
equations 8 and 10). The pose-dependent shape (``posedirs``) is left out: Blender's armature modifier is plain linear
blend skinning.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..rotations import Array
from .archive import SmplFileError, decode, read_members
from .joints import SmplBody, joint_tree

_NEEDED = ("v_template", "shapedirs", "J_regressor", "weights", "kintree_table", "f")
# SMPL-X keeps expression after shape in one array: 300 + 100 components, or 10 + 10 in the small files.
_EXPRESSIONS = {400: 100, 20: 10}
# A folder of models is not a whole disk.
_MAX_DEPTH = 3


@dataclass(frozen=True)
class BodyMesh:
    """A body of one shape at rest.

    Attributes:
        body: its joints.
        vertices: (V, 3) metres, in the model's space.
        faces: (F, 3) vertex indices.
        weights: (V, J) skinning weights; rows sum to 1.
    """

    body: SmplBody
    vertices: Array
    faces: NDArray[Any]
    weights: Array

    @property
    def lowest(self) -> float:
        """Height of the lowest vertex, metres."""
        return float(self.vertices[:, 1].min())


def find_body_model(folder: Path, model: str, gender: str) -> Path | None:
    """The model's file in a folder: of the gender, else neutral, else None.

    Known are ``SMPLX_NEUTRAL.npz`` anywhere below the folder, and AMASS' ``smplh/neutral/model.npz``.

    Raises:
        SmplFileError: no such folder, or the model is there as a pickle only.
    """
    if not folder.is_dir():
        raise SmplFileError(f"There is no folder {folder}: correct the body model folder in Panache's preferences.")
    depths = ["/".join(["*"] * depth) for depth in range(1, _MAX_DEPTH + 1)]
    files = sorted(path for pattern in depths for path in folder.glob(pattern) if path.is_file())
    for wanted in dict.fromkeys((gender, "neutral")):
        found = [path for path in files if _describes(path, model, wanted)]
        plain = next((path for path in found if path.suffix.lower() == ".npz"), None)
        if plain is not None:
            return plain
        if any(path.suffix.lower() == ".pkl" for path in found):
            raise SmplFileError(
                f"{found[0].name} is a pickle, which Panache does not open: download the .npz version of the model."
            )
    return None


def read_body_model(path: Path, model: str, betas: Array) -> BodyMesh:
    """A body of the shape ``betas`` (n,); coefficients that the file does not know are left out.

    Raises:
        SmplFileError: no body model of this kind.
    """
    file = path.name
    members = read_members(path, file)
    arrays = {name: array for name in _NEEDED if (array := decode(members.get(name, b""))) is not None}
    lacking = [name for name in _NEEDED if name not in arrays]
    if lacking:
        raise SmplFileError(f"{file} is no body model, it lacks {', '.join(lacking)}: choose another folder.")
    names, parents = joint_tree(model)
    template, regressor = (arrays[name].astype(np.float64) for name in ("v_template", "J_regressor"))
    _check_shapes(arrays, len(names), parents, file)
    directions = arrays["shapedirs"].astype(np.float64)
    known = directions.shape[2] - (_EXPRESSIONS.get(directions.shape[2], 0) if model == "smplx" else 0)
    count = min(known, len(betas))
    vertices = template + directions[..., :count] @ betas[:count]
    body = SmplBody(model, names, parents, regressor @ vertices)
    return BodyMesh(body, vertices, arrays["f"].astype(np.int64), arrays["weights"].astype(np.float64))


def _describes(path: Path, model: str, gender: str) -> bool:
    """Whether a file's name, or its folders' names, say that it is this model."""
    if path.stem.lower() == "model":
        return path.parent.name.lower() == gender and path.parent.parent.name.lower() == model
    return path.stem.lower() == f"{model}_{gender}"


def _check_shapes(arrays: dict[str, NDArray[Any]], joints: int, parents: tuple[int, ...], file: str) -> None:
    count = len(arrays["v_template"])
    shapes = {"v_template": (count, 3), "J_regressor": (joints, count), "weights": (count, joints)}
    for name, shape in shapes.items():
        if arrays[name].shape != shape or not np.isfinite(arrays[name].astype(np.float64)).all():
            raise SmplFileError(f'"{name}" of {file} does not fit its model: download the file again.')
    if arrays["shapedirs"].ndim != 3 or arrays["shapedirs"].shape[:2] != (count, 3):
        raise SmplFileError(f'"shapedirs" of {file} does not fit its model: download the file again.')
    faces, tree = arrays["f"], arrays["kintree_table"]
    if faces.ndim != 2 or faces.shape[1] != 3 or (faces.size and not 0 <= faces.min() <= faces.max() < count):
        raise SmplFileError(f'"f" of {file} does not fit its model: download the file again.')
    # The root's parent is written as -1 or as the largest unsigned number.
    if tree.shape != (2, joints) or tuple(tree[0, 1:].tolist()) != parents[1:]:
        raise SmplFileError(f'"kintree_table" of {file} is not that of this model: choose another folder.')
