# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of the active take before any run. Drawing only looks it up; operators and a timer find it out."""

import time
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Final

import bpy
import numpy as np

from .backend import Clip, PanacheError, Preflight, examine, spread_frames
from .compat import Slot, assigned_slot, fcurves, slot_identifier
from .order import AUTOMATIC
from .rig.guards import check_editable, must_step
from .rig.nla import heard_strips
from .rig.reader import sample_motion
from .rig.span import row_of, span_of
from .rig.take import active_take, armature_of
from .stylizing import prepare

# A problem may have been solved in ways that no key tells: it is looked at again after so many seconds.
_PROBLEM_LASTS: Final = 2.0
_DELAY: Final = 0.1
_MOST_FINDINGS: Final = 16
# Seconds of a clip to look at; fewer of one whose frames must be played.
_SECONDS, _PLAYED_SECONDS = 10.0, 0.5

Key = tuple[Any, ...]


@dataclass(frozen=True)
class Finding:
    """What preflight found out.

    Attributes:
        result: the figures; None if there is a problem, or if they are too costly to be found out unasked.
        problem: a sentence about what stands in the way; empty if nothing does.
        moment: when this was found, in seconds of ``time.monotonic``.

    """

    result: Preflight | None
    problem: str
    moment: float

    @property
    def is_stale(self) -> bool:
        """Whether it should be found out again."""
        return bool(self.problem) and time.monotonic() - self.moment > _PROBLEM_LASTS


_FINDINGS: Final[dict[Key, Finding]] = {}


def finding_of(armature: bpy.types.Object) -> Finding | None:
    """What was found out about what the armature plays now; None if nothing yet. Cheap enough to call while drawing."""
    return _FINDINGS.get(_key(armature))


def check_active(context: bpy.types.Context, *, unasked: bool = False) -> Preflight | None:
    """Find out about what the active armature plays; None if ``unasked`` and frames would have to be stepped.

    Raises:
        PanacheError: it cannot be stylized; the message says what to do.

    """
    armature = armature_of(context)
    try:
        result = _examine(context, unasked=unasked)
    except PanacheError as error:
        _keep(armature, Finding(None, str(error), time.monotonic()))
        raise
    _keep(armature, Finding(result, "", time.monotonic()))
    return result


def check_if_needed(armature: bpy.types.Object) -> None:
    """Find out, as soon as Blender is not drawing, what is not known yet. To be called while drawing."""
    finding = finding_of(armature)
    if (finding is None or finding.is_stale) and not bpy.app.timers.is_registered(_check_unasked):
        bpy.app.timers.register(_check_unasked, first_interval=_DELAY)


def stop_checking() -> None:
    """Drop the timer, if there is one, and all that was found out."""
    if bpy.app.timers.is_registered(_check_unasked):
        bpy.app.timers.unregister(_check_unasked)
    _FINDINGS.clear()


def _check_unasked() -> None:
    """Find out, with the answer, good or bad, for the panel alone."""
    context = bpy.context
    if armature_of(context) is not None:
        with suppress(PanacheError):
            check_active(context, unasked=True)
        _redraw()


def _examine(context: bpy.types.Context, *, unasked: bool) -> Preflight | None:
    take = active_take(context)
    check_editable(take)
    # Playing frames may be slow, and is seen: only on request.
    played = must_step(take, [bone.name for bone in take.armature.pose.bones])
    if played and unasked:
        return None
    rig = prepare(take)
    frames = span_of(context.scene, take, rig.needed.names).frames
    fps = context.scene.render.fps / context.scene.render.fps_base
    few = spread_frames(frames[0], frames[-1], fps, _PLAYED_SECONDS if played else _SECONDS)
    chosen, row = take.armature.panache.calibration_frame, None
    if chosen != AUTOMATIC:
        chosen = frames[row_of(frames, chosen)]
        few = np.union1d(few, chosen)
        row = row_of(few, chosen)
    motion = sample_motion(context, take, rig.needed, few)
    found = examine(Clip(motion, rig.bone_map, calibration_frame=row))
    return replace(found, frames=len(frames), seconds=float(frames[-1] - frames[0]) / fps)


def _redraw() -> None:
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "VIEW_3D":
                area.tag_redraw()


def _keep(armature: bpy.types.Object | None, finding: Finding) -> None:
    if armature is None:
        return
    if len(_FINDINGS) >= _MOST_FINDINGS:
        _FINDINGS.clear()
    _FINDINGS[_key(armature)] = finding


def _key(armature: bpy.types.Object) -> Key:
    """Everything that the figures depend on, as far as it is cheap to ask."""
    data, settings, scene = armature.animation_data, armature.panache, bpy.context.scene
    preview = (scene.frame_preview_start, scene.frame_preview_end) if scene.use_preview_range else None
    return (
        armature.session_uid,
        armature.mode == "EDIT",
        len(armature.data.bones),
        tuple(joint.chosen for joint in settings.joints),
        settings.calibration_frame,
        (scene.render.fps, scene.render.fps_base, preview),
        _action_key(data.action, assigned_slot(armature)) if data and data.action else None,
        tuple((strip.name, strip.frame_start, strip.frame_end) for strip in heard_strips(armature)),
    )


def _action_key(action: bpy.types.Action, slot: Slot) -> Key:
    curves = fcurves(action, slot)
    return action.session_uid, slot_identifier(slot), len(curves) if curves else 0, *action.frame_range
