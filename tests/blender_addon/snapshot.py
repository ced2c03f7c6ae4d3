# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything about a scene that a refused call must leave alone."""

from typing import Any

import bpy
import numpy as np

from .rigs import curves_of


def scene_state() -> dict[str, Any]:
    """A comparable picture of the file and the context."""
    scene, layer = bpy.context.scene, bpy.context.view_layer
    return {
        "data": {
            name: sorted(item.name for item in getattr(bpy.data, name))
            for name in ("actions", "objects", "armatures", "meshes", "collections", "scenes")
        },
        "actions": {action.name: _action_state(action) for action in bpy.data.actions},
        "playing": {obj.name: playing(obj) for obj in bpy.data.objects},
        "frame": (scene.frame_current, scene.frame_subframe, scene.frame_start, scene.frame_end),
        "active": layer.objects.active.name if layer.objects.active else None,
        "selected": sorted(obj.name for obj in layer.objects.selected),
        "mode": bpy.context.mode,
        "poses": {obj.name: _pose_state(obj) for obj in bpy.data.objects if obj.type == "ARMATURE"},
    }


def playing(obj: bpy.types.Object) -> tuple[str, str] | None:
    """Names of the action and slot that an object plays."""
    data = obj.animation_data
    if data is None or data.action is None:
        return None
    slot = getattr(data, "action_slot", None)
    return data.action.name, slot.identifier if slot else ""


def keys_of(armature: bpy.types.Object, action: bpy.types.Action | None = None) -> dict[tuple[str, int], bytes]:
    """All keys of an action's curves, bit for bit."""
    return {(curve.data_path, curve.array_index): _keys(curve) for curve in curves_of(armature, action)}


def _keys(curve: bpy.types.FCurve) -> bytes:
    flat = np.empty(2 * len(curve.keyframe_points), dtype=np.float32)
    curve.keyframe_points.foreach_get("co", flat)
    return flat.tobytes()


def _action_state(action: bpy.types.Action) -> tuple[Any, ...]:
    return action.use_fake_user, action.users, tuple(action.frame_range), tuple(action.keys())


def _pose_state(armature: bpy.types.Object) -> bytes:
    """Bytes, because a value that is no number does not equal itself."""
    return b"".join(np.array(bone.matrix_basis).tobytes() for bone in armature.pose.bones)
