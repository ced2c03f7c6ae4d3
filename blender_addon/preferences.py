# SPDX-License-Identifier: GPL-3.0-or-later
"""What the user sets once for all files, shown with the extension in Blender's preferences."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import bpy
from bpy.props import EnumProperty, StringProperty

from .backend import EngineError, weights_data, weights_licence, weights_path
from .licence import draw_licence
from .translations import say

# The extension's own package is one above this one, whatever repository it was installed from.
EXTENSION: Final = __package__.rpartition(".")[0]

AUTO, LOCAL, WORKER = "AUTO", "LOCAL", "WORKER"
_ENGINES: Final = (
    (AUTO, "Automatic", "Compute in the worker process as soon as it is ready, in Blender until then"),
    (LOCAL, "In Blender", "Compute in Blender, a little at a time; needs nothing else"),
    (WORKER, "Worker Process", "Compute with torch in a process of its own; waits for it to start"),
)
_DEVICES: Final = (
    (AUTO, "Automatic", "The graphics card if torch can use it, else the processor"),
    ("CUDA", "CUDA", "An NVIDIA graphics card"),
    ("MPS", "Metal", "The graphics processor of an Apple computer"),
    ("CPU", "CPU", "The processor"),
)


@dataclass(frozen=True)
class EngineChoice:
    """What the user wants of the engine.

    Attributes:
        engine: AUTO, LOCAL or WORKER.
        python: interpreter for the worker; empty to look for one.
        device: AUTO, CUDA, MPS or CPU.

    """

    engine: str = AUTO
    python: str = ""
    device: str = AUTO


def _changed(_preferences: bpy.types.AddonPreferences, _context: bpy.types.Context) -> None:
    """Let the worker follow."""
    from .worker.keeper import reconsider

    reconsider()


class PanachePreferences(bpy.types.AddonPreferences):
    """Panache's preferences."""

    bl_idname = EXTENSION

    engine: EnumProperty(
        name="Engine", items=_ENGINES, default=AUTO, description="Where styles are computed", update=_changed
    )
    worker_python: StringProperty(
        name="Python",
        description="Python program that has torch, for the worker process; empty for the runtime that Panache made",
        subtype="FILE_PATH",
        update=_changed,
    )
    device: EnumProperty(
        name="Device", items=_DEVICES, default=AUTO, description="What the worker process computes on", update=_changed
    )
    body_model_folder: StringProperty(
        name="Body Models",
        description="Folder with your licensed SMPL, SMPL-H or SMPL-X body models as .npz files; without them imported"
        " motion gets a mean skeleton and no mesh",
        subtype="DIR_PATH",
    )

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the engine and the folder of the body models."""
        from .worker.drawing import draw_engine

        self.layout.use_property_split = True
        self.layout.use_property_decorate = False
        draw_engine(self.layout, context, self)
        self.layout.separator()
        _draw_model(self.layout, context)
        self.layout.separator()
        self.layout.prop(self, "body_model_folder")


def _draw_model(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """Draw what the model was made from, and what may be done with it."""
    column = layout.column(align=True)
    try:
        column.label(text=say("Model {name}, trained on {data}", name=weights_path().stem, data=weights_data()))
        draw_licence(column, context, weights_licence())
    except EngineError as error:
        column.label(text=str(error), icon="ERROR")


def engine_choice() -> EngineChoice:
    """What the user wants of the engine."""
    found = _preferences(bpy.context)
    return EngineChoice(found.engine, found.worker_python, found.device) if found else EngineChoice()


def body_model_folder(context: bpy.types.Context) -> Path | None:
    """The folder of the body models, None if the user gave none."""
    found = _preferences(context)
    return Path(bpy.path.abspath(found.body_model_folder)) if found and found.body_model_folder else None


def _preferences(context: bpy.types.Context) -> PanachePreferences | None:
    addon = context.preferences.addons.get(EXTENSION)
    return addon.preferences if addon else None
