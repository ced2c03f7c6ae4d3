# SPDX-License-Identifier: GPL-3.0-or-later
"""3D viewports as core sees them, and which one the pointer is in."""

from dataclasses import dataclass

import bpy
import numpy as np

from ..backend import View, rotations
from ..rig.space import TO_CORE, TO_WORLD

Array = rotations.Array

_FRONT: Array = np.array([1.0, 0.0, 0.0])


@dataclass(frozen=True)
class Eye:
    """Somebody who looks through a viewport at core's world.

    Attributes:
        view: how points come onto the screen.
        right: (3,) unit vector to the right of the screen.
        up: (3,) to its top.
        toward: (3,) out of it.

    """

    view: View
    right: Array
    up: Array
    toward: Array


def eye_of(region: bpy.types.Region, space: bpy.types.RegionView3D) -> Eye:
    """What is seen in a region as it was drawn last."""
    axes = np.array(space.view_matrix)[:3, :3] @ TO_CORE[:3, :3].T
    right, up, toward = (axis / max(float(np.linalg.norm(axis)), 1e-9) for axis in axes)
    view = View(np.array(space.perspective_matrix) @ TO_WORLD, (float(region.width), float(region.height)))
    return Eye(view, right, up, toward)


def region_under(window: bpy.types.Window, x: int, y: int) -> bpy.types.Region | None:
    """The 3D viewport that the pointer is in; None if it is anywhere else, be it on a sidebar over the viewport."""
    for area in window.screen.areas if window is not None else ():
        if area.type != "VIEW_3D" or not _contains(area, x, y):
            continue
        regions = [region for region in area.regions if _contains(region, x, y)]
        on_top = [region for region in regions if region.type != "WINDOW"]
        return None if on_top or not regions else regions[0]
    return None


def right_of_view(context: bpy.types.Context) -> Array:
    """(3,) to the right of the viewport in use, else of the largest one, else of one that looks from the front."""
    if context.space_data is not None and context.space_data.type == "VIEW_3D":
        return eye_of(context.region, context.space_data.region_3d).right
    areas = [area for area in context.screen.areas if area.type == "VIEW_3D"] if context.screen else []
    if not areas:
        return _FRONT
    largest = max(areas, key=lambda area: area.width * area.height)
    return eye_of(largest.regions[0], largest.spaces.active.region_3d).right


def redraw_viewports() -> None:
    """Draw all 3D viewports again, and the sidebars in them."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "VIEW_3D":
                area.tag_redraw()


def _contains(part: bpy.types.Area | bpy.types.Region, x: int, y: int) -> bool:
    return part.x <= x < part.x + part.width and part.y <= y < part.y + part.height
