# SPDX-License-Identifier: GPL-3.0-or-later
"""The real takes: where their files are, how they are split, and where their joints are."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

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
    """One real take; ``split`` is 0 for training, 1 for validation, 2 for test."""

    name: str
    content: str
    style: str
    split: int
    path: Path

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
    """

    takes: tuple[Take, ...]
    contents: tuple[str, ...]
    styles: tuple[str, ...]
    digest: str
    joints: dict[str, NDArray[np.float32]]

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
    """The takes of a prepared dataset, whose BVH files lie anywhere below ``folder``; joints are cached."""
    with np.load(dataset, allow_pickle=False) as data:
        names = [str(name) for name in data["takes"]]
        contents, styles = (tuple(str(name) for name in data[f"{what}_names"]) for what in ("content", "style"))
        labels = np.stack([data["content"], data["style"], data["split"]], axis=-1)
    files = {path.stem: path for path in folder.rglob("*.bvh")}
    takes = tuple(
        Take(name, contents[content], styles[style], int(split), files[name])
        for name, (content, style, split) in zip(names, labels, strict=True)
    )
    state = hashlib.sha256(repr((_CONVENTION, names, labels.tolist())).encode()).hexdigest()[:12]
    return Library(takes, contents, styles, state, _cached_joints(takes, cache / f"joints-{state}.npz"))


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
