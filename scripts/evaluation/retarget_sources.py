# SPDX-License-Identifier: GPL-3.0-or-later
"""Which files are rigs. Needs no Blender."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

SUFFIXES: Final = (".glb", ".gltf", ".fbx", ".bvh", ".amc", ".json", ".blend")
# Rigs that Blender makes.
GENERATED: Final = ("rigify-metarig", "rigify-deform", "rigify-fk", "rigify-ik")


@dataclass(frozen=True)
class RigSource:
    """Where a rig comes from.

    Attributes:
        name: what the table calls it.
        kind: the suffix of its file, or the name of a rig that Blender makes.
        path: its file.
    """

    name: str
    kind: str
    path: Path = Path()


def rigs_in(folder: Path) -> list[RigSource]:
    """Every file below ``folder`` that may be a rig."""
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    return [RigSource(_title(path, folder), path.suffix.lower(), path) for path in files if _is_rig(path)]


def _title(path: Path, folder: Path) -> str:
    """The collection that the file belongs to, and its name."""
    inside = [part for part in path.relative_to(folder).parts[:-1] if part not in ("src", "data", "rigs")]
    return "-".join(dict.fromkeys((inside[0] if inside else folder.name, path.stem.removeprefix("rig."))))


def _is_rig(path: Path) -> bool:
    """Weight tables lie beside MakeHuman's rig definitions under the same suffix."""
    return path.suffix.lower() != ".json" or path.name.startswith("rig.")
