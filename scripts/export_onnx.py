# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the stylizer's computations as ONNX graphs without weights, one for each of FUNCTIONS.

The weights stay in the safetensors file, from which ``core/engines/onnx_engine.py`` hands them to the runtime: a graph
has a few kilobytes, fits every file with the same network sizes, and cannot disagree with the weights. Tensor names and
layer order are those of ``models/manifest.py``; tensors are (batch, channels, time).
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from models.bundle import read_bundle
from models.config import NetworkConfig
from models.layout import HIDDEN_FROM_AUTOENCODER, HIDDEN_FROM_ROOT, PLANAR_VELOCITY, YAW_VELOCITY
from models.manifest import NORM_EPSILON, SLOPE, tensor_shapes

FUNCTIONS: Final = ("encode", "style_gaussian", "stylize", "reconstruct", "content_code")
"""One graph each; ``encode`` makes z, which the others, methods of ``core.engines.StyleNetwork``, begin with."""

# Old enough for every onnxruntime that the engine accepts.
_OPSET, _IR_VERSION = 17, 8
# What an operator is set to: numbers, names, lists.
Setting = Any
Values = NDArray[Any]

_CLIP, _LATENT, _CONDITIONS, _RESULT = "clip", "latent", "conditions", "result"


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", type=Path, help="a safetensors file, for the sizes of its networks")
    parser.add_argument("folder", type=Path, help="where the .onnx files go")
    options = parser.parse_args()
    write_graphs(read_bundle(options.weights).config, options.folder)


def write_graphs(config: NetworkConfig, folder: Path) -> None:
    """Write one ``<function>.onnx`` for each of FUNCTIONS; equal configs give equal bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    for function in FUNCTIONS:
        data = build_graph(config, function).SerializeToString(deterministic=True)
        (folder / f"{function}.onnx").write_bytes(data)


def build_graph(config: NetworkConfig, function: str) -> ModelProto:
    """The graph of one of FUNCTIONS; features are normalised, (1, D, T) with T a multiple of 4."""
    graph = Stylizer(config)
    inputs: dict[str, Sequence[int | str]] = {
        _CLIP: (1, config.layout.width, "time"),
        _LATENT: (1, config.latent_channels, "steps"),
        _CONDITIONS: ("conditions", config.style_channels + config.style_count),
    }
    if function == "encode":
        taken, result, shape = (_CLIP,), graph.encode(_CLIP), inputs[_LATENT]
    elif function == "style_gaussian":
        taken, result, shape = (_LATENT,), graph.style(_LATENT), (2, config.style_channels)
    elif function == "reconstruct":
        taken, result, shape = (_LATENT,), graph.decode(_LATENT), inputs[_CLIP]
    elif function == "content_code":
        taken, result, shape = (_LATENT,), graph.content(_LATENT), (1, config.content_channels, "steps")
    else:
        decoded = graph.decode(graph.generate(graph.content(_LATENT), _CONDITIONS))
        taken, result = (_CLIP, _LATENT, _CONDITIONS), graph.finish(decoded)
        shape = ("conditions", *inputs[_CLIP][1:])
    graph.nodes.append(helper.make_node("Identity", [result], [_RESULT]))
    real = TensorProto.FLOAT
    body = helper.make_graph(
        graph.nodes,
        function,
        [helper.make_tensor_value_info(name, real, inputs[name]) for name in taken],
        [helper.make_tensor_value_info(_RESULT, real, shape)],
        [*graph.constants.values(), *graph.weights.values()],
    )
    model = helper.make_model(body, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR_VERSION)
    sizes = {name: list(weight.dims) for name, weight in sorted(graph.weights.items())}
    helper.set_model_props(model, {"layout_signature": config.layout.signature, "tensors": json.dumps(sizes)})
    return model


class Stylizer:
    """Nodes of the five networks; every method takes and gives names of values."""

    def __init__(self, config: NetworkConfig) -> None:
        self.config = config
        self.nodes: list[NodeProto] = []
        self.constants: dict[str, TensorProto] = {}
        self.weights: dict[str, TensorProto] = {}
        self._shapes = tensor_shapes(config)

    def encode(self, clip: str) -> str:
        """Features to z."""
        x = self._pick(clip, self.config.layout.columns_without(HIDDEN_FROM_AUTOENCODER))
        x = self._stack(x, "autoencoder.encoder", (2, 2, 1))
        return self._conv(x, "autoencoder.encoder.3")

    def decode(self, latent: str) -> str:
        """Z to features."""
        x = latent
        for layer in range(2):
            x = self._double(self._activate(self._conv(x, f"autoencoder.decoder.{layer}")))
        x = self._activate(self._conv(x, "autoencoder.decoder.2"))
        return self._conv(x, "autoencoder.decoder.3")

    def style(self, latent: str) -> str:
        """Z to mean and standard deviation of its style Gaussian, (2, style)."""
        x = self._stack(latent, "style.layers", (1, 2, 2))
        head = self._linear(self._node("ReduceMean", x, axes=[-1], keepdims=0), "style.head")
        size = self.config.style_channels
        deviation = self._node("Exp", self._node("Mul", self._cut(head, size, 2 * size), self._reals(np.array(0.5))))
        return self._node("Concat", self._cut(head, 0, size), deviation, axis=0)

    def content(self, latent: str) -> str:
        """Z to the content code."""
        return self._conv(self._stack(latent, "content.layers", (1, 1)), "content.layers.2")

    def generate(self, content: str, conditions: str) -> str:
        """One content code (1, content, T / 4) and K conditions to z, (K, latent, T / 4)."""
        width = self.config.generator_width
        ones, zeros = self._reals(np.ones(width)), self._reals(np.zeros(width))
        x = self._conv(content, "generator.entry")
        for block in range(self.config.generator_blocks):
            name = f"generator.blocks.{block}"
            affine = self._node("Unsqueeze", self._linear(conditions, f"{name}.affine"), self._integers([-1]))
            gamma, beta = self._cut(affine, 0, width), self._cut(affine, width, 2 * width)
            h = self._activate(self._conv(x, f"{name}.conv"))
            h = self._node("InstanceNormalization", h, ones, zeros, epsilon=NORM_EPSILON)
            # The first of these sums spreads the one clip over the K conditions.
            x = self._node("Add", self._node("Add", x, self._node("Mul", gamma, h)), beta)
        return self._conv(self._activate(self._conv(x, "generator.mix")), "generator.exit")

    def finish(self, decoded: str) -> str:
        """Keep the clip's turning and put the predicted planar velocity in its place."""
        layout = self.config.layout
        yaw = layout.slice(YAW_VELOCITY)
        count = self._node("Concat", self._node("Shape", decoded, end=1), self._integers([1, 1]), axis=0)
        turning = self._node("Expand", self._cut(_CLIP, yaw.start, yaw.stop), count)
        turned = self._replace(decoded, yaw, turning)
        x = self._pick(turned, layout.columns_without(HIDDEN_FROM_ROOT))
        planar = self._conv(self._stack(x, "root.layers", (1, 1, 1)), "root.layers.3")
        return self._replace(turned, layout.slice(PLANAR_VELOCITY), planar)

    def _replace(self, x: str, columns: slice, new: str) -> str:
        """X with other channels in ``columns``."""
        before, after = (0, columns.start), (columns.stop, self.config.layout.width)
        parts = [self._cut(x, *before), new, self._cut(x, *after)]
        return self._node("Concat", *parts, axis=1)

    def _stack(self, x: str, name: str, strides: Sequence[int]) -> str:
        """The first layers of a network, each with its leaky ReLU."""
        for layer, stride in enumerate(strides):
            x = self._activate(self._conv(x, f"{name}.{layer}", stride))
        return x

    def _conv(self, x: str, name: str, stride: int = 1) -> str:
        pad = (self._shapes[f"{name}.weight"][2] - 1) // 2
        if pad:
            x = self._node("Pad", x, self._integers([0, 0, pad, 0, 0, pad]), mode="edge")
        return self._node("Conv", x, self._weight(f"{name}.weight"), self._weight(f"{name}.bias"), strides=[stride])

    def _linear(self, x: str, name: str) -> str:
        return self._node("Gemm", x, self._weight(f"{name}.weight"), self._weight(f"{name}.bias"), transB=1)

    def _activate(self, x: str) -> str:
        return self._node("LeakyRelu", x, alpha=SLOPE)

    def _double(self, x: str) -> str:
        """Repeat every time step."""
        pairs = self._node("Unsqueeze", x, self._integers([-1]))
        return self._node("Reshape", self._node("Concat", pairs, pairs, axis=-1), self._integers([0, 0, -1]))

    def _pick(self, x: str, channels: Sequence[int]) -> str:
        return self._node("Gather", x, self._integers(channels), axis=1)

    def _cut(self, x: str, start: int, stop: int) -> str:
        """Channels from ``start`` to ``stop``."""
        return self._node("Slice", x, self._integers([start]), self._integers([stop]), self._integers([1]))

    def _node(self, kind: str, *inputs: str, **settings: Setting) -> str:
        result = f"{kind}.{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [result], **settings))
        return result

    def _integers(self, values: Sequence[int]) -> str:
        return self._constant(np.array(values, dtype=np.int64))

    def _reals(self, values: Values) -> str:
        return self._constant(values.astype(np.float32))

    def _constant(self, values: Values) -> str:
        """The same name for the same values."""
        key = f"{values.dtype}{values.tolist()}"
        if key not in self.constants:
            self.constants[key] = numpy_helper.from_array(values, f"constant.{len(self.constants)}")
        return self.constants[key].name

    def _weight(self, name: str) -> str:
        """A tensor by the manifest's name, with its shape and without its values: these come from elsewhere."""
        if name not in self.weights:
            weight = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=self._shapes[name])
            weight.data_location = TensorProto.EXTERNAL
            place = weight.external_data.add()
            place.key, place.value = "location", "safetensors"
            self.weights[name] = weight
        return name


if __name__ == "__main__":
    main()
