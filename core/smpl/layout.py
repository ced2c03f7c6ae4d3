# SPDX-License-Identifier: GPL-3.0-or-later
"""Which arrays of a motion file hold the pose, and of which joints: AMASS, its SMPL-X release, and the smplx names.

========================  ================================================================
one vector per frame      ``poses`` of 72 (SMPL), 156 (SMPL-H), 165 (SMPL-X) or 66 numbers
AMASS SMPL-X, HuMoR       ``root_orient pose_body pose_hand pose_jaw pose_eye``
smplx, SMPLify-X          ``global_orient body_pose left_hand_pose right_hand_pose
                          jaw_pose leye_pose reye_pose``
========================  ================================================================

All are axis-angle vectors in radians, relative to the parent joint. Hands given as principal components are left as
they are, since only the body model can read them.
"""

from dataclasses import dataclass

from ..skeleton import JOINT_COUNT
from .archive import SmplFileError
from .joints import MODELS, joint_tree

Widths = dict[str, int]
"""Array name to numbers per frame."""

Joints = range | tuple[int, ...]

_FULL = ("poses", "fullpose", "pose")
_TRANSLATIONS = ("trans", "transl")
_FULL_WIDTHS = {72: "smpl", 156: "smplh", 165: "smplx", 66: "smplh"}
_FACE = ("pose_jaw", "pose_eye", "jaw_pose", "leye_pose", "reye_pose", "expression")
POSE_NAMES = (*_FULL, *_TRANSLATIONS, "root_orient", "pose_body", "global_orient", "body_pose")
# What may hold something else than axis-angle vectors without making the body unreadable.
_HANDS = ("pose_hand", "left_hand_pose", "right_hand_pose")


@dataclass(frozen=True)
class Layout:
    """How a file is laid out.

    Attributes:
        model: one of ``MODELS``.
        segments: array name to the joints it holds, in order.
        translation: name of the root translation.
    """

    model: str
    segments: dict[str, Joints]
    translation: str

    @property
    def animated(self) -> tuple[str, ...]:
        """Names of the arrays that hold the motion."""
        return (*self.segments, self.translation)


def find_layout(widths: Widths, named_model: str, file: str) -> Layout:
    """The layout of a file whose arrays have these widths.

    Args:
        widths: of every array with a time axis.
        named_model: what the file itself says it is, or empty.
        file: what messages call the file.

    Raises:
        SmplFileError: no pose, no translation, or a pose of unknown width.
    """
    model = named_model if named_model in MODELS else _guess_model(widths)
    segments = _full_segments(widths, model, file) | _part_segments(widths, model, file)
    if not any(0 in joints for joints in segments.values()) or not any(1 in joints for joints in segments.values()):
        raise SmplFileError(
            f"{file} has no body pose (poses, root_orient and pose_body, or global_orient and body_pose): "
            "choose an AMASS or SMPL motion file."
        )
    translation = next((name for name in _TRANSLATIONS if widths.get(name) == 3), None)
    if translation is None:
        raise SmplFileError(f"{file} has no root translation (trans or transl, 3 numbers a frame): add it.")
    return Layout(model, segments, translation)


def _guess_model(widths: Widths) -> str:
    full = next((widths[name] for name in _FULL if name in widths), 0)
    if full in _FULL_WIDTHS:
        return _FULL_WIDTHS[full]
    if widths.get("body_pose") == 69:
        return "smpl"
    return "smplx" if "body_pose" in widths or any(name in widths for name in _FACE) else "smplh"


def _full_segments(widths: Widths, model: str, file: str) -> dict[str, Joints]:
    joints = len(joint_tree(model)[0])
    found: dict[str, Joints] = {}
    for name in _FULL:
        if name not in widths:
            continue
        count = widths[name] // 3
        if widths[name] not in _FULL_WIDTHS or count > joints:
            raise SmplFileError(_wrong_width(file, name, widths[name], sorted(_FULL_WIDTHS)))
        found[name] = range(count)
    return found


def _part_segments(widths: Widths, model: str, file: str) -> dict[str, Joints]:
    found: dict[str, Joints] = {}
    for name, joints in _parts(model).items():
        if name not in widths:
            continue
        if widths[name] == 3 * len(joints):
            found[name] = joints
        elif name not in _HANDS:
            raise SmplFileError(_wrong_width(file, name, widths[name], [3 * len(joints)]))
    return found


def _parts(model: str) -> dict[str, Joints]:
    """Array name to joints, of the layouts that keep the body's parts apart."""
    names, _ = joint_tree(model)
    parts: dict[str, Joints] = {
        "root_orient": range(1),
        "pose_body": range(1, JOINT_COUNT),
        "global_orient": range(1),
        "body_pose": range(1, len(names) if model == "smpl" else JOINT_COUNT),
    }
    if model != "smpl":
        end = len(names)
        parts |= {
            "pose_hand": range(end - 30, end),
            "left_hand_pose": range(end - 30, end - 15),
            "right_hand_pose": range(end - 15, end),
        }
    if model == "smplx":
        jaw, left, right = (names.index(name) for name in ("jaw", "left_eye_smplhf", "right_eye_smplhf"))
        parts |= {"pose_jaw": (jaw,), "pose_eye": (left, right)}
        parts |= {"jaw_pose": (jaw,), "leye_pose": (left,), "reye_pose": (right,)}
    return parts


def _wrong_width(file: str, name: str, width: int, wanted: list[int]) -> str:
    numbers = " or ".join(str(number) for number in wanted)
    return f'"{name}" of {file} has {width} numbers a frame instead of {numbers}: save it as axis-angle vectors.'
