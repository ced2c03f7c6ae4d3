# SPDX-License-Identifier: GPL-3.0-or-later
"""The extension's only door to ``core`` and ``models``: what is imported here is there for all of it."""

# ruff: noqa: F401

import os
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import bpy

from ..core import blending, rotations
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
from ..core.engines import StyleNetwork
from ..core.engines.engine import StyleEngine
from ..core.engines.trial import Trial, trial_clip, trial_steps
from ..core.errors import ClipTooShortError, EngineError, PanacheError, listed
from ..core.ghosts import (
    GhostBody,
    Look,
    Picker,
    View,
    facings,
    ghost_body_steps,
    ghost_colours,
    ghost_colours_of,
    ghost_indices,
    ghost_steps,
    ghost_vertices,
    nearest_ghost,
    part_of_change,
    project,
    row_offsets,
)
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
    Points,
    Retimed,
    Samples,
    Task,
    closeness,
    distance_bound,
    fit_all_steps,
    foot_reach,
    location_closeness,
    own_moments,
    planted_below,
    retimed,
)
from ..core.matching import ACCEPTED, BoneMap, corrected, match_bones, signature
from ..core.pipeline import (
    PARTS,
    ROOT_MODES,
    SOURCES,
    Clip,
    StyleSettings,
    Stylized,
    canonical_clip,
    stylize_steps,
    vary_steps,
)
from ..core.portrait import png, portrait
from ..core.preflight import Preflight, preflight_steps, spread_frames
from ..core.representation import MIN_FRAMES
from ..core.rig import RigMotion, RigSkeleton, rotation_part
from ..core.root_carrier import carry, find_carrier, lift
from ..core.rotation_modes import Modes, to_quaternions, turned, turned_steps
from ..core.saved_style import LONGEST_NAME as LONGEST_STYLE_NAME
from ..core.saved_style import SUFFIX as STYLE_SUFFIX
from ..core.saved_style import Model, SavedStyle, SavedStyleError, licence_of, read_style, write_style
from ..core.saved_style import check_name as check_style_name
from ..core.saved_style import path_of as style_path
from ..core.saved_style import tidy as tidy_style_name
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
from ..core.steps import Progress, Steps, finish, halving, scaled
from ..core.style_reading import StyleReading, read_style_steps
from ..core.style_statistics import StyleStatistics
from ..core.timing import TimeWarp, changing_warp, even_warp
from ..core.worker.client import RemoteNetwork, Worker, WorkerState
from ..core.worker.process import WorkerCommand, clean_environment, no_window
from ..core.worker.session import Description as WeightsDescription

# A picture is looked for in so many frames before and after the middle of a clip.
_PICTURED = 120
WEIGHTS_VARIABLE = "PANACHE_WEIGHTS"

# models.bundle.Bundle, which is imported only where it is needed.
Weights = Any


def run(clip: Clip, reference: Clip | None, settings: StyleSettings) -> Stylized:
    """All of :func:`run_steps` at once."""
    return finish(run_steps(clip, reference, settings, engine()))


def run_steps(clip: Clip, reference: Clip | None, settings: StyleSettings, computer: StyleEngine) -> Steps[Stylized]:
    """Stylize with an engine, usually the one that the user chose.

    Raises:
        PanacheError: with a sentence for the user.

    """
    return stylize_steps(clip, reference, computer, settings)


def run_variations_steps(
    clip: Clip, reference: Clip | None, settings: Sequence[StyleSettings]
) -> Steps[list[Stylized]]:
    """One clip in several styles that differ in nothing but source, style and seed.

    Raises:
        PanacheError: with a sentence for the user.

    """
    return vary_steps(clip, reference, engine(), settings)


def run_style_reading_steps(clip: Clip, *, refine: bool) -> Steps[StyleReading]:
    """The style in which a clip is performed, to be saved.

    Raises:
        PanacheError: with a sentence for the user.

    """
    return read_style_steps(clip, engine(), refine=refine)


def examine_steps(clip: Clip) -> Steps[Preflight]:
    """What is known of a clip before any run.

    Raises:
        PanacheError: with a sentence for the user.

    """
    return preflight_steps(clip, local_engine())


def clip_picture(clip: Clip) -> bytes:
    """A small picture of a telling pose from the middle of a clip, as PNG.

    Raises:
        PanacheError: the clip cannot be read; the message says what to do.

    """
    middle = len(clip.motion) // 2
    some = clip.motion.part(slice(max(middle - _PICTURED, 0), middle + _PICTURED))
    return png(portrait(canonical_clip(Clip(some, clip.bone_map)).motion))


def style_names() -> tuple[str, ...]:
    """Styles that the weights know; empty if the weights cannot be read. Cheap enough to call while drawing."""
    return weights.info.styles if (weights := _readable()) else ()


def described_styles() -> tuple[str, ...]:
    """The same from the file's header alone, which costs little enough for Blender's start."""
    from ..models.bundle import BundleError, read_info

    try:
        return read_info(weights_path()).styles
    except BundleError:
        return ()


def has_weights() -> bool:
    """Whether the weights can be read, with styles of their own or without. Cheap enough to call while drawing."""
    return _readable() is not None


def knows_timing() -> bool:
    """Whether the weights say how fast a style moves. Cheap enough to call while drawing."""
    return (weights := _readable()) is not None and weights.tempo is not None


def knows_range() -> bool:
    """Whether the weights say what they were trained on. Cheap enough to call while drawing."""
    return (weights := _readable()) is not None and weights.content_range is not None


def model_version() -> str:
    """Revision of the trainer that made the weights."""
    return str(_bundle(*_stamp()).info.git_revision)


def weights_licence() -> str:
    """Licence of the data that the weights were made from."""
    return str(_bundle(*_stamp()).info.licence)


def weights_data() -> str:
    """Names of the data sets that the weights were made from."""
    return ", ".join(_bundle(*_stamp()).info.training_data)


def weights_path() -> Path:
    """The weight file: the bundled one unless the environment names another."""
    chosen = os.environ.get(WEIGHTS_VARIABLE)
    return Path(chosen) if chosen else bundled_weights(Path(__file__).parents[1] / "models" / "weights")


@lru_cache(maxsize=1)
def bundled_weights(folder: Path) -> Path:
    """The weight file in a folder, of which a zip has one; in a source tree, with several, the standard one."""
    standard = folder / "bandai-namco.safetensors"
    return standard if standard.exists() else next(iter(sorted(folder.glob("*.safetensors"))), standard)


def _stamp() -> tuple[Path, int]:
    """Path and time of the weight file: what a cached engine depends on."""
    path = weights_path()
    return path, path.stat().st_mtime_ns if path.exists() else 0


def read_weights() -> tuple[Path, int, WeightsDescription]:
    """Path and time of the weight file, and what a worker must find in it.

    Raises:
        EngineError: the weights cannot be read.

    """
    path, stamp = _stamp()
    bundle = _bundle(path, stamp)
    info, size = bundle.info, bundle.config.style_channels
    tempo = None if bundle.tempo is None else tuple(bundle.tempo.ravel().tolist())
    known = WeightsDescription(info.styles, info.fps, bundle.layout_signature, size, tempo, bundle.content_range)
    return path, stamp, known


def engine() -> StyleEngine:
    """The engine that runs are made with: the worker's where the preferences want it, else this process's.

    Raises:
        EngineError: the weights cannot be read, or the worker is wanted and cannot be had.

    """
    from .worker.keeper import chosen_network

    network = chosen_network()
    return StyleEngine(network) if network else local_engine()


def local_engine() -> StyleEngine:
    """The engine of this process, which answers at once.

    Raises:
        EngineError: the weights cannot be read.

    """
    return _engine(*_stamp())


def local_network() -> StyleNetwork:
    """What the engine of this process drives.

    Raises:
        EngineError: the weights cannot be read.

    """
    return _local_network(*_stamp())[0]


def plain_network() -> StyleNetwork:
    """The network that needs nothing but numpy: slower, and what the others are compared with.

    Raises:
        EngineError: the weights cannot be read.

    """
    from ..core.engines.numpy_engine import NumpyNetwork

    return NumpyNetwork(_bundle(*_stamp()))


def try_network_steps(network: StyleNetwork) -> Steps[Trial]:
    """Send a clip that is the same everywhere through a network.

    Raises:
        EngineError: the weights cannot be read, or the network does not answer.

    """
    bundle = _bundle(*_stamp())
    return (yield from trial_steps(network, trial_clip(bundle.mean, bundle.std)))


def local_engine_report() -> str:
    """What the engine of this process runs on, and why it is nothing faster, in sentences for the user.

    Raises:
        EngineError: the weights cannot be read.

    """
    return _local_network(*_stamp())[1]


@lru_cache(maxsize=2)
def _engine(path: Path, stamp: int) -> StyleEngine:
    """The engine for a weight file, built once."""
    # Two styles a step: what Stylize asks for, and no longer than a frame's drawing.
    return StyleEngine(_local_network(path, stamp)[0], at_once=2)


@lru_cache(maxsize=2)
def _local_network(path: Path, stamp: int) -> tuple[StyleNetwork, str]:
    """The fastest that works here, and what to say of it.

    torch stays out of Blender's process in the UI, where it would compete with drawing; numpy needs nothing.
    """
    bundle = _bundle(path, stamp)
    try:
        return _onnx_network(bundle), "Runs on onnxruntime."
    except EngineError as error:
        reason = str(error)
    if bpy.app.background and _has_torch():
        from ..models.runtime import TorchNetwork

        # One thread: convolutions this short lose more to waiting for a second one than they gain.
        return TorchNetwork(bundle, threads=1), f"Runs on torch. {reason}"
    from ..core.engines.numpy_engine import NumpyNetwork

    return NumpyNetwork(bundle, in_pieces=True), f"Runs on numpy. {reason}"


def _onnx_network(bundle: Weights) -> StyleNetwork:
    from ..core.engines.onnx_engine import OnnxNetwork

    return OnnxNetwork(Path(__file__).parents[1] / "models" / "onnx", bundle)


def _readable() -> Weights | None:
    try:
        return _bundle(*_stamp())
    except EngineError:
        return None


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
