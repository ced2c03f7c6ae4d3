# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of results, and of what shows them at another amount, in files, other files and copies."""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import bpy
import pytest

from . import rigs
from .snapshot import keys_of
from .test_amount import same, stylized

pytestmark = pytest.mark.usefixtures("empty_scene")
Addon = Callable[[str], ModuleType]


def test_a_result_survives_saving_purging_and_loading(addon: Addon, tmp_path: Path) -> None:
    armature = rigs.mixamo()
    name = armature.name
    action = stylized(addon, armature)
    full, original = action["panache"]["full"].name, action["panache"]["original"].name
    assert full.startswith(".")
    bpy.ops.outliner.orphans_purge(do_local_ids=True, do_linked_ids=True, do_recursive=True)
    for _ in range(2):
        bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "saved.blend"))
        bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "saved.blend"))
    armature = bpy.data.objects[name]
    action = armature.animation_data.action
    assert action["panache"]["full"] == bpy.data.actions[full]
    armature.panache.amount = 0.0
    assert same(addon, action, bpy.data.actions[original])
    armature.panache.amount = 1.0
    assert same(addon, action, bpy.data.actions[full])


@pytest.mark.parametrize("what", ["objects", "actions"])
def test_a_result_is_appended_with_all_it_needs(addon: Addon, tmp_path: Path, what: str) -> None:
    armature = rigs.mixamo()
    action = stylized(addon, armature)
    armature.panache.amount = 0.5
    wanted, name = keys_of(armature), (armature if what == "objects" else action).name
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "saved.blend"))
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    other = rigs.mixamo()
    with bpy.data.libraries.load(str(tmp_path / "saved.blend")) as (_, wished):
        setattr(wished, what, [name])
    if what == "objects":
        other = wished.objects[0]
        bpy.context.scene.collection.objects.link(other)
    else:
        other.animation_data.action = wished.actions[0]
        slots = getattr(other.animation_data, "action_suitable_slots", ())
        if len(slots):
            other.animation_data.action_slot = slots[0]
    bpy.context.view_layer.update()
    action = other.animation_data.action
    assert action["panache"]["full"] is not None and action["panache"]["original"] is not None
    assert other.panache.amount == pytest.approx(0.5)
    assert keys_of(other) == wanted
    other.panache.amount = 0.0
    assert same(addon, action, action["panache"]["original"])
    other.panache.amount = 0.5
    assert keys_of(other) == wanted


def test_a_copy_has_an_amount_of_its_own(addon: Addon) -> None:
    armature = rigs.mixamo()
    action = stylized(addon, armature)
    copy = action.copy()
    armature.panache.amount = 0.2
    assert same(addon, copy, action["panache"]["full"])
    slot = addon("compat").same_slot(copy, addon("compat").assigned_slot(armature))
    addon("compat").assign(armature, copy, slot)
    bpy.context.view_layer.update()
    assert armature.panache.amount == pytest.approx(1.0)
    copy.name, action.name, action["panache"]["full"].name = "a", "b", "c"
    armature.panache.amount = 0.0
    assert same(addon, copy, copy["panache"]["original"]) and not same(addon, action, copy)
