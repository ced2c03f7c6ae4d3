# SPDX-License-Identifier: GPL-3.0-or-later
"""A worker process that dies at random moments: Blender lives on, and the next run ends well."""

import time

import pytest

from .test_jobs import assert_works, begin
from .window import Window

# Seconds after the job was first seen; the last ones may find it done.
MOMENTS = (0.0, 0.07, 0.13, 0.29, 0.47, 0.71, 1.03, 1.43, 1.9, 2.6)


@pytest.mark.parametrize("engine", ["WORKER"], indirect=True)
def test_a_killed_worker_takes_nothing_down(long: Window, engine: str, figures: list[str]) -> None:
    assert engine == "WORKER"
    killed = 0
    assert_works(long)
    for moment in MOMENTS:
        begin(long)
        time.sleep(moment)
        killed += long.ask("kill_worker")
        long.wait_until(lambda: long.ask("job") is None, "the end of the job")
        long.shot("worker-killed")
        long.close_message()
    assert killed
    assert_works(long)
    figures.append(f"Workers killed: {killed}; Blender lives, and the next run ended well")
