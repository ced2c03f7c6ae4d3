# SPDX-License-Identifier: GPL-3.0-or-later
"""The real takes: where their files are, how they are split, and where their joints are."""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.matching import match_bones
from core.pipeline import Clip
from core.rotations import Array
from scripts.bvh import read_bvh

from .joints import rig_joints

TRAIN, VALIDATION, TEST = 0, 1, 2

# Raise it when the joint convention changes: cached joints and judges are then made anew.
_CONVENTION = 1


@dataclass(frozen=True)
class Take:
    """One real take.

    Attributes:
        name: of its file.
        content: name of its action, empty if it has none.
        style: name of its style, empty if it has none.
        split: 0 for training, 1 for validation, 2 for test.
        path: its file.
        data: name of the data set that it belongs to, if the dataset says it.
    """

    name: str
    content: str
    style: str
    split: int
    path: Path
    data: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """Its class."""
        return self.content, self.style


@dataclass(frozen=True)
class Library:
    """All takes with their joints.

    Attributes:
        takes: in the order of the dataset.
        contents: names of the actions.
        styles: names of the styles.
        digest: changes with the takes, their split, and the joint convention.
        joints: take name to (T, 22, 3) metres, 30 fps.
        info: what the dataset says about itself, licences included.
        absent: takes of the dataset that carry no label, or whose file is not in the folder.
    """

    takes: tuple[Take, ...]
    contents: tuple[str, ...]
    styles: tuple[str, ...]
    digest: str
    joints: dict[str, NDArray[np.float32]]
    info: dict[str, Any] = field(default_factory=dict[str, Any])
    absent: int = 0

    def of(self, *splits: int) -> list[Take]:
        """The takes of some splits."""
        return [take for take in self.takes if take.split in splits]

    def joints_of(self, take: Take) -> Array:
        """(T, 22, 3) joints of a real take."""
        return self.joints[take.name].astype(np.float64)


def read_clip(path: Path) -> Clip:
    """A file as the pipeline takes it."""
    motion = read_bvh(path)
    return Clip(motion, match_bones(motion.skeleton))


def load_library(dataset: Path, folder: Path, cache: Path) -> Library:
    """The labelled takes of a prepared dataset whose BVH files lie anywhere below ``folder``; joints are cached.

    Raises:
        FileNotFoundError: there is none.
    """
    with np.load(dataset, allow_pickle=False) as data:
        names = [str(name) for name in data["takes"]]
        contents, styles = (tuple(str(name) for name in data[f"{what}_names"]) for what in ("content", "style"))
        labels = np.stack([data["content"], data["style"], data["split"]], axis=-1)
        info = json.loads(str(data["info"])) if "info" in data.files else {}
        sources = data["source"] if "source" in data.files else np.zeros(len(names), dtype=np.int16)
    files = {path.stem: path for path in folder.rglob("*.bvh")}
    there = [i for i, name in enumerate(names) if name in files and labels[i, :2].max() >= 0]
    if not there:
        raise FileNotFoundError(
            f"No labelled take of {dataset} lies in {folder}: name the archive that it was made of."
        )
    # One name for each source, in their order.
    data_names = tuple(str(info.get("source", "")).split(", "))
    takes = tuple(
        Take(
            name=names[i],
            content=_name(contents, labels[i, 0]),
            style=_name(styles, labels[i, 1]),
            split=int(labels[i, 2]),
            path=files[names[i]],
            data=data_names[sources[i]] if sources[i] < len(data_names) else "",
        )
        for i in there
    )
    about = (_CONVENTION, [names[i] for i in there], labels[there].tolist())
    state = hashlib.sha256(repr(about).encode()).hexdigest()[:12]
    # Names that no take of the folder bears would be classes without examples.
    contents, styles = ({take.content for take in takes}, {take.style for take in takes})
    joints = _cached_joints(takes, cache / f"joints-{state}.npz")
    return Library(takes, _named(contents), _named(styles), state, joints, info, len(names) - len(takes))


def _name(names: tuple[str, ...], label: int) -> str:
    """The name of a label; none of a negative one."""
    return names[label] if label >= 0 else ""


def _named(names: set[str]) -> tuple[str, ...]:
    return tuple(sorted(names - {""}))


def _cached_joints(takes: tuple[Take, ...], path: Path) -> dict[str, NDArray[np.float32]]:
    if not path.exists():
        clips = [_take_joints(take.path) for take in takes]
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez(path, joints=np.concatenate(clips), lengths=np.array([len(clip) for clip in clips]))
    with np.load(path, allow_pickle=False) as data:
        ends = np.cumsum(data["lengths"])
        parts = np.split(data["joints"], ends[:-1])
    return {take.name: part for take, part in zip(takes, parts, strict=True)}


def _take_joints(path: Path) -> NDArray[np.float32]:
    clip = read_clip(path)
    return rig_joints(clip.motion, clip.bone_map).astype(np.float32)
