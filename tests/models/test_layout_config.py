# SPDX-License-Identifier: GPL-3.0-or-later
import json
import subprocess
import sys
from dataclasses import replace

import pytest

from core.representation import FEATURES, SIGNATURE, feature_slice
from models.config import NetworkConfig
from models.layout import FeatureLayout
from models.manifest import MEAN, STD, tensor_shapes

from .tiny import CONFIG, LAYOUT, make_network


def test_slices_tile_the_columns_in_order() -> None:
    columns = [column for name, _ in LAYOUT.fields for column in range(LAYOUT.width)[LAYOUT.slice(name)]]
    assert columns == list(range(LAYOUT.width))


def test_columns_without_is_the_complement() -> None:
    kept = LAYOUT.columns_without(["root_height", "contacts"])
    hidden = [*range(LAYOUT.width)[LAYOUT.slice("root_height")], *range(LAYOUT.width)[LAYOUT.slice("contacts")]]
    assert sorted([*kept, *hidden]) == list(range(LAYOUT.width))


def test_unknown_slice_names_the_known_ones() -> None:
    with pytest.raises(KeyError, match="root_height"):
        LAYOUT.slice("elbow")


def test_layout_agrees_with_core() -> None:
    layout = FeatureLayout(FEATURES)
    assert layout.signature == SIGNATURE
    assert all(layout.slice(name) == feature_slice(name) for name, _ in FEATURES)
    assert FeatureLayout.parse(json.loads(SIGNATURE)) == layout


@pytest.mark.parametrize("pairs", [[], [["a", 1], ["a", 2]], [["a", 0]], [["a"]], [[1, "a"]], "a1", [["a", 1.5]], None])
def test_malformed_layouts_are_refused(pairs: object) -> None:
    with pytest.raises(ValueError, match="layout"):
        FeatureLayout.parse(pairs)


def test_config_survives_json() -> None:
    assert NetworkConfig.from_json(CONFIG.to_json()) == CONFIG


def test_configs_that_say_too_little_too_much_or_nonsense_are_refused() -> None:
    values = json.loads(CONFIG.to_json())
    for changed in ({**values, "colour": 1}, {k: v for k, v in values.items() if k != "root_width"}, [1]):
        with pytest.raises(ValueError, match="exactly"):
            NetworkConfig.from_json(json.dumps(changed))
    with pytest.raises(ValueError, match="whole number"):
        NetworkConfig.from_json(json.dumps({**values, "root_width": "9"}))
    for sizes in ({"root_width": 0}, {"style_channels": 0}, {"style_count": -1}):
        with pytest.raises(ValueError, match="at least"):
            replace(CONFIG, **sizes)


def test_networks_may_have_no_labels() -> None:
    config = replace(CONFIG, style_count=0)
    assert NetworkConfig.from_json(config.to_json()) == config
    assert tensor_shapes(config)["generator.blocks.0.affine.weight"][1] == CONFIG.style_channels


def test_manifest_is_what_torch_builds() -> None:
    built = {name: tuple(tensor.shape) for name, tensor in make_network().state_dict().items()}
    expected = tensor_shapes(CONFIG)
    assert {name: shape for name, shape in expected.items() if name not in (MEAN, STD)} == built


def test_bundle_reader_needs_no_torch() -> None:
    code = "import sys, models.bundle; sys.exit('torch' in sys.modules or 'safetensors' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
