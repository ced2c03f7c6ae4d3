# SPDX-License-Identifier: GPL-3.0-or-later
"""What is kept of a reference: its style, and what it was like."""

import json
from dataclasses import asdict, replace

import numpy as np
import pytest

from core.canonical import to_canonical
from core.engines import Features
from core.engines.engine import StyleEngine
from core.matching import match_bones
from core.motion import Motion
from core.pipeline import Clip
from core.representation import encode, feature_slice, split
from core.rotations import from_axis_angle, from_sixd, multiply, to_sixd
from core.skeleton import INDEX, JOINT_COUNT
from core.steps import finish
from core.style_reading import read_style_steps
from core.style_statistics import StyleStatistics, parse_statistics, statistics_steps

from .characters import RigStyle, rig, walk
from .test_style_fitting import PosingNetwork


class ForgetfulNetwork(PosingNetwork):
    """Knows the first half of a clip; turns all joints of the rest."""

    def __init__(self, degrees: float) -> None:
        super().__init__()
        self.turn = from_axis_angle(np.array([0.0, 0.0, 1.0]), np.array(np.radians(degrees)))

    def reconstruct(self, features: Features) -> Features:
        half, rotations = len(features) // 2, feature_slice("rotations")
        known = features.copy()
        joints = from_sixd(split(features)["rotations"].reshape(len(features), JOINT_COUNT, -1))
        known[half:, rotations] = to_sixd(multiply(self.turn, joints)).reshape(len(features), -1)[half:]
        return known


def clip_of(motion: Motion) -> Clip:
    played = rig(RigStyle(0.6, 0.01), motion)
    return Clip(played, match_bones(played.skeleton))


def features_of(motion: Motion) -> Features:
    return encode(to_canonical(motion).motion)[0]


def measured(motion: Motion, network: PosingNetwork | None = None) -> StyleStatistics:
    return finish(statistics_steps(features_of(motion), 30.0, 0.5, StyleEngine(network or PosingNetwork())))


def test_a_walk_in_numbers() -> None:
    found = measured(walk(90, speed=1.1))
    assert (found.seconds, found.fps, found.reach) == (3.0, 30.0, 0.5)
    assert found.speed == pytest.approx(1.1, rel=0.1)
    pose, spread = np.array(found.mean_pose).reshape(-1, 3), np.array(found.spread)
    assert pose[0, 1] == pytest.approx(0.87, abs=0.1) and not pose[0, [0, 2]].any()
    assert pose[INDEX["left_ankle"], 1] < pose[INDEX["left_knee"], 1] < pose[0, 1] < pose[INDEX["head"], 1]
    assert pose[INDEX["left_wrist"], 0] > 0.0 > pose[INDEX["right_wrist"], 0]
    # Feet swing, hips hardly do.
    assert spread[INDEX["left_foot"]] > 0.1 > spread[INDEX["left_hip"]]


def test_a_body_at_rest() -> None:
    still = walk(90)
    still = replace(still, root=np.repeat(still.root[:1], 90, 0), rotations=np.repeat(still.rotations[:1], 90, 0))
    found = measured(still)
    assert found.speed == pytest.approx(0.0, abs=1e-6)
    assert max(found.spread) < 1e-6


def test_what_the_model_does_not_know_is_counted() -> None:
    found = measured(walk(200), ForgetfulNetwork(40.0))
    assert found.outside == pytest.approx(0.5, abs=0.15)
    assert found.bend == pytest.approx(20.0, abs=0.2)
    assert found.warnings() == ("The model knows little of the movement in the reference: expect less of the style.",)


def test_warnings() -> None:
    good = replace(measured(walk(200)), reach=0.9)
    assert good.warnings() == ()
    assert "5 to 20" in replace(good, seconds=1.0).warnings()[0]
    assert "little of this style" in replace(good, reach=0.1).warnings()[0]


def test_statistics_are_written_and_read() -> None:
    found = measured(walk(90))
    text = json.dumps(found.as_data())
    assert len(text) < 3000
    back = parse_statistics(json.loads(text))
    np.testing.assert_allclose(back.mean_pose, found.mean_pose, atol=1e-4)
    assert back == parse_statistics(back.as_data())


@pytest.mark.parametrize(
    "change",
    [{"seconds": None}, {"fps": "30"}, {"bend": float("nan")}, {"spread": [0.0]}, {"mean_pose": 1.0}, {"reach": True}],
)
def test_other_statistics_are_refused(change: dict[str, object]) -> None:
    data = measured(walk(90)).as_data()
    assert parse_statistics(data)
    with pytest.raises(ValueError, match="no|not"):
        parse_statistics({**data, **change})
    with pytest.raises(ValueError, match="no table"):
        parse_statistics([*asdict(parse_statistics(data))])


@pytest.mark.parametrize("refine", [False, True])
def test_a_style_is_read(refine: bool) -> None:
    engine = StyleEngine(PosingNetwork())
    clip = clip_of(walk(60, fps=24.0))
    reading = finish(read_style_steps(clip, engine, refine=refine))
    assert reading.code.shape == (engine.style_size,)
    assert reading.statistics.fps == pytest.approx(24.0)
    assert reading.statistics.seconds == pytest.approx(60 / 24, abs=0.1)
    progress = list(read_style_steps(clip, engine, refine=refine))
    shares = [one.share for one in progress]
    assert shares == sorted(shares)
    assert {one.what for one in progress} >= {"Reading the clip", "Measuring"}
    assert ("Fitting the style" in {one.what for one in progress}) == refine
