# SPDX-License-Identifier: GPL-3.0-or-later
"""Another amount of a stack's result: the influence of its strip on top, below which the original plays.

A strip cannot do more than replace what is below, so the amount at which the result was computed is the most.
"""

from collections.abc import Callable, Iterator

import bpy
import numpy as np

from ..rig.keying import every_frame
from .curves import put_rows

Strip = bpy.types.NlaStrip


def show_influence(action: bpy.types.Action, share: float) -> None:
    """Let the strips of a result replace a share of what plays below, on all frames."""
    for strip in _strips(action):
        strip.use_animated_influence = share < 1.0
        if strip.use_animated_influence:
            _write(strip, np.array([strip.frame_start]), np.array([share]))
        else:
            strip.influence = 1.0


def bake_influence(action: bpy.types.Action, shares: Callable[[np.ndarray], np.ndarray]) -> None:
    """Let the strips of a result follow shares that change over time, as keys on every frame."""
    for strip in _strips(action):
        strip.use_animated_influence = True
        frames = np.arange(np.floor(strip.frame_start), np.ceil(strip.frame_end) + 0.5)
        _write(strip, frames, np.minimum(shares(frames), 1.0))


def _write(strip: Strip, frames: np.ndarray, shares: np.ndarray) -> None:
    curve = strip.fcurves.find("influence")
    put_rows(curve, every_frame(frames, shares))
    curve.update()


def _strips(action: bpy.types.Action) -> Iterator[Strip]:
    for owner in bpy.data.objects:
        for track in owner.animation_data.nla_tracks if owner.animation_data else ():
            yield from (strip for strip in track.strips if strip.action == action)
