# SPDX-License-Identifier: GPL-3.0-or-later
"""A bar that moves, and never back.

How much a step does depends on the clock, so which steps there are differs from run to run. Here the clock always says
that it is time: every piece of work is a step of its own, and whatever a run may show is a part of that.
"""

from collections.abc import Callable
from typing import Any

import bpy
import pytest

from .test_job import SCENES, Addon, restyle

pytestmark = pytest.mark.usefixtures("empty_scene", "smallest_steps")
Build = Callable[[Addon], bpy.types.Object]
FEWEST = 20


@pytest.fixture
def smallest_steps(addon: Addon, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addon("rig.pace").Pace, "is_over", property(lambda _pace: True))


def shares_of(steps: Any) -> list[float]:
    """The shares, which never fall and stay between 0 and 1."""
    seen = [(progress.share, progress.what) for progress in steps]
    falls = [(before, after) for before, after in zip(seen, seen[1:], strict=False) if after[0] < before[0]]
    assert not falls
    assert 0.0 <= seen[0][0] <= seen[-1][0] <= 1.0
    return [share for share, _ in seen]


@pytest.mark.parametrize("build", SCENES, ids=lambda build: build.__name__)
def test_stylizing_goes_forward(addon: Addon, build: Build) -> None:
    build(addon)
    assert len(set(shares_of(restyle(addon)))) >= FEWEST


@pytest.mark.parametrize("build", SCENES[:3], ids=lambda build: build.__name__)
def test_stylizing_like_a_reference_goes_forward(addon: Addon, build: Build) -> None:
    armature = build(addon)
    settings = addon("backend").StyleSettings(source="REFERENCE")
    order = addon("order").Order(settings, reference=armature.animation_data.action.name)
    shares_of(addon("stylizing").restyle_steps(bpy.context, order))


@pytest.mark.parametrize("build", SCENES[:5], ids=lambda build: build.__name__)
def test_sampling_and_looking_go_forward(addon: Addon, build: Build) -> None:
    build(addon)
    backend, order = addon("backend"), addon("order")
    wanted = order.Order(backend.StyleSettings(style="elderly"))
    shares_of(addon("preflight").warning_steps(bpy.context))
    shares_of(addon("variations.sampling").sample_steps(bpy.context, wanted, 2))
    shares_of(addon("variations.keeping").keep_steps(bpy.context, 1))


def test_making_again_and_saving_go_forward(addon: Addon) -> None:
    SCENES[0](addon)
    assert bpy.ops.panache.stylize(style="elderly", amount=0.5) == {"FINISHED"}
    shares_of(addon("reapplying").reapply_steps(bpy.context))
    saving, saved = addon("saving"), addon("saved")
    try:
        shares_of(saving.save_steps(bpy.context, saving.StyleWish("Mine")))
    finally:
        saved.delete_style("Mine")
