# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole way once, in a real Blender: install the zip, import a walk, stylize it, save what came of it.

``python3 build.py demo`` runs this with Blender's module in a clean user folder.
"""

import argparse
import os
import sys
import time
from pathlib import Path

import bpy

from scripts.building.processes import ROOT
from scripts.sheet import draw_sheet, read_clip

_WALK = ROOT / "tests" / "data" / "walk_normal.bvh"
_METRES_PER_UNIT = 0.01  # the dataset's files are in centimetres


class DemoError(Exception):
    """A step that did not do what it should, in one sentence."""


def main() -> int:
    """Parse the command line and do one step after the other."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--zip", type=Path, required=True, help="the extension")
    parser.add_argument("--out", type=Path, required=True, help="folder for what the demo writes")
    parser.add_argument("--style", default="elderly")
    options = parser.parse_args()
    try:
        install(options.zip)
        armature = import_walk(_WALK)
        stand_beside(armature)
        stylize(armature, options.style)
        save(armature, options.out)
        compare(options.out, options.style)
    except DemoError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    return 0


def install(archive: Path) -> None:
    """Install the extension as a user would, into an empty Blender."""
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    bpy.ops.extensions.package_install_files(
        filepath=str(archive.resolve()), repo="user_default", enable_on_install=True
    )
    # bpy.ops answers every name; only an operator that is registered has a type.
    if not hasattr(bpy.types, "PANACHE_OT_stylize"):
        raise DemoError(f"Blender {bpy.app.version_string} did not enable {archive.name}, see its messages above.")
    print(f"Blender {bpy.app.version_string}: {archive.name} is installed")


def import_walk(path: Path) -> bpy.types.Object:
    """The armature of a BVH file, active, at the file's own frame rate."""
    bpy.ops.import_anim.bvh(
        filepath=str(path), global_scale=_METRES_PER_UNIT, update_scene_fps=True, update_scene_duration=True
    )
    armature = bpy.context.object
    if armature is None or armature.type != "ARMATURE":
        raise DemoError(f"{path.name} was not imported.")
    scene = bpy.context.scene
    # The importer makes the scene a frame longer than the clip.
    scene.frame_start, scene.frame_end = (round(frame) for frame in armature.animation_data.action.frame_range)
    print(f"Imported {path.name}: frames {scene.frame_start} to {scene.frame_end}, {len(armature.pose.bones)} bones")
    return armature


def stand_beside(armature: bpy.types.Object) -> None:
    """A copy that goes on playing the original, a step to the side, for whoever opens the .blend."""
    witness = armature.copy()
    witness.name = "Original"
    witness.location.x -= 1.0
    bpy.context.scene.collection.objects.link(witness)


def stylize(armature: bpy.types.Object, style: str) -> None:
    """Click the button."""
    original = armature.animation_data.action
    started = time.perf_counter()
    try:
        answer = bpy.ops.panache.stylize(source="LABEL", style=style, root="PREDICTED", seed=0)
    except RuntimeError as error:  # an operator that reports an error raises it to a script
        raise DemoError(f"Stylize refused: {error}") from error
    played = armature.animation_data.action
    if answer != {"FINISHED"} or played == original:
        raise DemoError(f"Stylize answered {answer}, and the armature plays {played.name}.")
    print(f'Stylized as {style} in {time.perf_counter() - started:.1f} s: "{played.name}" beside "{original.name}"')


def save(armature: bpy.types.Object, out: Path) -> None:
    """Write the file and, with Blender's exporter, the played result."""
    out.mkdir(parents=True, exist_ok=True)
    scene = bpy.context.scene
    bpy.ops.wm.save_as_mainfile(filepath=str((out / "stylized.blend").resolve()), check_existing=False, compress=True)
    bpy.context.view_layer.objects.active = armature
    bpy.ops.export_anim.bvh(
        filepath=str((out / "stylized.bvh").resolve()),
        frame_start=scene.frame_start,
        frame_end=scene.frame_end,
        global_scale=1.0 / _METRES_PER_UNIT,
        root_transform_only=False,
    )


def compare(out: Path, style: str) -> None:
    """Draw both clips and print their numbers."""
    clips = read_clip("Original", _WALK), read_clip(style.replace("-", " ").title(), out / "stylized.bvh")
    draw_sheet(clips, f"{_WALK.name}, stylized as {style}", out / "sheet.png")
    for clip in clips:
        print(f"{clip.label + ':':10} {clip.gait}")
    for name in ("sheet.png", "stylized.blend", "stylized.bvh"):
        print(f"-> {(out / name).resolve().relative_to(ROOT)}")


if __name__ == "__main__":
    STATUS = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # Blender's module hangs (4.5) or crashes (4.2) when Python shuts down while an add-on's operators are registered.
    os._exit(STATUS)
