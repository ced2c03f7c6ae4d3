# SPDX-License-Identifier: GPL-3.0-or-later
"""Wiggling controls on one frame, to see what moves; afterwards all is as it was."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Final, TypeVar

import bpy
import numpy as np

from ...backend import Bodies, Progress, Steps, Wiggle, bodies_of, rotations, scaled
from ..pace import LONG, Pace
from ..rotation_modes import turned
from ..stepping import scene_kept
from .channels import Channels

T = TypeVar("T")
Array = rotations.Array
Trials = Steps[T]
"""Work on one frame: between two of its steps nothing is changed but the frame of the scene."""

# Radians, and shares of the body's size: small enough to be alike in all directions, large enough for single precision.
_ANGLE: Final = 0.1
_MOVE: Final = 0.02
# A joint that all of this together moves less, of its size or in quaternions, is not moved.
_FELT: Final = 1e-4


@dataclass(frozen=True)
class Bench:
    """An armature on the frame on which it is wiggled; ``joints`` are the mapped bones, the pelvis first."""

    context: bpy.types.Context
    armature: bpy.types.Object
    joints: tuple[str, ...]

    def rest(self, frame: float, names: Sequence[str] = ()) -> Bodies:
        """Where the joints, and the named bones after them, are on a frame."""
        with scene_kept(self.context, self.armature):
            self._go(frame)
            return self._look(names)

    def steps(self, frame: float, trials: Trials[T]) -> Steps[T]:
        """Run ``trials`` on a frame; between steps the scene is on the frame where it was."""
        while True:
            pace = Pace(LONG)
            with scene_kept(self.context, self.armature):
                self._go(frame)
                while True:
                    try:
                        progress = next(trials)
                    except StopIteration as end:
                        return end.value
                    if pace.is_over:
                        break
            yield progress

    def _go(self, frame: float) -> None:
        whole = int(np.floor(frame))
        self.context.scene.frame_set(whole, subframe=frame - whole)

    def _look(self, names: Sequence[str] = ()) -> Bodies:
        """Where the joints, and the named bones after them, are now."""
        self.context.view_layer.update()
        bones = self.armature.evaluated_get(self.context.evaluated_depsgraph_get()).pose.bones
        return bodies_of(np.array([bones[name].matrix for name in (*self.joints, *names)], dtype=np.float64))

    def that_matter(self, controls: Sequence[Channels], rest: Bodies) -> Trials[list[Channels]]:
        """Those that do anything to the joints, found by halves: faces and hands have hundreds that do not."""
        matter = bool(controls) and self._matter(controls, rest)
        yield Progress(0.0, "Trying controls")
        if not matter or len(controls) == 1:
            return list(controls) if matter else []
        middle = len(controls) // 2
        first = yield from scaled(self.that_matter(controls[:middle], rest), 0.0, 0.5)
        return first + (yield from scaled(self.that_matter(controls[middle:], rest), 0.5, 1.0))

    def _matter(self, controls: Sequence[Channels], rest: Bodies) -> bool:
        """Whether turning and moving all of the controls at once does anything to the joints."""
        with ExitStack() as kept:
            for control in controls:
                bone = kept.enter_context(self._kept(control))
                for axis in control.free_axes:
                    _turn(bone, control, axis)
                if control.moves:
                    self._move(bone, np.full(3, _MOVE * _size(rest)))
            after = self._look()
        turned = np.abs(after.turns - rest.turns).max()
        return bool(max(turned, np.abs(after.places - rest.places).max() / _size(rest)) > _FELT)

    def wiggles(self, controls: Sequence[Channels], rest: Bodies) -> Trials[list[Wiggle]]:
        """All that the controls can do, one after another."""
        names, found = [control.bone for control in controls], []
        for index, control in enumerate(controls):
            progress = Progress(index / len(controls), "Trying controls")
            for axis in control.free_axes:
                found.append(self._turned(control, index, axis, rest, names))
                yield progress
            for way in self._ways(rest, len(self.joints) + index) if control.moves else ():
                with self._kept(control) as bone:
                    self._move(bone, way)
                    found.append(Wiggle(index, -1, 0.0, self._look(names)))
                yield progress
        return found

    def _turned(self, control: Channels, index: int, axis: int, rest: Bodies, names: list[str]) -> Wiggle:
        """One turn, the other way round if the control is at a limit."""
        body = len(self.joints) + index
        for angle in (_ANGLE, -_ANGLE):
            with self._kept(control) as bone:
                _turn(bone, control, axis, angle)
                after = self._look(names)
            if rotations.angle_between(after.turns[body], rest.turns[body]) > _ANGLE / 2.0:
                break
        return Wiggle(index, axis, angle, after)

    def _ways(self, rest: Bodies, body: int) -> list[Array]:
        """Ways (3,) to move a body: towards the pelvis, so that no limb is overstretched, and across it."""
        towards = rest.places[0] - rest.places[body]
        if np.linalg.norm(towards) < _MOVE * _size(rest):
            towards = np.array([0.0, 0.0, 1.0])
        across = np.cross(towards, np.eye(3)[np.argmin(np.abs(towards))])
        ways = (towards, across, np.cross(towards, across))
        return [rotations.normalize(way) * _MOVE * _size(rest) for way in ways]

    def _move(self, bone: bpy.types.PoseBone, way: Array) -> None:
        """Move a bone by about ``way``, armature space."""
        axes = np.array(bone.matrix, dtype=np.float64)[:3, :3]
        basis = np.array(bone.matrix_basis, dtype=np.float64)[:3, :3]
        bone.location = (np.array(bone.location) + np.linalg.solve(axes @ np.linalg.inv(basis), way)).tolist()

    @contextmanager
    def _kept(self, control: Channels) -> Iterator[bpy.types.PoseBone]:
        bone = self.armature.pose.bones[control.bone]
        name = control.rotation_property[0]
        rotation, location = tuple(getattr(bone, name)), tuple(bone.location)
        try:
            yield bone
        finally:
            setattr(bone, name, rotation)
            bone.location = location


def _turn(bone: bpy.types.PoseBone, control: Channels, axis: int, angle: float = _ANGLE) -> None:
    """Turn a bone a little about one of its own axes."""
    name, width = control.rotation_property
    own = np.zeros((1, 1, 4))
    own[0, 0, :width] = getattr(bone, name)
    spin = rotations.from_axis_angle(np.eye(3)[axis], np.array([[angle]]))
    setattr(bone, name, turned(own, (control.mode,), spin)[0, 0, :width].tolist())


def _size(bodies: Bodies) -> float:
    return float(np.ptp(bodies.places, axis=0).max())
