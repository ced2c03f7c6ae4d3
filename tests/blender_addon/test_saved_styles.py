# SPDX-License-Identifier: GPL-3.0-or-later
"""Saved styles in Blender: kept from an action, offered in every file, used, mixed, deleted."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import bpy
import numpy as np
import pytest

from . import rigs
from .layouts import Layout, drawn
from .snapshot import scene_state

pytestmark = pytest.mark.usefixtures("empty_scene", "no_styles")
Addon = Callable[[str], ModuleType]


@pytest.fixture
def no_styles(extension: str) -> Iterator[Path]:
    """The folder of the saved styles, empty before and after."""
    folder = Path(bpy.utils.extension_path_user(extension, path="styles", create=True))
    folder.chmod(0o755)
    yield folder
    for path in folder.iterdir():
        path.unlink()
    # Timestamps of a folder may be coarser than two tests are apart.
    os.utime(folder, (0, 0))


def values_of(armature: bpy.types.Object) -> list[float]:
    return [point.co.y for curve in rigs.curves_of(armature) for point in curve.keyframe_points]


def stylized(armature: bpy.types.Object, **settings: Any) -> list[float]:
    """Values of all keys of a result, of which nothing is left."""
    assert bpy.ops.panache.stylize(keys="EVERY_FRAME", **settings) == {"FINISHED"}
    values = values_of(armature)
    bpy.ops.panache.revert()
    return values


def test_what_an_armature_plays_is_saved(no_styles: Path, addon: Addon) -> None:
    armature = rigs.walk_bvh(0.01, frames=60)
    before = scene_state()
    assert bpy.ops.panache.save_style(name="  Old   Pirate ") == {"FINISHED"}
    assert scene_state() == before
    assert sorted(path.name for path in no_styles.iterdir()) == ["Old Pirate.json", "Old Pirate.png"]
    data = json.loads((no_styles / "Old Pirate.json").read_text(encoding="utf-8"))
    assert (data["source"], data["model"]) == (armature.animation_data.action.name, addon("backend").model_version())
    assert "CC0-1.0" in data["licence"]
    assert len(json.dumps(data)) < 20_000
    assert (no_styles / "Old Pirate.png").read_bytes()[:4] == b"\x89PNG"
    assert armature.panache.saved_choice == "Old Pirate"


def test_a_saved_style_is_the_style_of_its_reference() -> None:
    walk = rigs.walk_bvh(0.01, frames=60)
    bpy.ops.panache.save_style(name="Walk")
    reference = walk.animation_data.action.name
    armature = rigs.mixamo()
    saved = stylized(armature, source="SAVED", style="Walk")
    assert saved == pytest.approx(stylized(armature, source="SAVED", style="Walk"), abs=0.0)
    assert saved != pytest.approx(stylized(armature, style="elderly"), abs=1e-3)
    assert stylized(armature, source="REFERENCE", reference=reference)


def test_a_result_does_not_need_its_saved_style_any_more() -> None:
    rigs.walk_bvh(0.01, frames=60)
    bpy.ops.panache.save_style(name="Walk")
    armature = rigs.mixamo()
    weights = (1.0, 0.5, 0.0, 1.0, 0.25)
    bpy.ops.panache.stylize(source="SAVED", style="Walk", mix_style="active", mix=0.25, weights=weights)
    values = values_of(armature)
    bpy.ops.panache.delete_style(name="Walk")
    assert bpy.ops.panache.reapply() == {"FINISHED"}
    assert values_of(armature) == values


def test_a_chosen_reference_is_saved_instead(no_styles: Path) -> None:
    reference = rigs.walk_bvh(0.01, frames=60).animation_data.action
    armature = rigs.mixamo()
    armature.panache.source, armature.panache.reference = "REFERENCE", reference
    bpy.ops.panache.save_style(name="Theirs")
    armature.panache.source = "LABEL"
    bpy.ops.panache.save_style(name="Mine")
    sources = {name: json.loads((no_styles / f"{name}.json").read_text())["source"] for name in ("Theirs", "Mine")}
    assert sources == {"Theirs": reference.name, "Mine": armature.animation_data.action.name}


def test_a_mix_lies_between_its_two_styles() -> None:
    rigs.walk_bvh(0.01, frames=60)
    bpy.ops.panache.save_style(name="Walk")
    armature = rigs.mixamo()
    alone = stylized(armature, style="elderly")
    assert stylized(armature, style="elderly", mix_style="Walk", mix=0.0) == pytest.approx(alone, abs=0.0)
    half = stylized(armature, style="elderly", mix_style="Walk", mix=0.5)
    labels = stylized(armature, style="elderly", mix_style="active", mix=0.5)
    assert half != pytest.approx(alone, abs=1e-4)
    assert labels != pytest.approx(half, abs=1e-4)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("", "Give the style a name"),
        ("a/b", "cannot have /"),
        ("x" * 41, "too long"),
        ("CON", "Windows"),
        ("Elderly", "already a style"),
    ],
)
def test_bad_names_are_refused(name: str, sentence: str, no_styles: Path) -> None:
    rigs.mixamo()
    with pytest.raises(RuntimeError, match=sentence):
        bpy.ops.panache.save_style(name=name)
    assert not list(no_styles.iterdir())


def test_a_name_is_taken_only_once() -> None:
    rigs.mixamo()
    bpy.ops.panache.save_style(name="Old Pirate")
    with pytest.raises(RuntimeError, match="already a style"):
        bpy.ops.panache.save_style(name="old pirate")


def test_nothing_to_save() -> None:
    armature = rigs.mixamo()
    armature.animation_data.action = None
    with pytest.raises(RuntimeError, match="Choose the action whose style"):
        bpy.ops.panache.save_style(name="Nothing")
    with pytest.raises(RuntimeError, match="Choose the action whose style"):
        bpy.ops.panache.save_style(name="Nothing", reference="Gone")


def test_a_full_disk_is_said(monkeypatch: pytest.MonkeyPatch, no_styles: Path) -> None:
    rigs.mixamo()

    def full(*_arguments: object, **_options: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(RuntimeError, match="make room on the disk"):
        bpy.ops.panache.save_style(name="Old Pirate")
    assert not list(no_styles.iterdir())


def test_a_folder_that_cannot_be_made_is_said(addon: Addon, monkeypatch: pytest.MonkeyPatch) -> None:
    rigs.mixamo()
    monkeypatch.setattr(addon("saved"), "_folder", lambda **_options: None)
    with pytest.raises(RuntimeError, match="write-protected"):
        bpy.ops.panache.save_style(name="Old Pirate")


def make_outdated(path: Path) -> None:
    path.write_text(path.read_text(encoding="utf-8").replace('"model": "test"', '"model": "older"'), encoding="utf-8")
    # Two changes within one tick of the clock are one for whoever looks at the time of the file.
    os.utime(path, (1, 1))


def test_a_style_of_another_model_is_refused_and_says_which(no_styles: Path) -> None:
    rigs.mixamo()
    bpy.ops.panache.save_style(name="Walk")
    make_outdated(no_styles / "Walk.json")
    before = scene_state()
    with pytest.raises(RuntimeError, match=r"of another model \(\w+ older, this one is \w+ test\): compute it again"):
        bpy.ops.panache.stylize(source="SAVED", style="Walk")
    with pytest.raises(RuntimeError, match="of another model"):
        bpy.ops.panache.stylize(mix_style="Walk", mix=0.5)
    assert scene_state() == before


def test_a_style_of_another_model_is_computed_again(no_styles: Path) -> None:
    armature = rigs.walk_bvh(0.01, frames=60)
    bpy.ops.panache.save_style(name="Walk", refine=True, licence="Mine")
    good = json.loads((no_styles / "Walk.json").read_text(encoding="utf-8"))
    make_outdated(no_styles / "Walk.json")
    before = scene_state()
    assert bpy.ops.panache.renew_style() == {"FINISHED"}
    assert scene_state() == before
    assert json.loads((no_styles / "Walk.json").read_text(encoding="utf-8")) == good
    assert bpy.ops.panache.stylize(source="SAVED", style="Walk") == {"FINISHED"}
    bpy.ops.panache.revert()
    armature.animation_data.action.name = "Another"
    with pytest.raises(RuntimeError, match="open the file that has it"):
        bpy.ops.panache.renew_style(name="Walk")
    with pytest.raises(RuntimeError, match='no saved style "Gone"'):
        bpy.ops.panache.renew_style(name="Gone")
    assert json.loads((no_styles / "Walk.json").read_text(encoding="utf-8")) == good


def test_the_panel_leads_out_of_another_model(no_styles: Path, addon: Addon) -> None:
    armature, main = rigs.walk_bvh(0.01, frames=60), addon("panels").PANACHE_PT_main
    bpy.ops.panache.save_style(name="Walk")
    armature.panache.source = "SAVED"
    assert "panache.describe_style" in drawn(main) and "panache.renew_style" not in drawn(main)
    assert not addon("blocking").blocked_reason(bpy.context)
    make_outdated(no_styles / "Walk.json")
    assert "panache.renew_style" in drawn(main)
    assert "another model" in addon("blocking").blocked_reason(bpy.context)
    source, armature.animation_data.action.name = armature.animation_data.action.name, "Another"
    assert "panache.renew_style" not in drawn(main)
    assert f'Open the file with the action "{source}"' in " ".join(drawn(main))


def test_a_style_remembers_its_reference(no_styles: Path, addon: Addon) -> None:
    armature = rigs.walk_bvh(0.01, frames=60)
    bpy.ops.panache.save_style(name="Walk", refine=True)
    assert sum(path.stat().st_size for path in no_styles.iterdir()) < 50_000
    style = addon("saved").shown_style("Walk")
    assert style.refined and style.weights == addon("backend").weights_path().stem
    assert style.statistics.seconds == pytest.approx(60 / style.statistics.fps, abs=0.1)
    assert len(style.statistics.spread) == 22
    assert addon("saved").shown_style("Gone") is None
    layout = Layout()
    addon("style_facts").draw_facts(layout, style)
    assert {armature.animation_data.action.name, "Fitted to the action"} <= set(layout.content)
    armature.panache.source = "SAVED"
    # Two seconds are too little, and that is said.
    assert "5 to 20" in " ".join(drawn(addon("panels").PANACHE_PT_main))


def test_refining_is_a_choice(no_styles: Path) -> None:
    rigs.walk_bvh(0.01, frames=60)
    codes = []
    for refine in (False, True, True):
        name = f"Style {len(codes)}"
        assert bpy.ops.panache.save_style(name=name, refine=refine) == {"FINISHED"}
        data = json.loads((no_styles / f"{name}.json").read_text(encoding="utf-8"))
        assert data["refined"] is refine
        codes.append(data["code"])
    assert codes[1] == codes[2] != codes[0]


def test_a_style_of_before_statistics_were_kept(no_styles: Path, addon: Addon) -> None:
    armature = rigs.walk_bvh(0.01, frames=60)
    bpy.ops.panache.save_style(name="Walk")
    path = no_styles / "Walk.json"
    data = json.loads(path.read_text(encoding="utf-8"))
    kept = {key: data[key] for key in ("format", "version", "name", "model", "licence", "source", "code")}
    path.write_text(json.dumps(kept), encoding="utf-8")
    os.utime(path, (1, 1))
    armature.panache.source = "SAVED"
    assert drawn(addon("panels").PANACHE_PT_main)
    layout = Layout()
    addon("style_facts").draw_facts(layout, addon("saved").shown_style("Walk"))
    assert "As the model reads it" in layout.content
    assert bpy.ops.panache.stylize(source="SAVED", style="Walk") == {"FINISHED"}


def test_a_licence_note_is_the_users(no_styles: Path) -> None:
    rigs.walk_bvh(0.01, frames=60)
    bpy.ops.panache.save_style(name="Walk", licence="Only for us")
    path = no_styles / "Walk.json"
    before = json.loads(path.read_text(encoding="utf-8"))
    assert before["licence"] == "Only for us; made with a model under CC0-1.0"
    picture = (no_styles / "Walk.png").read_bytes()
    assert bpy.ops.panache.describe_style(licence="CC BY 4.0, by Ann") == {"FINISHED"}
    after = json.loads(path.read_text(encoding="utf-8"))
    assert after == before | {"licence": "CC BY 4.0, by Ann; made with a model under CC0-1.0"}
    assert (no_styles / "Walk.png").read_bytes() == picture
    bpy.ops.panache.describe_style(name="Walk", licence="")
    assert json.loads(path.read_text(encoding="utf-8"))["licence"].startswith("What the licence of")
    with pytest.raises(RuntimeError, match='no saved style "Gone"'):
        bpy.ops.panache.describe_style(name="Gone")


@pytest.mark.parametrize(("name", "sentence"), [("", "Choose a saved style"), ("Gone", 'no saved style "Gone"')])
def test_a_style_that_is_not_there_is_refused(name: str, sentence: str) -> None:
    rigs.mixamo()
    with pytest.raises(RuntimeError, match=sentence):
        bpy.ops.panache.stylize(source="SAVED", style=name)


def test_the_dropdown_follows_the_folder(addon: Addon, no_styles: Path) -> None:
    settings, choices = rigs.mixamo().panache, addon("choices")
    settings.saved = "Elsewhere"
    assert [item[0] for item in choices.saved_items(settings, None)] == ["Elsewhere"]
    assert settings.saved_choice == "Elsewhere"
    bpy.ops.panache.save_style(name="b")
    bpy.ops.panache.save_style(name="A")
    assert [item[0] for item in choices.saved_items(settings, None)] == ["A", "b"]
    settings.saved_choice = "b"
    assert settings.saved == "b"
    assert {"A", "b", "elderly"} <= {item[0] for item in choices.mix_items(settings, None)}
    (no_styles / "b.json").unlink()
    assert settings.saved_choice == "b"
    assert [item[0] for item in choices.saved_items(settings, None)] == ["A", "b"]


def test_numbers_do_not_depend_on_the_order_of_a_dropdown(addon: Addon) -> None:
    settings, choices = rigs.mixamo().panache, addon("choices")
    bpy.ops.panache.save_style(name="m")
    settings.mix_choice = "m"
    bpy.ops.panache.save_style(name="a")
    bpy.ops.panache.save_style(name="z")
    assert settings.mix_choice == "m"
    numbers = [item[-1] for item in choices.mix_items(settings, None)]
    assert len(set(numbers)) == len(numbers)


def test_a_style_is_deleted(no_styles: Path) -> None:
    armature = rigs.mixamo()
    bpy.ops.panache.save_style(name="Walk")
    bpy.ops.panache.save_style(name="Other")
    armature.panache.saved = "Walk"
    assert bpy.ops.panache.delete_style() == {"FINISHED"}
    assert sorted(path.name for path in no_styles.iterdir()) == ["Other.json", "Other.png"]
    with pytest.raises(RuntimeError, match='no saved style "../x"'):
        bpy.ops.panache.delete_style(name="../x")


def test_styles_have_pictures(addon: Addon) -> None:
    rigs.mixamo()
    bpy.ops.panache.save_style(name="Walk")
    picture = bpy.data.images.load(str(addon("saved").picture_of("Walk")))
    assert (tuple(picture.size), picture.channels) == ((128, 128), 4)
    pixels = np.array(picture.pixels).reshape(-1, 4)
    assert all(0.01 < share < 0.5 for share in pixels.mean(axis=0))
    # Without a window Blender has no icons, and asking for them is harmless.
    assert addon("thumbnails").saved_icon("Walk") == addon("thumbnails").style_icon("elderly") == 0
    addon("thumbnails").forget_thumbnails()
