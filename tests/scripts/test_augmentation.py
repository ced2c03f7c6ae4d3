# SPDX-License-Identifier: GPL-3.0-or-later
import numpy as np
import pytest
import torch
from torch import Tensor

from core.matching import match_bones
from core.pipeline import Clip, canonical_clip
from core.representation import decode, encode
from core.skeleton import INDEX
from scripts.bvh import read_bvh
from scripts.training.augmentation import Augmentation, source_frames
from scripts.training.dataset import MotionDataset, Normalization, load_dataset

from .synthetic import write_dataset
from .takes import WALK

Scale = tuple[Augmentation, Normalization, MotionDataset]


@pytest.fixture(scope="module")
def scale(tmp_path_factory: pytest.TempPathFactory) -> Scale:
    path = tmp_path_factory.mktemp("augmentation") / "data.npz"
    write_dataset(path)
    dataset = load_dataset(path)
    rng = np.random.default_rng(0)
    width = dataset.layout.width
    normalization = Normalization(
        rng.standard_normal(width).astype(np.float32), rng.uniform(0.5, 2.0, width).astype(np.float32)
    )
    return Augmentation(dataset, normalization, torch.device("cpu")), normalization, dataset


def features(normalization: Normalization) -> Tensor:
    motion = read_bvh(WALK)
    raw = encode(canonical_clip(Clip(motion, match_bones(motion.skeleton))).motion)[0]
    return torch.from_numpy(((raw - normalization.mean) / normalization.std).T.copy())[None]


def raw(clip: Tensor, normalization: Normalization) -> np.ndarray:
    return clip[0].T.numpy() * normalization.std + normalization.mean


def test_mirrored_features_are_those_of_the_mirrored_motion(scale: Scale) -> None:
    augmentation, normalization, _ = scale
    clip = features(normalization)
    mirrored = raw(augmentation.mirrored(clip), normalization)
    before, after = decode(raw(clip, normalization)).positions(), decode(mirrored).positions()
    left, right = INDEX["left_wrist"], INDEX["right_wrist"]
    # Both start with the heading zero, so that the world is mirrored at the plane x = 0.
    start = before[:1, :1] * [1.0, 0.0, 1.0], after[:1, :1] * [1.0, 0.0, 1.0]
    np.testing.assert_allclose((after - start[1])[:, left], (before - start[0])[:, right] * [-1.0, 1.0, 1.0], atol=1e-4)
    # The heading at the very ends depends on how they are extended.
    again = encode(decode(mirrored))[0]
    np.testing.assert_allclose(again[15:-15], mirrored[15:-15], atol=1e-3)
    torch.testing.assert_close(augmentation.mirrored(augmentation.mirrored(clip)), clip, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("rate", [0.75, 1.0, 1.3])
def test_retimed_clips_go_the_same_way_faster(scale: Scale, rate: float) -> None:
    augmentation, normalization, dataset = scale
    clip = features(normalization)
    frames = 60
    retimed = raw(augmentation.retimed(clip, rate, frames), normalization)
    plain = raw(clip, normalization)
    assert retimed.shape == (frames, dataset.layout.width)
    if rate == 1.0:
        np.testing.assert_allclose(retimed, plain[:frames], atol=1e-4)
    way = [np.linalg.norm(np.diff(decode(part).root[:, [0, 2]], axis=0), axis=-1).sum()
           for part in (retimed, plain[: round((frames - 1) * rate) + 1])]  # fmt: skip
    assert way[0] == pytest.approx(way[1], rel=0.02)
    assert source_frames(rate, frames) <= len(plain)


def test_joined_clips_have_the_legs_of_the_one_and_the_arms_of_the_other(scale: Scale) -> None:
    augmentation, normalization, _ = scale
    upper, lower = features(normalization)[..., 40:100], features(normalization)[..., :60]
    joined, above, below = (
        decode(raw(clip, normalization)).positions() for clip in (augmentation.joined(upper, lower), upper, lower)
    )
    knee, spine, wrist = (INDEX[name] for name in ("left_knee", "spine1", "left_wrist"))
    np.testing.assert_allclose(joined[:, knee], below[:, knee], atol=1e-3)
    lengths = [np.linalg.norm(clip[:, wrist] - clip[:, spine], axis=-1) for clip in (joined, above)]
    np.testing.assert_allclose(lengths[0], lengths[1], atol=1e-3)
    # What the features say of the positions is what the rotations make of them.
    mixed = raw(augmentation.joined(upper, lower), normalization)
    again = encode(decode(mixed))[0]
    assert np.abs(again - mixed)[10:-10].mean() < 0.01
