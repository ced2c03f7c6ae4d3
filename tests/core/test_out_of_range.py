# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the model does not know what it sees, the style fades out, smoothly, and nowhere else."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.calibration import calibrate
from core.canonical import to_canonical
from core.engines import Features
from core.engines.engine import StyleEngine
from core.engines.numpy_engine import NumpyNetwork
from core.matching import match_bones
from core.motion import Motion
from core.out_of_range import (
    KNOWN_DEGREES,
    KNOWN_DISTANCE,
    UNKNOWN_DEGREES,
    UNKNOWN_DISTANCE,
    Witnesses,
    out_of_range,
    score,
)
from core.pipeline import Clip, StyleSettings, stylize
from core.representation import encode, feature_slice, split
from core.retarget import to_motion
from core.rig import RigMotion
from core.rotations import Array, angle_between, from_axis_angle, from_rotation_vector, from_sixd, multiply, to_sixd
from core.skeleton import JOINT_COUNT
from core.steps import Progress, Steps
from core.worker.client import RemoteNetwork, Worker
from core.worker.session import Description
from models.bundle import FadeBounds, read_bundle, write_bundle

from .characters import BendingEngine, RigStyle, rig, walk
from .workers import command

BENT = StyleSettings(style="bent")
LOOSE = replace(BENT, contacts=False, root="KEEP")
WEIGHTS = Path(__file__).parents[2] / "models/weights/bandai-namco.safetensors"
FRAMES, FIRST, LAST = 300, 130, 160


class PartlyLost(BendingEngine):
    """Knows all of a clip but some frames in its middle, whose joints it turns."""

    def __init__(self, degrees: float, frames: slice = slice(FIRST, LAST)) -> None:
        super().__init__()
        self.degrees, self.frames = degrees, frames
        self.knows_range = True

    def reconstruct(self, features: Features) -> Steps[Features]:
        yield Progress(0.0)
        known, rotations = features.copy(), feature_slice("rotations")
        turn = from_axis_angle(np.array([0.0, 0.0, 1.0]), np.array(np.radians(self.degrees)))
        joints = from_sixd(split(features)["rotations"].reshape(len(features), JOINT_COUNT, -1))
        turned = to_sixd(multiply(turn, joints)).reshape(len(features), -1)
        known[self.frames, rotations] = turned[self.frames]
        return known


def clip_of(motion: Motion) -> Clip:
    played = rig(RigStyle(0.6, 0.01), motion)
    return Clip(played, match_bones(played.skeleton))


def joints_of(played: RigMotion) -> Motion:
    return to_motion(played, calibrate(played, match_bones(played.skeleton)))


def change_of(clip: Clip, engine: StyleEngine, settings: StyleSettings) -> Array:
    """(T,) degrees by which the bone is turned that is turned most."""
    result = stylize(clip, None, engine, settings).motion
    return np.degrees(angle_between(result.rotations, clip.motion.rotations)).max(axis=1)


def test_what_is_known_is_stylized_as_without_the_fade() -> None:
    clip = clip_of(walk(90))
    for settings in (BENT, LOOSE):
        for engine in (BendingEngine(), PartlyLost(KNOWN_DEGREES - 1.0)):
            faded, plain = (stylize(clip, None, engine, replace(settings, fade=fade)).motion for fade in (True, False))
            np.testing.assert_array_equal(faded.rotations, plain.rotations)
            np.testing.assert_array_equal(faded.locations, plain.locations)


def test_the_style_fades_where_the_model_is_lost_and_only_there() -> None:
    clip, engine = clip_of(walk(FRAMES)), PartlyLost(UNKNOWN_DEGREES + 5.0)
    faded, plain = (change_of(clip, engine, replace(LOOSE, fade=fade)) for fade in (True, False))
    assert plain.min() > 10.0
    assert faded[FIRST:LAST].max() < 0.1
    assert faded[FIRST + 3 : LAST - 3].max() < 1e-6
    far = np.r_[: FIRST - 40, LAST + 40 : FRAMES]
    np.testing.assert_array_equal(faded[far], plain[far])
    # It goes and comes as slowly as a body leans: no frame takes more than a tenth of it, nor starts at once.
    share = faded / plain
    assert np.abs(np.diff(share)).max() < 0.1
    assert np.abs(np.diff(share, 2)).max() < 0.025


def test_a_foot_that_is_planted_stays_so_while_the_style_fades() -> None:
    clip = clip_of(walk(FRAMES))
    before, after = (
        joints_of(motion)
        for motion in (clip.motion, stylize(clip, None, PartlyLost(UNKNOWN_DEGREES + 5.0), BENT).motion)
    )
    turning = [np.degrees(angle_between(m.rotations[1:], m.rotations[:-1])).max(axis=1) for m in (before, after)]
    assert np.all(turning[1] < turning[0] + 4.0)


def test_a_clip_that_the_model_knows_nothing_of_is_left_as_it_is() -> None:
    clip, engine = clip_of(walk(90)), PartlyLost(UNKNOWN_DEGREES + 1.0, slice(None))
    assert stylize(clip, None, engine, BENT).motion is clip.motion
    assert stylize(clip, None, engine, replace(BENT, fade=False)).motion is not clip.motion


def test_a_model_that_does_not_say_what_it_knows_is_trusted() -> None:
    clip, engine = clip_of(walk(90)), PartlyLost(UNKNOWN_DEGREES + 1.0, slice(None))
    engine.knows_range = False
    assert stylize(clip, None, engine, BENT).motion is not clip.motion


def test_the_score_is_zero_where_all_is_known_and_one_where_nothing_is() -> None:
    known, lost = np.full(50, KNOWN_DEGREES), np.full(50, UNKNOWN_DEGREES)
    near, far = np.full(50, KNOWN_DISTANCE), np.full(50, UNKNOWN_DISTANCE)
    assert not score(Witnesses(known, None)).any() and not score(Witnesses(known, near)).any()
    for witnesses in (Witnesses(lost, None), Witnesses(lost, near), Witnesses(known, far)):
        np.testing.assert_allclose(score(witnesses), 1.0)
    both = score(Witnesses(0.5 * (known + lost), 0.5 * (near + far)))
    np.testing.assert_allclose(both, 0.75)


def test_a_model_that_says_from_where_on_it_guesses_is_believed() -> None:
    own = FadeBounds((4.0, 6.0), (10.0, 20.0))
    fine, unsure, far = np.full(50, 4.0), np.full(50, 5.0), np.full(50, UNKNOWN_DISTANCE)
    assert not score(Witnesses(fine, far, own)).any()
    np.testing.assert_allclose(score(Witnesses(unsure, far, own)), 0.5)
    np.testing.assert_allclose(score(Witnesses(fine, np.full(50, 15.0), own)), 0.5)
    np.testing.assert_allclose(score(Witnesses(fine, far)), 1.0)


def test_bounds_come_with_the_weights(tmp_path: Path) -> None:
    bundle, path, clip = read_bundle(WEIGHTS), tmp_path / "bounds.safetensors", encode(walk(90))[0]
    size = bundle.config.content_channels
    known = {"range.mean": np.zeros(size), "range.whitening": np.eye(size)}
    lenient = {"range.bend": np.array([170.0, 175.0]), "range.distance": np.array([1e4, 1e5])}
    strict = {"range.bend": np.array([1e-3, 2e-3]), "range.distance": np.array([1e4, 1e5])}
    for bounds, lost in ((lenient, 0.0), (strict, 1.0), (None, None)):
        tensors = {name: np.float32(values) for name, values in (known | (bounds or {})).items()}
        others = {name: values for name, values in bundle.tensors.items() if name not in lenient}
        write_bundle(path, replace(bundle, tensors={**others, **tensors}))
        read = read_bundle(path)
        engine = StyleEngine(NumpyNetwork(read))
        if bounds is None:
            assert engine.fade_bounds is None
            continue
        assert engine.fade_bounds is not None
        assert engine.fade_bounds.bend == pytest.approx(bounds["range.bend"].tolist())
        np.testing.assert_allclose(out_of_range(clip, engine), lost)
        # A network elsewhere has them from the weights as they were read here.
        said = Description(read.info.styles, 30.0, read.layout_signature, 64, None, read.content_range)
        remote = RemoteNetwork(Worker(command("torch"), said), said)
        assert StyleEngine(remote).fade_bounds == engine.fade_bounds


def test_a_glitch_of_a_frame_costs_little_and_flicker_does_not_flicker() -> None:
    glitch = np.full(200, 5.0)
    glitch[100] = 60.0
    assert not score(Witnesses(glitch, None)).any()
    flicker = np.where(np.arange(200) // 6 % 2 == 0, 5.0, 80.0)
    assert np.ptp(score(Witnesses(flicker, None))[20:-20]) < 0.02


@pytest.mark.parametrize("size", [0.6, 1.0])
def test_the_shipped_weights_know_a_walk_and_not_nonsense(size: float) -> None:
    engine = StyleEngine(NumpyNetwork(read_bundle(WEIGHTS)))
    assert not out_of_range(encode(to_canonical(real_walk()).motion)[0], engine).any()
    clip, rng = walk(120), np.random.default_rng(0)
    rates, phases = rng.uniform(0.2, 1.0, (JOINT_COUNT, 3)), rng.uniform(0.0, 6.3, (JOINT_COUNT, 3))
    swings = size * np.sin(6.3 * rates * clip.times[:, None, None] + phases)
    shaken = clip.with_pose(clip.root, multiply(clip.rotations, from_rotation_vector(swings)))
    assert out_of_range(encode(to_canonical(shaken).motion)[0], engine).mean() > 0.9


def real_walk() -> Motion:
    from scripts.bvh import read_bvh

    return joints_of(read_bvh(Path(__file__).parents[1] / "data/walk_normal.bvh")).part(slice(0, 150))
