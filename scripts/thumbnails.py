# SPDX-License-Identifier: GPL-3.0-or-later
"""Draw the panel's thumbnails: one small picture per style of the weights, from real takes of the data set.

``python -m scripts.thumbnails bandai-namco.tar.xz`` writes blender_addon/thumbnails/<style>.png.
"""

import argparse
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

from core.portrait import picture, png
from core.rotations import Array
from models.bundle import read_bundle
from scripts.gait import Walk, read_walk

_ROOT = Path(__file__).resolve().parents[1]
_WEIGHTS = _ROOT / "models" / "weights" / "bandai-namco.safetensors"
_TARGET = _ROOT / "blender_addon" / "thumbnails"
_METRES_PER_UNIT = 0.01


@dataclass(frozen=True)
class Pose:
    """A frame of a take, chosen by eye because it tells its style from the others."""

    take: str
    frame: int


_POSES: dict[str, Pose] = {
    "active": Pose("dataset-2_walk_active_016", 102),
    "elderly": Pose("dataset-2_walk_elderly_007", 222),
    "exhausted": Pose("dataset-2_walk_exhausted_007", 84),
    "feminine": Pose("dataset-2_walk_feminine_021", 109),
    "masculine": Pose("dataset-2_walk_masculine_007", 131),
    "normal": Pose("dataset-2_walk_normal_001", 146),
    "youthful": Pose("dataset-2_walk_youthful_013", 144),
    "active-2": Pose("dataset-1_walk_active_001", 87),
    "angry": Pose("dataset-1_walk_angry_001", 66),
    "childish": Pose("dataset-1_walk_childish_001", 205),
    "chimpira": Pose("dataset-1_walk_chimpira_001", 78),
    "feminine-2": Pose("dataset-1_walk_feminine_001", 222),
    "giant": Pose("dataset-1_walk_giant_001", 149),
    "happy": Pose("dataset-1_walk_happy_001", 98),
    "masculine-2": Pose("dataset-1_walk_masculinity_001", 111),
    "musical": Pose("dataset-1_walk_musical_001", 191),
    "normal-2": Pose("dataset-1_walk_normal_001", 120),
    "not-confident": Pose("dataset-1_walk_not-confident_001", 170),
    "old": Pose("dataset-1_walk_old_001", 130),
    "proud": Pose("dataset-1_walk_proud_001", 150),
    "sad": Pose("dataset-1_walk_sad_001", 317),
    "tired": Pose("dataset-1_walk_tired_001", 133),
}


def main() -> int:
    """Parse the command line and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archive", type=Path, help="the Bandai-Namco-Research-Motiondataset as a tar file")
    parser.add_argument("--out", type=Path, default=_TARGET, help="folder of the pictures (default: %(default)s)")
    options = parser.parse_args()
    styles = read_bundle(_WEIGHTS).info.styles
    unknown = [style for style in styles if style not in _POSES]
    if unknown:
        print(f"No pose is chosen yet for {', '.join(unknown)}: add it to the table in this file.", file=sys.stderr)
        return 1
    try:
        draw_all(options.archive, options.out, {style: _POSES[style] for style in styles})
    except (OSError, tarfile.TarError, KeyError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def draw_all(archive: Path, target: Path, poses: dict[str, Pose]) -> None:
    """Write one picture per style.

    Raises:
        KeyError: a take is not in the archive.
        OSError, TarError: the archive cannot be read.
    """
    target.mkdir(parents=True, exist_ok=True)
    takes = read_takes(archive, {pose.take for pose in poses.values()})
    for style, pose in poses.items():
        drawn = png(picture(_joints(takes[pose.take], pose.frame)))
        path = target / f"{style}.png"
        path.write_bytes(drawn)
        print(f"{path.name}  {len(drawn)} bytes, {pose.take} frame {pose.frame}")


def read_takes(archive: Path, names: set[str]) -> dict[str, Walk]:
    """The named takes out of the archive, which is read once from front to back."""
    found: dict[str, Walk] = {}
    with tarfile.open(archive) as stream, tempfile.TemporaryDirectory() as folder:
        for member in stream:
            name = Path(member.name).name.removesuffix(".bvh")
            content = stream.extractfile(member) if name in names and member.isfile() else None
            if content is not None:
                path = Path(folder) / f"{name}.bvh"
                path.write_bytes(content.read())
                found[name] = read_walk(path, _METRES_PER_UNIT)
            if len(found) == len(names):
                break
    missing = names - found.keys()
    if missing:
        raise KeyError(f"not in {archive.name}: {', '.join(sorted(missing))}")
    return found


def _joints(walk: Walk, frame: int) -> dict[str, Array]:
    return {name: path[frame] for name, path in walk.joints.items()}


if __name__ == "__main__":
    sys.exit(main())
