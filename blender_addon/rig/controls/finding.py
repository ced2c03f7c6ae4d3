# SPDX-License-Identifier: GPL-3.0-or-later
"""Which keyed bones are controls, and what they do in each state of the rig's switches."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import bpy
import numpy as np

from ...backend import (
    BoneMap,
    Joints,
    Progress,
    Steps,
    Wiring,
    finish,
    halving,
    listed,
    merged,
    rotations,
    scaled,
    shared_axes,
    shared_jobs,
    sorted_joints,
    wire,
)
from ..guards import held_bones
from ..reader import Rig
from ..span import span_of
from ..take import TRANSFORMS, Channel, SetupError, Take
from .channels import Channels, channels_of
from .wiggling import Bench

Array = rotations.Array

# Wiggling takes seconds; more states than this, of switches keyed again and again, are treated like their nearest.
_MAX_STATES: Final = 4
# Where in a state to wiggle, as shares of its frames: the middle, and elsewhere if limbs are stretched there.
_TRIES: Final = (0.5, 0.25, 0.75, 0.1, 0.9)
# Of the whole work, where it is known which controls matter.
_CHOSEN: Final = 0.3


@dataclass(frozen=True)
class Controls:
    """The controls of one take.

    Attributes:
        joints: the mapped joints.
        bones: their bones.
        channels: the controls.
        switches: keyed channels that may change what the controls do, such as IK/FK.
        states: (S, switches) values of the switches for which the controls were wiggled.
        wirings: what the controls do in each state.

    """

    joints: Joints
    bones: tuple[str, ...]
    channels: tuple[Channels, ...]
    switches: tuple[Channel, ...]
    states: Array
    wirings: tuple[Wiring, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Bones of the controls."""
        return tuple(entry.bone for entry in self.channels)

    def state_at(self, take: Take, frames: Array) -> Array:
        """(T,) which of the states each frame is in, the nearest."""
        shown = _sampled(take, self.switches, frames)
        return np.argmin(np.abs(shown[:, None] - self.states[None]).sum(axis=-1), axis=-1)


def find_controls(context: bpy.types.Context, take: Take, rig: Rig) -> Controls | None:
    """All of :func:`find_controls_steps` at once."""
    return finish(find_controls_steps(context, take, rig))


def find_controls_steps(context: bpy.types.Context, take: Take, rig: Rig) -> Steps[Controls | None]:
    """What drives the mapped bones; None if nothing does, so that they can be keyed themselves.

    Raises:
        SetupError: naming bones that something holds and no keyed control can lead.

    """
    bones, keyed = rig.bone_map.bones, _keyed(take)
    if not take.is_played or not (_held(take, rig.bone_map) or _hang_on_others(rig, keyed)):
        return None
    joints = sorted_joints(bones)
    bench = Bench(context, take.armature, tuple(bones[name] for name in joints.names))
    candidates = [channels_of(take, take.armature.pose.bones[name]) for name in keyed]
    frames = span_of(context.scene, take, tuple(keyed)).frames
    switches, states, probes = _states(take, frames)
    channels = yield from scaled(_that_matter(bench, candidates, [frames[0] for frames in probes]), 0.0, _CHOSEN)
    wirings = yield from scaled(_wired(bench, joints, channels, probes if channels else []), _CHOSEN, 1.0)
    _check_covered(take, rig.bone_map, joints, wirings, keyed)
    free = zip(channels, shared_axes(wirings), strict=True)
    led = tuple(entry.turning_about(axes) for entry, axes in free)
    return Controls(joints, bench.joints, led, switches, states, shared_jobs(wirings))


def _that_matter(bench: Bench, candidates: list[Channels], frames: list[float]) -> Steps[list[Channels]]:
    """The candidates that move a joint on one of the frames."""
    found: set[str] = set()
    for number, frame in enumerate(frames):
        left = [entry for entry in candidates if entry.bone not in found]
        rest = bench.rest(frame)
        trials = bench.steps(frame, bench.that_matter(left, rest))
        moving = yield from scaled(trials, number / len(frames), (number + 1) / len(frames))
        found |= {entry.bone for entry in moving}
    return [entry for entry in candidates if entry.bone in found]


def _wired(bench: Bench, joints: Joints, channels: list[Channels], probes: list[list[float]]) -> Steps[list[Wiring]]:
    """What the controls do in each state."""
    wirings: list[Wiring] = []
    for number, tries in enumerate(probes):
        wire_steps = _wire(bench, joints, channels, tries)
        wirings.append((yield from scaled(wire_steps, number / len(probes), (number + 1) / len(probes))))
    return wirings


def _wire(bench: Bench, joints: Joints, channels: list[Channels], frames: list[float]) -> Steps[Wiring]:
    """What the controls do, from as few of the frames as show something that leads every joint."""
    wiring = yield from scaled(_wire_at(bench, joints, channels, frames[0]), *halving(0))
    for turn, frame in enumerate(frames[1:], start=1):
        if not wiring.uncovered(joints):
            break
        wiring = merged(wiring, (yield from scaled(_wire_at(bench, joints, channels, frame), *halving(turn))))
    return wiring


def _wire_at(bench: Bench, joints: Joints, channels: list[Channels], frame: float) -> Steps[Wiring]:
    names = tuple(entry.bone for entry in channels)
    rest = bench.rest(frame, names)
    wiggles = yield from scaled(bench.steps(frame, bench.wiggles(channels, rest)), 0.0, 1.0)
    owners = [bench.joints.index(entry.bone) if entry.bone in bench.joints else -1 for entry in channels]
    yield Progress(1.0, "Trying controls")
    return wire(joints, rest, wiggles, owners)


def _keyed(take: Take) -> list[str]:
    """Bones with keys for where they are or how they are turned."""
    paths = {path for path, _ in take.channels}
    names = [name for name in TRANSFORMS if name != "scale"]
    return [bone.name for bone in take.armature.pose.bones if any(bone.path_from_id(name) in paths for name in names)]


def _held(take: Take, bone_map: BoneMap) -> list[str]:
    held = held_bones(take)
    return [bone for bone in bone_map.bones.values() if bone in held]


def _hang_on_others(rig: Rig, keyed: Iterable[str]) -> bool:
    """Whether arms or legs have no keys but hang on bones outside the map that have."""
    skeleton, mapped, keyed = rig.skeleton, set(rig.bone_map.bones.values()), set(keyed)
    for joint, bone in rig.bone_map.bones.items():
        if bone in keyed or not joint.endswith(("knee", "elbow", "hip", "shoulder")):
            continue
        for above in skeleton.ancestors(skeleton.index[bone]):
            if skeleton.names[above] in mapped:
                break
            if skeleton.names[above] in keyed:
                return True
    return False


def _states(take: Take, frames: Array) -> tuple[tuple[Channel, ...], Array, list[list[float]]]:
    """The switches that are keyed to change, their commonest states (S, switches), and frames to try in each."""
    plain = {bone.path_from_id(name) for bone in take.armature.pose.bones for name in TRANSFORMS} | set(TRANSFORMS)
    others = tuple(channel for channel in take.curves if channel[0] not in plain and not take.is_stack)
    values = _sampled(take, others, frames)
    moving = [i for i in range(len(others)) if np.ptp(values[:, i]) > 0.0]
    values = np.round(values[:, moving])
    states, index, counts = np.unique(values, axis=0, return_inverse=True, return_counts=True)
    common = np.argsort(-counts, kind="stable")[:_MAX_STATES]
    rows = [np.flatnonzero(index.ravel() == state) for state in common]
    tries = [[float(frames[row[int(share * len(row))]]) for share in _TRIES] for row in rows]
    return tuple(others[i] for i in moving), states[common], tries


def _sampled(take: Take, channels: tuple[Channel, ...], frames: Array) -> Array:
    """(T, channels) values of curves."""
    columns = [[take.curves[channel].evaluate(frame) for frame in frames.tolist()] for channel in channels]
    return np.array(columns, dtype=np.float64).reshape(len(channels), len(frames)).T


def _check_covered(take: Take, bone_map: BoneMap, joints: Joints, wirings: list[Wiring], keyed: list[str]) -> None:
    """Refuse bones that are held and that no control leads."""
    lost = {name for wiring in wirings for name in wiring.uncovered(joints)} if wirings else set(joints.names)
    overruled = set(_held(take, bone_map)).intersection(keyed)
    led = {name for wiring in wirings for name in wiring.led(joints)}
    lost |= {name for name in joints.names if bone_map.bones[name] in overruled and name not in led}
    names = [bone_map.bones[name] for name in joints.names if name in lost]
    if names:
        raise SetupError(
            f"Constraints or drivers hold {listed(names)}, and no keyed control moves them: "
            "mute these constraints, key the controls, or bake the bones first (Pose > Animation > Bake Action)."
        )
