# SPDX-License-Identifier: GPL-3.0-or-later
"""The paper's two ablations of the method itself: poses instead of latents, one stage instead of two."""

import math
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from core.engines import Cue
from core.engines.engine import StyleEngine
from core.steps import finish
from models.config import STRIDE
from models.layout import CONTACTS, HIDDEN_FROM_AUTOENCODER, FeatureLayout
from models.runtime import TorchNetwork
from models.stylization import StylizationNetwork
from scripts import train
from scripts.training import loop
from scripts.training.autoencoder_stage import AutoencoderStage
from scripts.training.auxiliary_stage import AuxiliaryStage
from scripts.training.batches import BatchSource
from scripts.training.dataset import Split, load_dataset
from scripts.training.end_to_end_stage import EndToEndStage
from scripts.training.export import make_bundle
from scripts.training.loop import OutOfTimeError, Run
from scripts.training.pose_space import PoseFolding, PoseSpaceNetwork, folded_channels
from scripts.training.settings import MethodSettings, Settings, SettingsError, StyleWeights, load_settings, override
from scripts.training.stylizer_stage import StylizerStage
from scripts.training.unbundled import UnbundledNetwork
from scripts.training.workspace import Workspace, open_workspace

from .synthetic import SMALL

CPU = torch.device("cpu")
METHODS = {"two-stage": {}, "pose-space": {"pose_space": True}, "end-to-end": {"end_to_end": True}}

NOTHING = {entry.name: 0.0 for entry in fields(StyleWeights)}
# What is measured on latents in two stages, and on folded poses in one.
MOVED = ("reconstruction", "cycle", "statistics", "style_class", "content_class", "content_features")

Open = Callable[..., Workspace]


@pytest.fixture(scope="module")
def opened(folder: Path) -> Open:
    """A workspace with some settings changed."""
    dataset, small = load_dataset(folder / "data.npz"), load_settings(folder / "small.toml").with_steps(2)

    def open_with(method: str, **changes: dict[str, object]) -> Workspace:
        return open_workspace(dataset, override(small, {"method": METHODS[method], **changes}), CPU)

    return open_with


def weights(module: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in module.state_dict().items()}


def same(first: dict[str, Tensor], second: dict[str, Tensor]) -> bool:
    assert first.keys() == second.keys()
    return all(torch.equal(first[name], second[name]) for name in first)


class TestFolding:
    def test_it_is_exact_in_both_directions(self) -> None:
        torch.manual_seed(0)
        features, latent = torch.randn(3, 7, 24), torch.randn(3, 28, 6)
        assert torch.equal(PoseFolding().decode(PoseFolding().encode(features)), features)
        assert torch.equal(PoseFolding().encode(PoseFolding().decode(latent)), latent)

    def test_a_step_is_of_its_four_frames_and_a_channel_of_one_column(self) -> None:
        features = torch.arange(2 * 5 * 12.0).reshape(2, 5, 12)
        latent = PoseFolding().encode(features)
        for frame in range(STRIDE):
            for column in range(5):
                assert torch.equal(latent[:, 5 * frame + column], features[:, column, frame::STRIDE])

    def test_nothing_of_it_is_learned(self) -> None:
        assert not list(PoseFolding().parameters()) + list(PoseFolding().buffers())

    def test_encoders_see_all_but_the_contacts(self, opened: Open) -> None:
        network = opened("pose-space").network
        assert HIDDEN_FROM_AUTOENCODER == (CONTACTS,)
        features = torch.randn(1, network.config.layout.width, 16)
        contacts = network.config.layout.slice(CONTACTS)

        def codes(clip: Tensor) -> tuple[Tensor, ...]:
            with torch.no_grad():
                latent = network.autoencoder.encode(clip)
                return (network.content(latent), *network.style(latent))

        for column in range(network.config.layout.width):
            changed = features.clone()
            changed[:, column, 5] += 1.0
            is_hidden = column in range(contacts.start, contacts.stop)
            assert [torch.equal(*pair) for pair in zip(codes(features), codes(changed), strict=True)] == [is_hidden] * 3

    def test_the_rest_of_the_network_is_as_it_was(self, opened: Open) -> None:
        usual, other = (opened(method).network for method in ("two-stage", "pose-space"))
        names = {name for name in usual.state_dict() if not name.startswith("autoencoder.")}
        assert set(other.state_dict()) == names
        between = folded_channels(other.config.layout), usual.config.latent_channels
        for name in names:
            for new, old in zip(other.state_dict()[name].shape, usual.state_dict()[name].shape, strict=True):
                assert (new, old) == between or new == old


@pytest.fixture(scope="module", params=list(METHODS))
def method(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def trained(method: str, opened: Open, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Two steps of every stage."""
    workspace = opened(method)
    return train.train(workspace, Run(tmp_path_factory.mktemp("run"), CPU, workspace.settings))


def one_step_further(workspace: Workspace, out: Path) -> Workspace | None:
    """There is no time at all: one step is done and saved. None while there is more to do."""
    try:
        return train.train(workspace, Run(out, CPU, workspace.settings, deadline=0.0))
    except OutOfTimeError:
        return None


class TestEveryMethod:
    def test_an_interrupted_run_continues_exactly(
        self, method: str, trained: Workspace, opened: Open, tmp_path: Path
    ) -> None:
        calls, pieces = 1, one_step_further(opened(method), tmp_path)
        while pieces is None:
            calls, pieces = calls + 1, one_step_further(opened(method), tmp_path)
        assert calls == 2 * len(list(tmp_path.glob("*.pt"))) + 1
        assert (tmp_path / "autoencoder.pt").exists() == (method == "two-stage")
        assert same(weights(pieces.network), weights(trained.network))

    def test_its_result_makes_motion(self, method: str, trained: Workspace) -> None:
        network = UnbundledNetwork(trained)
        clip = trained.dataset.take(1)
        own, (label, reference) = finish(
            StyleEngine(network).stylize(
                clip, [Cue("LABEL", "old", seed=1), Cue("REFERENCE", reference=trained.dataset.take(3))]
            )
        )
        for motion in (own, label, reference):
            assert motion.shape == clip.shape
            assert np.isfinite(motion).all()
        assert np.abs(label - own).max() > 1e-3
        is_exact = np.allclose(network.reconstruct(clip), clip, atol=1e-4)
        assert is_exact == (method == "pose-space")
        assert network.tempo is not None and network.content_range is not None

    def test_the_autoencoder_moves_in_the_stylizer_stage_only_if_it_is_to(self, method: str, opened: Open) -> None:
        workspace = opened(method)
        auxiliaries = AuxiliaryStage(workspace)
        stage: StylizerStage = StylizerStage(workspace, auxiliaries)
        if method == "end-to-end":
            stage = EndToEndStage(workspace, auxiliaries, AutoencoderStage(workspace))
        before = weights(workspace.network.autoencoder), weights(auxiliaries.modules), weights(workspace.network.style)
        stage.step(np.random.default_rng(0))
        stage.finish()
        assert same(weights(workspace.network.autoencoder), before[0]) == (method != "end-to-end")
        assert same(weights(auxiliaries.modules), before[1])
        assert not same(weights(workspace.network.style), before[2])


def test_what_needs_no_bundle_gives_the_same_numbers_as_one(opened: Open) -> None:
    workspace = opened("two-stage")
    networks = (UnbundledNetwork(workspace), TorchNetwork(make_bundle(workspace), "cpu", 1))
    clip, conditions = workspace.dataset.take(1), np.zeros((1, networks[0].style_size + len(networks[0].styles)))
    np.testing.assert_array_equal(*(network.stylize(clip, conditions) for network in networks))


class TestEndToEnd:
    def stage(self, workspace: Workspace) -> EndToEndStage:
        stage = EndToEndStage(workspace, AuxiliaryStage(workspace), AutoencoderStage(workspace))
        for optimizer in stage.optimizers.values():
            optimizer.param_groups[0]["lr"] = 1e-3
        stage.modules.train()
        return stage

    def test_the_autoencoder_has_the_losses_of_its_own_stage(self, opened: Open) -> None:
        together, alone = opened("end-to-end", style_weights=NOTHING), opened("end-to-end")
        alone.network.load_state_dict(weights(together.network))
        stage, own = self.stage(together), AutoencoderStage(alone)
        own.optimizers["autoencoder"].param_groups[0]["lr"] = 1e-3
        before = weights(alone.network.autoencoder)
        stage.step(np.random.default_rng(3))
        rng = np.random.default_rng(3)
        BatchSource(alone).draw(rng, stage.settings.batch)
        own.step(rng)
        assert not same(weights(alone.network.autoencoder), before)
        for name, found in weights(together.network.autoencoder).items():
            torch.testing.assert_close(found, weights(alone.network.autoencoder)[name], msg=name)

    @pytest.mark.parametrize("loss", MOVED)
    def test_losses_of_the_stylizer_reach_the_autoencoder(
        self, loss: str, opened: Open, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # Clipping would let every loss change every gradient.
        monkeypatch.setattr(loop, "GRADIENT_NORM", math.inf)
        found: list[dict[str, Tensor]] = []
        for weight in (0.0, 100.0):
            workspace = opened("end-to-end", style_weights=NOTHING | {loss: weight})
            self.stage(workspace).step(np.random.default_rng(3))
            found.append({name: p.grad for name, p in workspace.network.named_parameters() if p.grad is not None})
        moved = {name for name in found[1] if name not in found[0] or not torch.equal(found[0][name], found[1][name])}
        parts = {name for name in found[1] if name.startswith(("autoencoder.", "generator.exit."))}
        assert parts <= moved
        assert len(parts) == 18

    def test_the_running_mean_covers_the_autoencoder(self, opened: Open) -> None:
        workspace = opened("end-to-end")
        stage, seen = self.stage(workspace), []
        for seed in range(2):
            stage.step(np.random.default_rng(seed))
            seen.append(weights(workspace.network.autoencoder))
        stage.finish()
        for name, found in weights(workspace.network.autoencoder).items():
            torch.testing.assert_close(found, (seen[0][name] + seen[1][name]) / 2.0, msg=name)

    def test_losses_measure_what_does_not_move(self, opened: Open) -> None:
        workspace = opened("end-to-end")
        source = BatchSource(workspace)
        batch = source.draw(np.random.default_rng(0), 8)
        assert torch.equal(batch.a, PoseFolding().encode(batch.features_a))
        assert torch.equal(batch.b, PoseFolding().encode(batch.features_b))
        assert batch.a.shape[1] == source.channels == folded_channels(workspace.dataset.layout)
        usual = BatchSource(opened("two-stage"))
        assert usual.draw(np.random.default_rng(0), 8).a.shape[1] == usual.channels == 16

    def test_shrinking_latents_does_not_make_losses_small(self, opened: Open) -> None:
        workspace = opened("end-to-end", swaps={"latent_noise": 0.0})
        stage = self.stage(workspace)
        torch.manual_seed(0)
        before = {name: float(loss.detach()) for name, loss in stage.step(np.random.default_rng(0)).items()}
        with torch.no_grad():
            # Latents and what the generator makes are near nothing now, and decoded as nothing.
            for layer in (workspace.network.autoencoder.encoder[-1], workspace.network.generator.exit):
                for tensor in layer.state_dict().values():
                    tensor *= 1e-4
        torch.manual_seed(0)
        after = {name: float(loss.detach()) for name, loss in stage.step(np.random.default_rng(0)).items()}
        for name in ("reconstruction", "cycle", "statistics"):
            assert after[name] > 0.5 * before[name] > 0.01

    def test_noise_grows_with_the_latents(self, opened: Open) -> None:
        stage, noises = self.stage(opened("end-to-end")), []
        for size in (1.0, 1000.0):
            torch.manual_seed(0)
            noises.append(stage._noise(size * torch.randn(4, 16, 10)))
        torch.testing.assert_close(1000.0 * noises[0], noises[1])

    def test_actions_that_are_left_out_are_the_autoencoders_alone(
        self, opened: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        workspace = opened("end-to-end", left_out=["wave"])
        given: list[tuple[Workspace, Workspace]] = []

        def watched(reduced: Workspace, auxiliaries: AuxiliaryStage, autoencoder: AutoencoderStage) -> EndToEndStage:
            given.append((reduced, autoencoder._workspace))
            return EndToEndStage(reduced, auxiliaries, autoencoder)

        monkeypatch.setattr(train, "EndToEndStage", watched)
        train.train(workspace, Run(tmp_path, CPU, workspace.settings))
        wave = workspace.dataset.content_names.index("wave")
        contents = [{int(w.dataset.content[i]) for i in w.dataset.indices(Split.TRAIN)} for w in given[0]]
        assert wave not in contents[0]
        assert wave in contents[1]


class TestSettings:
    def test_checkpoints_of_the_usual_method_are_as_before_there_was_a_choice(self) -> None:
        for stage in ("autoencoder", "auxiliaries", "stylizer", "root"):
            usual, *others = (override(Settings(), {"method": method}).scope(stage) for method in METHODS.values())
            assert "method" not in usual
            assert len({usual, *others}) == 3

    @pytest.mark.parametrize("method", ["pose-space", "end-to-end"])
    def test_checkpoints_of_another_method_are_refused(
        self, method: str, folder: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        out = ["--out", str(folder / method), "--weights", str(folder / f"{method}.safetensors"), "--steps", "1"]
        given = ["--data", str(folder / "data.npz"), "--device", "cpu", "--threads", "1", *out]
        assert train.main([*given, "--settings", str(folder / "small.toml")]) == 0
        (name,) = METHODS[method]
        (folder / f"{method}.toml").write_text(f"{SMALL}[method]\n{name} = true\n")
        (folder / method / "autoencoder.pt").unlink()
        assert train.main([*given, "--settings", str(folder / f"{method}.toml")]) == 1
        assert {"pose-space": "scripts.ablate", "end-to-end": "other settings"}[method] in capsys.readouterr().err

    def test_one_at_a_time(self) -> None:
        with pytest.raises(SettingsError, match="one of"):
            MethodSettings(pose_space=True, end_to_end=True)

    def test_sizes_of_latents_do_not_matter_in_pose_space(self, opened: Open) -> None:
        config = opened("two-stage").network.config
        layout = FeatureLayout((*config.layout.fields, ("more", 3)))
        for wider in (config, replace(config, layout=layout), replace(config, latent_channels=7)):
            network = PoseSpaceNetwork(wider)
            assert isinstance(network, StylizationNetwork)
            assert network.config.latent_channels == STRIDE * wider.layout.width
