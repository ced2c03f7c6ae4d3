# SPDX-License-Identifier: GPL-3.0-or-later
"""What the agent inside Blender can say about the scene and the window, and how it sets a scene. JSON in and out."""

import hashlib
import importlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bpy

EXTENSION = "bl_ext.user_default.panache"
_METRES_PER_UNIT = 0.01  # the walk of tests/data is in centimetres
SLOW = 0.15  # seconds between two ticks; what is shorter nobody notices
_LAYERED = bpy.app.version >= (4, 4, 0)


# -- setting the scene -------------------------------------------------------------------------------------------------


def empty() -> None:
    """A new file without objects, in the factory's window layout."""
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    bpy.context.preferences.view.show_splash = False
    bpy.context.preferences.view.ui_scale = 1.0


def import_walk(path: str) -> None:
    """The armature of a BVH file, active and selected, seen from the side."""
    bpy.ops.import_anim.bvh(
        filepath=path, global_scale=_METRES_PER_UNIT, update_scene_fps=True, update_scene_duration=True
    )
    armature().data.display_type = "OCTAHEDRAL"
    bpy.context.scene.frame_set(1)
    bpy.ops.ed.undo_push(message="Import Walk")


def frame_view(distance: float = 7.0) -> None:
    """Look at the active armature, slightly from above."""
    import mathutils

    space, _ = view()
    rig = armature()
    space.region_3d.view_location = rig.matrix_world @ rig.pose.bones[1].head
    space.region_3d.view_distance = distance
    space.region_3d.view_rotation = mathutils.Euler((1.35, 0.0, 0.7)).to_quaternion()


def hide_root() -> None:
    """Hide the walk's first bone, which stays where the walk began."""
    rig = armature()
    bone = rig.pose.bones[0] if bpy.app.version >= (5, 0, 0) else rig.data.bones[0]
    bone.hide = True


def install(path: str) -> None:
    """What dropping the zip into the window does: the operator of Blender's own extension system."""
    bpy.ops.extensions.package_install_files("EXEC_DEFAULT", filepath=path, repo="user_default", enable_on_install=True)


def is_installed() -> bool:
    """Whether the extension is there and enabled."""
    return EXTENSION in bpy.context.preferences.addons and hasattr(bpy.types, "PANACHE_OT_stylize")


def disable() -> None:
    """Untick the extension."""
    bpy.ops.preferences.addon_disable(module=EXTENSION)


def enable() -> None:
    """Tick the extension."""
    bpy.ops.preferences.addon_enable(module=EXTENSION)


def call(operator: str, how: str, **properties: Any) -> list[str]:
    """An operator, called in the 3D Viewport's window region."""
    group, name = operator.split(".")
    area, region = area_and_region("VIEW_3D", "WINDOW")
    with bpy.context.temp_override(area=area, region=region):
        return sorted(getattr(getattr(bpy.ops, group), name)(how, **properties))


def choose(**settings: Any) -> None:
    """Panel settings of the active armature, where a test is about something else."""
    for name, value in settings.items():
        setattr(armature().panache, name, value)


def settings(*, names: list[str]) -> dict[str, Any]:
    """Panel settings of the active armature."""
    return {name: getattr(armature().panache, name) for name in names}


def save(path: str) -> None:
    """Write the file."""
    bpy.ops.wm.save_as_mainfile(filepath=path, check_existing=False)


def save_copy(path: str) -> None:
    """Write a copy of the file as it is now."""
    bpy.ops.wm.save_as_mainfile(filepath=path, check_existing=False, copy=True)


def load(path: str) -> None:
    """Open a file with its own window layout."""
    bpy.ops.wm.open_mainfile(filepath=path)


def go_to(frame: int) -> None:
    """Show a frame."""
    bpy.context.scene.frame_set(frame)


def prefer(**choices: Any) -> None:
    """Set preferences of the extension."""
    preferences = bpy.context.preferences.addons[EXTENSION].preferences
    for name, value in choices.items():
        setattr(preferences, name, value)


def kill_worker() -> int:
    """End the worker process as a crash would; how many there were."""
    found = [
        int(entry.name)
        for entry in Path("/proc").iterdir()
        if entry.name.isdigit() and _is_worker(entry) and f"\nPPid:\t{os.getpid()}\n" in (entry / "status").read_text()
    ]
    for process in found:
        os.kill(process, signal.SIGKILL)
    return len(found)


def _is_worker(entry: Path) -> bool:
    try:
        return b"core.worker" in (entry / "cmdline").read_bytes()
    except OSError:  # it has just ended
        return False


# -- the scene ---------------------------------------------------------------------------------------------------------


def armature() -> bpy.types.Object:
    """The active armature."""
    found = bpy.context.view_layer.objects.active
    assert found and found.type == "ARMATURE", found
    return found


def played() -> str:
    """Name of the action that the active armature plays."""
    return armature().animation_data.action.name


def pose(frame: int) -> list[list[float]]:
    """Where all bones' heads are on a frame, world space."""
    bpy.context.scene.frame_set(frame)
    rig = armature()
    return [list(rig.matrix_world @ bone.head) for bone in rig.pose.bones]


def keys_digest() -> str:
    """Short name of all keys of the played action."""
    return _digest(armature().animation_data.action)


def scene_state() -> dict[str, Any]:
    """A comparable picture of everything that a cancelled job must leave alone."""
    scene, layer = bpy.context.scene, bpy.context.view_layer
    return {
        "actions": {action.name: _digest(action) for action in bpy.data.actions},
        "users": {action.name: [action.users, action.use_fake_user] for action in bpy.data.actions},
        "objects": sorted(item.name for item in bpy.data.objects),
        "meshes": sorted(item.name for item in bpy.data.meshes),
        "collections": sorted(item.name for item in bpy.data.collections),
        "played": {item.name: _playing(item) for item in bpy.data.objects},
        "frame": [scene.frame_current, scene.frame_start, scene.frame_end],
        "active": layer.objects.active.name if layer.objects.active else "",
        "selected": sorted(item.name for item in layer.objects.selected),
        "mode": bpy.context.mode,
    }


def _playing(item: bpy.types.Object) -> str:
    data = item.animation_data
    return data.action.name if data and data.action else ""


def _digest(action: bpy.types.Action) -> str:
    digest = hashlib.blake2b(digest_size=12)
    for curve in _curves(action):
        values = [value for point in curve.keyframe_points for value in point.co]
        digest.update(f"{curve.data_path}[{curve.array_index}]{values}".encode())
    return digest.hexdigest()


def _curves(action: bpy.types.Action) -> Iterator[bpy.types.FCurve]:
    if not _LAYERED:
        yield from action.fcurves
        return
    for layer in action.layers:
        for strip in layer.strips:
            for bag in strip.channelbags:
                yield from bag.fcurves


# -- the extension -----------------------------------------------------------------------------------------------------


def _module(name: str) -> Any:
    return importlib.import_module(f"{EXTENSION}.blender_addon.{name}")


def job() -> dict[str, Any] | None:
    """What the running job says of itself; None if there is none."""
    state = _module("job.current").current()
    return {"title": state.title, "share": state.share, "what": state.what} if state else None


def ghosts() -> list[dict[str, Any]]:
    """The variations that are shown: seed, whether it is pointed at, and the pixel of its pelvis."""
    shown = _module("variations.state").active()
    if shown is None:
        return []
    space, area = view()
    region = next(region for region in area.regions if region.type == "WINDOW")
    right = _module("variations.viewing").eye_of(region, space.region_3d).right
    pelvises = shown.points_at(bpy.context.scene.frame_current_final, right)[:, 0]
    places = pelvises @ _module("rig.space").TO_WORLD[:3, :3].T
    return [
        {
            "seed": entry.seed,
            "hovered": shown.hovered == entry.index,
            "place": on_screen(places[entry.index].tolist()),
        }
        for entry in shown.entries
    ]


# -- the window --------------------------------------------------------------------------------------------------------


def version() -> str:
    """Blender's version."""
    return bpy.app.version_string


def view() -> tuple[bpy.types.SpaceView3D, bpy.types.Area]:
    """The largest 3D Viewport."""
    area, _ = area_and_region("VIEW_3D", "WINDOW")
    return area.spaces.active, area


def area_and_region(area_type: str, region_type: str) -> tuple[bpy.types.Area, bpy.types.Region]:
    """The largest area of a type, and its region of a type."""
    areas = [area for area in bpy.context.window.screen.areas if area.type == area_type]
    area = max(areas, key=lambda item: item.width * item.height)
    return area, next(region for region in area.regions if region.type == region_type)


def region_box(area: str, region: str) -> list[int]:
    """Left, top, width and height of a region in pixels of the screen, whose top is 0."""
    _, found = area_and_region(area, region)
    window = bpy.context.window
    return [found.x, window.height - found.y - found.height, found.width, found.height]


def on_screen(place: list[float]) -> list[int]:
    """Pixel of the screen at which a place of the world is seen."""
    from bpy_extras.view3d_utils import location_3d_to_region_2d

    space, area = view()
    region = next(region for region in area.regions if region.type == "WINDOW")
    x, y = location_3d_to_region_2d(region, space.region_3d, place)
    return [round(region.x + x), round(bpy.context.window.height - region.y - y)]


def show_sidebar() -> None:
    """Open the 3D Viewport's sidebar."""
    space, area = view()
    space.show_region_ui = True
    area.tag_redraw()


def show_tab(tab: str) -> bool:
    """Bring a tab of the sidebar to the front; False until Blender has drawn the sidebar once."""
    _, region = area_and_region("VIEW_3D", "UI")
    try:
        region.active_panel_category = tab
    except (AttributeError, TypeError):  # read-only before the first draw; an unknown name before the extension is in
        return False
    region.tag_redraw()
    return region.active_panel_category == tab


def redraw() -> None:
    """Draw everything again."""
    for area in bpy.context.window.screen.areas:
        area.tag_redraw()


def under_mouse(area: str = "VIEW_3D", region: str = "UI") -> str:
    """The property or operator of the button under the mouse, as Blender's own menu on buttons copies it."""
    found_area, found = area_and_region(area, region)
    manager = bpy.context.window_manager
    with bpy.context.temp_override(area=found_area, region=found):
        for copy in (bpy.ops.ui.copy_python_command_button, bpy.ops.ui.copy_data_path_button):
            if copy.poll():
                manager.clipboard = ""
                copy()
                return manager.clipboard
    return ""


def clipboard() -> str:
    """What was copied last."""
    return bpy.context.window_manager.clipboard


# -- time --------------------------------------------------------------------------------------------------------------


class _Ticks:
    """Seconds between the ticks of a timer that wants to be called every 5 ms: what the window was frozen for."""

    def __init__(self) -> None:
        self.gaps: list[tuple[float, str]] = []
        self.last = 0.0
        self.redraw_every = 0.0
        self.redrawn = 0.0

    def tick(self) -> float:
        now = time.perf_counter()
        if self.last:
            state = job() if is_installed() else None
            self.gaps.append((now - self.last, state["what"] if state else ""))
        if self.redraw_every and now - self.redrawn > self.redraw_every:
            self.redrawn = now
            area_and_region("VIEW_3D", "UI")[1].tag_redraw()
        self.last = now
        return 0.005


_TICKS = _Ticks()


def start_ticks(redraw_every: float = 0.0) -> None:
    """Begin to record gaps; every so many seconds the sidebar is drawn, as a job does it, 0 for never."""
    stop_ticks()
    _TICKS.redraw_every = redraw_every
    bpy.app.timers.register(_TICKS.tick, persistent=True)


def stop_ticks() -> dict[str, Any]:
    """End recording: the largest gap, what the job did then, and the 99th percentile; in seconds."""
    if bpy.app.timers.is_registered(_TICKS.tick):
        bpy.app.timers.unregister(_TICKS.tick)
    gaps, _TICKS.gaps, _TICKS.last = sorted(_TICKS.gaps), [], 0.0
    if not gaps:
        return {"ticks": 0, "largest": 0.0, "p99": 0.0, "during": "", "slow": []}
    (largest, during), slow = gaps[-1], [gap for gap in gaps if gap[0] > SLOW]
    p99 = gaps[int(0.99 * (len(gaps) - 1))][0]
    return {"ticks": len(gaps), "largest": largest, "p99": p99, "during": during, "slow": slow}
