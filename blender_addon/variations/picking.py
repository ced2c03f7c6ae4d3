# SPDX-License-Identifier: GPL-3.0-or-later
"""Choosing a variation with mouse and keyboard, while everything else in the window works as ever."""

from typing import Final

import bpy
import numpy as np

from ..backend import Picker, nearest_ghost
from ..job.current import current
from ..translations import say
from .drawing import frame_of
from .labels import plates, press_of
from .state import VariationsState, active, discard
from .viewing import eye_of, redraw_viewports, region_under

PASS: Final = {"PASS_THROUGH"}
TAKEN: Final = {"RUNNING_MODAL"}
OVER: Final = {"FINISHED"}

# Pixels beside a body that still count, at a user interface scale of 1.
_REACH: Final = 10.0
_DIGITS: Final = ("ONE", "TWO", "THREE", "FOUR", "FIVE", "SIX", "SEVEN", "EIGHT", "NINE")
_KEYPAD: Final = tuple(f"NUMPAD_{digit}" for digit in range(1, 10))


class Choosing:
    """One person choosing from one set of variations, in one window."""

    def __init__(self, state: VariationsState) -> None:
        self._state = state
        self._pressed = -1
        self._workspaces: set[str] = set()
        state.picking = True

    def react(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """What an operator's ``modal`` returns for an event."""
        if active() is not self._state:
            return self.end()
        if current() is not None:
            # Whatever is clicked now is for the job that runs, and so is the status bar.
            self._workspaces.clear()
            return PASS
        self._explain(context)
        if event.type == "ESC" and event.value == "PRESS":
            discard()
            return self.end()
        region = region_under(context.window, event.mouse_x, event.mouse_y)
        if event.type in {"MOUSEMOVE", "INBETWEEN_MOUSEMOVE"}:
            self._hover(context, region, event)
            return PASS
        if region is None or event.shift or event.ctrl or event.alt or event.oskey:
            return PASS
        return self._decide(context, region, event)

    def end(self) -> set[str]:
        """Stop choosing; what is shown stays unless it was dropped."""
        self._state.picking = False
        self._state.hovered = -1
        # Those who choose from newer variations have written into the status bar already.
        for name in self._workspaces if active() is None else ():
            workspace = bpy.data.workspaces.get(name)
            if workspace is not None:
                workspace.status_text_set(None)
        self._workspaces.clear()
        redraw_viewports()
        return OVER

    def _decide(self, context: bpy.types.Context, region: bpy.types.Region, event: bpy.types.Event) -> set[str]:
        if event.type == "RIGHTMOUSE" and event.value == "PRESS":
            discard()
            return self.end()
        if event.type == "LEFTMOUSE":
            return self._click(context, region, event)
        number = _number(event)
        if number is None or number >= len(self._state):
            return PASS
        if event.value == "PRESS":
            _keep(number)
        return TAKEN

    def _click(self, context: bpy.types.Context, region: bpy.types.Region, event: bpy.types.Event) -> set[str]:
        """Pressed and released on the same ghost is a click; a press beside all of them is not ours."""
        ghost = self._ghost_at(context, region, event)
        if event.value == "PRESS":
            self._pressed = ghost
            return TAKEN if ghost >= 0 else PASS
        pressed, self._pressed = self._pressed, -1
        if pressed < 0:
            return PASS
        if event.value in {"RELEASE", "CLICK"} and ghost == pressed:
            _keep(ghost)
        return TAKEN

    def _hover(self, context: bpy.types.Context, region: bpy.types.Region | None, event: bpy.types.Event) -> None:
        ghost = -1 if region is None else self._ghost_at(context, region, event)
        if ghost != self._state.hovered:
            self._state.hovered = ghost
            redraw_viewports()

    def _ghost_at(self, context: bpy.types.Context, region: bpy.types.Region, event: bpy.types.Event) -> int:
        if region.data is None or context.scene.session_uid != self._state.origin.scene:
            return -1
        state, press, frame = self._state, press_of(context), frame_of(context.scene)
        eye = eye_of(region, region.data)
        x, y = event.mouse_x - region.x, event.mouse_y - region.y
        for plate in plates(state, eye, frame, press):
            if plate.ghost >= 0 and plate.contains(x, y):
                return plate.ghost
        picker = Picker(np.array([x, y], dtype=np.float64), _REACH * press.scale)
        return nearest_ghost(eye.view, state.body, state.points_at(frame, eye.right), picker)

    def _explain(self, context: bpy.types.Context) -> None:
        """Say in the status bar what can be done; a job that ends clears it."""
        workspace = context.workspace
        if workspace is not None and workspace.name not in self._workspaces:
            self._workspaces.add(workspace.name)
            last = min(len(self._state), len(_DIGITS))
            workspace.status_text_set(
                say("Click a ghost or press 1 to {last}: keep it   |   Esc, right click: drop all", last=last)
            )


def _number(event: bpy.types.Event) -> int | None:
    """Which variation a digit means."""
    for keys in (_DIGITS, _KEYPAD):
        if event.type in keys:
            return keys.index(event.type)
    return None


def _keep(index: int) -> None:
    bpy.ops.panache.keep_variation("INVOKE_DEFAULT", index=index)
