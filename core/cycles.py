# SPDX-License-Identifier: GPL-3.0-or-later
"""Clips that repeat: shown to the network between their own repetitions, and closed again after it.

A cycle may travel and turn: its last frame is its first one moved over the floor, and so are all of its repetitions.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .kinematics import to_global, to_local
from .motion import Motion
from .rotations import ON_FLOOR, UP, Array, conjugate, multiply, rotate, slerp, yaw_quaternion

# So much of the neighbouring repetitions is added on either side, seconds.
_MARGIN = 2.0
# The last part of the cycle goes over into what came before its first frame, share of the cycle, and at most seconds.
_CLOSING_SHARE, _MAX_CLOSING = 0.3, 0.5


@dataclass(frozen=True)
class Cycle:
    """One repetition of a clip, whose last frame is the first of the next one."""

    motion: Motion

    @property
    def steps(self) -> int:
        """Frames of a repetition, the last one not counted."""
        return len(self.motion) - 1

    @cached_property
    def margin(self) -> int:
        """Frames that are added on either side."""
        return int(np.ceil(_MARGIN / self.period * self.steps))

    @property
    def period(self) -> float:
        """Seconds of a repetition."""
        return float(self.motion.times[-1] - self.motion.times[0])

    @property
    def middle(self) -> slice:
        """Where the clip itself lies in :meth:`repeated`."""
        return slice(self.margin, self.margin + len(self.motion))

    def repeated(self) -> Motion:
        """The clip with its repetitions before and after, the clip itself to the last digit."""
        frames = np.arange(-self.margin, self.steps + 1 + self.margin)
        rounds = np.floor_divide(frames, self.steps)
        rounds[self.middle] = 0
        inside = frames - rounds * self.steps
        motion = self.motion
        turn, way = self._round()
        root, rotations = motion.root[inside].copy(), motion.rotations[inside].copy()
        for number in np.unique(rounds[rounds != 0]):
            chosen = rounds == number
            root[chosen], rotations[chosen] = _moved(root[chosen], rotations[chosen], turn, way, int(number))
        return Motion(motion.times[inside] + rounds * self.period, root, rotations, motion.skeleton)

    def close(self, styled: Motion, original: Motion) -> Motion:
        """The clip's own frames of ``styled``, changed as :meth:`repeated` was, so that it repeats as the clip did.

        Towards its end, what was changed about the clip goes over into what was changed one repetition before.
        """
        change = multiply(conjugate(to_local(original.rotations)), to_local(styled.rotations))
        raised = (styled.root - original.root) @ UP
        weight = self._closing()
        ending = np.flatnonzero(weight)
        now = self.margin + ending
        # Long clips are repeated in part only: of the repetition before, the frames at its end are there.
        before = now - self.steps
        local = multiply(to_local(original.rotations[now]), slerp(change[now], change[before], weight[ending, None]))
        root, rotations = styled.root[self.middle].copy(), styled.rotations[self.middle].copy()
        rotations[ending] = to_global(local)
        root[ending] += (weight[ending] * (raised[before] - raised[now]))[:, None] * UP
        # The repetitions before have led the path astray: the clip begins where it began.
        root += (original.root - styled.root)[self.margin] * ON_FLOOR
        return self.motion.with_pose(root, rotations)

    def _closing(self) -> Array:
        """(T,) 0, and towards the end of the clip up to 1, with no slope at either end."""
        times = self.motion.times
        span = min(_CLOSING_SHARE * self.period, _MAX_CLOSING)
        x = np.clip(1.0 - (times[-1] - times) / span, 0.0, 1.0)
        return x * x * (3.0 - 2.0 * x)

    def _round(self) -> tuple[float, Array]:
        """Yaw, radians, and way (3,) from the first frame to the last."""
        motion = self.motion
        change = multiply(motion.rotations[-1, 0], conjugate(motion.rotations[0, 0]))
        yaw = 2.0 * float(np.arctan2(change[2], change[0]))
        way = motion.root[-1] - rotate(yaw_quaternion(np.array(yaw)), motion.root[0])
        return yaw, way * ON_FLOOR


def _moved(root: Array, rotations: Array, yaw: float, way: Array, times: int) -> tuple[Array, Array]:
    """Root (N, 3) and rotations (N, 22, 4) some repetitions later, or earlier."""
    turn = yaw_quaternion(np.array(yaw if times > 0 else -yaw))
    for _ in range(abs(times)):
        root = rotate(turn, root) + way if times > 0 else rotate(turn, root - way)
        rotations = multiply(turn, rotations)
    return root, rotations
