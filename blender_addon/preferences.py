# SPDX-License-Identifier: GPL-3.0-or-later
"""What the user sets once for all files, shown with the extension in Blender's preferences."""

from pathlib import Path
from typing import Final

import bpy
from bpy.props import StringProperty

# The extension's own package is one above this one, whatever repository it was installed from.
EXTENSION: Final = __package__.rpartition(".")[0]


class PanachePreferences(bpy.types.AddonPreferences):
    """Panache's preferences."""

    bl_idname = EXTENSION

    body_model_folder: StringProperty(
        name="Body Models",
        description="Folder with your licensed SMPL, SMPL-H or SMPL-X body models as .npz files; without them imported"
        " motion gets a mean skeleton and no mesh",
        subtype="DIR_PATH",
    )

    def draw(self, _context: bpy.types.Context) -> None:
        """Draw the one setting."""
        self.layout.prop(self, "body_model_folder")


def body_model_folder(context: bpy.types.Context) -> Path | None:
    """The folder of the body models, None if the user gave none."""
    addon = context.preferences.addons.get(EXTENSION)
    chosen = addon.preferences.body_model_folder if addon and addon.preferences else ""
    return Path(bpy.path.abspath(chosen)) if chosen else None
