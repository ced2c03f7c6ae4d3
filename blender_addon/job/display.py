# SPDX-License-Identifier: GPL-3.0-or-later
"""How a running job is shown: a line in the status bar, and sidebars that are drawn again now and then."""

import time
from types import TracebackType
from typing import Final

import bpy

from ..translations import say, shown
from .current import Job

# Seconds between two changes of what is shown: drawing costs more than looking at it is worth.
_EVERY: Final = 0.2


class Display:
    """Shows one job from entering to leaving."""

    def __init__(self, job: Job[str], context: bpy.types.Context) -> None:
        self._job = job
        self._shown = -_EVERY
        self._workspaces: set[str] = set()
        self.refresh(context)

    def __enter__(self) -> "Display":
        """Nothing more to do."""
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """Take everything away again."""
        for name in self._workspaces:
            workspace = bpy.data.workspaces.get(name)
            if workspace is not None:
                workspace.status_text_set(None)
        redraw_sidebars()

    def refresh(self, context: bpy.types.Context) -> None:
        """Show how far the job has come, if it is time."""
        if time.monotonic() - self._shown < _EVERY:
            return
        self._shown = time.monotonic()
        state, workspace = self._job.state, context.workspace
        if workspace is not None:
            self._workspaces.add(workspace.name)
            percent, what = f"{state.share:.0%}", shown(state.what) if state.what else "..."
            workspace.status_text_set(
                say("{title}: {percent}  {what}   (Esc: stop)", title=shown(state.title), percent=percent, what=what)
            )
        redraw_sidebars()


def redraw_sidebars() -> None:
    """Draw again where jobs are shown, and nothing else: the sidebars of all 3D views, and the preferences."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "PREFERENCES":
                area.tag_redraw()
            for region in area.regions if area.type == "VIEW_3D" else ():
                if region.type == "UI":
                    region.tag_redraw()
