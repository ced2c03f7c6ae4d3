# SPDX-License-Identifier: GPL-3.0-or-later
"""Short steps are for windows: where nobody waits between them they cost time."""

from collections.abc import Iterator
from typing import Any

import bpy
import pytest

from .test_job import Addon, moving_object, restyle

pytestmark = pytest.mark.usefixtures("empty_scene")


@pytest.fixture
def kept(addon: Addon, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """One entry for every time that a step has put the scene back, with steps as short as they can be."""
    stepping, found = addon("rig.stepping"), []
    plain = stepping.pose_of

    def counted(armature: bpy.types.Object) -> Any:
        found.append(1)
        return plain(armature)

    monkeypatch.setattr(stepping, "pose_of", counted)
    monkeypatch.setattr(stepping, "LONG", 0.0)
    yield found


def test_a_script_does_not_pay_for_a_window_that_stays_alive(addon: Addon, kept: list[int]) -> None:
    moving_object(addon)
    assert list(restyle(addon))
    stepwise = len(kept)
    kept.clear()
    bpy.ops.panache.revert()
    assert bpy.ops.panache.stylize("EXEC_DEFAULT", style="exhausted") == {"FINISHED"}
    assert 0 < len(kept) < 0.3 * stepwise
