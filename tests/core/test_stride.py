# SPDX-License-Identifier: GPL-3.0-or-later
"""A body goes no farther than its planted feet let it, whatever a style says."""

import numpy as np
import pytest

from core.contact_lock import lock_contacts_steps
from core.motion import Motion
from core.root_motion import travelled_path
from core.rotations import ON_FLOOR
from core.steps import finish
from core.stride import within_reach
from scripts.evaluation.contacts import foot_skate

from .characters import walk
from .test_contacts import WALK, contacts_of, real, scaled


def hurried(motion: Motion, times: float) -> Motion:
    """The same legs on a body that goes so many times as far."""
    return motion.with_pose(motion.root + (times - 1.0) * travelled_path(motion), motion.rotations)


def gone(motion: Motion) -> float:
    """Metres over the floor from the first frame to the last."""
    return float(np.linalg.norm((motion.root[-1] - motion.root[0]) * ON_FLOOR))


@pytest.mark.parametrize("size", [0.01, 1.0, 50.0])
def test_feet_that_were_left_behind_are_reached_again(size: float) -> None:
    motion = scaled(real(WALK), size)
    contacts, fast = contacts_of(motion), hurried(motion, 1.9)
    slow = within_reach(fast, contacts)
    assert gone(motion) < gone(slow) < 0.97 * gone(fast)
    slides = [foot_skate(motion, finish(lock_contacts_steps(one, contacts))) for one in (fast, slow)]
    # Centimetres of a body of 1.7 m, whatever its size.
    assert slides[0].slide > slides[0].original_slide + 1.0
    assert slides[1].slide < slides[1].original_slide + 0.1
    # The body does not stop and go: its pose, height and sway are what they were.
    assert np.array_equal(slow.rotations, fast.rotations)
    assert np.array_equal(slow.root[:, 1], fast.root[:, 1])


@pytest.mark.parametrize("size", [0.01, 1.0, 50.0])
@pytest.mark.parametrize("times", [0.6, 1.0, 1.1])
def test_strides_that_legs_can_take_are_left_alone(times: float, size: float) -> None:
    motion = scaled(real(WALK), size)
    styled = hurried(motion, times)
    assert within_reach(styled, contacts_of(motion)) is styled


def test_without_contacts_nothing_holds() -> None:
    motion = walk(60)
    contacts = contacts_of(motion)
    contacts.planted[:] = False
    styled = hurried(motion, 3.0)
    assert within_reach(styled, contacts) is styled
