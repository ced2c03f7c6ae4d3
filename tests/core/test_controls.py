# SPDX-License-Identifier: GPL-3.0-or-later
"""What controls are for is found out by wiggling; steps then bring the joints home. The rigs here are arithmetic."""

import itertools
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pytest

from core.controls_responses import NOTHING, Bodies, Joints, Wiggle, sorted_joints
from core.controls_solving import ControlGoal, Played, advance, control_goal, missed, moved_like, shortfall
from core.controls_wiring import Follow, Pole, Wiring, merged, shared_jobs, wire
from core.rotations import (
    IDENTITY,
    Array,
    angle_between,
    conjugate,
    from_axis_angle,
    from_frame,
    from_rotation_vector,
    multiply,
    normalize,
    rotate,
)
from core.skeleton import CANONICAL, JOINTS

ANGLE, MOVE = 0.1, 0.04
LEG = ("left_hip", "left_knee", "left_ankle")
FREE = (True,) * 99


@dataclass
class Puppet:
    """A body whose joints turn with FK controls of the same names, but for a left leg that follows IK.

    ``turns`` and ``moves`` (T, ...) are the channels: of the controls, by name. The foot control and the pole hang on
    nothing but the root; the pelvis control too.
    """

    turns: dict[str, Array]
    moves: dict[str, Array]

    @classmethod
    def walking(cls, frames: int) -> "Puppet":
        rng = np.random.default_rng(4)
        swing = np.sin(np.linspace(0.0, 5.0, frames))[:, None]
        turns = {name: from_rotation_vector(swing * rng.normal(0.0, 0.12, 3)) for name in cls.names()}
        moves = {name: np.zeros((frames, 3)) for name in cls.names()}
        moves["pelvis"] = swing * np.array([0.05, 0.0, 0.1])
        moves["foot"] = swing * np.array([0.0, 0.05, 0.1]) + np.array([0.0, 0.2, 0.1])
        return cls(turns, moves)

    @staticmethod
    def names() -> list[str]:
        return ["root", *(joint for joint in JOINTS if joint not in LEG), "foot", "pole"]

    def changed(self, name: str, turn: Array, move: Array) -> "Puppet":
        turns = self.turns | {name: multiply(self.turns[name], np.broadcast_to(turn, self.turns[name].shape))}
        return Puppet(turns, self.moves | {name: self.moves[name] + move})

    def played(self) -> Played:
        names = self.names()
        bodies = self._bodies()
        turns = np.stack([bodies[name][0] for name in (*JOINTS, *(f"c.{name}" for name in names))], axis=1)
        places = np.stack([bodies[name][1] for name in (*JOINTS, *(f"c.{name}" for name in names))], axis=1)
        own = np.stack([self.turns[name] for name in names], axis=1)
        locations = np.stack([self.moves[name] for name in names], axis=1)
        # All controls rest along the world's axes, so a location is in the frame of what carries the control.
        carried = multiply(turns[:, len(JOINTS) :], conjugate(own))
        levers = np.stack([rotate(carried, np.broadcast_to(axis, (*carried.shape[:2], 3))) for axis in np.eye(3)], -1)
        return Played(Bodies(turns, places), own, locations, levers)

    def _bodies(self) -> dict[str, tuple[Array, Array]]:
        count = len(self.turns["root"])
        ground = (np.tile(IDENTITY, (count, 1)), np.zeros((count, 3)))
        found = {"c.root": self._hung("root", ground, np.zeros(3))}
        root = found["c.root"]
        found["c.pelvis"] = found["pelvis"] = self._hung("pelvis", root, np.array([0.0, 1.0, 0.0]))
        found["c.foot"] = self._hung("foot", root, np.array([0.07, 0.2, 0.0]))
        found["c.pole"] = self._hung("pole", root, np.array([0.1, 0.6, 1.0]))
        for index, name in enumerate(JOINTS[1:], start=1):
            parent = next(JOINTS[p] for j, p in enumerate(Joints(JOINTS).parents) if j == index)
            if name in LEG:
                found |= self._leg(found) if name == LEG[0] else {}
            else:
                found[f"c.{name}"] = found[name] = self._hung(name, found[parent], CANONICAL.offsets[index])
        return found

    def _hung(self, name: str, carrier: tuple[Array, Array], offset: Array) -> tuple[Array, Array]:
        place = carrier[1] + rotate(carrier[0], offset + self.moves[name])
        return multiply(carrier[0], self.turns[name]), place

    def _leg(self, found: dict[str, tuple[Array, Array]]) -> dict[str, tuple[Array, Array]]:
        """Two bones by the law of cosines, bent towards the pole; the ankle turns with its control."""
        offsets = {name: CANONICAL.offsets[JOINTS.index(name)] for name in LEG}
        hip = found["pelvis"][1] + rotate(found["pelvis"][0], offsets["left_hip"])
        upper, lower = (float(np.linalg.norm(offsets[name])) for name in LEG[1:])
        line = found["c.foot"][1] - hip
        span = np.clip(np.linalg.norm(line, axis=-1), abs(upper - lower) + 1e-6, upper + lower - 1e-6)
        along = normalize(line)
        reach = (upper**2 - lower**2 + span**2) / (2.0 * span)
        towards = found["c.pole"][1] - hip
        out = normalize(towards - along * np.sum(towards * along, axis=-1, keepdims=True))
        knee = hip + along * reach[:, None] + out * np.sqrt(upper**2 - reach**2)[:, None]
        ankle = hip + along * span[:, None]
        side = np.cross(along, out)
        return {
            "left_hip": (from_frame(knee - hip, side), hip),
            "left_knee": (from_frame(ankle - knee, side), knee),
            "left_ankle": (found["c.foot"][0], ankle),
        }


@cache
def wiggled() -> Wiring:
    """The wiring, from the first frame."""
    puppet = Puppet.walking(20)
    still = Puppet({k: v[:1] for k, v in puppet.turns.items()}, {k: v[:1] for k, v in puppet.moves.items()})
    wiggles: list[Wiggle] = []
    for control, name in enumerate(Puppet.names()):
        for axis in range(3):
            after = still.changed(name, from_axis_angle(np.eye(3)[axis], np.array(ANGLE)), np.zeros(3)).played()
            wiggles.append(Wiggle(control, axis, ANGLE, first(after)))
        for way in np.eye(3):
            wiggles.append(Wiggle(control, -1, 0.0, first(still.changed(name, IDENTITY, MOVE * way).played())))
    return wire(sorted_joints(JOINTS), first(still.played()), wiggles)


def first(played: Played) -> Bodies:
    return Bodies(played.bodies.turns[0], played.bodies.places[0])


def job_of(wiring: Wiring, name: str) -> object:
    return wiring.jobs[Puppet.names().index(name)]


def joint(name: str) -> int:
    return JOINTS.index(name)


def test_jobs_and_carriers() -> None:
    wiring = wiggled()
    assert wiring.uncovered(sorted_joints(JOINTS)) == ()
    assert job_of(wiring, "root") is None
    assert job_of(wiring, "pelvis") == Follow(joint("pelvis"), joint("pelvis"))
    assert job_of(wiring, "foot") == Follow(joint("left_ankle"), joint("left_ankle"))
    assert job_of(wiring, "pole") == Pole((joint("left_hip"), joint("left_knee"), joint("left_ankle")))
    for name in ("spine2", "right_knee", "left_elbow", "head"):
        assert job_of(wiring, name) == Follow(joint(name), -1)
    carriers = dict(zip(Puppet.names(), wiring.turn_carriers, strict=True))
    assert carriers["root"] == NOTHING
    assert carriers["foot"] == carriers["pole"] == carriers["pelvis"] == len(JOINTS)
    assert carriers["left_elbow"] == len(JOINTS) + Puppet.names().index("left_shoulder")
    place = {name: wiring.order.index(control) for control, name in enumerate(Puppet.names())}
    assert place["root"] < place["pelvis"] < place["spine1"] < place["left_shoulder"] < place["left_elbow"]


def test_reach_is_how_far_turning_moves_the_feet() -> None:
    reaches = dict(zip(Puppet.names(), wiggled().reaches, strict=True))
    shin = float(np.linalg.norm(CANONICAL.offsets[joint("right_ankle")]))
    foot = float(np.linalg.norm(CANONICAL.offsets[joint("right_foot")]))
    assert shin < reaches["right_knee"] <= shin + foot
    assert reaches["right_hip"] > reaches["right_knee"]
    assert abs(reaches["right_ankle"] - foot) < 0.01 * foot
    # The foot that is held by IK turns in place and takes its toes along.
    assert abs(reaches["foot"] - foot) < 0.01 * foot
    assert reaches["head"] == reaches["left_shoulder"] == reaches["pole"] == 0.0


def goal_of(puppet: Puppet, other: Puppet) -> ControlGoal:
    start, end = puppet.played(), other.played()
    count = len(JOINTS)
    before, after = (Bodies(p.bodies.turns[:, :count], p.bodies.places[:, :count]) for p in (start, end))
    return control_goal(sorted_joints(JOINTS), start, moved_like(sorted_joints(JOINTS), before, before, after))


def follow(puppet: Puppet, goal: ControlGoal, wiring: Wiring, held: str = "") -> Puppet:
    """Steps until nothing moves any more; the channels of ``held`` stay."""
    names = Puppet.names()

    def allow(control: int, own: Array, locations: Array) -> tuple[Array, Array]:
        stays = names[control] == held
        return (puppet.turns[held], puppet.moves[held]) if stays else (own, locations)

    now = puppet
    for turn in range(6):
        own, locations = advance(goal, now.played(), wiring, allow, turn)
        now = Puppet(
            {name: own[:, control] for control, name in enumerate(names)},
            {name: locations[:, control] for control, name in enumerate(names)},
        )
    return now


def styled(puppet: Puppet) -> Puppet:
    """Another way to move, with everything changed but the root."""
    rng = np.random.default_rng(9)
    for name in Puppet.names()[1:]:
        puppet = puppet.changed(name, from_rotation_vector(rng.normal(0.0, 0.1, 3)), np.zeros(3))
    puppet = puppet.changed("pelvis", IDENTITY, np.array([0.02, -0.05, 0.0]))
    puppet = puppet.changed("foot", IDENTITY, np.array([0.05, 0.03, 0.02]))
    return puppet.changed("pole", IDENTITY, np.array([0.4, 0.0, 0.0]))


def test_joints_reach_their_targets() -> None:
    puppet = Puppet.walking(20)
    goal, wiring = goal_of(puppet, styled(puppet)), wiggled()
    assert shortfall(goal, goal.start, wiring).max(axis=1).min() > 5.0
    found = follow(puppet, goal, wiring)
    shown = found.played()
    assert shortfall(goal, shown, wiring).max() < 0.1
    assert np.degrees(angle_between(shown.bodies.turns[:, : len(JOINTS)], goal.targets.turns)).max() < 0.3
    assert np.abs(shown.bodies.places[:, : len(JOINTS)] - goal.targets.places).max() < 0.003
    assert not any(mask.any() for mask in missed(goal, shown, wiring, FREE[: len(wiring.jobs)]).values())
    # FK controls and the root stay where they are on their carriers.
    for name in ("root", "spine1", "left_elbow", "right_knee"):
        assert np.abs(found.moves[name] - puppet.moves[name]).max() < 1e-9


def test_nothing_asked_is_nothing_changed() -> None:
    puppet = Puppet.walking(12)
    goal, wiring = goal_of(puppet, puppet), wiggled()
    assert shortfall(goal, goal.start, wiring).max() < 1e-5
    found = follow(puppet, goal, wiring)
    for name in Puppet.names():
        assert angle_between(found.turns[name], puppet.turns[name]).max() < 1e-6
        assert np.abs(found.moves[name] - puppet.moves[name]).max() < 1e-6


def test_a_held_control_is_made_up_for_below_it() -> None:
    puppet = Puppet.walking(12)
    goal, wiring = goal_of(puppet, styled(puppet)), wiggled()
    shown = follow(puppet, goal, wiring, held="right_knee").played()
    missing = np.degrees(angle_between(shown.bodies.turns[:, : len(JOINTS)], goal.targets.turns)).max(axis=0)
    assert missing[joint("right_knee")] > 1.0
    assert missing[joint("right_ankle")] < 0.1
    off = missed(goal, shown, wiring, tuple(name != "right_knee" for name in Puppet.names()))
    assert not any(mask.any() for mask in off.values())


def test_a_leg_without_a_control_is_not_covered() -> None:
    wiring = wiggled()
    jobs = tuple(job if name != "foot" else None for job, name in zip(wiring.jobs, Puppet.names(), strict=True))
    bare = replace(wiring, jobs=jobs)
    assert set(bare.uncovered(sorted_joints(JOINTS))) == set(LEG)
    assert merged(bare, wiring).jobs == wiring.jobs
    shared, _ = shared_jobs([bare, wiring])
    assert job_of(shared, "foot") == Follow(joint("left_ankle"), joint("left_ankle"), active=False)


def test_an_idle_control_stays_with_its_joint() -> None:
    puppet = Puppet.walking(12)
    goal, wiring = goal_of(puppet, styled(puppet)), wiggled()
    jobs = tuple(
        Follow(job.turned, job.moved, active=False) if isinstance(job, Follow) and name == "head" else job
        for job, name in zip(wiring.jobs, Puppet.names(), strict=True)
    )
    idle = replace(wiring, jobs=jobs)
    shown = follow(puppet, goal, idle).played()
    assert (
        np.degrees(angle_between(shown.bodies.turns[:, joint("head")], goal.targets.turns[:, joint("head")])).max()
        < 0.1
    )


@pytest.mark.parametrize(("one", "other"), list(itertools.combinations(["spine1", "left_collar", "right_hip"], 2)))
def test_targets_hang_on_their_joints(one: str, other: str) -> None:
    """Whatever the bones are children of, a joint keeps its place in the frame of the joint above."""
    puppet = Puppet.walking(6)
    goal = goal_of(puppet, styled(puppet))
    joints, start = sorted_joints(JOINTS), goal.start.bodies
    for name in (one, other):
        child, parent = joint(name), joints.parents[joint(name)]
        arms = [
            rotate(conjugate(bodies.turns[:, parent]), bodies.places[:, child] - bodies.places[:, parent])
            for bodies in (start, goal.targets)
        ]
        assert np.abs(arms[0] - arms[1]).max() < 1e-9
