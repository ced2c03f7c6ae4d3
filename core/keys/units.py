# SPDX-License-Identifier: GPL-3.0-or-later
"""Bounds for one rig and one bone: its units, and how far its turning moves a foot."""

from collections.abc import Collection

import numpy as np

from ..rig import RigMotion, RigSkeleton
from ..rotations import Array
from .landmarks import Mask
from .settings import KeySettings

# A character of this size, metres, is taken at its word; others are in centimetres or inches, and really this tall.
_PLAUSIBLE = (0.5, 4.0)
_TALL = 1.7
# Each bone's part of what a planted foot may move: several bones of a leg are off at once, seldom all to one side.
_PART = 0.3
# A foot slower than this, metres per second on a character of human size, is planted: nobody may see it tremble.
_SLOW = 0.25
# Frames from a contact's start or end in which a foot's speed shows it.
_NEAR = 3.0


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


def closeness(settings: KeySettings, distance: float, reach: float | None, planted: Mask | None) -> Array:
    """(T,) or (1,) how many times closer than the angle of the settings a rotation must stay.

    Args:
        settings: whose angle is meant.
        distance: what a foot may move, armature units.
        reach: to the foot that hangs on the bone, same unit.
        planted: (T,) whether that foot is planted; None if nobody knows.
    """
    close = max(1.0, settings.angle * reach / (_PART * distance)) if reach else 1.0
    return np.where(np.ones(1, dtype=np.bool_) if planted is None else planted, close, 1.0)


def location_closeness(planted: Mask | None) -> Array:
    """(T,) or (1,) how many times closer than its bound a location must stay that carries ``planted`` (T,) feet."""
    return np.ones(1) if planted is None else np.where(planted, 1.0 / _PART, 1.0)


def planted_below(motion: RigMotion, feet: Collection[str]) -> Mask:
    """(T, B) whether one of the ``feet`` that hang on each bone stands still, itself included."""
    skeleton = motion.skeleton
    planted = np.zeros((len(motion), len(skeleton)), dtype=np.bool_)
    if len(motion) < 2:
        return planted
    scale = float(np.linalg.norm(motion.placement[0, :3, 0]))
    limit = _SLOW * scale * float(np.ptp(skeleton.rest[:, :3, 3], axis=0).max()) / _TALL
    for name in feet:
        bone = skeleton.index[name]
        heads = (motion.placement @ motion.pose[:, bone])[:, :3, 3]
        slow = np.linalg.norm(np.gradient(heads, motion.times, axis=0), axis=-1) < limit
        # The frames beside count too: what stops or starts is seen to slide there.
        slow[1:-1] |= slow[:-2] | slow[2:]
        planted[:, [bone, *skeleton.ancestors(bone)]] |= slow[:, None]
    return planted


def own_moments(moments: Array, frames: Array, planted: Mask) -> Array:
    """Those of the ``moments`` (M,) at which feet that are ``planted`` (T,) at the ``frames`` (T,) start or stop."""
    edges = frames[1:][planted[1:] != planted[:-1]]
    return moments[(np.abs(moments[:, None] - edges) <= _NEAR).any(axis=1)]


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
