# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine's part of the preferences: the choice, how the worker does, and the buttons."""

import bpy

from ..backend import EngineError, WorkerState
from ..job.current import current
from ..preferences import LOCAL, engine_choice
from ..sentences import draw_sentence
from ..translations import label, shown
from .checking import last_check
from .interpreter import BUNDLED, CHOSEN, find_interpreter, runtime_folder
from .keeper import current_worker, state


def draw_engine(layout: bpy.types.UILayout, context: bpy.types.Context, settings: bpy.types.AddonPreferences) -> None:
    """Draw the choice of the engine and, unless it is Blender itself, of the worker."""
    layout.prop(settings, "engine")
    if settings.engine != LOCAL:
        layout.prop(settings, "worker_python")
        layout.prop(settings, "device")
        text, icon = worker_in_words()
        draw_sentence(layout, context, text, icon)
        _draw_runtime(layout)
    layout.operator("panache.check_engine", icon="CHECKMARK")
    for sentence in last_check():
        draw_sentence(layout, context, sentence, "DOT")


def worker_in_words() -> tuple[str, str]:
    """How the worker does, and an icon for it."""
    worker, ready = current_worker(), None if current_worker() is None else current_worker().ready
    if ready:
        return label("Worker ready: {software} on {device}", software=ready.software, device=ready.device), "CHECKMARK"
    if state() is WorkerState.STARTING:
        return label("Worker starting"), "SORTTIME"
    if worker is not None and worker.trouble:
        return worker.trouble, "ERROR"
    try:
        found = find_interpreter(engine_choice().python)
    except EngineError as error:
        return str(error), "ERROR"
    if found is None:
        return label("No worker: create a runtime, or choose a Python that has torch"), "INFO"
    return label("Worker not started yet; it will use {origin}", origin=_named(found.origin)), "INFO"


def _named(origin: str) -> str:
    if origin == CHOSEN:
        return shown("the chosen Python")
    return shown("the bundled runtime") if origin == BUNDLED else shown("the created runtime")


def _draw_runtime(layout: bpy.types.UILayout) -> None:
    """The buttons that make and remove the private runtime, or how far that has come."""
    job = current()
    if job is not None:
        row = layout.row(align=True)
        row.progress(text=job.what or job.title, factor=job.share)
        row.operator("panache.cancel", text="", icon="CANCEL")
        return
    row = layout.row(align=True)
    row.operator_context = "INVOKE_DEFAULT"
    row.operator("panache.create_runtime", icon="IMPORT")
    if _runtime_exists():
        row.operator("panache.remove_runtime", icon="TRASH")


def _runtime_exists() -> bool:
    try:
        return runtime_folder().is_dir()
    except EngineError:
        return False
