# SPDX-License-Identifier: GPL-3.0-or-later
"""The extension's zip: staged by allow-list, packed reproducibly, checked by Blender's own validator."""

import shutil
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

from scripts.building.processes import BuildError, run

MANIFEST = "blender_addon/blender_manifest.toml"
INIT = "from .blender_addon import register, unregister\n"
# What the zip holds beside these two; nothing else gets in, and each of the required ones must be there.
REQUIRED = (
    "LICENSE",
    "blender_addon/**/*.py",
    "core/**/*.py",
    "core/rig_maps/**/*.json",
    "models/**/*.py",
    "models/weights/*.safetensors",
)
OPTIONAL = ("models/weights/*.md", "models/weights/*.txt", "blender_addon/**/*.png")
ZIP_TIME = (1980, 1, 1, 0, 0, 0)
_VALIDATION_LIMIT = 120  # seconds


def build_zip(root: Path) -> Path:
    """Stage the extension of the source tree ``root`` by allow-list and pack it; equal sources give equal bytes.

    Raises:
        BuildError: a part that the extension cannot do without is missing.
    """
    version = tomllib.loads((root / MANIFEST).read_text(encoding="utf-8"))["version"]
    stage = root / "build" / "stage"
    shutil.rmtree(stage, ignore_errors=True)
    for source in payload(root):
        target = stage / source.relative_to(root)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    shutil.copyfile(root / MANIFEST, stage / "blender_manifest.toml")
    (stage / "__init__.py").write_text(INIT, encoding="utf-8", newline="\n")
    return pack(stage, root / "dist" / f"panache-{version}.zip")


def payload(root: Path) -> Iterator[Path]:
    """The files of the source tree that belong to the extension."""
    for pattern in REQUIRED:
        found = list(root.glob(pattern))
        if not found:
            raise BuildError(f"the extension is incomplete, there is no {pattern}.")
        yield from found
    for pattern in OPTIONAL:
        yield from root.glob(pattern)


def pack(stage: Path, archive: Path) -> Path:
    """Zip a folder: names sorted, times and modes fixed."""
    archive.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(archive, "w") as target:
        for name in sorted(path.relative_to(stage).as_posix() for path in stage.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(name, ZIP_TIME)
            entry.create_system = 3
            entry.external_attr = 0o100644 << 16
            target.writestr(entry, (stage / name).read_bytes(), zipfile.ZIP_DEFLATED, 9)
    return archive


def validate(archive: Path, python: Path) -> int:
    """Blender's own opinion of the zip, as an exit status."""
    tool = next(python.parents[1].glob("**/addons_core/bl_pkg/cli/blender_ext.py"), None)
    if tool is None:
        raise BuildError(f"{python.parents[1].name} holds no extension validator, is it complete?")
    return run([python, tool, "validate", archive], _VALIDATION_LIMIT)
