# SPDX-License-Identifier: GPL-3.0-or-later
"""Ghosts in a 3D viewport: one batch of triangles per redraw, in front of and behind whatever else is there."""

import bpy
import gpu
import numpy as np
from gpu_extras.batch import batch_for_shader
from mathutils import Matrix

from ..backend import Look, ghost_colours, ghost_colours_of, ghost_indices, ghost_vertices
from ..rig.space import TO_WORLD
from .state import VariationsState, active
from .viewing import Eye, eye_of

# Where the light comes from, as the viewer sees it: right, up, toward.
_LIGHT = np.array([-0.35, 0.55, 0.76])


def draw_ghosts() -> None:
    """For a draw handler after the view."""
    state, context = active(), bpy.context
    if state is None or context.region_data is None or context.scene.session_uid != state.origin.scene:
        return
    draw(state, eye_of(context.region, context.region_data), frame_of(context.scene))


def frame_of(scene: bpy.types.Scene) -> float:
    """The frame that is shown, which may be between two."""
    return float(scene.frame_current_final)


def draw(state: VariationsState, eye: Eye, frame: float) -> None:
    """Draw what an eye sees of the ghosts; the matrices of ``gpu`` must be the eye's, in Blender's world."""
    positions, normals = ghost_vertices(state.body, state.points_at(frame, eye.right), state.floor)
    light = _LIGHT @ np.stack([eye.right, eye.up, eye.toward])
    look = Look(ghost_colours_of(len(state)), eye.toward, light, state.hovered)
    colours, triangles = ghost_colours(normals, look), ghost_indices(state.body, len(state))
    shader = gpu.shader.from_builtin("SMOOTH_COLOR")
    batch = batch_for_shader(shader, "TRIS", {"pos": positions, "color": colours}, indices=triangles)
    test, mask, blend = gpu.state.depth_test_get(), gpu.state.depth_mask_get(), gpu.state.blend_get()
    gpu.state.depth_test_set("LESS_EQUAL")
    gpu.state.depth_mask_set(True)
    gpu.state.blend_set("ALPHA")
    try:
        with gpu.matrix.push_pop():
            gpu.matrix.multiply_matrix(Matrix(TO_WORLD.tolist()))
            batch.draw(shader)
    finally:
        gpu.state.depth_test_set(test)
        gpu.state.depth_mask_set(mask)
        gpu.state.blend_set(blend)
