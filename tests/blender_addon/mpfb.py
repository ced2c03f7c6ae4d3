# SPDX-License-Identifier: GPL-3.0-or-later
"""Armatures out of MPFB's rig definitions, with random keys."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import bpy

from .rigs import key_all


def mpfb_rig(folder: Path, name: str, modes: Sequence[str]) -> bpy.types.Object:
    """The rig of ``rig.<name>.json``, its default positions, rolls and parents, with keys on every bone."""
    definition: dict[str, Any] = json.loads(next(folder.rglob(f"rig.{name}.json")).read_text(encoding="utf-8"))
    bones: dict[str, Any] = definition.get("bones", definition)
    data = bpy.data.armatures.new(name)
    armature = bpy.data.objects.new(name, data)
    bpy.context.scene.collection.objects.link(armature)
    bpy.context.view_layer.objects.active = armature
    armature.select_set(True)
    bpy.ops.object.mode_set(mode="EDIT")
    for bone, entry in bones.items():
        edit = data.edit_bones.new(bone)
        edit.head, edit.tail = entry["head"]["default_position"], entry["tail"]["default_position"]
        edit.roll = entry["roll"]
    for bone, entry in bones.items():
        if entry["parent"]:
            data.edit_bones[bone].parent = data.edit_bones[entry["parent"]]
    bpy.ops.object.mode_set(mode="OBJECT")
    bpy.context.view_layer.update()
    key_all(armature, modes)
    return armature
