# SPDX-License-Identifier: GPL-3.0-or-later
"""What a rig's controls are for, from how its bodies answer to wiggling them: no rig is known by name.

A control carries a joint (FK, torso, IK hand), or aims a limb's plane by its place (pole) or by its own turning
(swivel); and something may carry the control itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from .controls_responses import FEET, FELT, NOTHING, Bodies, Flags, Joints, Responses, Wiggle
from .rotations import normalize
from .skeleton import REQUIRED_JOINTS

# A swivel that turns the limb by less than this share of its own angle is not worth using.
_MIN_GAIN = 0.2


@dataclass(frozen=True)
class Follow:
    """A control that joints hang on.

    Attributes:
        turned: joint whose turning it takes over, -1 for none.
        moved: joint that it takes along, -1 for none.
        active: whether it moves its joints now; if not, it only stays with them (the idle side of an IK/FK switch).
    """

    turned: int
    moved: int
    active: bool = True


@dataclass(frozen=True)
class Pole:
    """A control whose place says where a limb (upper, middle and end joint) bends to."""

    limb: tuple[int, int, int]
    active: bool = True


@dataclass(frozen=True)
class Swivel:
    """A control that swings a limb about its line by turning about its own ``axis``; ``gain`` per radian."""

    limb: tuple[int, int, int]
    axis: int
    gain: float
    active: bool = True


Job = Follow | Pole | Swivel


@dataclass(frozen=True)
class Wiring:
    """What C controls are for, and what carries them.

    Attributes:
        jobs: per control, None where its keys are to be left alone.
        turn_carriers: per control the body that turns it, or ``NOTHING``.
        place_carriers: per control the body that takes it along, or ``NOTHING``.
        order: the controls, carriers before what they carry.
        reaches: per control how far turning it moves the feet, armature units per radian.
        axes: per control the own axes that it makes sense to turn it about.
    """

    jobs: tuple[Job | None, ...]
    turn_carriers: tuple[int, ...]
    place_carriers: tuple[int, ...]
    order: tuple[int, ...]
    reaches: tuple[float, ...]
    axes: tuple[tuple[int, ...], ...]

    def led(self, joints: Joints) -> set[str]:
        """Joints that the controls lead, those of IK limbs among them."""
        active = [job for job in self.jobs if isinstance(job, Follow) and job.active]
        led = {job.turned for job in active} | {job.moved for job in active}
        for limb in joints.limbs:
            if any(job.moved == limb[2] for job in active):
                led |= set(limb)
        return {joints.names[joint] for joint in led if joint >= 0}

    def turns_foot(self, control: int, joints: Joints) -> str | None:
        """The joint of a foot that a control turns, if that is what it does."""
        job = self.jobs[control]
        name = joints.names[job.turned] if isinstance(job, Follow) and job.turned >= 0 else ""
        return name if name in FEET else None

    def uncovered(self, joints: Joints) -> tuple[str, ...]:
        """Joints of a body's trunk and limbs that no control can lead."""
        led = self.led(joints)
        return tuple(name for name in REQUIRED_JOINTS if name in joints.index and name not in led)


def wire(joints: Joints, rest: Bodies, wiggles: Sequence[Wiggle], owners: Sequence[int] = ()) -> Wiring:
    """Find out what each control is for.

    Args:
        joints: the first bodies.
        rest: (N, ...) where everything was before each wiggle.
        wiggles: of all controls; a control without any is left alone.
        owners: per control the joint whose own bone it is, -1 for none.
    """
    responses = Responses(joints, rest, wiggles)
    turn_carriers, place_carriers = responses.carriers()
    follows = _follows(responses, place_carriers)
    order = np.argsort([-int(row.sum()) for row in responses.affected[:, len(joints) :]], kind="stable")
    jobs: list[Job | None] = list(_without_doubles(responses, follows, order.tolist()))
    for limb in joints.limbs:
        if any(job and job.moved == limb[2] for job in follows):
            for control, aim in _aims(responses, limb, owners or [-1] * responses.count).items():
                jobs[control] = aim
    controls = range(responses.count)
    reaches, axes = tuple(map(responses.reach, controls)), tuple(map(responses.axes, controls))
    return Wiring(tuple(jobs), turn_carriers, place_carriers, tuple(int(i) for i in order), reaches, axes)


def merged(first: Wiring, second: Wiring) -> Wiring:
    """One wiring out of two that were found on different frames: a limb that is stretched hides what moves it."""
    jobs = tuple(_both(one, other) for one, other in zip(first.jobs, second.jobs, strict=True))
    reaches = tuple(map(max, first.reaches, second.reaches))
    return replace(first, jobs=jobs, reaches=reaches, axes=shared_axes([first, second]))


def shared_axes(wirings: Sequence[Wiring]) -> tuple[tuple[int, ...], ...]:
    """Per control the axes that it makes sense to turn it about in any of the wirings."""
    return tuple(
        tuple(sorted(set[int]().union(*axes))) for axes in zip(*(wiring.axes for wiring in wirings), strict=True)
    )


def _both(first: Job | None, second: Job | None) -> Job | None:
    if not (isinstance(first, Follow) and isinstance(second, Follow)):
        return first or second
    turned = first.turned if first.turned >= 0 else second.turned
    return Follow(turned, first.moved if first.moved >= 0 else second.moved)


def shared_jobs(wirings: Sequence[Wiring]) -> tuple[Wiring, ...]:
    """The wirings of one rig with its switches in different states, where a control idle in one keeps its place.

    So the IK controls stay with the joints while FK moves them, and the other way round.
    """
    columns = zip(*(wiring.jobs for wiring in wirings), strict=True)
    known = [next((job for job in jobs if isinstance(job, Follow | Pole)), None) for jobs in columns]
    spare = [replace(job, active=False) if job else None for job in known]
    return tuple(
        replace(wiring, jobs=tuple(job or other for job, other in zip(wiring.jobs, spare, strict=True)))
        for wiring in wirings
    )


def _follows(responses: Responses, place_carriers: tuple[int, ...]) -> list[Follow | None]:
    """The joints that each control leads."""
    joints = responses.joints
    entries = [_entry(joints, row[: len(joints)]) for row in responses.carried]
    turned = [_led(responses, control, entries) for control in range(responses.count)]
    moved = [
        _taken_along(responses, control, turned[control], place_carriers[control]) for control in range(responses.count)
    ]
    follows: list[Follow | None] = []
    for control in range(responses.count):
        turns, moves = turned[control], moved[control]
        if turns >= 0 and _deeper(responses, control, np.asarray(responses.carried[:, list(joints.trunk)].all(axis=1))):
            turns = -1
        if _deeper(responses, control, responses.shifted[:, joints.index["pelvis"]]):
            moves = -1
        follows.append(Follow(turns, moves) if max(turns, moves) >= 0 else None)
    return [_alone(responses, follows, control) for control in range(responses.count)]


def _alone(responses: Responses, follows: list[Follow | None], control: int) -> Follow | None:
    """A control's job without moving what a control above it moves already."""
    follow = follows[control]
    if follow is None or follow.moved < 0:
        return follow
    body = responses.first + control
    above = (other for other in range(responses.count) if other != control and responses.affected[other, body])
    if not any((job := follows[other]) and job.moved == follow.moved for other in above):
        return follow
    return Follow(follow.turned, -1) if follow.turned >= 0 else None


def _without_doubles(responses: Responses, follows: list[Follow | None], order: list[int]) -> list[Follow | None]:
    """The jobs without those of turning a joint that a control further up turns any way it likes.

    Rigs have more than one control for many joints, and not all of them hang on one another as a whole.
    """
    found, done = list(follows), set[int]()
    for control in order:
        follow = follows[control]
        if follow is None or follow.turned < 0:
            continue
        if follow.turned in done:
            found[control] = Follow(-1, follow.moved) if follow.moved >= 0 else None
        elif len(responses.axes(control)) == len("XYZ"):
            done.add(follow.turned)
    return found


def _deeper(responses: Responses, control: int, able: Flags) -> bool:
    """Whether the control only carries others of the trunk that are as ``able`` (C,), as a root bone does."""
    trunk = list(responses.joints.trunk)
    if not (responses.carried[control, trunk].all() or responses.shifted[control, trunk].all()):
        return False
    affected = responses.affected[control, responses.first :]
    back = responses.affected[:, responses.first + control]
    whole = responses.carried[:, trunk].all(axis=1) | responses.shifted[:, trunk].all(axis=1)
    return bool(np.any(able & whole & affected & ~back))


def _entry(joints: Joints, carried: Flags) -> int:
    """Where a control takes hold: the uppermost joint of the largest part that it carries, -1 for none."""
    tops = [j for j, parent in enumerate(joints.parents) if carried[j] and not (parent >= 0 and carried[parent])]
    return max(tops, key=lambda top: (len(_below(joints, carried, top)), -top), default=-1)


def _below(joints: Joints, carried: Flags, top: int) -> list[int]:
    """The carried joints from ``top`` down without a gap, nearest first."""
    found = [top]
    for joint, parent in enumerate(joints.parents):
        if carried[joint] and parent in found:
            found.append(joint)
    return found


def _led(responses: Responses, control: int, entries: list[int]) -> int:
    """The joint that a control turns with: where most hangs on, of those that no control below it carries too."""
    if entries[control] < 0:
        return -1
    joints, first = responses.joints, responses.first
    below = responses.affected[control, first:] & ~responses.affected[:, first + control]
    taken = np.asarray(responses.carried[below].any(axis=0))
    # Hips and chest of a spine that bends between them leave its middle to the torso.
    free = [joint for joint in _below(joints, responses.carried[control], entries[control]) if not taken[joint]]
    return max(free or [entries[control]], key=lambda joint: (joints.children(joint), -joint))


def _taken_along(responses: Responses, control: int, turned: int, place_carrier: int) -> int:
    """The joint that a control moves: the pelvis, an IK limb's end, or what nothing else holds in place."""
    joints = responses.joints
    shifted = responses.shifted[control, : len(joints)]
    if shifted[joints.index["pelvis"]]:
        return joints.index["pelvis"]
    ends = [e for _, b, e in joints.limbs if shifted[e] and not shifted[b] and responses.bends(control, b)]
    if len(ends) == 1:
        return ends[0]
    return turned if turned >= 0 and shifted[turned] and place_carrier == NOTHING else -1


def _aims(responses: Responses, limb: tuple[int, int, int], owners: Sequence[int]) -> dict[int, Pole | Swivel]:
    """Controls that swing an IK limb about the line from its upper joint to its end."""
    # A bone that inverse kinematics bends says with its keys only from where on: it answers by leaps.
    others = [control for control in range(responses.count) if owners[control] not in limb[:2]]
    poles = [control for control in others if _swings(responses, responses.of(control, turns=False), limb)]
    if poles:
        return {control: Pole(limb) for control in poles}
    # One is enough, and two would both do the whole work.
    swivels = {control: swivel for control in others if (swivel := _swivel(responses, control, limb))}
    best = max(swivels, key=lambda control: abs(swivels[control].gain), default=-1)
    return {best: swivels[best]} if swivels else {}


def _swivel(responses: Responses, control: int, limb: tuple[int, int, int]) -> Swivel | None:
    """How a control's own turning swings a limb, if it does."""
    rows = responses.of(control, turns=True)
    if not _swings(responses, rows, limb):
        return None
    line = normalize(responses.rest.places[limb[2]] - responses.rest.places[limb[0]])
    gains = [float(responses.turns[row, limb[0]] @ line) / responses.wiggles[row].angle for row in rows]
    best = int(np.argmax(np.abs(gains)))
    return Swivel(limb, responses.wiggles[rows[best]].axis, gains[best]) if abs(gains[best]) > _MIN_GAIN else None


def _swings(responses: Responses, rows: list[int], limb: tuple[int, int, int]) -> bool:
    """Whether the wiggles turn a limb about its line and leave both its ends in place."""
    upper, _, end = limb
    if not rows:
        return False
    line = normalize(responses.rest.places[end] - responses.rest.places[upper])
    about = np.abs(responses.turns[rows, upper] @ line).max()
    drift = np.linalg.norm(responses.moves[rows][:, [upper, end]], axis=-1).max()
    return bool(about > FELT * 10.0 and drift < FELT * responses.size)
