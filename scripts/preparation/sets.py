# SPDX-License-Identifier: GPL-3.0-or-later
"""The public sets: what their files are called, what the names say, and on what terms they may be used."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

from scripts.preparation.gltf import read_gltf
from scripts.preparation.known import cmu_fps, cmu_style, style100_cuts
from scripts.preparation.recording import Found, LeftOut, Recording

BANDAI_1: Final = "bandai-1"
BANDAI_2: Final = "bandai-2"
CMU: Final = "cmu"
REACTIDLE: Final = "reactidle"
STYLE100: Final = "100style"
CC0: Final = "cc0"
FOLDER: Final = "folder"

LICENCES: Final = {
    BANDAI_2: "CC BY-NC 4.0",
    BANDAI_1: "CC BY-NC 4.0",
    CMU: "free for all uses, but not to be resold as data (mocap.cs.cmu.edu, NSF EIA-0196217)",
    REACTIDLE: "MIT",
    STYLE100: "CC BY 4.0",
    CC0: "CC0 1.0",
    FOLDER: "your own data's",
}
TITLES: Final = {
    BANDAI_2: "Bandai-Namco-Research-Motiondataset-2",
    BANDAI_1: "Bandai-Namco-Research-Motiondataset-1",
    CMU: "CMU Graphics Lab Motion Capture Database",
    REACTIDLE: "ReActIdle",
    STYLE100: "100STYLE",
    CC0: "CC0 clips of Mesh2Motion, KayKit and Quaternius",
    FOLDER: "a folder of your own",
}

# What set 1 calls like set 2, another performer does in another way: two labels, told apart by a number.
_SET_1_STYLES: Final = {
    "active": "active-2",
    "feminine": "feminine-2",
    "masculinity": "masculine-2",
    "normal": "normal-2",
}
_BANDAI: Final = re.compile(r"dataset-(?P<set>[12])_(?P<content>[a-z-]+)_(?P<style>[a-z-]+)_(?P<take>\d+)\.bvh$")
_CMU: Final = re.compile(r"^(?P<scaled>scaled_)?(?P<subject>\d+)_(?P<trial>\d+)$")
_IDLE: Final = re.compile(r"^(?P<performer>\d+)_(?:acted|genuine)$")
_STYLE100: Final = re.compile(r"^(?P<style>[A-Za-z]+)_(?P<way>[A-Z]{2}\d?|reference)$")
# Ways of moving of 100STYLE (Mason et al., 2022).
_WAYS: Final = {
    "FW": "walk", "BW": "walk-back", "SW": "walk-sideways", "FR": "run", "BR": "run-back", "SR": "run-sideways",
    "ID": "idle", "TR1": "transition", "TR2": "transition", "TR3": "transition",
}  # fmt: skip
# Every file of 100STYLE is one long take of one style: it is divided in time, with gaps longer than a window.
_SPANS: Final = ((0, (0.0, 0.78)), (1, (0.80, 0.89)), (2, (0.91, 1.0)))
_STILL: Final = re.compile(r"pose\b|_pose|tpose", flags=re.IGNORECASE)


def find_bandai(folder: Path) -> Found:
    """Both Bandai-Namco sets; set 2 keeps its labels, set 1's near-duplicates by name get a number."""
    found: list[Recording] = []
    for path in sorted(folder.rglob("*.bvh")):
        match = _BANDAI.search(path.name)
        if match is None:
            continue
        first = match["set"] == "1"
        style = _SET_1_STYLES.get(match["style"], match["style"]) if first else match["style"]
        source = BANDAI_1 if first else BANDAI_2
        found.append(Recording(source, path, path.stem, match["content"], style, group=path.stem))
    return Found(tuple(sorted(found, key=lambda recording: (recording.source == BANDAI_1, recording.path))))


def find_cmu(folder: Path) -> Found:
    """Each motion once: the original ASF/AMC rather than BVH made of it, and none at another size."""
    kept: dict[tuple[int, int], Recording] = {}
    left_out: list[LeftOut] = []
    for path in sorted(_files(folder, ".amc", ".bvh"), key=_cmu_preference):
        match = _CMU.match(path.stem)
        if match is None:
            left_out.append(LeftOut(CMU, path.stem, "is not named subject_trial"))
            continue
        motion = int(match["subject"]), int(match["trial"])
        name = f"{CMU}_{motion[0]:03d}_{motion[1]:02d}"
        if motion in kept:
            left_out.append(LeftOut(CMU, path.name, f"is the same motion as {kept[motion].path.name}"))
        else:
            fps = cmu_fps(*motion) if path.suffix.lower() == ".amc" else 0.0
            kept[motion] = Recording(CMU, path, name, style=cmu_style(*motion), group=name, fps=fps)
    return Found(tuple(kept[motion] for motion in sorted(kept)), tuple(left_out))


def find_reactidle(folder: Path) -> Found:
    """All clips; both of one performer stay together. Acted or genuine is no style that anyone would choose."""
    matches = [(path, _IDLE.match(path.stem)) for path in _files(folder, ".bvh")]
    return Found(
        tuple(
            Recording(REACTIDLE, path, f"{REACTIDLE}_{path.stem}", group=match["performer"])
            for path, match in matches
            if match
        )
    )


def find_100style(folder: Path) -> Found:
    """Three parts of every file, one for each side of the split."""
    found: list[Recording] = []
    cuts = style100_cuts(folder)
    for path in _files(folder, ".bvh"):
        match = _STYLE100.match(path.stem)
        if match is None:
            continue
        name = f"{STYLE100}_{path.stem.lower()}"
        whole = Recording(STYLE100, path, name, _WAYS.get(match["way"], ""), match["style"].lower(), group=path.stem)
        whole = replace(whole, frames=cuts.get(path.stem, whole.frames))
        found += [replace(whole, take=f"{name}_{split}", span=span, split=split) for split, span in _SPANS]
    return Found(tuple(found))


def find_cc0(folder: Path) -> Found:
    """The animations of all glTF files below the folder; a clip with and without root motion stays together."""
    found: list[Recording] = []
    left_out: list[LeftOut] = []
    seen: dict[tuple[str, str], Path] = {}
    for path in _files(folder, ".glb", ".gltf"):
        for animation in read_gltf(path).animations:
            plain = animation.rpartition("|")[2]
            name = f"{path.stem}_{plain}"
            if _STILL.search(plain):
                left_out.append(LeftOut(CC0, name, "is a pose"))
            elif (path.parent.name, animation) in seen:
                left_out.append(LeftOut(CC0, name, f"is in {seen[path.parent.name, animation].name} too"))
            else:
                seen[path.parent.name, animation] = path
                group = f"{path.parent.name}_{re.sub(r'[ _]RM$', '', plain)}"
                found.append(Recording(CC0, path, f"{CC0}_{name}", group=group, animation=animation))
    return Found(tuple(found), tuple(left_out))


def find_folder(folder: Path) -> Found:
    """Anybody's files. Folders within say the style: ``proud/walk_3.bvh`` is proud; files beside them have none."""
    found: list[Recording] = []
    for path in _files(folder, ".bvh", ".amc", ".glb", ".gltf"):
        inside = path.relative_to(folder)
        style = inside.parts[0] if len(inside.parts) > 1 else ""
        name = inside.with_suffix("").as_posix()
        animations = read_gltf(path).animations if path.suffix.lower() in (".glb", ".gltf") else ("",)
        for animation in animations:
            take = f"{name}/{animation}" if animation else name
            found.append(Recording(FOLDER, path, take, style=style, group=name, animation=animation))
    return Found(tuple(found))


FINDERS: Final[dict[str, Callable[[Path], Found]]] = {
    BANDAI_2: find_bandai,
    BANDAI_1: find_bandai,
    CMU: find_cmu,
    REACTIDLE: find_reactidle,
    STYLE100: find_100style,
    CC0: find_cc0,
    FOLDER: find_folder,
}


def find(source: str, folder: Path) -> Found:
    """The recordings of one set in a folder."""
    found = FINDERS[source](folder)
    return Found(tuple(recording for recording in found.recordings if recording.source == source), found.left_out)


def _files(folder: Path, *suffixes: str) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in suffixes)


def _cmu_preference(path: Path) -> tuple[bool, bool, int, str]:
    """What to take first of files with the same motion: shorter names are nearer to the original numbering."""
    return path.suffix.lower() != ".amc", path.stem.startswith("scaled_"), len(path.stem), str(path)
