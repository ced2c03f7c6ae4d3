# SPDX-License-Identifier: GPL-3.0-or-later
"""Setting the controls so that the mapped bones go where a result wants them."""

from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Final

import bpy
import numpy as np

from ...backend import (
    Allow,
    Bodies,
    ControlGoal,
    Played,
    Progress,
    RigMotion,
    Steps,
    advance,
    bodies_of,
    control_goal,
    finish,
    halving,
    levers_of,
    listed,
    missed,
    moved_like,
    rotations,
    scaled,
    shortfall,
)
from ..edits import ChannelEdit
from ..reader import Reading, read_skeleton
from ..rotation_modes import to_quaternions
from ..stepping import Shown, Stage, step_steps
from ..take import SetupError, Take
from .finding import Controls
from .scratch import Scratch, scratch

Array = rotations.Array

_MAX_ROUNDS: Final = 6
# In tolerances: below the first a frame is done, and one that is not better than the second times what it was is, too.
_GOOD_ENOUGH: Final = 0.1
_SLOW: Final = 0.8
# Share of the frames on which a joint may be far off: limbs are stretched for a moment in many motions.
_MANY: Final = 0.1
# Frames that are worked out in one step.
_AT_ONCE: Final = 64
# Of the whole work, where the original has been looked at and the rounds are done; of a round, where it has aimed, said
# so in channels, and written them to be played.
_BEGUN: Final = 0.2
_SOLVED: Final = 0.95
_AIMED, _SAID, _WRITTEN = 0.2, 0.25, 0.4
# Below this, shares of the body's size, a location differs only by rounding.
_UNMOVED: Final = 1e-7


@dataclass(frozen=True)
class _Values:
    """Channels of C controls: ``own`` (T, C, 4) rotation properties, ``locations`` (T, C, 3)."""

    own: Array
    locations: Array


def solve_controls(
    context: bpy.types.Context, reading: Reading, result: RigMotion, controls: Controls, action: bpy.types.Action
) -> list[ChannelEdit]:
    """All of :func:`solve_controls_steps` at once."""
    return finish(solve_controls_steps(context, reading, result, controls, action))


def solve_controls_steps(
    context: bpy.types.Context, reading: Reading, result: RigMotion, controls: Controls, action: bpy.types.Action
) -> Steps[list[ChannelEdit]]:
    """New values for the keyed channels of the controls.

    Args:
        context: whose scene is played.
        reading: what the rig showed.
        result: what its mapped bones shall do, on the same frames.
        controls: of the same take.
        action: the result's; a copy of it is played within each step, itself it stays as it is.

    Raises:
        SetupError: naming bones that the controls cannot bring where they should be.

    """
    solver = _Solver(context, reading, controls)
    yield from scaled(solver.begin(result), 0.0, _BEGUN)
    with scratch(reading.take, action, reading.frames) as trial:
        return (yield from scaled(solver.solved(trial), _BEGUN, 1.0))


class _Solver:
    """One result on its way onto the controls."""

    _before: _Values
    _goal: ControlGoal

    def __init__(self, context: bpy.types.Context, reading: Reading, controls: Controls) -> None:
        self._context, self._reading, self._controls = context, reading, controls
        self._take: Take = reading.take.now()
        self._states = controls.state_at(self._take, reading.frames)
        whole = read_skeleton(self._take.armature)
        bones = [self._take.armature.data.bones[name] for name in controls.names]
        # Location is along the bone's own rest axes, or along its parent's.
        rest = whole.relative_rest[[whole.index[bone.name] for bone in bones], :3, :3]
        along = np.array([bone.use_local_location for bone in bones])[:, None, None]
        self._axes = np.where(along, np.eye(3), np.swapaxes(rest, -1, -2))

    def begin(self, result: RigMotion) -> Steps[None]:
        """Look at the original, and work out where ``result`` wants the joints."""
        reading, controls, count = self._reading, self._controls, len(self._controls.bones)
        skeleton, shown = reading.motion.skeleton, (yield from scaled(self._play(reading.frames), 0.0, 1.0))
        self._before = _Values(shown.own[:, count:], shown.locations[:, count:])
        rows = [skeleton.index[bone] for bone in controls.bones]
        before, after = (bodies_of(motion.pose[:, rows]) for motion in (reading.motion, result))
        start = self._shown(shown)
        yield Progress(1.0, "Solving controls")
        joints = Bodies(start.bodies.turns[:, :count], start.bodies.places[:, :count])
        targets = moved_like(controls.joints, joints, before, after)
        self._goal = control_goal(controls.joints, start, targets)

    def solved(self, trial: Scratch) -> Steps[list[ChannelEdit]]:
        """The edits of the best round, per frame."""
        best = self._goal.start
        now, lacking = best, self._shortfall(best)
        best_score = lacking.sum(axis=-1)
        todo = np.flatnonzero(lacking.max(axis=-1, initial=0.0) > _GOOD_ENOUGH)
        for turn in range(_MAX_ROUNDS if todo.size else 0):
            now, aimed = yield from scaled(self._round(trial, now, todo, turn), *_share(turn))
            lacking = self._shortfall(now)
            # All controls count: one that cannot do what it should must not keep the others from what they can.
            score = lacking.sum(axis=-1)
            better = np.flatnonzero(score < best_score)
            best = best.put(better, replace(now, own=aimed.own, locations=aimed.locations).at(better))
            slow = (score > _SLOW * best_score) & (turn > 0)
            best_score = np.minimum(score, best_score)
            todo = todo[(lacking[todo].max(axis=-1) > _GOOD_ENOUGH) & ~slow[todo]]
            if not todo.size:
                break
        self._check(best)
        return (yield from scaled(self._edits(best), _SOLVED, 1.0))

    def _round(self, trial: Scratch, now: Played, todo: Array, turn: int) -> Steps[tuple[Played, Played]]:
        """One more step on the frames ``todo``: what Blender shows then, and the controls that it was asked for."""
        aimed = yield from scaled(self._advanced(now, todo, turn), 0.0, _AIMED)
        edits = yield from scaled(self._edits(aimed), _AIMED, _SAID)
        yield from scaled(trial.write_steps(edits), _SAID, _WRITTEN)
        shown = yield from scaled(self._play(self._reading.frames[todo], trial.played), _WRITTEN, 1.0)
        now = now.put(todo, self._shown(shown))
        yield Progress(1.0, "Solving controls")
        return now, aimed

    def _advanced(self, now: Played, todo: Array, turn: int) -> Steps[Played]:
        """The controls after one more step on the frames ``todo``; only their own channels mean anything."""
        own, locations, done = now.own.copy(), now.locations.copy(), 0
        for state, wiring in enumerate(self._controls.wirings):
            all_rows = todo[self._states[todo] == state]
            for start in range(0, len(all_rows), _AT_ONCE):
                rows = all_rows[start : start + _AT_ONCE]
                allow = self._allowing(rows)
                own[rows], locations[rows] = advance(self._goal.at(rows), now.at(rows), wiring, allow, turn)
                done += len(rows)
                yield Progress(done / len(todo), "Solving controls")
        return replace(now, own=own, locations=locations)

    def _allowing(self, rows: Array) -> Allow:
        def allow(control: int, own: Array, locations: Array) -> tuple[Array, Array]:
            channels = self._controls.channels[control]
            before = self._before.own[rows, control]
            reached = channels.quaternion(channels.rotation(before, own))
            return reached, channels.location(self._before.locations[rows, control], locations)

        return allow

    def _shortfall(self, now: Played) -> Array:
        lacking = np.zeros(now.own.shape[:2])
        for state, wiring in enumerate(self._controls.wirings):
            rows = np.flatnonzero(self._states == state)
            lacking[rows] = shortfall(self._goal.at(rows), now.at(rows), wiring)
        return lacking

    def _check(self, best: Played) -> None:
        """Refuse a result in which joints that could be led are far from where they should be."""
        free = tuple(entry.is_free for entry in self._controls.channels)
        off: dict[str, int] = {}
        for state, wiring in enumerate(self._controls.wirings):
            rows = np.flatnonzero(self._states == state)
            for joint, frames in missed(self._goal.at(rows), best.at(rows), wiring, free).items():
                off[joint] = off.get(joint, 0) + int(frames.sum())
        bones = self._reading.bone_map.bones
        names = [bones[joint] for joint, count in off.items() if count > _MANY * len(self._states)]
        if names:
            raise SetupError(
                f"The keyed controls cannot bring {listed(names)} where the style wants them: mute the constraints "
                "that hold them, or bake them first (Pose > Animation > Bake Action)."
            )

    def _edits(self, best: Played) -> Steps[list[ChannelEdit]]:
        edits: list[ChannelEdit] = []
        for control, channels in enumerate(self._controls.channels):
            name, width = channels.rotation_property
            before = self._before.own[:, control]
            if channels.free_axes:
                values = channels.rotation(before, best.own[:, control])
                reach = self._reach(control)
                edits.append(ChannelEdit(channels.bone, name, values[:, :width], before[:, :width], reach))
            if channels.moves:
                before = self._before.locations[:, control]
                moved = channels.location(before, best.locations[:, control])
                unmoved = np.abs(moved - before).max(axis=-1, keepdims=True) < _UNMOVED * self._goal.size
                edits.append(ChannelEdit(channels.bone, "location", np.where(unmoved, before, moved), before))
            yield Progress((control + 1) / len(self._controls.channels), "Solving controls")
        return edits

    def _reach(self, control: int) -> float:
        """How far turning a control moves the feet, or the tip of the foot that it is for."""
        joints, skeleton = self._controls.joints, self._reading.motion.skeleton
        feet = {wiring.turns_foot(control, joints) for wiring in self._controls.wirings} - {None}
        tips = [float(skeleton.lengths[skeleton.index[self._reading.bone_map.bones[foot]]]) for foot in feet]
        return max([*tips, *(wiring.reaches[control] for wiring in self._controls.wirings)])

    def _play(self, frames: Array, stage: Stage = nullcontext) -> Steps[Shown]:
        names = (*self._controls.bones, *self._controls.names)
        return step_steps(self._context, self._take.armature, frames, names, stage)

    def _shown(self, shown: Shown) -> Played:
        count = len(self._controls.bones)
        modes = tuple(entry.mode for entry in self._controls.channels)
        own, scales = to_quaternions(shown.own[:, count:], modes), shown.scales[:, count:]
        levers = levers_of(shown.pose[:, count:], own, scales, self._axes)
        return Played(bodies_of(shown.pose), own, shown.locations[:, count:], levers)


def _share(turn: int) -> tuple[float, float]:
    """Shares at which a round begins and ends: two or three are usual, six possible."""
    begin, end = halving(turn)
    return _SOLVED * begin, _SOLVED * end
