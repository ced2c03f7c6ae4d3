# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything about a training run that can be chosen, with the values that the shipped weights were trained with.

These came about in four runs of the stylizer, of 2000, 3000, 7000 and 5000 steps, each from where the last one ended
and at the full pace again; the values are those of the last. One run of as many steps has not been made.
"""

from __future__ import annotations

import dataclasses
import json
import tomllib
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar, cast

_STAGES: Final = ("autoencoder", "auxiliaries", "stylizer", "root")
"""In the order in which they build on each other."""


_Settings = TypeVar("_Settings")


class SettingsError(ValueError):
    """A settings file or option is wrong; the message says which."""


@dataclass(frozen=True)
class StageSettings:
    """Length and pace of one stage. The rate rises over the first steps and falls to a tenth as a cosine."""

    steps: int
    batch: int
    learning_rate: float


@dataclass(frozen=True)
class AugmentationSettings:
    """How often a clip is changed before anything sees it; see augmentation.py.

    Attributes:
        unlabelled: share of clips without a style label, if the dataset has any.
        mirror: share of clips with left and right exchanged.
        retime: share of batches at another speed, between ``slowest`` and ``fastest``. Speed belongs to a style: only
            the autoencoder, and clips without a label, see it.
        join: share of labelled clips that get the legs of another action in the same style.
    """

    unlabelled: float = 0.15
    mirror: float = 0.5
    retime: float = 0.4
    slowest: float = 0.75
    fastest: float = 1.35
    join: float = 0.1


@dataclass(frozen=True)
class PoseWeights:
    """Weights of the autoencoder's losses, beside 1 for the features themselves."""

    joints: float = 2.0
    rotations: float = 1.0
    latent_size: float = 1e-3
    latent_change: float = 1e-3
    # Of the variational autoencoder; 0 trains a plain one.
    divergence: float = 0.0


@dataclass(frozen=True)
class StyleWeights:
    """Weights of the stylizer's losses (recipe C, changed); 0 leaves one out."""

    reconstruction: float = 2.0
    cycle: float = 1.0
    prior: float = 0.12
    size: float = 0.02
    same_take: float = 1.0
    statistics: float = 4.0
    pose_statistics: float = 4.0
    style_class: float = 0.1
    content_class: float = 0.1
    content_features: float = 0.1
    adversary: float = 0.2
    content_code: float = 0.3
    pose: float = 1.0
    joints: float = 2.0
    jerk: float = 0.5


@dataclass(frozen=True)
class SwapSettings:
    """What swaps are made of, and what they are measured against.

    Attributes:
        supervised: whether labels are known at all. Without, the style of a clip is what sets it apart from the other
            clips that do much the same.
        by_label: share of the swaps with the target's label as a cue.
        without_reference: of those, the share that has nothing but the label.
        relative: share of the swaps whose goal is the source moved by the difference of two classes.
        average: share of the swaps whose goal is moved by what the styles do to any action.
        reference_detail: how far a swap follows what is special about its reference: gives variety to the style codes.
        slack: spreads of its class in which a swap without a reference may be anything.
        latent_noise: standard deviation of the noise on latents that the encoders read.
        learned_prior: whether each label has a Gaussian of its own to draw from, or all of them N(0, I).
        spread: how many times wider than its takes' codes that Gaussian is: what the generator makes of codes differs
            less than takes do. With 2 samples differ 0.66 times as much as takes, with 1 only 0.32 times.
        memory: share of the old in the running mean of the weights that is kept in the end; 0 keeps the last ones.
    """

    supervised: bool = True
    by_label: float = 0.6
    without_reference: float = 0.25
    relative: float = 0.5
    average: float = 0.1
    reference_detail: float = 0.6
    slack: float = 1.0
    latent_noise: float = 0.05
    learned_prior: bool = True
    spread: float = 2.0
    memory: float = 0.99


@dataclass(frozen=True)
class MethodSettings:
    """What the paper's ablations undo; at most one of the two.

    Attributes:
        pose_space: stylize poses instead of the latents of an autoencoder; see pose_space.py. No bundle can hold the
            network: scripts.ablate judges it.
        end_to_end: train the autoencoder together with the stylizer instead of before it; see end_to_end_stage.py.
    """

    pose_space: bool = False
    end_to_end: bool = False

    def __post_init__(self) -> None:
        """SettingsError for both at once."""
        if self.pose_space and self.end_to_end:
            raise SettingsError("In pose space there is no autoencoder: choose one of pose_space and end_to_end.")

    @property
    def autoencoder_first(self) -> bool:
        """Whether the autoencoder is trained in a stage of its own, and stays as it is from then on."""
        return not (self.pose_space or self.end_to_end)


@dataclass(frozen=True)
class Discovery:
    """How finely takes are told apart where labels are not looked at; see discovery.py.

    Attributes:
        actions: number of kinds of pieces. Few: kinds so fine that they tell styles apart leave no style to find. On
            Bandai-Namco's set 2, 8 give groups of recordings that are 0.8 pure in style, and 24 give 0.55.
        styles: number of kinds of recordings. Many: two groups of one style do less harm than two styles in one group.
        frames: longest piece.
    """

    actions: int = 8
    styles: int = 24
    frames: int = 240


@dataclass(frozen=True)
class NetworkSizes:
    """Channel counts; see NetworkConfig, whose defaults these are."""

    latent_channels: int = 128
    autoencoder_width: int = 256
    content_channels: int = 48
    content_width: int = 192
    style_channels: int = 64
    style_width: int = 192
    generator_width: int = 256
    generator_blocks: int = 3
    root_width: int = 128


@dataclass(frozen=True)
class Settings:
    """A whole run.

    Attributes:
        crop_frames: drawn from anew for every batch.
        left_out: actions that only the autoencoder sees, to find out what happens to a user's own.
    """

    seed: int = 20240513
    left_out: tuple[str, ...] = ()
    crop_frames: tuple[int, ...] = (96, 96, 64, 64, 40, 160)
    network: NetworkSizes = field(default_factory=NetworkSizes)
    autoencoder: StageSettings = field(default_factory=lambda: StageSettings(4000, 32, 1e-3))
    auxiliaries: StageSettings = field(default_factory=lambda: StageSettings(800, 32, 1e-3))
    stylizer: StageSettings = field(default_factory=lambda: StageSettings(17000, 32, 8e-4))
    root: StageSettings = field(default_factory=lambda: StageSettings(800, 32, 1e-3))
    augmentation: AugmentationSettings = field(default_factory=AugmentationSettings)
    pose_weights: PoseWeights = field(default_factory=PoseWeights)
    style_weights: StyleWeights = field(default_factory=StyleWeights)
    discovery: Discovery = field(default_factory=Discovery)
    swaps: SwapSettings = field(default_factory=SwapSettings)
    method: MethodSettings = field(default_factory=MethodSettings)

    def to_json(self) -> str:
        """Text that is equal exactly when two settings are."""
        return json.dumps(asdict(self), sort_keys=True)

    def scope(self, stage: str) -> str:
        """Text of all entries that the result of a stage depends on, so that later stages can be changed alone."""
        values = asdict(self)
        if self.method.autoencoder_first:
            # Checkpoints from before there was a choice are of the usual method.
            del values["method"]
        for later in _STAGES[_STAGES.index(stage) + 1 :]:
            del values[later]
        if stage in ("autoencoder", "auxiliaries"):
            del values["style_weights"]
            values["swaps"] = self.swaps.supervised
        if stage == "autoencoder":
            del values["left_out"], values["augmentation"]["join"]
        return json.dumps(values, sort_keys=True)

    def with_seed(self, seed: int) -> Settings:
        """The same with another seed."""
        return dataclasses.replace(self, seed=seed)

    def with_steps(self, steps: int) -> Settings:
        """Give every stage the same number of steps, for a quick look."""
        stages = {name: dataclasses.replace(getattr(self, name), steps=steps) for name in _STAGES}
        return dataclasses.replace(self, **stages)


def load_settings(path: Path | None) -> Settings:
    """Defaults, overridden by the entries of a TOML file with the same names; SettingsError for any other."""
    if path is None:
        return Settings()
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"The settings file {path} cannot be read: {error}.") from error
    return override(Settings(), values)


def override(settings: _Settings, values: dict[str, Any]) -> _Settings:
    """The settings with the entries of nested dictionaries in place of their own; SettingsError for unknown ones."""
    changes: dict[str, Any] = {}
    for name, value in values.items():
        if not hasattr(settings, name) or name.startswith("_") or callable(getattr(settings, name)):
            raise SettingsError(f"There is no setting {name}; see scripts/training/settings.py.")
        current = getattr(settings, name)
        match value:
            case dict():
                changes[name] = override(current, cast("dict[str, Any]", value))
            case list():
                changes[name] = tuple(cast("list[Any]", value))
            case _:
                changes[name] = type(current)(value)
    return dataclasses.replace(cast("Any", settings), **changes)
