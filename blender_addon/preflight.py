# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of the active take before any run. Drawing only looks it up; operators and a timer find it out."""

import time
from dataclasses import dataclass, replace
from typing import Any, Final

import bpy
import numpy as np

from .backend import Clip, PanacheError, Preflight, Progress, Steps, examine_steps, finish, scaled, spread_frames
from .compat import Slot, assigned_slot, fcurves, slot_identifier
from .job.current import current
from .order import AUTOMATIC
from .rig.guards import check_editable, must_step
from .rig.nla import heard_strips
from .rig.reader import sample_motion_steps
from .rig.span import row_of, span_of
from .rig.take import active_take, armature_of
from .stylizing import prepare

# A problem may have been solved in ways that no key tells: it is looked at again after so many seconds.
_PROBLEM_LASTS: Final = 2.0
_DELAY: Final = 0.1
# Seconds in which Blender can draw between two steps.
_PAUSE: Final = 0.02
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
# What is being found out unasked, at most one, and about what.
_CHECKING: Final[list[tuple[Steps[Preflight | None], Key]]] = []


def finding_of(armature: bpy.types.Object) -> Finding | None:
    """What was found out about what the armature plays now; None if nothing yet. Cheap enough to call while drawing."""
    return _FINDINGS.get(_key(armature))


def check_active(context: bpy.types.Context, *, unasked: bool = False) -> Preflight | None:
    """Find out about what the active armature plays; None if ``unasked`` and frames would have to be stepped.

    Raises:
        PanacheError: it cannot be stylized; the message says what to do.

    """
    return finish(check_steps(context, unasked=unasked))


def check_steps(context: bpy.types.Context, *, unasked: bool = False) -> Steps[Preflight | None]:
    """:func:`check_active` in steps; between two of them the scene is as it was."""
    armature = armature_of(context)
    try:
        result = yield from _examine(context, unasked=unasked)
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
    drop_check()
    _FINDINGS.clear()


def drop_check() -> None:
    """Stop finding out; to be called before what is looked at is gone."""
    for steps, _ in _CHECKING:
        steps.close()
    _CHECKING.clear()


def warning_steps(context: bpy.types.Context) -> Steps[tuple[str, ...]]:
    """What there is to be warned of in what the active armature plays."""
    armature = armature_of(context)
    finding = finding_of(armature) if armature is not None else None
    if finding and finding.result:
        return finding.result.warnings
    try:
        result = yield from check_steps(context)
    except PanacheError:
        # The run itself is about to say what is wrong.
        return ()
    return result.warnings if result else ()


def _check_unasked() -> float | None:
    """Find out a little more, with the answer, good or bad, for the panel alone."""
    context = bpy.context
    armature = armature_of(context)
    if armature is None or current() is not None:
        drop_check()
        return None
    key = _key(armature)
    if not _CHECKING or _CHECKING[0][1] != key:
        # Another armature, or something else to be read: begin again.
        drop_check()
        _CHECKING.append((check_steps(context, unasked=True), key))
    try:
        next(_CHECKING[0][0])
    except (StopIteration, PanacheError):
        _CHECKING.clear()
        _redraw()
        return None
    return _PAUSE


def _examine(context: bpy.types.Context, *, unasked: bool) -> Steps[Preflight | None]:
    take = active_take(context)
    check_editable(take)
    # Playing frames may be slow, and is seen: only on request.
    played = must_step(take, [bone.name for bone in take.armature.pose.bones])
    if played and unasked:
        return None
    yield Progress(0.1, "Checking")
    rig = prepare(take)
    yield Progress(0.2, "Checking")
    frames = span_of(context.scene, take, rig.needed.names).frames
    fps = context.scene.render.fps / context.scene.render.fps_base
    few = spread_frames(frames[0], frames[-1], fps, _PLAYED_SECONDS if played else _SECONDS)
    chosen, row = take.armature.panache.calibration_frame, None
    if chosen != AUTOMATIC:
        chosen = frames[row_of(frames, chosen)]
        few = np.union1d(few, chosen)
        row = row_of(few, chosen)
    motion = yield from scaled(sample_motion_steps(context, take.now(), rig.needed, few), 0.2, 0.5)
    found = yield from scaled(examine_steps(Clip(motion, rig.bone_map, calibration_frame=row)), 0.5, 1.0)
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
