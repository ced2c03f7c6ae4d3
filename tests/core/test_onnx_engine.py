# SPDX-License-Identifier: GPL-3.0-or-later
"""The graphs on onnxruntime give the numbers of torch and numpy, or the engine says in a sentence why it cannot."""

import subprocess
import sys
from importlib import metadata
from pathlib import Path

import numpy as np
import onnx
import pytest

from core.engines import Cue
from core.engines.engine import StyleEngine
from core.engines.numpy_engine import NumpyNetwork
from core.engines.onnx_engine import OnnxNetwork
from core.errors import EngineError
from core.representation import FEATURES, SIGNATURE, WIDTH, encode
from core.steps import finish
from models.bundle import Bundle, read_bundle
from models.config import NetworkConfig
from models.layout import FeatureLayout
from models.manifest import FULL_PRECISION
from models.runtime import TorchNetwork
from scripts.export_onnx import FUNCTIONS, build_graph, write_graphs

from .characters import walk
from .test_numpy_engine import random_bundle

ROOT = Path(__file__).parents[2]
TRAINED = ROOT / "models" / "weights" / "bandai-namco.safetensors"
LENGTHS = (8, 9, 61, 90, 163)


@pytest.fixture(scope="module", params=["trained", "untrained"])
def bundle(request: pytest.FixtureRequest) -> Bundle:
    """Trained weights show that real clips agree; untrained ones leave no part of a network unused."""
    if request.param == "untrained":
        return random_bundle()
    return read_bundle(TRAINED)


@pytest.fixture(scope="module")
def graphs(bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("onnx")
    write_graphs(bundle.config, folder)
    return folder


@pytest.fixture(scope="module")
def network(bundle: Bundle, graphs: Path) -> OnnxNetwork:
    return OnnxNetwork(graphs, bundle)


def conditions(network: OnnxNetwork, count: int) -> np.ndarray:
    """The last one without a label."""
    rng = np.random.default_rng(count)
    codes = rng.standard_normal((count, network.style_size))
    labels = np.eye(len(network.styles))[rng.integers(len(network.styles), size=count)]
    labels[-1] = 0.0
    return np.concatenate([codes, labels], axis=1).astype(np.float32)


class TestParity:
    @pytest.mark.parametrize("frames", LENGTHS)
    def test_networks_agree(self, network: OnnxNetwork, bundle: Bundle, frames: int) -> None:
        clip, given = encode(walk(frames))[0], conditions(network, 3)
        mine = (network.style_gaussian(clip), network.stylize(clip, given), network.reconstruct(clip))
        assert [one.shape for one in mine] == [(2, network.style_size), (3, frames, WIDTH), (frames, WIDTH)]
        assert all(one.dtype == np.float32 for one in mine)
        for other in (TorchNetwork(bundle, device="cpu"), NumpyNetwork(bundle)):
            theirs = (other.style_gaussian(clip), other.stylize(clip, given), other.reconstruct(clip))
            for a, b in zip((*mine, network.content_code(clip)), (*theirs, other.content_code(clip)), strict=True):
                assert a.shape == b.shape
                assert np.abs(a - b).max() < 1e-4

    # The last length takes more than one window.
    @pytest.mark.parametrize("frames", [61, 700])
    @pytest.mark.parametrize("source", ["LABEL", "REFERENCE", "RANDOM"])
    def test_engines_agree(self, network: OnnxNetwork, bundle: Bundle, source: str, frames: int) -> None:
        clip, cue = encode(walk(frames))[0], Cue(source, bundle.info.styles[1], encode(walk(43, speed=2.0))[0], seed=5)
        networks = (network, TorchNetwork(bundle, device="cpu"), NumpyNetwork(bundle))
        mine, *others = (finish(StyleEngine(one).stylize(clip, [cue, cue])) for one in networks)
        for theirs in others:
            assert np.abs(mine[0] - theirs[0]).max() < 1e-4
            assert np.abs(mine[1][1] - theirs[1][1]).max() < 1e-4

    @pytest.mark.parametrize("count", [1, 2, 7])
    def test_conditions_do_not_see_each_other(self, network: OnnxNetwork, count: int) -> None:
        clip, given = encode(walk(40))[0], conditions(network, count)
        together = network.stylize(clip, given)
        for one, result in zip(given, together, strict=True):
            assert np.abs(network.stylize(clip, one[None])[0] - result).max() < 1e-4

    def test_another_clip_is_not_taken_for_the_last_one(self, network: OnnxNetwork) -> None:
        clips = [encode(walk(40, speed=speed))[0] for speed in (1.0, 2.0)]
        codes = [network.style_gaussian(clip) for clip in (*clips, *clips)]
        assert np.array_equal(codes[0], codes[2])
        assert np.array_equal(codes[1], codes[3])
        assert not np.array_equal(codes[0], codes[1])
        changed = clips[0].copy()
        network.style_gaussian(changed)
        changed[:] = clips[1]
        assert np.array_equal(network.style_gaussian(changed), codes[1])

    def test_the_same_question_has_the_same_answer(self, network: OnnxNetwork, bundle: Bundle, graphs: Path) -> None:
        clip, given = encode(walk(90))[0], conditions(network, 2)
        first = network.stylize(clip, given)
        assert all(np.array_equal(network.stylize(clip, given), first) for _ in range(5))
        assert np.array_equal(OnnxNetwork(graphs, bundle).stylize(clip, given), first)


class TestGraphs:
    def test_are_valid_and_hold_no_weights(self, bundle: Bundle, graphs: Path) -> None:
        for name in FUNCTIONS:
            path = graphs / f"{name}.onnx"
            assert path.stat().st_size < 50_000
            stored = onnx.load(path, load_external_data=False)
            assert {one.name for one in stored.graph.initializer if one.external_data} <= set(bundle.tensors)

    def test_every_weight_is_in_one(self, bundle: Bundle) -> None:
        used = {
            one.name
            for name in FUNCTIONS
            for one in build_graph(bundle.config, name).graph.initializer
            if one.external_data
        }
        assert used == {name for name in bundle.tensors if name not in FULL_PRECISION}

    def test_equal_networks_give_equal_bytes(self, bundle: Bundle, graphs: Path, tmp_path: Path) -> None:
        write_graphs(bundle.config, tmp_path)
        assert all((tmp_path / f"{n}.onnx").read_bytes() == (graphs / f"{n}.onnx").read_bytes() for n in FUNCTIONS)

    def test_are_written_without_torch(self, tmp_path: Path) -> None:
        program = (
            "import sys; sys.modules['torch'] = None; from scripts.export_onnx import main; "
            f"sys.argv[1:] = [{str(TRAINED)!r}, {str(tmp_path)!r}]; main()"
        )
        subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)
        assert {path.stem for path in tmp_path.iterdir()} == set(FUNCTIONS)


class TestRefusals:
    def test_a_zip_without_graphs_is_named(self, bundle: Bundle, tmp_path: Path) -> None:
        with pytest.raises(EngineError, match="comes without onnxruntime"):
            OnnxNetwork(tmp_path, bundle)

    def test_a_damaged_graph_is_named(self, bundle: Bundle, graphs: Path, tmp_path: Path) -> None:
        for name in FUNCTIONS:
            (tmp_path / f"{name}.onnx").write_bytes((graphs / f"{name}.onnx").read_bytes()[:1000])
        with pytest.raises(EngineError, match=r"encode\.onnx does not fit .*reinstall Panache"):
            OnnxNetwork(tmp_path, bundle)

    @pytest.mark.parametrize("sizes", [{"style_width": 96}, {"style_channels": 32}, {"autoencoder_width": 128}])
    def test_graphs_of_other_sizes_are_refused(self, bundle: Bundle, tmp_path: Path, sizes: dict[str, int]) -> None:
        other = NetworkConfig(FeatureLayout(FEATURES), len(bundle.info.styles), **sizes)
        write_graphs(other, tmp_path)
        with pytest.raises(EngineError, match="reinstall Panache"):
            OnnxNetwork(tmp_path, bundle)

    def test_a_graph_of_fewer_styles_is_refused(self, bundle: Bundle, tmp_path: Path) -> None:
        write_graphs(NetworkConfig(FeatureLayout(FEATURES), 1), tmp_path)
        with pytest.raises(EngineError, match="reinstall Panache"):
            OnnxNetwork(tmp_path, bundle)

    def test_graphs_for_other_features_are_refused(self, bundle: Bundle, graphs: Path, tmp_path: Path) -> None:
        for name in FUNCTIONS:
            model = onnx.load(graphs / f"{name}.onnx", load_external_data=False)
            onnx.helper.set_model_props(model, {**props(model), "layout_signature": "other"})
            (tmp_path / f"{name}.onnx").write_bytes(model.SerializeToString())
        with pytest.raises(EngineError, match="another weight file"):
            OnnxNetwork(tmp_path, bundle)

    def test_foreign_weights_are_refused(self, bundle: Bundle, graphs: Path) -> None:
        other = Bundle(NetworkConfig(FeatureLayout(FEATURES[:2]), 2), bundle.info, bundle.tensors)
        assert OnnxNetwork(graphs, bundle).layout_signature == SIGNATURE
        with pytest.raises(EngineError, match="install"):
            OnnxNetwork(graphs, other)

    def test_conditions_of_the_wrong_size_are_an_engine_error(self, network: OnnxNetwork) -> None:
        with pytest.raises(EngineError, match="onnxruntime could not compute"):
            network.stylize(encode(walk(30))[0], np.zeros((1, 3), dtype=np.float32))

    @pytest.mark.parametrize("version", ["1.29.0", "1.31.1", "2.0.0", "1.10.0", "nightly"])
    def test_untried_versions_are_not_even_loaded(
        self, bundle: Bundle, graphs: Path, monkeypatch: pytest.MonkeyPatch, version: str
    ) -> None:
        monkeypatch.setattr(metadata, "version", lambda _name: version)
        monkeypatch.setitem(sys.modules, "onnxruntime", None)  # importing it would raise another sentence
        with pytest.raises(EngineError, match=f"onnxruntime {version}, which Panache does not use"):
            OnnxNetwork(graphs, bundle)


class TestOtherPythons:
    """A Python that sees numpy and, at most, a broken onnxruntime."""

    def test_a_missing_runtime_is_named(self, tmp_path: Path) -> None:
        assert "brings no onnxruntime for this Blender's Python 3." in self.refusal(tmp_path)

    def test_a_runtime_for_another_python_is_named(self, tmp_path: Path) -> None:
        files = {
            "onnxruntime-1.23.2.dist-info/METADATA": "Metadata-Version: 2.1\nName: onnxruntime\nVersion: 1.23.2\n",
            "onnxruntime/__init__.py": "from . import state",
            "onnxruntime/state.abi3.so": "no library",
        }
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text(text)
        assert "onnxruntime 1.23.2 does not start here (" in self.refusal(tmp_path)

    def refusal(self, site: Path) -> str:
        """What the engine says where the folder ``site`` is all that is installed, beside numpy."""
        write_graphs(read_bundle(TRAINED).config, site / "graphs")
        installed = Path(np.__file__).parents[1]
        for folder in ("numpy", "numpy.libs"):  # the second is not in every build
            if (installed / folder).exists():
                (site / folder).symlink_to(installed / folder)
        program = (
            f"import sys; sys.path[:0] = [{str(ROOT)!r}, {str(site)!r}]\n"
            "from pathlib import Path\n"
            "from core.engines.onnx_engine import OnnxNetwork\nfrom models.bundle import read_bundle\n"
            "from core.errors import EngineError\n"
            f"try: OnnxNetwork(Path({str(site / 'graphs')!r}), read_bundle(Path({str(TRAINED)!r})))\n"
            "except EngineError as error: print(error)\n"
        )
        command = [sys.executable, "-S", "-I", "-c", program]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def props(model: onnx.ModelProto) -> dict[str, str]:
    return {entry.key: entry.value for entry in model.metadata_props}
