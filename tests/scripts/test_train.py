# SPDX-License-Identifier: GPL-3.0-or-later
import dataclasses
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from core.engines import Cue
from core.engines.engine import StyleEngine
from core.kinematics import joint_positions
from core.rotations import from_axis_angle, to_sixd
from core.skeleton import CANONICAL, JOINT_COUNT
from core.steps import finish
from models.bundle import read_bundle
from models.config import STRIDE
from models.networks.autoencoder import MotionAutoencoder
from models.runtime import TorchNetwork
from models.stylization import StylizationNetwork
from scripts import train
from scripts.training.autoencoder_stage import standardize_latent
from scripts.training.batches import BatchSource
from scripts.training.dataset import UNLABELLED, DatasetError, Normalization, Split, load_dataset
from scripts.training.gaussians import Gaussian, LabelPrior, fold_prior
from scripts.training.kinematics import PoseKinematics, angles_between
from scripts.training.sampling import CropSampler, PairSampler
from scripts.training.settings import Settings, SettingsError, load_settings
from scripts.training.workspace import Workspace, open_workspace, without_left_out

from .synthetic import SMALL, TAKES


def run(folder: Path, out: str, *options: str, settings: Path | None = None) -> int:
    files = ["--data", str(folder / "data.npz"), "--settings", str(settings or folder / "small.toml")]
    target = ["--out", str(folder / out), "--weights", str(folder / f"{out}.safetensors")]
    return train.main([*files, *target, "--device", "cpu", "--threads", "1", *options])


@pytest.fixture(scope="module")
def workspace(folder: Path) -> Workspace:
    return open_workspace(load_dataset(folder / "data.npz"), load_settings(folder / "small.toml"), torch.device("cpu"))


def test_two_steps_of_every_stage_make_a_bundle_that_runs(folder: Path) -> None:
    assert run(folder, "first", "--steps", "2") == 0
    dataset = load_dataset(folder / "data.npz")
    bundle = read_bundle(folder / "first.safetensors", dataset.layout.signature)
    assert bundle.info.styles == dataset.style_names
    assert set(bundle.info.held_out_takes) == {dataset.takes[i] for i in np.flatnonzero(dataset.split)}
    assert bundle.tempo is not None and bundle.tempo.shape == (
        2,
        bundle.config.style_channels + len(bundle.info.styles),
    )
    engine = StyleEngine(TorchNetwork(bundle, "cpu", 1))
    # Of the training takes themselves, the usual code is at a distance of 1.
    takes = dataset.indices(Split.TRAIN)
    away = np.concatenate([finish(engine.content_distance(dataset.take(int(take)))) for take in takes])
    assert 0.3 < float(np.sqrt(np.mean(away**2))) < 1.5
    own, (styled,) = finish(engine.stylize(dataset.take(1), [Cue("LABEL", "old", seed=1)]))
    assert np.isfinite(own).all() and np.isfinite(styled).all()


def test_an_interrupted_run_continues_exactly(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(folder, "whole", "--steps", "3") == 0
    # No time at all: every call does one step, saves it and stops.
    calls = 1
    while run(folder, "pieces", "--steps", "3", "--minutes", "0"):
        assert "run the same command again" in capsys.readouterr().err
        calls += 1
    assert calls > len(("autoencoder", "auxiliaries", "stylizer", "root")) * 2
    whole, pieces = (read_bundle(folder / f"{name}.safetensors") for name in ("whole", "pieces"))
    for name, array in whole.tensors.items():
        np.testing.assert_array_equal(array, pieces.tensors[name], err_msg=name)


def test_checkpoints_of_other_settings_are_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(folder, "mixed", "--steps", "1") == 0
    assert run(folder, "mixed", "--steps", "1", "--seed", "5") == 1
    assert "other settings" in capsys.readouterr().err


def test_a_missing_dataset_says_how_to_make_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert train.main(["--data", str(tmp_path / "none.npz"), "--out", str(tmp_path)]) == 1
    assert "scripts.prepare_data" in capsys.readouterr().err


def test_settings_files_override_by_name(tmp_path: Path) -> None:
    path = tmp_path / "s.toml"
    path.write_text("seed = 4\ncrop_frames = [32]\n[root]\nsteps = 7\n[style_weights]\ncycle = 2\n")
    settings = load_settings(path)
    assert (settings.seed, settings.crop_frames, settings.root.steps) == (4, (32,), 7)
    assert isinstance(settings.style_weights.cycle, float)
    assert dataclasses.replace(settings.root, steps=Settings().root.steps) == Settings().root
    for wrong in ("colour = 1", "[root]\nstep = 1", "to_json = 3", "seed ="):
        path.write_text(wrong)
        with pytest.raises(SettingsError):
            load_settings(path)


def test_a_stage_depends_on_no_later_one() -> None:
    settings = Settings()
    later = dataclasses.replace(settings, root=dataclasses.replace(settings.root, steps=1))
    assert settings.scope("stylizer") == later.scope("stylizer")
    assert settings.scope("root") != later.scope("root")


def test_pairs_differ_in_style_and_come_from_training(workspace: Workspace) -> None:
    dataset, rng = workspace.dataset, np.random.default_rng(0)
    takes = PairSampler(dataset, 64).draw(rng, 400)
    assert (dataset.style[takes[::2]] != dataset.style[takes[1::2]]).all()
    assert (dataset.split[takes] == Split.TRAIN).all()
    assert (dataset.lengths[takes] >= 64).all()
    assert 0 not in takes


def test_crops_stay_inside_their_takes(workspace: Workspace) -> None:
    sampler, rng = CropSampler(workspace.dataset, (64, 40, 4000)), np.random.default_rng(0)
    for _ in range(20):
        frames = sampler.frames(rng)
        takes = sampler.draw(rng, 8, frames)
        offsets = sampler.offsets(rng, takes, frames)
        assert (offsets >= 0).all()
        assert (offsets + frames <= workspace.dataset.lengths[takes]).all()


def test_unlabelled_takes_are_drawn_by_themselves(workspace: Workspace) -> None:
    sampler, rng = workspace.clips.sampler, np.random.default_rng(0)
    loose = np.flatnonzero(workspace.dataset.style == UNLABELLED)
    assert set(sampler.draw_loose(rng, 200, 40)) == set(loose)
    assert not set(sampler.draw(rng, 200, 40)) & set(loose)
    assert len(sampler.draw_loose(rng, 5, 4000)) == 0


def test_a_batch_is_of_partners_that_differ_in_style(workspace: Workspace) -> None:
    source, rng = BatchSource(workspace), np.random.default_rng(0)
    batches = [source.draw(rng, 8) for _ in range(20)]
    for batch in batches:
        assert batch.a.shape == batch.b.shape
        assert batch.features_a.shape[-1] == STRIDE * batch.a.shape[-1]
        assert (batch.style != batch.style[batch.partner]).all()
        assert (batch.content < source.shape[0]).all()
    styles, contents = (torch.cat([getattr(batch, name) for batch in batches]) for name in ("style", "content"))
    # Some clips are unlabelled, some labelled ones have the legs of another action, and some are mirrored.
    assert (styles == UNLABELLED).any()
    assert ((styles != UNLABELLED) & (contents == UNLABELLED)).any()
    assert (contents >= len(workspace.dataset.content_names)).any()


def test_an_action_that_is_left_out_is_not_drawn(folder: Path, workspace: Workspace) -> None:
    settings = dataclasses.replace(workspace.settings, left_out=("wave",))
    others = without_left_out(dataclasses.replace(workspace, settings=settings))
    takes = others.clips.sampler.draw(np.random.default_rng(0), 200, 40)
    assert set(others.dataset.content[takes]) == {workspace.dataset.content_names.index("walk")}
    path = folder / "unknown.toml"
    path.write_text(SMALL.replace("crop_frames", 'left_out = ["dive"]\ncrop_frames'))
    assert run(folder, "unknown", "--steps", "1", settings=path) == 1


def test_training_without_labels_makes_a_bundle_with_all_label_names(folder: Path) -> None:
    path = folder / "unsupervised.toml"
    path.write_text(SMALL + "[swaps]\nsupervised = false\n[discovery]\nactions = 3\nstyles = 4\nframes = 50\n")
    assert run(folder, "unsupervised", "--steps", "2", settings=path) == 0
    bundle = read_bundle(folder / "unsupervised.safetensors")
    assert bundle.info.styles == load_dataset(folder / "data.npz").style_names


def test_a_variational_autoencoder_trains(folder: Path) -> None:
    path = folder / "variational.toml"
    path.write_text(SMALL + "[pose_weights]\ndivergence = 0.001\n")
    assert run(folder, "variational", "--steps", "2", settings=path) == 0


def test_two_processes_train_together(folder: Path) -> None:
    files = ["--data", str(folder / "data.npz"), "--settings", str(folder / "small.toml"), "--steps", "2"]
    target = ["--out", str(folder / "two"), "--weights", str(folder / "two.safetensors")]
    launch = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "scripts.train"]
    command = [sys.executable, *launch, *files, *target, "--device", "cpu", "--threads", "1"]
    done = subprocess.run(command, cwd=Path(train.__file__).parents[1], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.count("stylizer: ") == 1
    assert run(folder, "one", "--steps", "2") == 0
    one, two = (read_bundle(folder / f"{name}.safetensors").tensors for name in ("one", "two"))
    # Twice the clips make another step: but from the same start, so that it is a near one.
    gaps = [float(np.abs(one[name] - two[name]).max()) for name in one if name.startswith("autoencoder.encoder.0")]
    assert 0.0 < max(gaps) < 0.1


def test_kinematics_agree_with_core(workspace: Workspace) -> None:
    rng, layout = np.random.default_rng(0), workspace.dataset.layout
    axes = rng.standard_normal((5, JOINT_COUNT, 3))
    rotations = from_axis_angle(
        axes / np.linalg.norm(axes, axis=-1, keepdims=True), rng.uniform(-3, 3, (5, JOINT_COUNT))
    )
    features = rng.standard_normal((5, layout.width)).astype(np.float32)
    features[:, layout.slice("rotations")] = to_sixd(rotations).reshape(5, -1)
    root = np.zeros((5, 3))
    root[:, 1] = features[:, layout.slice("root_height")][:, 0]
    unit = Normalization(np.zeros(layout.width, np.float32), np.ones(layout.width, np.float32))
    kinematics = PoseKinematics(workspace.dataset, unit, torch.device("cpu"))
    joints = kinematics.joints(torch.from_numpy(features.T.copy())[None])[0]
    np.testing.assert_allclose(joints, joint_positions(root, rotations, CANONICAL.offsets), atol=1e-5)


@pytest.mark.parametrize("degrees", [0.0, 0.01, 5.0, 90.0, 179.0])
def test_angles_between_rotations_are_precise_near_zero(degrees: float) -> None:
    angle = torch.deg2rad(torch.tensor(degrees, dtype=torch.float64))
    turn = torch.eye(3, dtype=torch.float64)
    turn[0, 0] = turn[1, 1] = angle.cos()
    turn[0, 1], turn[1, 0] = -angle.sin(), angle.sin()
    assert float(angles_between(torch.eye(3, dtype=torch.float64), turn)) == pytest.approx(degrees, abs=1e-6)


def test_standardizing_the_latent_changes_no_pose(workspace: Workspace) -> None:
    autoencoder = MotionAutoencoder(workspace.network.config)
    features = torch.randn(4, workspace.dataset.layout.width, 64)
    with torch.no_grad():
        before = autoencoder.decode(autoencoder.encode(features))
        standardize_latent(autoencoder, autoencoder.encode(features).transpose(0, 1).flatten(1))
        latent = autoencoder.encode(features)
        torch.testing.assert_close(autoencoder.decode(latent), before, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(latent.mean(dim=(0, 2)), torch.zeros(latent.shape[1]), atol=1e-5, rtol=0)
    assert float(latent.square().mean()) == pytest.approx(1.0, abs=1e-4)


def test_a_dataset_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.npz").write_bytes(b"no zip")
    with pytest.raises(DatasetError, match="prepare_data"):
        load_dataset(tmp_path / "x.npz")


def test_every_take_has_a_row(workspace: Workspace) -> None:
    assert sum(len(workspace.dataset.indices(split)) for split in Split) == TAKES - 1


def test_folding_the_prior_makes_a_standard_draw_one_of_the_label(workspace: Workspace) -> None:
    torch.manual_seed(0)
    network = StylizationNetwork(workspace.network.config)
    config, prior = network.config, LabelPrior(network.config.style_count, network.config.style_channels)
    with torch.no_grad():
        prior.mean.normal_()
        prior.log_variance.normal_()
        label, latent = torch.tensor([1, 2]), torch.randn(2, config.latent_channels, 12)
        one_hot, noise = torch.eye(config.style_count)[label], torch.randn(2, config.style_channels)
        content, cue = network.content(latent), network.own_cue(latent)
        drawn = prior(label).mean + (0.5 * prior.log_variance).exp() * noise
        by_reference = network.generator(content, cue.style, cue.label)
        expected = network.generator(content, drawn, one_hot)
        fold_prior(network, prior)
        torch.testing.assert_close(network.generator(content, noise, one_hot), expected, atol=1e-4, rtol=1e-4)
        cue = network.own_cue(latent)
        torch.testing.assert_close(network.generator(content, cue.style, cue.label), by_reference, atol=1e-4, rtol=1e-4)


def test_a_wider_spread_changes_draws_and_not_references(folder: Path, tmp_path: Path) -> None:
    bundles = []
    for spread in (1.0, 2.0):
        settings = tmp_path / f"{spread}.toml"
        settings.write_text(f"{SMALL}\n[swaps]\nspread = {spread}\n")
        assert run(folder, f"spread-{spread}", "--steps", "2", settings=settings) == 0
        bundles.append(read_bundle(folder / f"spread-{spread}.safetensors"))
    narrow, wide = (bundle.tensors for bundle in bundles)
    size = bundles[0].config.style_channels
    for name in [name for name in narrow if name.endswith("affine.weight")]:
        factor = np.where(np.arange(narrow[name].shape[1]) < size, 2.0, 1.0)
        np.testing.assert_allclose(wide[name], narrow[name] * factor, rtol=2e-3, atol=1e-6)
    for part in ("weight", "bias"):
        means = [tensors[f"style.head.{part}"][:size] for tensors in (narrow, wide)]
        np.testing.assert_allclose(2.0 * means[1], means[0], rtol=2e-3, atol=1e-6)


def test_divergence_of_gaussians_agrees_with_torch() -> None:
    torch.manual_seed(0)
    first, second = (Gaussian(torch.randn(5, 3), torch.randn(5, 3)) for _ in range(2))
    normals = [torch.distributions.Normal(g.mean, (0.5 * g.log_variance).exp()) for g in (first, second)]
    expected = torch.distributions.kl_divergence(*normals).mean()
    torch.testing.assert_close(first.divergence(second), expected)
    assert float(first.divergence(first)) == pytest.approx(0.0, abs=1e-7)
