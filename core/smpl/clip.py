# SPDX-License-Identifier: GPL-3.0-or-later
"""A motion file of the SMPL family as numbers, and back into the file that it came from.

A file's *template* is the file itself with its motion taken out: the animated arrays have no rows, all others are
as they came. It says how the motion is to be written, and is small enough to be kept with an armature.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..rotations import Array
from .archive import Members, SmplFileError, decode, encode, pack, read_members
from .joints import joint_tree
from .layout import POSE_NAMES, Layout, find_layout

_GENDERS = ("neutral", "female", "male")
_DURATION = "mocap_time_length"
_RATES = ("mocap_framerate", "mocap_frame_rate", "fps", "framerate", "frame_rate")
_MAX_RATE = 1000.0
# What messages call a template.
_IMPORTED = "The imported file"


@dataclass(frozen=True)
class Template:
    """A file with its motion taken out.

    Attributes:
        file: the bytes of an ``.npz`` whose animated arrays have no rows.
        frames: how many they had.
    """

    file: bytes
    frames: int

    @property
    def model(self) -> str:
        """The model that the poses belong to."""
        return _layout_of(_decoded(read_members(self.file, _IMPORTED), _IMPORTED), _IMPORTED).model


@dataclass(frozen=True)
class SmplClip:
    """T frames of a body of J joints.

    Attributes:
        model: "smpl", "smplh" or "smplx".
        fps: frames per second; 0 if the file does not say.
        poses: (T, J, 3) axis-angle vectors, radians, each joint relative to its parent, in the model's space.
        trans: (T, 3) metres in the file's world: added to the pelvis' rest position.
        betas: (n,) shape coefficients.
        gender: "neutral", "female" or "male".
        template: the file without its motion.
    """

    model: str
    fps: float
    poses: Array
    trans: Array
    betas: Array
    gender: str
    template: Template


def read_smpl(path: Path) -> SmplClip:
    """A whole motion file; nothing in it is ever unpickled.

    Raises:
        SmplFileError: with a sentence that says what is wrong with the file.
    """
    file = path.name
    members = read_members(path, file)
    arrays = _decoded(members, file)
    layout = _layout_of(arrays, file)
    frames = _frame_count(arrays, layout, file)
    poses = np.zeros((frames, len(joint_tree(layout.model)[0]), 3))
    for name, joints in layout.segments.items():
        poses[:, list(joints)] = _numbers(arrays[name], name, file).reshape(frames, -1, 3)
    trans = _numbers(arrays[layout.translation], layout.translation, file).reshape(frames, 3)
    empty = {name: encode(arrays[name][:0]) for name in layout.animated}
    return SmplClip(
        layout.model,
        _rate(arrays, file),
        poses,
        trans,
        _betas(arrays.get("betas"), file),
        _gender(arrays.get("gender")),
        Template(pack(members | empty), frames),
    )


def fill_template(template: Template, poses: Array, trans: Array, fps: float) -> tuple[bytes, tuple[str, ...]]:
    """A file with the template's layout and another motion.

    Args:
        template: of the file to write again.
        poses: (T, J, 3) axis-angle vectors of the template's model.
        trans: (T, 3) metres.
        fps: written only where the template has a duration that no longer fits.

    Returns:
        The file's bytes, and the names of arrays that were left out because they have another number of frames.
    """
    members = read_members(template.file, _IMPORTED)
    arrays = _decoded(members, _IMPORTED)
    layout = _layout_of(arrays, _IMPORTED)
    for name, joints in layout.segments.items():
        members[name] = _filled(arrays[name], poses[:, list(joints)])
    members[layout.translation] = _filled(arrays[layout.translation], trans)
    if len(trans) == template.frames:
        return pack(members), ()
    if _DURATION in arrays:
        members[_DURATION] = encode(np.asarray(len(trans) / fps))
    others = arrays.keys() - {*layout.animated, "betas"}
    stale = tuple(name for name in members if name in others and arrays[name].shape[:1] == (template.frames,))
    return pack({name: member for name, member in members.items() if name not in stale}), stale


def amass_template(fps: float) -> Template:
    """The template of a new AMASS file: SMPL-H, neutral, mean shape."""
    arrays: dict[str, NDArray[Any]] = {
        "trans": np.zeros((0, 3)),
        "gender": np.array("neutral"),
        "mocap_framerate": np.array(fps),
        "betas": np.zeros(16),
        "poses": np.zeros((0, 3 * len(joint_tree("smplh")[0]))),
    }
    return Template(pack({name: encode(array) for name, array in arrays.items()}), 0)


def _decoded(members: Members, file: str) -> dict[str, NDArray[Any]]:
    """The plain arrays among the members."""
    arrays = {name: array for name, member in members.items() if (array := decode(member)) is not None}
    closed = next((name for name in POSE_NAMES if name in members and name not in arrays), None)
    if closed:
        raise SmplFileError(
            f'"{closed}" of {file} is damaged or stored as Python objects (a pickle), which Panache does not open: '
            "save it as a plain array."
        )
    return arrays


def _layout_of(arrays: dict[str, NDArray[Any]], file: str) -> Layout:
    widths = {name: int(np.prod(array.shape[1:])) for name, array in arrays.items() if array.ndim > 1}
    return find_layout(widths, _text(arrays.get("surface_model_type")), file)


def _frame_count(arrays: dict[str, NDArray[Any]], layout: Layout, file: str) -> int:
    counts = {name: len(arrays[name]) for name in layout.animated}
    if len(set(counts.values())) > 1:
        shown = ", ".join(f"{name} {count}" for name, count in counts.items())
        raise SmplFileError(f"The arrays of {file} differ in their number of frames ({shown}): save it again.")
    frames = counts[layout.translation]
    if frames == 0:
        raise SmplFileError(f"{file} has no frames: choose another file.")
    return frames


def _numbers(array: NDArray[Any], name: str, file: str) -> Array:
    if array.dtype.kind not in "fiu":
        raise SmplFileError(f'"{name}" of {file} holds no numbers: save the file again.')
    numbers = array.astype(np.float64)
    if not np.isfinite(numbers).all():
        raise SmplFileError(f'"{name}" of {file} has values that are not numbers (NaN): repair or cut the take.')
    return numbers


def _rate(arrays: dict[str, NDArray[Any]], file: str) -> float:
    name = next((name for name in _RATES if name in arrays), None)
    if name is None:
        return 0.0
    values = _numbers(arrays[name], name, file)
    rate = float(values.ravel()[0]) if values.size else 0.0
    if not 0.0 < rate <= _MAX_RATE:
        raise SmplFileError(f"{file} gives {rate:g} frames per second: correct {name}.")
    return rate


def _betas(array: NDArray[Any] | None, file: str) -> Array:
    """The shape: one vector, or the first of one per frame."""
    if array is None or not array.size:
        return np.zeros(10)
    numbers = _numbers(array, "betas", file)
    return numbers.reshape(-1, numbers.shape[-1])[0] if numbers.ndim else np.zeros(10)


def _gender(array: NDArray[Any] | None) -> str:
    """One of three words, whichever way it is spelled; what is no gender is neutral."""
    text = _text(array)
    return next((gender for gender in _GENDERS if text and gender.startswith(text)), "neutral")


def _text(array: NDArray[Any] | None) -> str:
    """A string kept as text, as bytes, or as the text of bytes, in an array of any number of axes."""
    if array is None or array.size != 1 or array.dtype.kind not in "US":
        return ""
    value = array.ravel()[0]
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    return text.removeprefix("b").strip("'\" ").lower()


def _filled(empty: NDArray[Any], values: Array) -> bytes:
    """The array with rows, in the shape and number type that it had."""
    dtype = empty.dtype if empty.dtype.kind == "f" else np.dtype(np.float64)
    return encode(values.reshape(len(values), *empty.shape[1:]).astype(dtype))
