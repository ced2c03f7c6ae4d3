# SPDX-License-Identifier: GPL-3.0-or-later
"""panache.create_runtime and panache.remove_runtime: the private environment that the worker can run in."""

import bpy

from ..backend import Steps
from ..job.operator import JobOperator
from ..worker.creating import create_steps, remove_steps


class PANACHE_OT_create_runtime(JobOperator, bpy.types.Operator):
    """Makes the private environment."""

    bl_idname = "panache.create_runtime"
    bl_label = "Create Runtime"
    bl_description = (
        "Download the torch that suits this computer into a private environment of Panache, 1 to 12 GB;"
        " what was interrupted goes on where it stopped"
    )
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """Only with the user's consent to go online."""
        if not bpy.app.online_access:
            cls.poll_message_set("Allow online access in Blender's preferences, under System")
        return bool(bpy.app.online_access)

    def steps(self, _context: bpy.types.Context) -> Steps[str]:
        """Make it."""
        return create_steps()


class PANACHE_OT_remove_runtime(JobOperator, bpy.types.Operator):
    """Removes the private environment."""

    bl_idname = "panache.remove_runtime"
    bl_label = "Remove Runtime"
    bl_description = "Remove the private environment that Create Runtime made; Panache then computes in Blender"
    bl_options = {"REGISTER"}

    def steps(self, _context: bpy.types.Context) -> Steps[str]:
        """Remove it."""
        return remove_steps()
