# SPDX-License-Identifier: GPL-3.0-or-later
"""Copies of f-curves in another time: keys, handles, baked samples and modifiers."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import numpy as np

from ..backend import Points, Retimed, TimeWarp, retimed
from ..rig.keying import ALIGNED, BEZIER, FIELDS, FREE, Rows
from .curves import Curve

# A new key's kind of its own: an ordinary one.
_ORDINARY: Final = 0


def stretched(copies: dict[int, Curve], warp: TimeWarp, path: str) -> dict[int, Curve]:
    """The curves of one property, by array index, in a new time."""
    keyed = {index: copy for index, copy in copies.items() if len(copy.rows["co"])}
    points = [_points(copy.rows) for copy in keyed.values()]
    found = dict(zip(keyed, retimed(points, warp, path.rpartition(".")[2]), strict=True))
    return {index: _stretched(copy, warp, found.get(index)) for index, copy in copies.items()}


def _stretched(copy: Curve, warp: TimeWarp, keys: Retimed | None) -> Curve:
    rows = copy.rows if keys is None else _rows(copy.rows, keys)
    modifiers = [(kind, _stretched_modifier(kind, settings, warp)) for kind, settings in copy.modifiers]
    samples = _resampled(copy.samples, warp) if len(copy.samples) else copy.samples
    return replace(copy, rows=rows, modifiers=modifiers, samples=samples)


def _points(rows: Rows) -> Points:
    co, left, right = (rows[name].astype(np.float64) for name in ("co", "handle_left", "handle_right"))
    return Points(co, left, right, rows["interpolation"])


def _rows(old: Rows, keys: Retimed) -> Rows:
    rows = {name: column[keys.origin] for name, column in old.items()}
    rows["type"] = np.where(keys.is_new, FIELDS["type"].dtype.type(_ORDINARY), rows["type"])
    points = keys.points
    rows |= {"interpolation": points.kinds, "co": points.co, "handle_left": points.left, "handle_right": points.right}
    if keys.is_smooth is not None:
        # Automatic handles would leave the curve that these lie on.
        curved = (points.kinds == BEZIER) | np.append(False, points.kinds[:-1] == BEZIER)
        for side in ("handle_left_type", "handle_right_type"):
            rows[side] = np.where(curved, np.where(keys.is_smooth, ALIGNED, FREE), rows[side])
    return {name: column.astype(FIELDS[name].dtype) for name, column in rows.items()}


def _resampled(samples: np.ndarray, warp: TimeWarp) -> np.ndarray:
    """A baked curve (S, 2) has one value for each frame."""
    first, last = warp.at(samples[[0, -1], 0].astype(np.float64))
    frames = np.arange(np.ceil(first - 1e-3), np.floor(last + 1e-3) + 0.5)
    values = np.interp(warp.back(frames), samples[:, 0], samples[:, 1])
    return np.stack([frames, values], axis=1).astype(np.float32)


def _stretched_modifier(kind: str, settings: dict[str, Any], warp: TimeWarp) -> dict[str, Any]:
    """Settings of a modifier; where there is one number for all of the time, a warp that changes gives its average."""

    def at(frame: float) -> float:
        return float(warp.at(np.array([frame]))[0])

    factor = (warp.shown[-1] - warp.shown[0]) / (warp.source[-1] - warp.source[0])
    own: dict[str, Any] = {}
    if settings.get("use_restricted_range") or settings.get("use_frame_start") or settings.get("use_frame_end"):
        own |= {name: at(settings[name]) for name in ("frame_start", "frame_end")}
        own |= {name: settings[name] * factor for name in ("blend_in", "blend_out") if name in settings}
    if kind in _MODIFIERS:
        own |= _MODIFIERS[kind](settings, factor, at)
    return settings | own


def _noise(settings: dict[str, Any], factor: float, at: Callable[[float], float]) -> dict[str, Any]:
    return {"scale": settings["scale"] * factor, "offset": at(settings["offset"])}


def _stepped(settings: dict[str, Any], factor: float, at: Callable[[float], float]) -> dict[str, Any]:
    return {"frame_step": settings["frame_step"] * factor, "frame_offset": at(settings["frame_offset"])}


def _envelope(settings: dict[str, Any], _factor: float, at: Callable[[float], float]) -> dict[str, Any]:
    return {"control_points": [(at(frame), low, high) for frame, low, high in settings["control_points"]]}


def _limits(settings: dict[str, Any], _factor: float, at: Callable[[float], float]) -> dict[str, Any]:
    # Both: Blender keeps the one below the other, whether they are used or not.
    return {name: at(settings[name]) for name in ("min_x", "max_x")}


def _function(settings: dict[str, Any], factor: float, at: Callable[[float], float]) -> dict[str, Any]:
    multiplier = settings["phase_multiplier"] / factor
    return {"phase_multiplier": multiplier, "phase_offset": settings["phase_offset"] - multiplier * at(0.0)}


def _generator(settings: dict[str, Any], factor: float, at: Callable[[float], float]) -> dict[str, Any]:
    """A polynomial of the frame: of the frame that is to be seen then, (frame - at(0)) / factor, after the warp."""
    old, zero = np.array(settings["coefficients"], dtype=np.float64), at(0.0)
    if settings["mode"] == "POLYNOMIAL_FACTORISED":
        factors = old.reshape(-1, 2)
        new = np.stack([factors[:, 0] / factor, factors[:, 1] - factors[:, 0] * zero / factor], axis=1).ravel()
    else:
        inner = np.polynomial.Polynomial([-zero / factor, 1.0 / factor])
        found = np.polynomial.Polynomial(old)(inner).coef
        new = np.pad(found, (0, len(old) - len(found)))
    return {"coefficients": tuple(new.tolist())}


_MODIFIERS: Final = {
    "NOISE": _noise,
    "STEPPED": _stepped,
    "ENVELOPE": _envelope,
    "LIMITS": _limits,
    "FNGENERATOR": _function,
    "GENERATOR": _generator,
}
