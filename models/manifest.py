# SPDX-License-Identifier: GPL-3.0-or-later
"""Names and shapes of all tensors that a network config implies, without building a network.

A bundle is checked against this before torch is touched, and a forward pass in another library can be written
from it. Convolutions are (out, in, kernel), linear layers (out, in). Every convolution with a kernel above 1 pads by
repeating the edge frame: kernel 3 by one on both sides, kernel 4 (stride 2) by one, kernel 5 by two.

==========================  =============================================================================
``autoencoder.encoder.0,1``  conv k4 stride 2, leaky ReLU; twice
``autoencoder.encoder.2``    conv k3, leaky ReLU
``autoencoder.encoder.3``    conv k1: z
``autoencoder.decoder.0``    conv k3, leaky ReLU, then nearest x2
``autoencoder.decoder.1``    conv k3, leaky ReLU, then nearest x2
``autoencoder.decoder.2``    conv k3, leaky ReLU
``autoencoder.decoder.3``    conv k1: features, contacts included
``content.layers.0,1,2``     conv k3, leaky ReLU; conv k3, leaky ReLU; conv k1: content code
``style.layers.0,1,2``       conv k3 with stride 1, 2, 2, each with leaky ReLU; then the mean over time
``style.head``               linear: mean and log variance, one after the other
``generator.entry``          conv k3
``generator.blocks.N``       h + AdaIN(leaky ReLU(conv k3 of h)); gamma and beta = affine([s; one-hot])
``generator.mix``            conv k3, leaky ReLU
``generator.exit``           conv k1: z
``root.layers.0,1,2,3``      conv k5, leaky ReLU; three times; then conv k1: planar velocity
==========================  =============================================================================

Besides, a bundle may have what no network needs: ``tempo`` (S + L,), with which ``exp((target - own) @ tempo)`` is
how much faster a target condition moves than a clip's own one, or (2, S + L) with a row for clips in one place and one
for those that travel; ``range.mean`` (C,) with ``range.whitening`` (C, C), which tell how far a frame's content
code c lies from training's: by ``whitening @ (c - mean)``; and ``range.bend`` (2,) with ``range.distance`` (2,): two
values of the autoencoder's error, and of that distance, between which the networks begin to guess.
"""

from __future__ import annotations

from typing import Final

from .config import NetworkConfig
from .layout import PLANAR_VELOCITY

Shapes = dict[str, tuple[int, ...]]

MEAN: Final = "normalization.mean"
STD: Final = "normalization.std"

TEMPO: Final = "tempo"
RANGE_MEAN: Final = "range.mean"
RANGE_WHITENING: Final = "range.whitening"
RANGE_BEND: Final = "range.bend"
RANGE_DISTANCE: Final = "range.distance"

FULL_PRECISION: Final = (MEAN, STD, TEMPO, RANGE_MEAN, RANGE_WHITENING, RANGE_BEND, RANGE_DISTANCE)
"""Tensors that are no network's; small, and not rounded to half precision."""

SLOPE: Final = 0.2
"""Slope of every leaky ReLU for negative inputs."""

NORM_EPSILON: Final = 1e-2
"""Added to the variance in instance norm. Large on purpose: a motionless clip must not have its noise blown up."""


def tensor_shapes(config: NetworkConfig) -> Shapes:
    """All tensors of a bundle, by name: the networks' and the two of the normalisation."""
    width = (config.layout.width,)
    return {
        **_autoencoder(config),
        **_content(config),
        **_style(config),
        **_generator(config),
        **_root(config),
        MEAN: width,
        STD: width,
    }


def optional_groups(config: NetworkConfig) -> tuple[Shapes, ...]:
    """Tensors that a bundle may have besides, by name; those of one group are there together or not at all.

    Groups of the same names are alternatives: one tempo for all clips, or one in place and one for those that travel.
    """
    content, condition = config.content_channels, config.style_channels + config.style_count
    return (
        {TEMPO: (condition,)},
        {TEMPO: (2, condition)},
        {RANGE_MEAN: (content,), RANGE_WHITENING: (content, content)},
        {RANGE_BEND: (2,), RANGE_DISTANCE: (2,)},
    )


def _layer(name: str, out: int, inputs: int, *kernel: int) -> Shapes:
    return {f"{name}.weight": (out, inputs, *kernel), f"{name}.bias": (out,)}


def _autoencoder(config: NetworkConfig) -> Shapes:
    width, latent = config.autoencoder_width, config.latent_channels
    return {
        **_layer("autoencoder.encoder.0", width, config.autoencoder_inputs, 4),
        **_layer("autoencoder.encoder.1", width, width, 4),
        **_layer("autoencoder.encoder.2", width, width, 3),
        **_layer("autoencoder.encoder.3", latent, width, 1),
        **_layer("autoencoder.decoder.0", width, latent, 3),
        **_layer("autoencoder.decoder.1", width, width, 3),
        **_layer("autoencoder.decoder.2", width, width, 3),
        **_layer("autoencoder.decoder.3", config.layout.width, width, 1),
    }


def _content(config: NetworkConfig) -> Shapes:
    width = config.content_width
    return {
        **_layer("content.layers.0", width, config.latent_channels, 3),
        **_layer("content.layers.1", width, width, 3),
        **_layer("content.layers.2", config.content_channels, width, 1),
    }


def _style(config: NetworkConfig) -> Shapes:
    width = config.style_width
    return {
        **_layer("style.layers.0", width, config.latent_channels, 3),
        **_layer("style.layers.1", width, width, 3),
        **_layer("style.layers.2", width, width, 3),
        **_layer("style.head", 2 * config.style_channels, width),
    }


def _generator(config: NetworkConfig) -> Shapes:
    width, condition = config.generator_width, config.style_channels + config.style_count
    shapes = _layer("generator.entry", width, config.content_channels, 3)
    for block in range(config.generator_blocks):
        shapes |= _layer(f"generator.blocks.{block}.conv", width, width, 3)
        shapes |= _layer(f"generator.blocks.{block}.affine", 2 * width, condition)
    shapes |= _layer("generator.mix", width, width, 3)
    return shapes | _layer("generator.exit", config.latent_channels, width, 1)


def _root(config: NetworkConfig) -> Shapes:
    width = config.root_width
    planar = config.layout.slice(PLANAR_VELOCITY)
    return {
        **_layer("root.layers.0", width, config.root_inputs, 5),
        **_layer("root.layers.1", width, width, 5),
        **_layer("root.layers.2", width, width, 5),
        **_layer("root.layers.3", planar.stop - planar.start, width, 1),
    }
