# SPDX-License-Identifier: GPL-3.0-or-later
"""Sizes of the networks: one frozen value that the bundle carries and everything is built from."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from typing import Any, Final, cast

from .layout import HIDDEN_FROM_AUTOENCODER, HIDDEN_FROM_ROOT, FeatureLayout

STRIDE: Final = 4
"""Frames per latent step: the autoencoder halves time twice."""


@dataclass(frozen=True)
class NetworkConfig:
    """Channel counts of the five networks, and the feature layout they speak.

    Attributes:
        layout: columns of a pose feature vector.
        style_count: length of the label one-hot; 0 for networks that know styles by their codes alone.
        latent_channels: channels of the autoencoder's latent z, at a quarter of the frame rate.
        content_channels: channels of the content code, at the same rate as z. Few, so that style does not fit.
        style_channels: dimensions of the style Gaussian.
    """

    layout: FeatureLayout
    style_count: int
    latent_channels: int = 128
    autoencoder_width: int = 256
    content_channels: int = 48
    content_width: int = 192
    style_channels: int = 64
    style_width: int = 192
    generator_width: int = 256
    generator_blocks: int = 3
    root_width: int = 128

    def __post_init__(self) -> None:
        """Refuse sizes below one, and numbers of labels below none."""
        sizes = {name: value for name, value in asdict(self).items() if name not in {"layout", "style_count"}}
        if self.style_count < 0 or any(value < 1 for value in sizes.values()):
            raise ValueError("Every size of a network must be at least 1, and the number of styles at least 0.")

    @property
    def autoencoder_inputs(self) -> int:
        """Pose channels that the encoder reads."""
        return len(self.layout.columns_without(HIDDEN_FROM_AUTOENCODER))

    @property
    def root_inputs(self) -> int:
        """Pose channels that the root predictor reads."""
        return len(self.layout.columns_without(HIDDEN_FROM_ROOT))

    def to_json(self) -> str:
        """Write as JSON with sorted keys, so that equal configs give equal text."""
        values = {**asdict(self), "layout": [list(pair) for pair in self.layout.fields]}
        return json.dumps(values, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> NetworkConfig:
        """Read what to_json wrote; ValueError for missing, unknown or mistyped entries."""
        values: Any = json.loads(text)
        names = {field.name for field in fields(cls)}
        if not isinstance(values, dict) or set(cast("dict[str, Any]", values)) != names:
            raise ValueError(f"A network config has exactly the entries {', '.join(sorted(names))}.")
        entries = cast("dict[str, Any]", values)
        layout = FeatureLayout.parse(entries.pop("layout"))
        if not all(type(value) is int for value in entries.values()):
            raise ValueError("Every size in a network config is a whole number.")
        return cls(layout=layout, **entries)
