# SPDX-License-Identifier: GPL-3.0-or-later
"""A bar that moves, and never back."""

from collections.abc import Callable
from typing import Any

import bpy
import pytest

from .test_job import SCENES, Addon, restyle

pytestmark = pytest.mark.usefixtures("empty_scene")
Build = Callable[[Addon], bpy.types.Object]
FEWEST = 5


def shares_of(steps: Any) -> list[float]:
    return [progress.share for progress in steps]


@pytest.mark.parametrize("build", SCENES, ids=lambda build: build.__name__)
def test_stylizing_goes_forward(addon: Addon, build: Build) -> None:
    build(addon)
    shares = shares_of(restyle(addon))
    assert shares == sorted(shares)
    assert len(set(shares)) >= FEWEST
    assert 0.0 <= shares[0] < shares[-1] <= 1.0


def test_sampling_and_looking_go_forward(addon: Addon) -> None:
    SCENES[0](addon)
    backend, order = addon("backend"), addon("order")
    wanted = order.Order(backend.StyleSettings(style="elderly"))
    for steps in (
        addon("variations.sampling").sample_steps(bpy.context, wanted, 2),
        addon("preflight").warning_steps(bpy.context),
    ):
        shares = shares_of(steps)
        assert shares == sorted(shares)
    assert bpy.ops.panache.discard_variations() == {"FINISHED"}
