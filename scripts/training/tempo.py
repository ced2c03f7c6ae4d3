# SPDX-License-Identifier: GPL-3.0-or-later
"""How fast styles move: weights for the networks' timing, from the pace of labelled takes.

    python -m scripts.training.tempo build/data/bandai-namco.npz models/weights/bandai-namco.safetensors

prints, for every style, the pace that is measured on held-out takes and the one that is predicted from the label alone
and from the takes' style codes alone. Gestures and gaits are fitted apart: who waves at half the pace need not walk so.
``--write`` puts what was fitted into the bundle, for weights that were trained before timing was known.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from core.representation import FPS, gaussian_smooth
from models.bundle import read_bundle, write_bundle
from models.layout import CONTACTS, PLANAR_VELOCITY
from models.manifest import TEMPO
from models.runtime import TorchNetwork

from .dataset import Ints, MotionDataset, Split, load_dataset

Doubles = NDArray[np.float64]
Float32 = NDArray[np.float32]

_CUTOFF: Final = 5.0  # Hz
# Frames between two touchdowns of one foot, at least; what is closer is heel and toe.
_SHORTEST_STRIDE: Final = 8
# Of a content's takes so many must have steps for their cadence to be its pace.
_STEPPING: Final = 0.8
# Metres per second over the floor from which a content travels: halfway between what the engine takes for either.
_TRAVELS: Final = 0.35
_RIDGES: Final = (1e-2, 3e-2, 1e-1, 3e-1, 1.0, 3.0, 10.0)
_FOLDS: Final = 5


@dataclass(frozen=True)
class Paces:
    """The pace of K takes, in an additive model of their logarithms.

    Attributes:
        relative: (K,) log pace of each take without that of its content.
        styles: (L,) log pace of each style, 0 on the average; likewise for styles without takes.
    """

    relative: Doubles
    styles: Doubles


def fit_tempo(dataset: MotionDataset, conditions: Float32, takes: Ints) -> Float32:
    """Weights ``tempo`` with which ``exp((target - own) @ tempo)`` is how much faster the target condition moves.

    A condition is a style code with a zero label, or a label with a code drawn from N(0, I), which is 0 on the average:
    the code's weights are fitted to the codes alone, the label's to what they say of the label's takes.

    Args:
        dataset: with content and style labels.
        conditions: (K, S + L) own style code, and one-hot or zeros, of each take.
        takes: (K,) labelled training takes.

    Returns:
        (S + L,).
    """
    labels = len(dataset.style_names)
    known = np.flatnonzero((dataset.style[takes] >= 0) & (dataset.content[takes] >= 0))
    logarithms = log_paces(dataset, takes[known])
    known, logarithms = known[np.isfinite(logarithms)], logarithms[np.isfinite(logarithms)]
    paces = _additive(logarithms, dataset.content[takes[known]], dataset.style[takes[known]], labels)
    codes = conditions[known, : conditions.shape[1] - labels].astype(np.float64)
    weights, constant = _ridge(codes, paces.relative, dataset.content[takes[known]], dataset.style[takes[known]])
    return np.concatenate([weights, paces.styles - constant]).astype(np.float32)


def fit_tempos(dataset: MotionDataset, conditions: Float32, takes: Ints) -> Float32:
    """:func:`fit_tempo` of the takes in one place and of those that travel, (2, S + L); the same if all are alike."""
    travels = np.isin(dataset.content[takes], travelling_contents(dataset))
    rows = [fit_tempo(dataset, conditions[own], takes[own]) for own in (~travels, travels) if own.any()]
    return np.stack([rows[0], rows[-1]])


def travelling_contents(dataset: MotionDataset) -> Ints:
    """Contents whose takes travel over the floor, in the middle."""
    planar = dataset.layout.slice(PLANAR_VELOCITY)
    speeds = np.array([np.linalg.norm(dataset.take(i)[:, planar], axis=-1).mean() for i in range(len(dataset.takes))])
    contents = np.unique(dataset.content[dataset.content >= 0])
    return np.array([own for own in contents if np.median(speeds[dataset.content == own]) > _TRAVELS], dtype=np.int64)


def log_paces(dataset: MotionDataset, takes: Ints) -> Doubles:
    """(K,) logarithm of each take's pace; NaN where it has none.

    Of contents that step it is the cadence, of all others the rate of their movement: the two cannot be compared, but
    takes of one content can.
    """
    found = np.array([np.log(rate_of_movement(dataset, int(take))) for take in takes])
    for content in np.unique(dataset.content[takes]):
        own = np.flatnonzero(dataset.content[takes] == content)
        cadences = np.array([cadence(dataset, int(take)) for take in takes[own]])
        if np.isfinite(cadences).mean() >= _STEPPING:
            found[own] = np.log(cadences)
    return found


def cadence(dataset: MotionDataset, take: int) -> float:
    """Steps per second, from the median time between touchdowns of the same foot; NaN with fewer than three of them."""
    down = dataset.take(take)[:, dataset.layout.slice(CONTACTS)] > 0.5
    gaps: list[Ints] = []
    for foot in np.split(down, 2, axis=1):
        rests = foot.any(axis=1)
        touches = np.flatnonzero(rests[1:] & ~rests[:-1])
        touches = touches[np.diff(touches, prepend=-_SHORTEST_STRIDE - 1) > _SHORTEST_STRIDE]
        gaps.append(np.diff(touches))
    strides = np.concatenate(gaps)
    return 2.0 * FPS / float(np.median(strides)) if len(strides) > 1 else float("nan")


def rate_of_movement(dataset: MotionDataset, take: int) -> float:
    """Root of the accelerations' square over the velocities', per second: of any movement at twice its pace the double.

    Of all joints in the heading's frame, below 5 Hz. It depends on neither the size nor the place of the movement.
    """
    positions = dataset.take(take)[:, dataset.layout.slice("positions")].astype(np.float64)
    # A Gaussian of this width halves the power at the cutoff.
    smooth = gaussian_smooth(positions, FPS * np.sqrt(np.log(2.0)) / (2.0 * np.pi * _CUTOFF))
    velocity = np.diff(smooth, axis=0)[1:-1]
    return FPS * float(np.sqrt(np.square(np.diff(velocity, axis=0)).sum() / (np.square(velocity).sum() + 1e-12)))


def _additive(logarithms: Doubles, content: Ints, style: Ints, labels: int) -> Paces:
    """Least squares of log pace = A[content] + B[style] over all takes."""
    contents, rows = np.unique(content, return_inverse=True)
    design = np.concatenate([np.eye(len(contents))[rows], np.eye(labels)[style]], axis=1)
    found = np.linalg.lstsq(design, logarithms, rcond=None)[0]
    styles, there = found[len(contents) :], np.unique(style)
    level = styles[there].mean()
    styles = np.where(np.isin(np.arange(labels), there), styles - level, 0.0)
    return Paces(logarithms - found[: len(contents)][rows] - level, styles)


def _ridge(codes: Doubles, wanted: Doubles, content: Ints, style: Ints) -> tuple[Doubles, float]:
    """Weights (S,) and constant; all kinds of takes count alike.

    The ridge is the one with which left-out takes are predicted best from their codes, and labels from codes that are
    drawn from N(0, I): those put in an error of |weights|^2 of their own.
    """
    _, kind, counts = np.unique(np.stack([content, style]), axis=1, return_inverse=True, return_counts=True)
    weight = 1.0 / counts[kind.ravel()]
    fold = np.random.default_rng(0).permutation(len(codes)) % _FOLDS
    errors: list[float] = []
    for ridge in _RIDGES:
        error = 0.0
        for left_out in (fold == number for number in range(_FOLDS)):
            weights, constant = _solved(codes[~left_out], wanted[~left_out], weight[~left_out], ridge)
            gap = codes[left_out] @ weights + constant - wanted[left_out]
            error += float((weight[left_out] * gap**2).sum() / weight.sum() + weights @ weights / _FOLDS)
        errors.append(error)
    return _solved(codes, wanted, weight, _RIDGES[int(np.argmin(errors))])


def _solved(codes: Doubles, wanted: Doubles, weight: Doubles, ridge: float) -> tuple[Doubles, float]:
    share = weight / weight.sum()
    middle, level = share @ codes, float(share @ wanted)
    centred = codes - middle
    square = centred.T @ (share[:, None] * centred) + ridge * np.eye(codes.shape[1])
    weights = np.linalg.solve(square, centred.T @ (share * (wanted - level)))
    return weights, level - float(middle @ weights)


def _some(dataset: MotionDataset, split: Split, most: int) -> Ints:
    """At most so many labelled takes of each content and style."""
    takes = dataset.indices(split)
    takes = takes[(dataset.style[takes] >= 0) & (dataset.content[takes] >= 0)]
    kinds = dataset.content[takes] * len(dataset.style_names) + dataset.style[takes]
    return np.concatenate([takes[kinds == kind][:most] for kind in np.unique(kinds)])


def _conditions(dataset: MotionDataset, network: TorchNetwork, takes: Ints) -> Float32:
    codes = np.stack([network.style_gaussian(dataset.take(int(take)))[0] for take in takes])
    return np.concatenate([codes, np.eye(len(dataset.style_names))[dataset.style[takes]]], axis=1).astype(np.float32)


def _report(dataset: MotionDataset, tempo: Float32, held_out: tuple[Ints, Float32]) -> None:
    """Pace of every style, all styles' being 1: measured, predicted from the label, predicted from the codes."""
    takes, conditions = held_out
    labels = len(dataset.style_names)
    measured = _additive(log_paces(dataset, takes), dataset.content[takes], dataset.style[takes], labels).styles
    by_label = tempo[-labels:] - tempo[-labels:].mean()
    by_code = conditions[:, :-labels] @ tempo[:-labels]
    means = np.array([by_code[dataset.style[takes] == style].mean() for style in range(labels)])
    for style, name in enumerate(dataset.style_names):
        ratios = [float(np.exp(value)) for value in (measured[style], by_label[style], means[style] - means.mean())]
        print(f"  {name:16} measured {ratios[0]:.2f}  label {ratios[1]:.2f}  codes {ratios[2]:.2f}")
    spread = float(np.linalg.norm(tempo[:-labels]))
    print(f"  a draw of the code changes the pace by a factor of {np.exp(spread):.2f} either way (one deviation)")


def main(arguments: list[str]) -> None:
    """Fit on training takes, print figures for held-out ones."""
    parser: Any = argparse.ArgumentParser(description="How fast styles move, measured and predicted.")
    parser.add_argument("dataset", type=Path, help="what scripts.prepare_data wrote")
    parser.add_argument("weights", type=Path, help="a bundle with the same styles")
    parser.add_argument("--most", type=int, default=8, help="takes of each content and style, at most")
    parser.add_argument("--write", action="store_true", help="write what was fitted into the bundle")
    options = parser.parse_args(arguments)
    dataset, network = load_dataset(options.dataset), TorchNetwork(read_bundle(options.weights))
    travelling = travelling_contents(dataset)
    takes, held_out = (_some(dataset, split, options.most) for split in (Split.TRAIN, Split.TEST))
    given, others = (_conditions(dataset, network, own) for own in (takes, held_out))
    groups = {
        "in one place": (~np.isin(dataset.content[takes], travelling), ~np.isin(dataset.content[held_out], travelling)),
        "travelling": (np.isin(dataset.content[takes], travelling), np.isin(dataset.content[held_out], travelling)),
        "all": (np.ones(len(takes), dtype=np.bool_), np.ones(len(held_out), dtype=np.bool_)),
    }
    for name, (own, tested) in groups.items():
        print(f"{name}: {own.sum()} training takes, {tested.sum()} held-out ones")
        tempo = fit_tempo(dataset, given[own], takes[own])
        _report(dataset, tempo, (held_out[tested], others[tested]))
    if options.write:
        bundle = read_bundle(options.weights)
        tempos = fit_tempos(dataset, given, takes)
        write_bundle(options.weights, replace(bundle, tensors={**bundle.tensors, TEMPO: tempos}))


if __name__ == "__main__":
    main(sys.argv[1:])
