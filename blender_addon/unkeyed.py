# SPDX-License-Identifier: GPL-3.0-or-later
"""What an action's curves do not say of the properties that they move: rotation modes, and values without keys."""

import json

import bpy

from .compat import all_fcurves
from .rig.take import Take


def unkeyed_values(action: bpy.types.Action, take: Take) -> tuple[str, str]:
    """Rotation modes by data path of a bone, and values by data path of properties that ``take`` does not key in full.

    Only of what the curves of ``action`` move. Both as JSON: names of custom properties are too short for data paths.
    """
    modes: dict[str, str] = {}
    values: dict[str, list[float]] = {}
    armature = take.armature
    for path in dict.fromkeys(curve.data_path for curve in all_fcurves(action)):
        bone, _, name = path.rpartition(".")
        try:
            value = armature.path_resolve(path)
            if name == "rotation_euler":
                modes[bone] = armature.path_resolve(f"{bone}.rotation_mode" if bone else "rotation_mode")
        except ValueError:
            # The curve plays nothing here.
            continue
        if not take.is_stack and not isinstance(value, str | bool | int | float):
            own = list(value)
            if any((path, index) not in take.curves for index in range(len(own))):
                values[path] = own
    return json.dumps(modes), json.dumps(values)


def restore_unkeyed(armature: bpy.types.Object, stored: str) -> None:
    """Give properties without keys the values back that they had when a result was made."""
    for path, values in json.loads(stored or "{}").items():
        owner, _, name = path.rpartition(".")
        try:
            setattr(armature.path_resolve(owner) if owner else armature, name, values)
        except (ValueError, AttributeError):
            # The bone is gone.
            continue
