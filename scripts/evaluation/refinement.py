# SPDX-License-Identifier: GPL-3.0-or-later
"""What fitting a style's code to its reference does to other clips than the reference.

    python -m scripts.evaluation.refinement FOLDER_OF_BANDAI_NAMCO_BVH

A code is read off one walk, once as the encoder says and once fitted (``core/style_fitting.py``), and laid on normal
takes of other actions. How far they go towards real takes of the style is measured as in measures.py. Set 1 of
Bandai-Namco is a style that the model never saw, unless the weights name it among their labels; of set 2, references
and clips are held-out takes. How strongly the fit is held back was chosen on ``CHOSEN_ON``: read the other lines.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.engines import SAVED, Float32
from core.engines.engine import StyleEngine
from core.engines.numpy_engine import NumpyNetwork
from core.pipeline import Clip, StyleSettings, canonical_clip, stylize
from core.representation import encode
from core.rotations import Array
from core.steps import finish
from core.style_fitting import reach_steps, refine_code_steps
from models.bundle import Bundle, read_bundle

from .joints import rig_joints
from .library import read_clip
from .measures import StyleScale, fit_scale, measure

CHOSEN_ON = ("angry", "giant", "happy", "old", "sad")
_WEIGHTS = Path(__file__).parents[2] / "models/weights/bandai-namco.safetensors"
_REFERENCE, _NORMAL = "walk", "normal"
# Takes of a class whose spread is the unit of every measure, and held-out takes that are stylized.
_OF_CLASS, _CLIPS = 6, 1
# Frames of a reference: ten seconds.
_LONGEST = 300
_METHODS = ("encoder", "fitted")
Files = dict[tuple[str, str], list[Path]]


@dataclass(frozen=True)
class Set:
    """One of the sets: takes by action and style, and what is known of them."""

    title: str
    files: Files
    scale: StyleScale

    @property
    def styles(self) -> list[str]:
        """Styles that can be tried."""
        return sorted({style for content, style in self.files if content == _REFERENCE and style != _NORMAL})

    def contents(self, style: str) -> list[str]:
        """Actions that were recorded both normally and in a style, the reference's left out."""
        shared = [c for c, s in self.files if s == _NORMAL and c != _REFERENCE and (c, style) in self.scale.means]
        return sorted(shared)


@dataclass(frozen=True)
class Result:
    """Medians over the clips: expression and off of every method, and what the fit says of its own reach."""

    style: str
    steps: Array
    reach: float


def main() -> None:
    """Print one line per style."""
    parser = argparse.ArgumentParser(prog="scripts.evaluation.refinement", description=__doc__)
    parser.add_argument("folder", type=Path, help="BVH files of both sets")
    parser.add_argument("--weights", type=Path, default=_WEIGHTS)
    parser.add_argument("--styles", nargs="*", help="only these")
    options = parser.parse_args()
    bundle = read_bundle(options.weights)
    engine = StyleEngine(NumpyNetwork(bundle))
    for number, known in enumerate(_sets(options.folder, bundle)):
        print(f"{known.title:<20}" + "".join(f"{method + ' expr/off':>20}" for method in _METHODS) + "   reach")
        wanted = [style for style in known.styles if not options.styles or style in options.styles]
        results = [_tried(known, style, engine) for style in wanted]
        for result in results:
            print(_line(result.style, [result]), flush=True)
        others = [result for result in results if result.style not in CHOSEN_ON]
        for name, some in (("all", results), ("not chosen on", others if number == 0 else [])):
            if some:
                print(_line(f"median of {name}", some))


def _sets(folder: Path, bundle: Bundle) -> Iterator[Set]:
    """Set 1, and the held-out takes of set 2."""
    first, second = (_files(folder, number) for number in (1, 2))
    held_out = set(bundle.info.held_out_takes)
    seen = {key: [path for path in paths if path.stem not in held_out] for key, paths in second.items()}
    scale = fit_scale({key: np.stack([_measured(path) for path in paths[:_OF_CLASS]]) for key, paths in seen.items()})
    means = {key: _measured(paths[0]) for key, paths in first.items()}
    yield Set("set 1", first, StyleScale(means, scale.spread))
    kept = {key: [path for path in paths if path.stem in held_out] for key, paths in second.items()}
    yield Set("set 2, held out", {key: paths for key, paths in kept.items() if paths}, scale)


def _files(folder: Path, number: int) -> Files:
    found: Files = {}
    for path in sorted(folder.rglob(f"dataset-{number}_*.bvh")):
        _, content, style, _ = path.stem.split("_")
        found.setdefault((content, style), []).append(path)
    return found


def _measured(path: Path) -> Array:
    clip = read_clip(path)
    return measure(rig_joints(clip.motion, clip.bone_map))


def _tried(known: Set, style: str, engine: StyleEngine) -> Result:
    reference = encode(canonical_clip(read_clip(known.files[_REFERENCE, style][0])).motion)[0][:_LONGEST]
    fitted = finish(refine_code_steps(reference, engine))
    codes = (finish(engine.style_code(reference)), fitted)
    steps = [
        [_step(known, content, path, style, _laid(path, code, engine)) for code in codes]
        for content in known.contents(style)
        for path in known.files[content, _NORMAL][:_CLIPS]
    ]
    return Result(style, np.median(steps, axis=0), finish(reach_steps(reference, fitted, engine)))


def _step(known: Set, content: str, path: Path, style: str, after: Array) -> tuple[float, float]:
    step = known.scale.step(_measured(path), after, content, (_NORMAL, style))
    return step.expression, step.off


def _laid(path: Path, code: Float32, engine: StyleEngine) -> Array:
    """Measures of a take in the style of a code."""
    clip: Clip = read_clip(path)
    settings = StyleSettings(source=SAVED, code=tuple(code.tolist()), contacts=False)
    return measure(rig_joints(stylize(clip, None, engine, settings).motion, clip.bone_map))


def _line(name: str, results: list[Result]) -> str:
    steps = np.median([result.steps for result in results], axis=0)
    shown = "".join(f"{expression:>13.2f} / {off:.2f}" for expression, off in steps)
    return f"{name:<20}{shown}{np.median([result.reach for result in results]):>8.2f}"


if __name__ == "__main__":
    main()
