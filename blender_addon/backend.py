# SPDX-License-Identifier: GPL-3.0-or-later
"""The extension's only door to ``core`` and ``models``."""

import os
from functools import lru_cache
from pathlib import Path
from typing import Any

import bpy

from ..core import rotations
from ..core.bone_map_file import dump_map, parse_map
from ..core.controls_responses import Bodies, Joints, Wiggle, sorted_joints
from ..core.controls_solving import (
    Allow,
    ControlGoal,
    Played,
    advance,
    bodies_of,
    control_goal,
    levers_of,
    missed,
    moved_like,
    shortfall,
)
from ..core.controls_wiring import Wiring, merged, shared_axes, shared_jobs, wire
from ..core.engines import StyleEngine
from ..core.errors import ClipTooShortError, EngineError, PanacheError, listed
from ..core.keys import (
    EVERY_FRAME,
    KEY_MODES,
    SPARSE,
    AngleMeasure,
    DistanceMeasure,
    Keys,
    KeySettings,
    Mask,
    Measure,
    OriginalKeys,
    Samples,
    Task,
    closeness,
    distance_bound,
    fit_all,
    foot_reach,
    location_closeness,
    own_moments,
    planted_below,
)
from ..core.matching import ACCEPTED, BoneMap, corrected, match_bones, signature
from ..core.pipeline import PARTS, ROOT_MODES, SOURCES, Clip, StyleSettings, Stylized, stylize
from ..core.preflight import Preflight, preflight, spread_frames
from ..core.representation import MIN_FRAMES
from ..core.rig import RigMotion, RigSkeleton, rotation_part
from ..core.root_carrier import carry, find_carrier, lift
from ..core.skeleton import JOINTS, REQUIRED_JOINTS
from ..core.smpl import (
    UP_AXES,
    BodyMesh,
    BoneShape,
    SmplBody,
    SmplClip,
    SmplFileError,
    SmplPath,
    Template,
    amass_template,
    bone_shape,
    fill_template,
    find_body_model,
    guess_up_axis,
    mean_body,
    off_bones,
    on_bones,
    read_body_model,
    read_smpl,
    smpl_from_humanoid,
)
from ..core.soundness import check_bones, check_extent, check_placement, is_loop

__all__ = [
    "ACCEPTED",
    "EVERY_FRAME",
    "JOINTS",
    "KEY_MODES",
    "MIN_FRAMES",
    "PARTS",
    "REQUIRED_JOINTS",
    "ROOT_MODES",
    "SOURCES",
    "SPARSE",
    "UP_AXES",
    "AngleMeasure",
    "BodyMesh",
    "BoneMap",
    "BoneShape",
    "Clip",
    "ClipTooShortError",
    "DistanceMeasure",
    "EngineError",
    "KeySettings",
    "Keys",
    "Measure",
    "OriginalKeys",
    "PanacheError",
    "Preflight",
    "RigMotion",
    "RigSkeleton",
    "Samples",
    "SmplBody",
    "SmplClip",
    "SmplFileError",
    "SmplPath",
    "StyleSettings",
    "Stylized",
    "Template",
    "amass_template",
    "bone_shape",
    "carry",
    "check_bones",
    "check_extent",
    "check_placement",
    "corrected",
    "distance_bound",
    "dump_map",
    "examine",
    "fill_template",
    "find_body_model",
    "find_carrier",
    "foot_reach",
    "guess_up_axis",
    "is_loop",
    "lift",
    "listed",
    "match_bones",
    "mean_body",
    "model_version",
    "off_bones",
    "on_bones",
    "parse_map",
    "read_body_model",
    "read_smpl",
    "rotation_part",
    "rotations",
    "run",
    "signature",
    "smpl_from_humanoid",
    "spread_frames",
    "style_names",
    "Allow",
    "Bodies",
    "ControlGoal",
    "Joints",
    "Played",
    "Wiggle",
    "Wiring",
    "advance",
    "bodies_of",
    "control_goal",
    "levers_of",
    "merged",
    "missed",
    "moved_like",
    "shared_axes",
    "shared_jobs",
    "shortfall",
    "sorted_joints",
    "wire",
    "Mask",
    "Task",
    "closeness",
    "fit_all",
    "location_closeness",
    "own_moments",
    "planted_below",
]

WEIGHTS_VARIABLE = "PANACHE_WEIGHTS"

# models.bundle.Bundle, which is imported only where it is needed.
Weights = Any


def run(clip: Clip, reference: Clip | None, settings: StyleSettings) -> Stylized:
    """Stylize with the best engine there is.

    Raises:
        PanacheError: with a sentence for the user.

    """
    return stylize(clip, reference, _engine(*_stamp()), settings)


def examine(clip: Clip) -> Preflight:
    """What is known of a clip before any run.

    Raises:
        PanacheError: with a sentence for the user.

    """
    return preflight(clip, _engine(*_stamp()))


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
