# SPDX-License-Identifier: GPL-3.0-or-later
"""Bounds for one rig and one bone: its units, and how far its turning moves a foot."""

from collections.abc import Collection

import numpy as np

from ..rig import RigSkeleton
from ..rotations import Array
from .settings import KeySettings

# A character of this size, metres, is taken at its word; others are in centimetres or inches, and really this tall.
_PLAUSIBLE = (0.5, 4.0)
_TALL = 1.7
# Each bone's part of what a foot may move: several bones of a leg are off at once, seldom all to the same side.
_PART = 0.7


def distance_bound(settings: KeySettings, rest: Array, scale: float) -> float:
    """The bound on locations in armature units.

    Args:
        settings: whose distance is in metres.
        rest: (B, 3) heads of all bones at rest, armature units.
        scale: metres per armature unit, as the object is scaled.
    """
    size = float(np.ptp(rest, axis=0).max())
    plausible = _PLAUSIBLE[0] <= size * scale <= _PLAUSIBLE[1]
    return settings.distance / scale if plausible or size == 0.0 else settings.distance * size / _TALL


def angle_bound(settings: KeySettings, distance: float, reach: float | None) -> float:
    """The bound on a rotation, radians, of a bone with a foot at ``reach`` that may move by ``distance``, same unit."""
    return min(settings.angle, _PART * distance / reach) if reach else settings.angle


def foot_reach(skeleton: RigSkeleton, feet: Collection[str]) -> Array:
    """(B,) way along the bones from each head to the furthest of the ``feet`` heads below it.

    A foot's own is its length; 0 where no foot hangs on the bone.
    """
    reach = np.zeros(len(skeleton))
    for name in feet:
        bone, way = skeleton.index[name], 0.0
        reach[bone] = max(reach[bone], skeleton.lengths[bone])
        for above in skeleton.ancestors(bone):
            way += float(np.linalg.norm(skeleton.relative_rest[bone, :3, 3]))
            reach[above] = max(reach[above], way)
            bone = above
    return reach
