# SPDX-License-Identifier: GPL-3.0-or-later
"""Strides that legs can take: a body travels no farther over a planted foot than the foot can be reached.

Feet stay planted as long as the original's. A brisk style on an old man's walk, who keeps both feet on the floor for
most of the time, would carry the body out of its feet's reach, and they would have to slide.
"""

import numpy as np

from .contacts import Contacts, contact_runs
from .limbs import LEGS, limb_points, limb_reach
from .motion import Motion
from .resample import interpolate
from .root_motion import smooth_path, travelled_path
from .rotations import ON_FLOOR, Array

# By so much a canonical body may come down to reach a foot, metres: a little less than it may at most, see
# contact_lock.py.
_DIP = 0.03
# Smoothing of the share of the way that is left, frames at 30 fps: about a step, since a body does not stop and go.
_SHARE_SIGMA = 8.0
# No way is made shorter than this share by one round; each round looks at what the one before has left.
_LEAST_SHARE, _ROUNDS = 0.6, 4
_NEARLY_ALL = 0.995


def within_reach(styled: Motion, contacts: Contacts) -> Motion:
    """The clip with its way over the floor shortened where its strides are longer than its legs."""
    for _ in range(_ROUNDS):
        share = _reachable_share(styled, contacts)
        if share.min() > _NEARLY_ALL:
            break
        steps = np.diff(travelled_path(styled), axis=0)
        lost = ((0.5 * (share[1:] + share[:-1]) - 1.0)[:, None] * steps).cumsum(axis=0)
        styled = styled.with_pose(styled.root + np.concatenate([np.zeros((1, 3)), lost]), styled.rotations)
    return styled


def _reachable_share(styled: Motion, contacts: Contacts) -> Array:
    """(T,) share of its way that the body may go at each moment, smooth; 1 where all is within reach."""
    share, planted = np.ones(len(styled)), np.zeros(len(styled), dtype=np.bool_)
    for leg in LEGS:
        points, before = limb_points(styled, leg), limb_points(contacts.original, leg)
        hip, reach = points[:, 0], limb_reach(styled, contacts.original, leg)
        for run in (slice(*ends) for ends in contact_runs(contacts.touching(leg.tips))):
            # As the lock has it: the foot moves as the original's, to where the style puts it on the average.
            place = before[run, 2] + ((points - before)[run, 2] * ON_FLOOR).mean(axis=0)
            away = np.linalg.norm((place - hip[run]) * ON_FLOOR, axis=-1)
            height = np.maximum(np.abs(hip[run, 1] - place[:, 1]) - _DIP * styled.skeleton.scale, 0.0)
            allowed = np.sqrt(np.maximum(reach[run] ** 2 - height**2, 0.0))
            needed = float((allowed / np.maximum(away, 1e-6)).min())
            share[run] = np.minimum(share[run], np.clip(needed, _LEAST_SHARE, 1.0))
            planted[run] = True
    if share.min() > _NEARLY_ALL:
        return share
    between = interpolate(share[planted][:, None], styled.times[planted], styled.times)
    return smooth_path(between, styled.times, _SHARE_SIGMA)[:, 0]
