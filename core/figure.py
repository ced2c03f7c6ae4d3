# SPDX-License-Identifier: GPL-3.0-or-later
"""A body as shapes to be drawn, from its joints: rounded limbs, left and right told apart.

Every part is the convex hull of a few circles, so a limb, a trunk and a head are one kind of thing.
"""

from dataclasses import dataclass

import numpy as np

from .rotations import Array

Colour = tuple[int, int, int]

_CIRCLE = np.stack([np.cos(np.linspace(0, 2 * np.pi, 28)), np.sin(np.linspace(0, 2 * np.pi, 28))], axis=-1)

Circles = list[tuple[Array, float]]


@dataclass(frozen=True)
class View:
    """An orthographic camera and where it draws: ``right`` and ``up`` (3,) on the paper, ``toward`` (3,) the viewer.

    Attributes:
        right: world direction that goes right on the paper.
        toward: world direction that comes out of the paper.
        origin: world point (3,) that is drawn at ``place``.
        place: (2,) pixels.
        scale: pixels per metre.
    """

    right: Array
    toward: Array
    origin: Array
    place: tuple[float, float]
    scale: float

    def to_paper(self, point: Array) -> Array:
        """(2,) pixels of a world point (3,)."""
        way = point - self.origin
        return np.array([self.place[0] + self.scale * float(way @ self.right), self.place[1] - self.scale * way[1]])


@dataclass(frozen=True)
class Part:
    """A drawable piece of the body: ``side`` left, right or none, circles as (centre (3,), radius in metres)."""

    side: str
    circles: Circles

    def depth(self, toward: Array) -> float:
        """How near the viewer the part is, metres."""
        return float(np.mean([centre @ toward for centre, _ in self.circles]))


def body_parts(joints: dict[str, Array], forward: Array) -> list[Part]:
    """The parts of a body of whatever canonical joints there are."""
    parts = [Part("", _trunk(joints)), Part("", _head(joints, forward))]
    for side in ("left", "right"):
        chains = {
            "hip": ("knee", 0.078, 0.055),
            "knee": ("ankle", 0.055, 0.038),
            "ankle": ("foot", 0.040, 0.028),
            "shoulder": ("elbow", 0.050, 0.038),
            "elbow": ("wrist", 0.038, 0.028),
        }
        for start, (end, thick, thin) in chains.items():
            a, b = joints.get(f"{side}_{start}"), joints.get(f"{side}_{end}")
            if a is not None and b is not None:
                parts.append(Part(side, [(a, thick), (b, thin)]))
        parts.extend(_tips(joints, side))
    return parts


def mix(colour: Colour, other: Colour, share: float) -> Colour:
    """``colour`` with a ``share`` (0 to 1) of another."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(colour, other, strict=True))
    return red, green, blue


def _trunk(joints: dict[str, Array]) -> Circles:
    # Drawn hips and shoulders lie a little inside the joints, as flesh does.
    inward = 0.10
    ends: Circles = []
    for joint, radius in (("hip", 0.085), ("shoulder", 0.072)):
        left, right = joints[f"left_{joint}"], joints[f"right_{joint}"]
        ends += [(left + inward * (right - left), radius), (right + inward * (left - right), radius)]
    return ends


def _head(joints: dict[str, Array], forward: Array) -> Circles:
    shoulders = (joints["left_shoulder"] + joints["right_shoulder"]) / 2
    neck = joints.get("neck", shoulders)
    base = joints.get("head", neck + 0.09 * _unit(neck - joints["pelvis"]))
    up = _unit(base - neck) if "head" in joints else _unit(neck - joints["pelvis"])
    ahead = _unit(forward - up * float(forward @ up))
    skull = base + 0.085 * up + 0.015 * ahead
    return [(skull, 0.094), (skull + 0.03 * up, 0.088), (skull + 0.095 * ahead - 0.02 * up, 0.018), (neck, 0.045)]


def _tips(joints: dict[str, Array], side: str) -> list[Part]:
    tips: list[Part] = []
    elbow, wrist = joints.get(f"{side}_elbow"), joints.get(f"{side}_wrist")
    if elbow is not None and wrist is not None:
        tips.append(Part(side, [(wrist, 0.034), (wrist + 0.10 * _unit(wrist - elbow), 0.026)]))
    ankle, ball = joints.get(f"{side}_ankle"), joints.get(f"{side}_foot")
    if ankle is not None and ball is not None:
        sole = ball - ankle
        tips.append(Part(side, [(ball, 0.028), (ball + 0.06 * _unit(sole * np.array([1.0, 0.0, 1.0])), 0.020)]))
    return tips


def outline(part: Part, view: View, margin: float) -> Array:
    """(K, 2) corners in pixels of a part drawn ``margin`` metres thicker, in order around it."""
    rings = [view.to_paper(centre) + _CIRCLE * (radius + margin) * view.scale for centre, radius in part.circles]
    return convex_hull(np.concatenate(rings))


def convex_hull(points: Array) -> Array:
    """(K, 2) corners of the hull of (N, 2) points, in order around it (Andrew's monotone chain)."""
    ordered = points[np.lexsort((points[:, 1], points[:, 0]))]
    return np.concatenate([_half_hull(ordered)[:-1], _half_hull(ordered[::-1])[:-1]])


def _half_hull(ordered: Array) -> Array:
    chain: list[Array] = []
    for point in ordered:
        while len(chain) > 1 and _turn(chain[-2], chain[-1], point) <= 0.0:
            chain.pop()
        chain.append(point)
    return np.array(chain)


def _turn(a: Array, b: Array, c: Array) -> float:
    return float((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]))


def _unit(vector: Array) -> Array:
    return vector / max(float(np.linalg.norm(vector)), 1e-9)
