# SPDX-License-Identifier: GPL-3.0-or-later
"""With the trained weights out of the zip: what an animator gets."""

from collections.abc import Callable
from pathlib import Path

import bpy
import numpy as np
import pytest

from . import rigs
from .mpfb import mpfb_rig
from .test_stylize import largest_key_difference

WEIGHTS = Path(__file__).parents[2] / "models" / "weights" / "bandai-namco.safetensors"


pytestmark = pytest.mark.usefixtures("empty_scene")


@pytest.fixture(autouse=True)
def trained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PANACHE_WEIGHTS", str(WEIGHTS))


def stylized(armature: bpy.types.Object, **settings: object) -> bpy.types.Action:
    # Every frame: what is tested is the movement, not how closely sparse keys follow it.
    assert bpy.ops.panache.stylize(**{"keys": "EVERY_FRAME"} | settings) == {"FINISHED"}
    return armature.animation_data.action


def hips_path(armature: bpy.types.Object, frames: range, bone: str = "Hips") -> np.ndarray:
    """Path (T, 2) of the hips over the floor as Blender plays it, metres."""
    places = []
    for frame in frames:
        bpy.context.scene.frame_set(frame)
        places.append((armature.matrix_world @ armature.pose.bones[bone].head).xy[:])
    return np.array(places)


def test_an_elderly_walk_covers_less_ground_and_keep_keeps_the_path() -> None:
    armature = rigs.walk_bvh(0.01, frames=200)
    frames = range(1, 201)
    before = hips_path(armature, frames)
    original = armature.animation_data.action
    stylized(armature, style="elderly", root="PREDICTED")
    predicted = hips_path(armature, frames)
    armature.animation_data.action = original
    stylized(armature, style="elderly", root="KEEP")
    kept = hips_path(armature, frames)
    ways = [float(np.linalg.norm(path[-1] - path[0])) for path in (before, predicted)]
    print(f"original {ways[0]:.2f} m, elderly {ways[1]:.2f} m, kept path off by {np.abs(kept - before).max():.1e} m")  # noqa: T201 - figures for whoever runs it with -s
    assert ways[1] < 0.8 * ways[0]
    assert np.abs(kept - before).max() < 1e-4


@pytest.mark.parametrize("modes", [("QUATERNION",), ("XYZ", "YZX")])
def test_amount_zero_on_an_mpfb_rig(shared_data: Callable[[str], Path], modes: tuple[str, ...]) -> None:
    armature = mpfb_rig(shared_data("rigs.tar.xz"), "mixamo", modes)
    rigs.place(armature, 0.01)
    original = armature.animation_data.action
    assert largest_key_difference(armature, original, stylized(armature, style="youthful", amount=0.0)) < 1e-5


def test_a_reference_and_its_label_go_the_same_way() -> None:
    armature = rigs.walk_bvh(0.01, frames=120)
    original = armature.animation_data.action
    frames = range(1, 121)
    elderly = stylized(armature, style="elderly")
    by_label = hips_path(armature, frames)
    armature.animation_data.action = original
    stylized(armature, source="REFERENCE", reference=elderly.name)
    by_reference = hips_path(armature, frames)
    armature.animation_data.action = original
    before = hips_path(armature, frames)
    ways = [float(np.linalg.norm(path[-1] - path[0])) for path in (before, by_label, by_reference)]
    assert max(ways[1:]) < 0.9 * ways[0]
