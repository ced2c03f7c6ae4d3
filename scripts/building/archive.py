# SPDX-License-Identifier: GPL-3.0-or-later
"""The extension's zip: staged by allow-list, packed reproducibly, checked by Blender's own validator."""

import shutil
import tomllib
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from scripts.building.processes import BuildError, run

MANIFEST = "blender_addon/blender_manifest.toml"
INIT = "from .blender_addon import register, unregister\n"
# What the zip holds beside these two; nothing else gets in, and each of the required ones must be there.
REQUIRED = (
    "LICENSE",
    "blender_addon/**/*.py",
    "blender_addon/locale/*.json",
    "core/**/*.py",
    "core/rig_maps/**/*.json",
    "models/**/*.py",
)
GRAPHS = "models/onnx"
"""Where ``blender_addon/backend.py`` looks for the ONNX graphs."""
ZIP_TIME = (1980, 1, 1, 0, 0, 0)
_VALIDATION_LIMIT = 120  # seconds


@dataclass(frozen=True)
class Weights:
    """A weight bundle, of which a zip holds one, with all that is made from the same data and nothing that is not.

    Attributes:
        name: of the bundle, and of the text beside it that says whose data it is made from.
        suffix: what the zip's name ends with.
        licences: of the whole zip, as Blender's manifest lists them.
        pictures: patterns of the thumbnails, and of their licence.
    """

    name: str
    suffix: str
    licences: tuple[str, ...]
    pictures: tuple[str, ...] = ()

    @property
    def files(self) -> tuple[str, ...]:
        """Patterns of its files."""
        return f"models/weights/{self.name}.safetensors", f"models/weights/{self.name}.txt", *self.pictures


_CODE = "SPDX:GPL-3.0-or-later"
STANDARD = Weights(
    "bandai-namco",
    "",
    (_CODE, "SPDX:CC-BY-NC-4.0"),
    ("blender_addon/thumbnails/*.png", "blender_addon/thumbnails/LICENSE.txt"),
)
# What Blender's extension platform takes: free licences only.
FREE = Weights("free", "-free", (_CODE, "SPDX:CC-BY-4.0", "SPDX:MIT"))
BUNDLES = {weights.name: weights for weights in (STANDARD, FREE)}


@dataclass(frozen=True)
class Runtime:
    """onnxruntime for one zip.

    Attributes:
        name: what the zip's name ends with.
        platforms: the only ones that Blender installs the zip on, as it names them; empty for any.
        wheels: files; of these Blender takes the one that fits it, if there is one.
        graphs: folder with the ``.onnx`` files.
    """

    name: str
    platforms: tuple[str, ...]
    wheels: tuple[Path, ...]
    graphs: Path


def build_zip(root: Path, weights: Weights = STANDARD) -> Path:
    """Stage the extension of the source tree ``root`` by allow-list and pack it; equal sources give equal bytes.

    Raises:
        BuildError: a part that the extension cannot do without is missing.
    """
    return pack(stage(root, weights), root / "dist" / f"panache-{version(root)}{weights.suffix}.zip")


def build_onnx_zip(root: Path, runtime: Runtime) -> Path:
    """The same extension with onnxruntime.

    Raises:
        BuildError: a part that the extension cannot do without is missing.
    """
    staged = stage(root)
    for source in (*runtime.wheels, *sorted(runtime.graphs.glob("*.onnx"))):
        target = staged / ("wheels" if source.suffix == ".whl" else GRAPHS) / source.name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    manifest = staged / "blender_manifest.toml"
    added = listing("wheels", [f"./wheels/{wheel.name}" for wheel in runtime.wheels])
    if runtime.platforms:
        added += listing("platforms", runtime.platforms)
    # In front, since what follows a table in TOML belongs to it.
    manifest.write_text(added + manifest.read_text(encoding="utf-8"), encoding="utf-8", newline="\n")
    return pack(staged, root / "dist" / f"panache-{version(root)}-{runtime.name}.zip")


def version(root: Path) -> str:
    """The extension's version, whose only place is its manifest."""
    return tomllib.loads((root / MANIFEST).read_text(encoding="utf-8"))["version"]


def listing(key: str, values: Sequence[str]) -> str:
    """A TOML array, an entry to a line."""
    return f"{key} = [\n" + "".join(f'    "{value}",\n' for value in values) + "]\n"


def stage(root: Path, weights: Weights = STANDARD) -> Path:
    """The unpacked extension, in an emptied folder."""
    folder = root / "build" / "stage"
    shutil.rmtree(folder, ignore_errors=True)
    for source in payload(root, weights):
        target = folder / source.relative_to(root)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    manifest = (root / MANIFEST).read_text(encoding="utf-8")
    (folder / "blender_manifest.toml").write_text(licensed(manifest, weights), encoding="utf-8", newline="\n")
    (folder / "__init__.py").write_text(INIT, encoding="utf-8", newline="\n")
    return folder


def licensed(manifest: str, weights: Weights) -> str:
    """The manifest, which names the licence of the code, with those of the weights and pictures too."""
    own = f'license = ["{_CODE}"]\n'
    if own not in manifest:
        raise BuildError(f"{MANIFEST} must have the line {own.strip()}.")
    return manifest.replace(own, listing("license", weights.licences))


def payload(root: Path, weights: Weights) -> Iterator[Path]:
    """The files of the source tree that belong to the extension."""
    if not (root / weights.files[0]).is_file():
        raise BuildError(f"the extension is incomplete, there is no {weights.files[0]}: train it with scripts.train.")
    for pattern in (*REQUIRED, *weights.files):
        found = list(root.glob(pattern))
        if not found:
            raise BuildError(f"the extension is incomplete, there is no {pattern}.")
        yield from found


def pack(staged: Path, archive: Path) -> Path:
    """Zip a folder: names sorted, times and modes fixed."""
    archive.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(archive, "w") as target:
        for name in sorted(path.relative_to(staged).as_posix() for path in staged.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(name, ZIP_TIME)
            entry.create_system = 3
            entry.external_attr = 0o100644 << 16
            # Wheels are zips already.
            method = zipfile.ZIP_STORED if name.endswith(".whl") else zipfile.ZIP_DEFLATED
            target.writestr(entry, (staged / name).read_bytes(), method, 9)
    return archive


def validate(archive: Path, python: Path) -> int:
    """Blender's own opinion of the zip, as an exit status."""
    tool = next(python.parents[1].glob("**/addons_core/bl_pkg/cli/blender_ext.py"), None)
    if tool is None:
        raise BuildError(f"{python.parents[1].name} holds no extension validator, is it complete?")
    return run([python, tool, "validate", archive], _VALIDATION_LIMIT)
