# SPDX-License-Identifier: GPL-3.0-or-later
"""Bone maps as JSON text, to keep and to hand on: joint to bone, and the signature of the skeleton they belong to."""

import json
from typing import Any

from .matching import BoneMap, BoneMapError, corrected, signature
from .rig import RigSkeleton
from .skeleton import JOINTS

_FORMAT = "panache bone map"
_VERSION = 1


class BoneMapFileError(BoneMapError):
    """A text that is no bone map, or not one for this skeleton."""


def dump_map(bone_map: BoneMap, skeleton: RigSkeleton) -> str:
    """The map as JSON."""
    data: dict[str, Any] = {
        "format": _FORMAT,
        "version": _VERSION,
        "signature": signature(skeleton),
        "bones": {joint: bone_map.bones[joint] for joint in JOINTS if joint in bone_map.bones},
    }
    return json.dumps(data, ensure_ascii=False, indent=2) + "\n"


def parse_map(text: str, skeleton: RigSkeleton) -> BoneMap:
    """The map of a JSON text for this skeleton.

    A map made for another skeleton serves if all of its bones are here, in the right parent order: characters that
    differ in hair and clothes share their body.

    Raises:
        BoneMapFileError: not JSON, no bone map, or a map that does not fit.
    """
    try:
        data: Any = json.loads(text)
    except ValueError as error:
        raise BoneMapFileError("This file is not JSON: choose a bone map saved by Panache.") from error
    bones = _bones_of(data)
    if data.get("signature") != signature(skeleton):
        absent = [bone for bone in bones.values() if bone not in skeleton.index]
        if absent:
            raise BoneMapFileError(
                f'This bone map is for another skeleton, with a bone "{absent[0]}": choose one made for this armature.'
            )
    try:
        return corrected(BoneMap({}), bones, skeleton)
    except BoneMapError as error:
        raise BoneMapFileError(str(error)) from error


def _bones_of(data: Any) -> dict[str, str]:  # noqa: ANN401
    """The joints and bones of a parsed file."""
    if not isinstance(data, dict) or data.get("format") != _FORMAT or data.get("version") != _VERSION:
        raise BoneMapFileError("This JSON file is no bone map of this version of Panache: choose another file.")
    bones: Any = data.get("bones")
    if not isinstance(bones, dict) or not all(isinstance(bone, str) for bone in bones.values()):
        raise BoneMapFileError("The bone map in this file has no list of joints and bones: choose another file.")
    return dict(bones)
