# SPDX-License-Identifier: GPL-3.0-or-later
"""The extension's only door to ``core`` and ``models``."""

import os
from functools import lru_cache
from pathlib import Path
from typing import Any

import bpy

from ..core import rotations
from ..core.engines import StyleEngine
from ..core.errors import ClipTooShortError, EngineError, PanacheError
from ..core.matching import BoneMap, match_bones
from ..core.pipeline import PARTS, ROOT_MODES, SOURCES, Clip, StyleSettings, stylize
from ..core.representation import MIN_FRAMES
from ..core.rig import RigMotion, RigSkeleton, rotation_part

__all__ = [
    "MIN_FRAMES",
    "PARTS",
    "ROOT_MODES",
    "SOURCES",
    "BoneMap",
    "Clip",
    "ClipTooShortError",
    "EngineError",
    "PanacheError",
    "RigMotion",
    "RigSkeleton",
    "StyleSettings",
    "match_bones",
    "model_version",
    "rotation_part",
    "rotations",
    "run",
    "style_names",
]

WEIGHTS_VARIABLE = "PANACHE_WEIGHTS"

# models.bundle.Bundle, which is imported only where it is needed.
Weights = Any


def run(clip: Clip, reference: Clip | None, settings: StyleSettings) -> RigMotion:
    """Stylize with the best engine there is.

    Raises:
        PanacheError: with a sentence for the user.

    """
    return stylize(clip, reference, _engine(*_stamp()), settings)


def style_names() -> tuple[str, ...]:
    """Styles that the weights know; empty if the weights cannot be read. Cheap enough to call while drawing."""
    try:
        return _bundle(*_stamp()).info.styles
    except EngineError:
        return ()


def model_version() -> str:
    """Revision of the trainer that made the weights."""
    return str(_bundle(*_stamp()).info.git_revision)


def weights_path() -> Path:
    """The weight file: the bundled one unless the environment names another."""
    chosen = os.environ.get(WEIGHTS_VARIABLE)
    return Path(chosen) if chosen else Path(__file__).parents[1] / "models" / "weights" / "bandai-namco.safetensors"


def _stamp() -> tuple[Path, int]:
    """Path and time of the weight file: what a cached engine depends on."""
    path = weights_path()
    return path, path.stat().st_mtime_ns if path.exists() else 0


@lru_cache(maxsize=2)
def _engine(path: Path, stamp: int) -> StyleEngine:
    """The engine for a weight file, built once.

    torch stays out of Blender's process in the UI, where it would compete with drawing; numpy needs nothing.
    """
    bundle = _bundle(path, stamp)
    if bpy.app.background and _has_torch():
        from ..models.runtime import TorchEngine

        # One thread: convolutions this short lose more to waiting for a second one than they gain.
        return TorchEngine(bundle, threads=1)
    from ..core.engines.numpy_engine import NumpyEngine

    return NumpyEngine(bundle)


@lru_cache(maxsize=2)
def _bundle(path: Path, _stamp: int) -> Weights:
    from ..models.bundle import BundleError, read_bundle

    try:
        return read_bundle(path)
    except BundleError as error:
        raise EngineError(str(error)) from error


@lru_cache(maxsize=1)
def _has_torch() -> bool:
    """Whether torch really imports: a broken installation is found out only by trying."""
    try:
        import torch
    except (ImportError, OSError):
        return False
    return bool(torch.__version__)
