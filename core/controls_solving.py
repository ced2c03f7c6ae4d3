# SPDX-License-Identifier: GPL-3.0-or-later
"""One step from where a rig's controls are towards where their joints should be.

Everything is a change of what Blender shows now: a control turns by what its joint still lacks, seen from what
carries it, so where nothing is lacking nothing changes. Constraints make a step inexact; the caller plays the result
and takes another one.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from .controls_responses import NOTHING, Bodies, Flags, Joints, Rows
from .controls_wiring import Follow, Job, Pole, Swivel, Wiring
from .rig import rotation_part
from .rotations import (
    IDENTITY,
    Array,
    angle_between,
    conjugate,
    from_axis_angle,
    from_frame,
    from_matrix,
    multiply,
    normalize,
    rotate,
    swing,
    to_matrix,
    to_rotation_vector,
)

# The sine of a limb's bend, about, below which its upper bone knows the plane better than its joints do.
_VAGUE_BEND = 0.15

ANGLE_TOLERANCE = float(np.radians(0.5))
# Of the body's size: half a centimetre of a tall person.
DISTANCE_TOLERANCE = 0.003
# From this step on what bends the middle of the spine stays, so that what hangs on it comes to rest.
_SETTLING = 1
# Tolerances beyond which a joint counts as not reached at all.
_FAR_OFF = 8.0

Limb = tuple[int, int, int]


@dataclass(frozen=True)
class Played:
    """T frames as Blender shows them.

    Attributes:
        bodies: (T, N) the joints, then the controls, armature space.
        own: (T, C, 4) the controls' own rotations.
        locations: (T, C, 3) the controls' location properties.
        levers: (T, C, 3, 3) where one unit of each location property takes a control, armature space.
    """

    bodies: Bodies
    own: Array
    locations: Array
    levers: Array

    def at(self, rows: Rows) -> "Played":
        """Some of the frames."""
        return Played(self.bodies.at(rows), self.own[rows], self.locations[rows], self.levers[rows])

    def put(self, rows: Rows, other: "Played") -> "Played":
        """These frames with ``rows`` of them replaced."""
        bodies = Bodies(
            _put(self.bodies.turns, rows, other.bodies.turns), _put(self.bodies.places, rows, other.bodies.places)
        )
        own, locations = _put(self.own, rows, other.own), _put(self.locations, rows, other.locations)
        return Played(bodies, own, locations, _put(self.levers, rows, other.levers))


@dataclass(frozen=True)
class ControlGoal:
    """Where joints should be, and how the clip was before.

    Attributes:
        joints: what the first bodies are.
        start: the original.
        targets: (T, J) where the joints should be.
        planes: per limb the direction (3,), in the frame of its upper joint, about which it bends.
        size: armature units, about the body's height.
    """

    joints: Joints
    start: Played
    targets: Bodies
    planes: dict[Limb, Array]
    size: float

    def at(self, rows: Rows) -> "ControlGoal":
        """The goal of some frames."""
        return replace(self, start=self.start.at(rows), targets=self.targets.at(rows))


Allow = Callable[[int, Array, Array], tuple[Array, Array]]
"""``allow(control, rotations (T, 4), locations (T, 3))``: the nearest that the control's free channels can do."""


def bodies_of(pose: Array) -> Bodies:
    """Pose matrices (..., 4, 4) as rigid places."""
    return Bodies(from_matrix(rotation_part(pose)), pose[..., :3, 3])


def levers_of(pose: Array, own: Array, scales: Array, axes: Array) -> Array:
    """Where one unit of each location property takes bones (T, C, 3, 3).

    Args:
        pose: (T, C, 4, 4) pose matrices.
        own: (T, C, 4) own rotations.
        scales: (T, C, 3) own scales.
        axes: (C, 3, 3) from the location property to the bone's rest axes.
    """
    basis = to_matrix(own) * scales[..., None, :]
    return pose[..., :3, :3] @ np.linalg.inv(basis) @ axes


def moved_like(joints: Joints, shown: Bodies, before: Bodies, after: Bodies) -> Bodies:
    """Where the joints ``shown`` (T, J) should be if they change as ``before`` changed into ``after``.

    Only the pelvis is moved like that; the others hang on their joint above, whatever their bones are children of:
    the spine of a control rig is often no chain.
    """
    changes = multiply(after.turns, conjugate(before.turns))
    places = shown.places + (after.places - before.places)
    for joint, parent in enumerate(joints.parents):
        if parent >= 0:
            arm = shown.places[:, joint] - shown.places[:, parent]
            places[:, joint] = places[:, parent] + rotate(changes[:, parent], arm)
    return Bodies(multiply(changes, shown.turns), places)


def control_goal(joints: Joints, start: Played, targets: Bodies) -> ControlGoal:
    """A goal, with the planes of the limbs taken from the frames in which they bend."""
    planes = {limb: _hinge(start.bodies, limb) for limb in joints.limbs}
    return ControlGoal(joints, start, targets, planes, _height(joints, start.bodies))


def advance(goal: ControlGoal, now: Played, wiring: Wiring, allow: Allow, turn: int) -> tuple[Array, Array]:
    """Own rotations (T, C, 4) and locations (T, C, 3) that bring the joints nearer to their targets.

    ``turn`` counts the steps from 0, the one that begins at ``goal.start``.
    """
    return _Step(goal, now, wiring, allow, turn).taken()


def shortfall(goal: ControlGoal, now: Played, wiring: Wiring) -> Array:
    """(T, C) how far each control is from what it should do, in tolerances; what no control can do is not asked."""
    lacking = np.zeros(now.own.shape[:2])
    for control, job in enumerate(wiring.jobs):
        if job is not None and job.active:
            angle, distance = _lacking(goal, now.bodies, job)
            lacking[:, control] = np.maximum(angle / ANGLE_TOLERANCE, distance / (DISTANCE_TOLERANCE * goal.size))
    return lacking


def missed(goal: ControlGoal, now: Played, wiring: Wiring, free: tuple[bool, ...]) -> dict[str, Flags]:
    """Joints that controls with all their channels ``free`` were to lead, and on which frames (T,) they are far off."""
    found: dict[str, Flags] = {}
    for job, whole in zip(wiring.jobs, free, strict=True):
        if isinstance(job, Follow) and job.active and whole:
            angle, distance = _lacking(goal, now.bodies, job)
            off = distance - _out_of_reach(goal, job.moved) > _FAR_OFF * DISTANCE_TOLERANCE * goal.size
            joint = job.moved if job.turned < 0 else job.turned
            name = goal.joints.names[joint]
            off = off | (angle > _FAR_OFF * ANGLE_TOLERANCE)
            found[name] = found[name] | off if name in found else off
    return found


def _lacking(goal: ControlGoal, bodies: Bodies, job: Job) -> tuple[Array, Array]:
    """What a job still lacks: an angle (T,), radians, and a distance (T,), armature units."""
    angle = np.zeros(len(bodies.turns))
    distance = np.zeros(len(bodies.turns))
    if isinstance(job, Follow):
        if job.turned >= 0 and job.turned not in goal.joints.between:
            angle = angle_between(bodies.turns[:, job.turned], goal.targets.turns[:, job.turned])
        if job.moved >= 0:
            distance = np.linalg.norm(bodies.places[:, job.moved] - goal.targets.places[:, job.moved], axis=-1)
        return angle, distance
    line, arm = _line(goal.targets, job.limb)
    return angle, np.abs(_swing_left(goal, bodies, job.limb)) * np.linalg.norm(np.cross(line, arm), axis=-1)


def _out_of_reach(goal: ControlGoal, end: int) -> Array:
    """(T,) how much farther the target of a limb's end is than the limb is long, armature units; 0 within reach."""
    limb = next((limb for limb in goal.joints.limbs if limb[2] == end), None)
    if limb is None:
        return np.zeros(len(goal.targets.places))
    upper, middle, _ = (goal.start.bodies.places[:, joint] for joint in limb)
    tip = goal.start.bodies.places[:, end]
    length = np.linalg.norm(middle - upper, axis=-1) + np.linalg.norm(tip - middle, axis=-1)
    span = np.linalg.norm(goal.targets.places[:, end] - goal.targets.places[:, limb[0]], axis=-1)
    return np.maximum(span - length, 0.0)


class _Step:
    """All controls of one step, carriers first."""

    def __init__(self, goal: ControlGoal, now: Played, wiring: Wiring, allow: Allow, turn: int) -> None:
        self._goal = goal
        self._now = now
        self._wiring = wiring
        self._allow = allow
        self._first = len(goal.joints)
        # How bodies turn in this step, and where they end up; what nobody takes along stays.
        self._turns = np.tile(IDENTITY, (*now.bodies.turns.shape[:2], 1))
        self._places = now.bodies.places.copy()
        self._settling = turn >= _SETTLING
        if turn == 0:
            # Later the joints are where they can be; what is missing still may be out of reach.
            targets = goal.targets
            self._turns[:, : self._first] = multiply(targets.turns, conjugate(now.bodies.turns[:, : self._first]))
            self._places[:, : self._first] = targets.places

    def taken(self) -> tuple[Array, Array]:
        own, locations = self._now.own.copy(), self._now.locations.copy()
        for control in self._wiring.order:
            own[:, control], locations[:, control] = self._take(control)
        return own, locations

    def _take(self, control: int) -> tuple[Array, Array]:
        now, body = self._now, self._first + control
        job = self._wiring.jobs[control]
        carried = self._carried_turn(control)
        stays = self._carried_place(control, carried)
        own, location = now.own[:, control], now.locations[:, control]
        if job is None:
            self._turns[:, body], self._places[:, body] = carried, stays
            return own, location
        wanted = self._wanted_turn(control, job, carried)
        spin = self._in_own_frame(control, multiply(conjugate(carried), wanted))
        if isinstance(job, Swivel):
            spin = self._swivel(job)
        turned, _ = self._allow(control, multiply(own, spin), location)
        actual = multiply(carried, self._in_armature(control, multiply(conjugate(own), turned)))
        lever = np.swapaxes(rotate(carried[:, None], np.swapaxes(now.levers[:, control], -1, -2)), -1, -2)
        gap = self._wanted_place(control, job, actual, stays) - stays
        moved = location + np.linalg.solve(lever, gap[..., None])[..., 0]
        turned, moved = self._allow(control, turned, moved)
        self._turns[:, body] = actual
        self._places[:, body] = stays + (lever @ (moved - location)[..., None])[..., 0]
        return turned, moved

    def _carried_turn(self, control: int) -> Array:
        carrier = self._wiring.turn_carriers[control]
        return np.tile(IDENTITY, (len(self._turns), 1)) if carrier == NOTHING else self._turns[:, carrier]

    def _carried_place(self, control: int, carried: Array) -> Array:
        """Where a control ends up if its own channels stay as they are."""
        places, carrier = self._now.bodies.places, self._wiring.place_carriers[control]
        own = (self._now.levers[:, control] @ self._now.locations[:, control, :, None])[..., 0]
        base = places[:, self._first + control] - own
        if carrier != NOTHING:
            base = self._places[:, carrier] + rotate(self._turns[:, carrier], base - places[:, carrier])
        return base + rotate(carried, own)

    def _reference(self, job: Job) -> Bodies:
        """What a job's change is measured against: an idle control keeps its original place at the joint."""
        return self._now.bodies if job.active else self._goal.start.bodies

    def _wanted_turn(self, control: int, job: Job, carried: Array) -> Array:
        """How a control should turn, armature space."""
        if not isinstance(job, Follow) or job.turned < 0:
            return carried
        if self._settling and job.turned in self._goal.joints.between:
            return carried
        body, before = self._first + control, self._reference(job).turns
        change = multiply(self._goal.targets.turns[:, job.turned], conjugate(before[:, job.turned]))
        if job.active:
            return change
        return multiply(multiply(change, before[:, body]), conjugate(self._now.bodies.turns[:, body]))

    def _wanted_place(self, control: int, job: Job, turn: Array, stays: Array) -> Array:
        """Where a control should end up, having turned by ``turn``."""
        body, before = self._first + control, self._reference(job)
        if isinstance(job, Pole):
            old, new = _limb_frame(self._goal, before, job.limb), _limb_frame(self._goal, self._goal.targets, job.limb)
            arm = before.places[:, body] - before.places[:, job.limb[0]]
            return self._goal.targets.places[:, job.limb[0]] + rotate(multiply(new, conjugate(old)), arm)
        if isinstance(job, Swivel) or job.moved < 0:
            return stays
        arm = before.places[:, body] - before.places[:, job.moved]
        if not job.active:
            turn = multiply(multiply(turn, self._now.bodies.turns[:, body]), conjugate(before.turns[:, body]))
        return self._goal.targets.places[:, job.moved] + rotate(turn, arm)

    def _swivel(self, job: Swivel) -> Array:
        angle = _swing_left(self._goal, self._now.bodies, job.limb) / job.gain
        return from_axis_angle(np.eye(3)[job.axis], angle)

    def _in_own_frame(self, control: int, turn: Array) -> Array:
        pose = self._now.bodies.turns[:, self._first + control]
        return multiply(conjugate(pose), multiply(turn, pose))

    def _in_armature(self, control: int, spin: Array) -> Array:
        pose = self._now.bodies.turns[:, self._first + control]
        return multiply(pose, multiply(spin, conjugate(pose)))


def _put(values: Array, rows: Rows, new: Array) -> Array:
    values = values.copy()
    values[rows] = new
    return values


def _height(joints: Joints, bodies: Bodies) -> float:
    """About twice the length of the legs, which is how tall people are."""
    chains = [[joints.index[f"{side}_{name}"] for name in ("hip", "knee", "ankle")] for side in ("left", "right")]
    places = [bodies.places[:, chain] for chain in chains]
    return float(2.0 * np.mean([np.linalg.norm(np.diff(place, axis=1), axis=-1).sum(axis=-1) for place in places]))


def _line(bodies: Bodies, limb: Limb) -> tuple[Array, Array]:
    """A limb's unit direction (T, 3) from its upper joint to its end, and the way (T, 3) to its middle joint."""
    root = bodies.places[:, limb[0]]
    return normalize(bodies.places[:, limb[2]] - root), bodies.places[:, limb[1]] - root


def _bend(bodies: Bodies, limb: Limb) -> Array:
    """(T, 3) normal of a limb's plane, as long as the sine of its bend."""
    upper, middle, end = (bodies.places[:, joint] for joint in limb)
    return np.cross(normalize(middle - upper), normalize(end - middle))


def _hinge(bodies: Bodies, limb: Limb) -> Array:
    """The mean normal (3,) of a limb's plane in the frame of its upper joint, strong bends counting most."""
    return normalize(rotate(conjugate(bodies.turns[:, limb[0]]), _bend(bodies, limb)).mean(axis=0))


def _limb_frame(goal: ControlGoal, bodies: Bodies, limb: Limb) -> Array:
    """(T, 4) rotation of the plane in which a limb bends, first axis along the limb."""
    seen, known = _bend(bodies, limb), rotate(bodies.turns[:, limb[0]], goal.planes[limb])
    # Stretched or bent backwards, a limb's joints say nothing about its plane, or the opposite.
    agrees = np.sum(seen * known, axis=-1, keepdims=True) > 0.0
    normal = np.where(agrees, seen, 0.0) + _VAGUE_BEND * known
    return from_frame(_line(bodies, limb)[0], normal)


def _swing_left(goal: ControlGoal, bodies: Bodies, limb: Limb) -> Array:
    """(T,) radians that a limb's plane must still turn about the limb's line, the line itself set right first."""
    now, target = (_limb_frame(goal, which, limb) for which in (bodies, goal.targets))
    lines = (_line(which, limb)[0] for which in (bodies, goal.targets))
    aligned = multiply(swing(*lines), now)
    return to_rotation_vector(multiply(conjugate(aligned), target))[:, 0]
