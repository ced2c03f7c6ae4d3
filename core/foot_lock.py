# SPDX-License-Identifier: GPL-3.0-or-later
"""Feet that stood still in the original stand still in the result.

While a toe rests on the floor, its place is corrected so that it moves as the original's toe did (usually not at all),
about the mean of where the style would put it. Between two such runs the correction glides from one to the next, so
that nothing pops. A two-bone solve carries it out; the foot keeps its rotation.
"""

import numpy as np
from numpy.typing import NDArray

from .contacts import detect_contacts, rate_of_change
from .motion import Motion
from .representation import FPS, gaussian_smooth
from .resample import even_times, interpolate, interpolate_smooth
from .rotations import Array, from_axis_angle, multiply, normalize, rotate, swing
from .skeleton import CONTACT_JOINTS, INDEX

# A correction fades out over this time where no other contact follows, seconds.
_FADE = 0.35
# Smoothing of the vertical settling, frames at 30 fps.
_SETTLE_SIGMA = 6.0
# Smoothing of the root's velocity correction, frames at 30 fps.
_SLIP_SIGMA = 3.0
# Share of the leg's length that a solve may stretch it to: a fully straight knee snaps.
_MAX_REACH = 0.995
_SOLVER_ROUNDS = 2
_TINY = 1e-9


def lock_feet(styled: Motion, original: Motion, *, path_is_free: bool) -> Motion:
    """``styled`` with the original's foot contacts kept; unchanged where styled equals original.

    Args:
        styled: the clip to correct.
        original: the clip whose contacts count, with the same times.
        path_is_free: whether the root may follow the feet over the floor, or must stay on its path.
    """
    contacts = detect_contacts(original)
    toes = {side: contacts[:, CONTACT_JOINTS.index(f"{side}_foot")] for side in ("left", "right")}
    settled = _settle(styled, original, toes)
    if path_is_free:
        settled = _follow_feet(settled, original, toes)
    result = settled
    for side, mask in toes.items():
        correction = _correction(settled, original, INDEX[f"{side}_foot"], mask)
        result = move_foot(result, side, correction)
    return result


def _settle(styled: Motion, original: Motion, toes: dict[str, NDArray[np.bool_]]) -> Motion:
    """Raise or lower the whole body so that resting toes are on the floor on the average over time."""
    difference = (original.positions() - styled.positions())[..., 1]
    masks = np.stack(list(toes.values()), axis=-1)
    gaps = np.stack([difference[:, INDEX[f"{side}_foot"]] for side in toes], axis=-1)
    resting = masks.any(axis=-1)
    if not resting.any():
        return styled
    wanted = np.where(masks, gaps, 0.0)[resting].sum(axis=-1) / masks[resting].sum(axis=-1)
    lift = _smooth(interpolate(wanted, styled.times[resting], styled.times), styled.times, _SETTLE_SIGMA)
    return styled.with_pose(styled.root + lift[:, None] * np.array([0.0, 1.0, 0.0]), styled.rotations)


def _follow_feet(styled: Motion, original: Motion, toes: dict[str, NDArray[np.bool_]]) -> Motion:
    """Let the root travel as the resting toes demand, so that little is left for the legs to bend away.

    The predicted velocity is never exactly that of the stepping feet, and over a long stand the difference adds up.
    """
    masks = np.stack(list(toes.values()), axis=-1)
    resting = masks.any(axis=-1)
    if not resting.any():
        return styled
    joints = [INDEX[f"{side}_foot"] for side in toes]
    slip = rate_of_change((original.positions() - styled.positions())[:, joints], styled.times)
    wanted = np.where(masks[..., None], slip, 0.0)[resting].sum(axis=1) / masks[resting].sum(axis=-1)[:, None]
    # Where both feet are off the floor, the error of the steps before and after still holds.
    velocity = _smooth(interpolate(wanted, styled.times[resting], styled.times), styled.times, _SLIP_SIGMA)
    steps = 0.5 * (velocity[1:] + velocity[:-1]) * np.diff(styled.times)[:, None]
    path = np.concatenate([np.zeros((1, 3)), np.cumsum(steps, axis=0)]) * np.array([1.0, 0.0, 1.0])
    return styled.with_pose(styled.root + path, styled.rotations)


def _smooth(values: Array, times: Array, sigma: float) -> Array:
    even = even_times(times, FPS)
    return interpolate_smooth(gaussian_smooth(interpolate(values, times, even), sigma), even, times)


def _correction(styled: Motion, original: Motion, toe: int, mask: NDArray[np.bool_]) -> Array:
    """(T, 3) displacement of one toe: exact during contacts, gliding in between."""
    error = original.positions()[:, toe] - styled.positions()[:, toe]
    correction = np.zeros_like(error)
    runs = contact_runs(mask)
    for start, stop in runs:
        run = error[start:stop]
        # Height is the original's; on the floor only the movement is, the place stays the style's.
        correction[start:stop] = run - run.mean(axis=0) * np.array([1.0, 0.0, 1.0])
    _glide(correction, runs, styled.times)
    return correction


def contact_runs(mask: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """First and one-past-last frames of the runs of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _glide(correction: Array, runs: list[tuple[int, int]], times: Array) -> None:
    """Fill the frames between contacts: fade out of one, fade into the next, sum of both."""
    inside = np.zeros(len(times), dtype=np.bool_)
    for start, stop in runs:
        inside[start:stop] = True
    swinging = ~inside
    for start, stop in runs:
        for edge, side in ((start, -1.0), (stop - 1, 1.0)):
            away = (times - times[edge]) * side
            reach = _gap(runs, edge, times, side)
            weight = np.where((away > 0) & (away <= reach), 1.0 - _ease(away / max(reach, _TINY)), 0.0)
            correction[swinging] += (weight[:, None] * correction[edge])[swinging]


def _gap(runs: list[tuple[int, int]], edge: int, times: Array, side: float) -> float:
    """Seconds from a run's edge to the next run on that side, at most ``_FADE``."""
    edges = [times[start] for start, _ in runs] if side > 0 else [times[stop - 1] for _, stop in runs]
    ahead = [side * (t - times[edge]) for t in edges if side * (t - times[edge]) > 0]
    return float(min([*ahead, _FADE]))


def _ease(x: Array) -> Array:
    """Smooth step from 0 to 1 with no slope at either end."""
    x = np.clip(x, 0.0, 1.0)
    return x * x * (3.0 - 2.0 * x)


def move_foot(motion: Motion, side: str, displacement: Array) -> Motion:
    """Move one ankle by ``displacement`` (T, 3) metres with thigh and shin; the foot's rotation stays."""
    moved = np.linalg.norm(displacement, axis=-1) > _TINY
    if not moved.any():
        return motion
    hip, knee, ankle = (INDEX[f"{side}_{joint}"] for joint in ("hip", "knee", "ankle"))
    positions = motion.positions()[moved]
    thigh, shin = _solve_leg(
        motion.rotations[moved][:, [hip, knee]],
        positions[:, [hip, knee, ankle]],
        positions[:, ankle] + displacement[moved],
    )
    rotations = motion.rotations.copy()
    rotations[moved, hip], rotations[moved, knee] = thigh, shin
    return motion.with_pose(motion.root, rotations)


def _solve_leg(rotations: Array, points: Array, target: Array) -> tuple[Array, Array]:
    """Thigh and shin rotations (T, 4) that bring the ankle to ``target``; ``points`` is hip, knee, ankle (T, 3, 3)."""
    thigh, shin = rotations[:, 0], rotations[:, 1]
    hip, upper, lower = points[:, 0], points[:, 1] - points[:, 0], points[:, 2] - points[:, 1]
    a, b = np.linalg.norm(upper, axis=-1), np.linalg.norm(lower, axis=-1)
    for _ in range(_SOLVER_ROUNDS):
        # What already reaches further may stay so: a leg that was straight is not bent by force.
        limit = np.maximum(np.linalg.norm(upper + lower, axis=-1), _MAX_REACH * (a + b))
        distance = np.clip(np.linalg.norm(target - hip, axis=-1), np.abs(a - b) * 1.05 + _TINY, limit)
        hinge = _flexion_axis(thigh, upper, lower)
        bend = np.arctan2(np.linalg.norm(np.cross(upper, lower), axis=-1), np.sum(upper * lower, axis=-1))
        cosine = (distance**2 - a**2 - b**2) / (2.0 * a * b)
        turn = from_axis_angle(hinge, np.arccos(np.clip(cosine, -1.0, 1.0)) - bend)
        lower, shin = rotate(turn, lower), multiply(turn, shin)
        aim = swing(normalize(upper + lower), normalize(target - hip))
        upper, lower = rotate(aim, upper), rotate(aim, lower)
        thigh, shin = multiply(aim, thigh), multiply(aim, shin)
    return thigh, shin


def _flexion_axis(thigh: Array, upper: Array, lower: Array) -> Array:
    """(T, 3) axis about which the knee bends: its present plane, or the anatomical axis if the leg is straight."""
    anatomical = rotate(thigh, np.broadcast_to(np.array([1.0, 0.0, 0.0]), upper.shape))
    along = normalize(upper)
    anatomical = normalize(anatomical - along * np.sum(anatomical * along, axis=-1, keepdims=True))
    present = np.cross(normalize(upper), normalize(lower))
    forward = np.sum(present * anatomical, axis=-1, keepdims=True) > 0.0
    # A little of the anatomical axis steadies nearly straight legs, whose plane is noise.
    return normalize(np.where(forward, present, 0.0) + 0.02 * anatomical)
