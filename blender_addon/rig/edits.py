# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to be keyed: new values of one property of one bone."""

from dataclasses import dataclass

from ..backend import Mask, rotations

Array = rotations.Array


@dataclass(frozen=True)
class ChannelEdit:
    """One bone's property over the frames of a reading.

    Attributes:
        bone: name of the pose bone.
        name: the property, such as ``location`` or ``rotation_euler``.
        values: (T, width) what the property shall be, in Blender's own units.
        before: (T, width) what it was; where nothing differs nothing needs a key.
        reach: of a rotation, the way from the bone's head to the foot that hangs on it, armature units. Turning the
            bone moves the foot by angle times reach, so the longer it is the closer sparse keys follow. 0 if no foot
            hangs on the bone: contacts do not concern it. None if nobody knows.
        planted: (T,) whether a foot that hangs on the bone is planted: only then it needs that closeness. None if
            nobody knows.

    """

    bone: str
    name: str
    values: Array
    before: Array
    reach: float | None = None
    planted: Mask | None = None
