# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs inside a Python that has bpy, as a file of its own: times one Stylize after the other on a 65-bone rig.

    PYTHON -I benchmark_child.py job.json

The rig has Mixamo's names and roughly Mixamo's T-pose, fingers included; every bone is keyed on every frame. Whole
calls are timed first, untouched. In further calls the functions of each stage are wrapped from outside by a clock.
"""

import json
import math
import os
import sys
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import bpy
import numpy as np

_FPS = 30
_PREFIX = "mixamorig:"

# (bone, parent, head; metres, Z up, facing -Y); the other side is mirrored.
_MIDDLE: tuple[tuple[str, str, tuple[float, float, float]], ...] = (
    ("Hips", "", (0.0, 0.0, 1.0)),
    ("Spine", "Hips", (0.0, 0.0, 1.1)),
    ("Spine1", "Spine", (0.0, 0.0, 1.22)),
    ("Spine2", "Spine1", (0.0, 0.0, 1.35)),
    ("Neck", "Spine2", (0.0, 0.0, 1.5)),
    ("Head", "Neck", (0.0, 0.0, 1.58)),
    ("HeadTop_End", "Head", (0.0, 0.0, 1.78)),
)
_SIDE: tuple[tuple[str, str, tuple[float, float, float]], ...] = (
    ("Shoulder", "Spine2", (0.06, 0.0, 1.46)),
    ("Arm", "Shoulder", (0.18, 0.0, 1.45)),
    ("ForeArm", "Arm", (0.45, 0.01, 1.45)),
    ("Hand", "ForeArm", (0.7, 0.0, 1.45)),
    ("UpLeg", "Hips", (0.09, 0.0, 0.95)),
    ("Leg", "UpLeg", (0.09, -0.01, 0.52)),
    ("Foot", "Leg", (0.09, 0.02, 0.09)),
    ("ToeBase", "Foot", (0.09, -0.12, 0.02)),
    ("Toe_End", "ToeBase", (0.09, -0.19, 0.02)),
)
_FINGERS = ("Thumb", "Index", "Middle", "Ring", "Pinky")

# Stage to the names, in the modules that call them, of the functions and generators that do its work.
_STAGES: dict[str, dict[str, tuple[str, ...]]] = {
    "read": {"blender_addon.stylizing": ("_begin", "_material_steps")},
    "retarget": {
        "core.restyling": ("calibrate_steps", "to_motion_steps", "floor_way", "to_canonical_steps"),
        "core.pipeline": ("posed_steps",),
    },
    "encode": {"core.pipeline": ("encode_steps", "decode_steps")},
    "transfer": {"core.pipeline": ("reconstruction_steps",), "core.restyling": ("apply_delta_steps",)},
    "contacts": {
        "core.restyling": (
            "detect_planted", "keep_hinges_steps", "settle", "follow_feet", "follow_path", "lock_contacts_steps",
        ),
    },
    "write": {
        "blender_addon.stylizing": (
            "start_action", "_write_steps", "write_record", "keep_full", "_show_steps", "complete", "put",
        ),
    },
}  # fmt: skip
# Stage to the methods that do its work, in the modules and classes that have them.
_METHODS: dict[str, dict[tuple[str, str], tuple[str, ...]]] = {
    "transfer": {("core.transfer", "Reconstruction"): ("delta_steps",)},
    "network": {
        ("core.engines.numpy_engine", "NumpyNetwork"): ("style_gaussian", "stylize"),
        ("core.engines.onnx_engine", "OnnxNetwork"): ("style_gaussian", "stylize"),
        ("models.runtime", "TorchNetwork"): ("style_gaussian", "stylize"),
    },
}


class Clock:
    """Seconds per stage of one call; a stage inside another counts as the outer one."""

    def __init__(self) -> None:
        """Start with nothing."""
        self.seconds: dict[str, float] = {}
        self._running = False

    def wrap(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, timed; a generator in each of its steps."""

        def timed(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401
            result = self._timed(stage, function, *arguments, **named)
            return self._stepped(stage, result) if isinstance(result, Generator) else result

        return timed

    def _stepped(self, stage: str, steps: Generator[Any, None, Any]) -> Generator[Any, None, Any]:
        try:
            while True:
                try:
                    progress = self._timed(stage, next, steps)
                except StopIteration as end:
                    return end.value
                yield progress
        finally:
            steps.close()

    def _timed(self, stage: str, function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:  # noqa: ANN401
        if self._running:
            return function(*arguments, **named)
        self._running = True
        begin = time.perf_counter()
        try:
            return function(*arguments, **named)
        finally:
            self.seconds[stage] = self.seconds.get(stage, 0.0) + time.perf_counter() - begin
            self._running = False


def main() -> None:
    """Time and write ``totals`` and ``stages`` to the job's output file."""
    job = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    operators: Any = bpy.ops
    operators.extensions.package_install_files(filepath=job["zip"], repo="user_default", enable_on_install=True)
    armature = _build_rig()
    original = _animate(armature, round(job["seconds"] * _FPS))
    for _ in range(job["warm"]):
        _call(armature, original, job["style"])
    totals = [_call(armature, original, job["style"]) for _ in range(job["repeats"])]
    preflights = [_preflight(armature, original) for _ in range(job["repeats"])]
    variations = [_vary(armature, original, job) for _ in range(job["repeats"])]
    steps = [_steps(armature, original, job["style"]) for _ in range(job["repeats"])]
    clock, stages = Clock(), []
    _fit(clock)
    for _ in range(job["repeats"]):
        clock.seconds = {}
        total = _call(armature, original, job["style"])
        stages.append({**clock.seconds, "other": total - sum(clock.seconds.values())})
    values = {
        "bones": len(armature.data.bones), "totals": totals, "preflights": preflights, "stages": stages,
        "steps": steps, "variations": variations,
        "blender": bpy.app.version_string,
    }  # fmt: skip
    Path(job["out"]).write_text(json.dumps(values), encoding="utf-8")


def _call(armature: Any, original: Any, style: str) -> float:  # noqa: ANN401
    """Seconds of one call on the original action."""
    operators: Any = bpy.ops
    armature.animation_data.action = original
    begin = time.perf_counter()
    result = operators.panache.stylize("EXEC_DEFAULT", source="LABEL", style=style)
    seconds = time.perf_counter() - begin
    if result != {"FINISHED"} or armature.animation_data.action == original:
        raise SystemExit(f"The benchmark's clip was not stylized: {result}")
    bpy.data.actions.remove(armature.animation_data.action)
    return seconds


def _vary(armature: Any, original: Any, job: dict[str, Any]) -> float:  # noqa: ANN401
    """Seconds until all variations are there to be drawn."""
    operators: Any = bpy.ops
    armature.animation_data.action = original
    begin = time.perf_counter()
    operators.panache.sample_variations("EXEC_DEFAULT", source="LABEL", style=job["style"], count=job["variations"])
    seconds = time.perf_counter() - begin
    operators.panache.discard_variations()
    return seconds


def _steps(armature: Any, original: Any, style: str) -> list[float]:  # noqa: ANN401
    """Seconds of this thread in each step of one call: what a window cannot be drawn in."""
    root = next(name for name in sys.modules if name.endswith(".panache"))
    stylizing, backend, order = (
        sys.modules[f"{root}.blender_addon.{name}"] for name in ("stylizing", "backend", "order")
    )
    armature.animation_data.action = original
    steps: Any = stylizing.restyle_steps(bpy.context, order.Order(backend.StyleSettings(style=style)))
    found: list[float] = []
    while True:
        begin = time.thread_time()
        try:
            next(steps)
        except StopIteration as end:
            found.append(time.thread_time() - begin)
            bpy.data.actions.remove(end.value)
            return found
        found.append(time.thread_time() - begin)


def _preflight(armature: Any, original: Any) -> float:  # noqa: ANN401
    """Seconds that preflight takes on the original action."""
    operators: Any = bpy.ops
    armature.animation_data.action = original
    begin = time.perf_counter()
    operators.panache.preflight()
    return time.perf_counter() - begin


def _fit(clock: Clock) -> None:
    """Put the clock around the stages' functions, wherever the extension was installed."""
    root = next(name for name in sys.modules if name.endswith(".panache"))
    for stage, places in _STAGES.items():
        for place, names in places.items():
            module = sys.modules[f"{root}.{place}"]
            for name in names:
                setattr(module, name, clock.wrap(stage, getattr(module, name)))
    for stage, owners in _METHODS.items():
        for (place, owner), names in owners.items():
            if module := sys.modules.get(f"{root}.{place}"):
                for name in names:
                    setattr(getattr(module, owner), name, clock.wrap(stage, getattr(getattr(module, owner), name)))


def _bones() -> list[tuple[str, str, tuple[float, float, float]]]:
    """All 65 bones."""
    bones = list(_MIDDLE)
    for side, sign in (("Left", 1.0), ("Right", -1.0)):
        for name, parent, (x, y, z) in _SIDE:
            above = parent if parent in ("Spine2", "Hips") else side + parent
            bones.append((side + name, above, (sign * x, y, z)))
        for row, finger in enumerate(_FINGERS):
            for joint in range(1, 5):
                above = f"{side}Hand{finger}{joint - 1}" if joint > 1 else f"{side}Hand"
                head = (sign * (0.75 + 0.03 * joint), 0.02 * (row - 2), 1.45)
                bones.append((f"{side}Hand{finger}{joint}", above, head))
    return bones


def _build_rig() -> Any:  # noqa: ANN401
    """The armature object, in the scene and active."""
    scene: Any = bpy.context.scene
    scene.render.fps, scene.render.fps_base = _FPS, 1.0
    armature = bpy.data.objects.new("Benchmark", bpy.data.armatures.new("Benchmark"))
    scene.collection.objects.link(armature)
    layer: Any = bpy.context.view_layer
    layer.objects.active = armature
    operators: Any = bpy.ops
    operators.object.mode_set(mode="EDIT")
    bones: Any = armature.data.edit_bones
    heads = {name: head for name, _, head in _bones()}
    for name, parent, head in _bones():
        bone = bones.new(_PREFIX + name)
        bone.head, bone.parent = head, bones[_PREFIX + parent] if parent else None
        below = next((heads[other] for other, above, _ in _bones() if above == name), None)
        bone.tail = below or (head[0], head[1], head[2] + 0.05)
    operators.object.mode_set(mode="OBJECT")
    return armature


def _animate(armature: Any, frames: int) -> Any:  # noqa: ANN401
    """A walk of sorts with keys on every frame of every bone."""
    armature.animation_data_create()
    action: Any = bpy.data.actions.new("Benchmark")
    armature.animation_data.action = action
    for bone in armature.pose.bones:
        bone.rotation_mode = "QUATERNION"
        # The first key makes the curves, and the slot where there are slots; the rest is set in bulk.
        bone.keyframe_insert("rotation_quaternion", frame=1)
    hips = armature.pose.bones[_PREFIX + "Hips"]
    hips.keyframe_insert("location", frame=1)
    for curve in _curves(action):
        _fill(curve, frames)
    layer: Any = bpy.context.view_layer
    layer.update()
    return action


def _curves(action: Any) -> list[Any]:  # noqa: ANN401
    if hasattr(action, "fcurves"):
        return list(action.fcurves)
    return [
        curve for layer in action.layers for strip in layer.strips for bag in strip.channelbags for curve in bag.fcurves
    ]


def _fill(curve: Any, frames: int) -> None:  # noqa: ANN401
    """Swing legs and arms, travel with the hips, keep the rest at rest."""
    phase = 2.0 * math.pi * np.arange(frames) / _FPS
    bone = curve.data_path.split('"')[1].removeprefix(_PREFIX)
    angle = _swing(bone) * np.sin(phase + (math.pi if bone.startswith("Right") else 0.0)) + _hang(bone)
    if curve.data_path.endswith("location"):
        values = 1.1 * np.arange(frames) / _FPS if curve.array_index == 2 else np.zeros(frames)
    elif curve.array_index == 0:
        values = np.cos(0.5 * angle)
    else:
        values = np.sin(0.5 * angle) if curve.array_index == 1 else np.zeros(frames)
    points = np.stack([np.arange(1, frames + 1), values], axis=-1)
    curve.keyframe_points.add(frames - len(curve.keyframe_points))
    curve.keyframe_points.foreach_set("co", points.astype(np.float32).ravel())
    curve.update()


def _swing(bone: str) -> float:
    """Amplitude about the bone's X axis, radians."""
    return next((size for end, size in (("UpLeg", 0.5), ("Leg", 0.4), ("ForeArm", 0.2)) if bone.endswith(end)), 0.02)


def _hang(bone: str) -> float:
    """Constant rotation about the bone's X axis, radians."""
    return next((size for end, size in (("UpLeg", 0.0), ("Leg", -0.45)) if bone.endswith(end)), 0.0)


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    # bpy 4.2 as a module frees registered panels after Python is gone, and crashes; everything is written by now.
    os._exit(0)
