# SPDX-License-Identifier: GPL-3.0-or-later
"""An SMPL body as an armature, and as a skinned mesh where the body model is at hand."""

import bpy
import numpy as np

from ..backend import BodyMesh, BoneShape, SmplBody, rotations
from ..rig.space import to_blender

Array = rotations.Array

# Weights below this do not show, and Blender's files are smaller without them.
_NO_WEIGHT = 1e-6


def build_armature(context: bpy.types.Context, name: str, body: SmplBody, shape: BoneShape) -> bpy.types.Object:
    """A new, active armature object at the world's origin, one bone per joint."""
    armature = bpy.data.objects.new(name, bpy.data.armatures.new(name))
    _link(context, armature)
    bpy.ops.object.mode_set(mode="EDIT")
    heads, tails, fronts = (to_blender(points) for points in (shape.heads, shape.tails, shape.fronts))
    bones = [armature.data.edit_bones.new(joint) for joint in body.names]
    for i, bone in enumerate(bones):
        bone.head, bone.tail = heads[i].tolist(), tails[i].tolist()
        bone.align_roll(fronts[i].tolist())
        if body.parents[i] >= 0:
            bone.parent = bones[body.parents[i]]
    bpy.ops.object.mode_set(mode="OBJECT")
    # Blender 4.4 to 5 can crash when an action is assigned to an armature that was never evaluated.
    context.view_layer.update()
    return armature


def build_mesh(armature: bpy.types.Object, mesh: BodyMesh, lift: float) -> bpy.types.Object:
    """The body's mesh below the armature, which bends it; ``lift`` is how far the armature was raised."""
    data = bpy.data.meshes.new(f"{armature.name} Body")
    vertices = to_blender(mesh.vertices + np.array([0.0, lift, 0.0]))
    data.from_pydata(vertices.tolist(), [], mesh.faces.tolist())
    data.shade_smooth()
    skin = bpy.data.objects.new(data.name, data)
    armature.users_collection[0].objects.link(skin)
    for joint, weights in zip(mesh.body.names, mesh.weights.T, strict=True):
        group = skin.vertex_groups.new(name=joint)
        for vertex in np.flatnonzero(weights > _NO_WEIGHT).tolist():
            group.add([vertex], float(weights[vertex]), "REPLACE")
    skin.parent = armature
    skin.modifiers.new("Armature", "ARMATURE").object = armature
    return skin


def _link(context: bpy.types.Context, armature: bpy.types.Object) -> None:
    """Into the active collection, as the only selected and the active object, in Object Mode."""
    if context.mode != "OBJECT":
        bpy.ops.object.mode_set(mode="OBJECT")
    # What lies in a hidden collection cannot be edited, not even by its maker.
    open_to_all = context.view_layer.active_layer_collection.is_visible and context.collection.library is None
    (context.collection if open_to_all else context.scene.collection).objects.link(armature)
    for other in context.view_layer.objects.selected:
        other.select_set(False)
    armature.select_set(True)
    context.view_layer.objects.active = armature
