# SPDX-License-Identifier: GPL-3.0-or-later
"""What wiggling a rig's controls does to its joints.

Bodies are the mapped joints, in the order of ``Joints.names``, followed by the controls; all in armature space.
A wiggle turns one control a little about one of its own axes, or moves it, and says where all bodies went.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from .rotations import Array, conjugate, from_rotation_vector, multiply, rotate, to_rotation_vector
from .skeleton import JOINTS, joints_above

Flags = NDArray[np.bool_]
Rows = NDArray[np.intp]

NOTHING = -1
"""Carrier of a control that hangs on nothing that moves."""

LIMBS: tuple[tuple[str, str, str], ...] = tuple(
    (f"{side}_{a}", f"{side}_{b}", f"{side}_{c}")
    for side in ("left", "right")
    for a, b, c in (("hip", "knee", "ankle"), ("shoulder", "elbow", "wrist"))
)

FEET: tuple[str, ...] = ("left_ankle", "right_ankle", "left_foot", "right_foot")
"""Joints that contacts with the floor are about."""

# Responses that differ from the wiggle by less than this share of it are the wiggle.
_SAME = 0.1
# A control that turns by less than this share of what it was told to is at a limit.
_LIMITED = 0.2
# Below this share of a turn a joint has only got the crumbs of it, as of an Euler angle that another one couples with.
_FAINT = 0.05
# Radians, or shares of the body's height, below which a body counts as unmoved.
FELT = 1e-3


@dataclass(frozen=True)
class Bodies:
    """Rigid places of N bodies: ``turns`` (..., N, 4) unit quaternions and ``places`` (..., N, 3)."""

    turns: Array
    places: Array

    def at(self, rows: Rows) -> "Bodies":
        """Some entries of the first axis."""
        return Bodies(self.turns[rows], self.places[rows])


@dataclass(frozen=True)
class Wiggle:
    """What one small change of one control did.

    Attributes:
        control: index among the controls.
        axis: own axis that it was turned about, 0 to 2, or -1 if it was moved.
        angle: radians that it was turned by, 0 if it was moved.
        after: where all bodies were afterwards, (N, ...).
    """

    control: int
    axis: int
    angle: float
    after: Bodies


@dataclass(frozen=True)
class Joints:
    """The mapped joints, parents before children."""

    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.names)

    @cached_property
    def index(self) -> dict[str, int]:
        """Joint name to index."""
        return {name: i for i, name in enumerate(self.names)}

    @cached_property
    def parents(self) -> tuple[int, ...]:
        """Index of the nearest mapped joint above, -1 for none."""
        return tuple(self._above(name) for name in self.names)

    @cached_property
    def limbs(self) -> tuple[tuple[int, int, int], ...]:
        """Upper, middle and end joint of the arms and legs that are mapped to their ends."""
        known = [limb for limb in LIMBS if set(limb) <= set(self.names)]
        return tuple((self.index[a], self.index[b], self.index[c]) for a, b, c in known)

    @cached_property
    def trunk(self) -> tuple[int, ...]:
        """The pelvis and the joint that the arms hang on."""
        arms = {self._above(name) for name in self.names if name.endswith(("collar", "shoulder"))}
        above = [joint for joint in arms if joint >= 0 and not self.names[joint].endswith("collar")]
        return (self.index["pelvis"], *above)

    @cached_property
    def between(self) -> frozenset[int]:
        """Spine joints between pelvis and arms, which many rigs bend by a rule of their own."""
        spine = {self.index[name] for name in self.names if name.startswith("spine")}
        return frozenset(spine.difference(self.trunk))

    def children(self, joint: int) -> int:
        """How many mapped joints hang directly on a joint."""
        return self.parents.count(joint)

    def _above(self, name: str) -> int:
        return next((self.index[above] for above in joints_above(name) if above in self.index), -1)


def sorted_joints(bones: Iterable[str]) -> Joints:
    """The joints of a bone map, parents before children."""
    known = set(bones)
    return Joints(tuple(name for name in JOINTS if name in known))


class Responses:
    """The wiggles of C controls as yes-or-no answers about N bodies."""

    def __init__(self, joints: Joints, rest: Bodies, wiggles: Sequence[Wiggle]) -> None:
        self.joints = joints
        self.rest = rest
        self.wiggles = wiggles
        self.first = len(joints)
        self.count = rest.turns.shape[0] - len(joints)
        self.turns = np.stack([_turned(rest, wiggle.after) for wiggle in wiggles])
        self.moves = np.stack([wiggle.after.places - rest.places for wiggle in wiggles])
        self.size = float(np.ptp(rest.places[: self.first], axis=0).max())
        self.carried = np.stack([self._carried(control) for control in range(self.count)])
        self.shifted = np.stack([self._shifted(control) for control in range(self.count)])
        self.affected = np.stack([self._affected(control) for control in range(self.count)])

    def of(self, control: int, *, turns: bool) -> list[int]:
        """Indices of a control's wiggles of one kind that moved the control itself, and joints if any of them did."""
        rows = [i for i, wiggle in enumerate(self.wiggles) if wiggle.control == control and (wiggle.axis >= 0) == turns]
        rows = [row for row in rows if self._worked(row)]
        # Bones that copy one axis of a control follow it nonetheless.
        return [row for row in rows if self._felt(row)] or rows

    def axes(self, control: int) -> tuple[int, ...]:
        """Own axes that it makes sense to turn the control about."""
        return tuple(self.wiggles[row].axis for row in self.of(control, turns=True))

    def _worked(self, row: int) -> bool:
        wiggle, body = self.wiggles[row], self.first + self.wiggles[row].control
        if wiggle.axis >= 0:
            return float(np.linalg.norm(self.turns[row, body])) > _LIMITED * abs(wiggle.angle)
        return float(np.linalg.norm(self.moves[row, body])) > 1e-4 * self.size

    def _felt(self, row: int) -> bool:
        turned = np.linalg.norm(self.turns[row, : self.first], axis=-1).max()
        moved = np.linalg.norm(self.moves[row, : self.first], axis=-1).max()
        faint = _FAINT * abs(self.wiggles[row].angle)
        return bool(turned > max(faint, FELT) or moved > max(faint, FELT) * self.size)

    def _carried(self, control: int) -> Flags:
        """(N,) whether a body turns with the control about each axis that it can turn about."""
        rows = self.of(control, turns=True)
        own = self.turns[rows, self.first + control, None]
        gap = np.linalg.norm(self.turns[rows] - own, axis=-1)
        return np.all(gap < _SAME * np.linalg.norm(own, axis=-1), axis=0) & bool(rows)

    def _shifted(self, control: int) -> Flags:
        """(N,) whether a body moves with the control."""
        rows = self.of(control, turns=False)
        own = self.moves[rows, self.first + control, None]
        gap = np.linalg.norm(self.moves[rows] - own, axis=-1)
        return np.all(gap < _SAME * np.linalg.norm(own, axis=-1), axis=0) & bool(rows)

    def _affected(self, control: int) -> Flags:
        """(N,) whether the control moves or turns a body at all."""
        rows = [i for i, wiggle in enumerate(self.wiggles) if wiggle.control == control]
        turned = np.linalg.norm(self.turns[rows], axis=-1) > FELT
        moved = np.linalg.norm(self.moves[rows], axis=-1) > FELT * self.size
        return np.any(turned | moved, axis=0)

    def bends(self, control: int, joint: int) -> bool:
        """Whether moving the control turns a joint, as an IK target does."""
        rows = self.of(control, turns=False)
        return bool(np.any(np.linalg.norm(self.turns[rows, joint], axis=-1) > FELT))

    def reach(self, control: int) -> float:
        """How far turning the control moves the feet, armature units per radian; 0 if it does not."""
        feet = [self.joints.index[name] for name in FEET if name in self.joints.index]
        rows = self.of(control, turns=True)
        moved = np.linalg.norm(self.moves[rows][:, feet], axis=-1)
        moved[moved < FELT * self.size] = 0.0
        angles = np.abs([self.wiggles[row].angle for row in rows])
        return float((moved / angles[:, None]).max(initial=0.0))

    def carriers(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """What turns each control, and what takes it along."""
        found = [self._carrier(control) for control in range(self.count)]
        return tuple(turn for turn, _ in found), tuple(place for _, place in found)

    def _carrier(self, control: int) -> tuple[int, int]:
        body = self.first + control
        rows = [i for i, wiggle in enumerate(self.wiggles) if wiggle.control != control]
        # What the control itself moves cannot carry it.
        free = [n for n in range(len(self.rest.turns)) if n != body and not self.affected[control, n]]
        # Controls first: where they will be is known, where a joint will be is only hoped for.
        free.sort(key=lambda n: n < self.first)
        turn_gaps = np.linalg.norm(self.turns[rows][:, [body]] - self.turns[rows][:, free], axis=-1)
        offset = self.rest.places[body] - self.rest.places[free]
        carried = self.moves[rows][:, free] + rotate(from_rotation_vector(self.turns[rows][:, free]), offset) - offset
        place_gaps = np.linalg.norm(self.moves[rows][:, [body]] - carried, axis=-1)
        turn = _best(np.linalg.norm(self.turns[rows, body], axis=-1), turn_gaps, FELT)
        place = _best(np.linalg.norm(self.moves[rows, body], axis=-1), place_gaps, FELT * self.size)
        return (NOTHING if turn < 0 else free[turn]), (NOTHING if place < 0 else free[place])


def _best(still: Array, gaps: Array, tolerance: float) -> int:
    """Column of ``gaps`` (W, M) that explains the movement best, -1 if being still does; the first of equals."""
    costs = np.sqrt(np.square(np.column_stack([still, gaps])).sum(axis=0))
    return int(np.flatnonzero(costs <= costs.min() + tolerance)[0]) - 1


def _turned(before: Bodies, after: Bodies) -> Array:
    """(..., N, 3) rotation vectors of how far bodies turned, armature space."""
    return to_rotation_vector(multiply(after.turns, conjugate(before.turns)))
