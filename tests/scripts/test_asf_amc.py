# SPDX-License-Identifier: GPL-3.0-or-later
"""Acclaim files: where bones are, about which axes they turn, and what is refused."""

from pathlib import Path

import numpy as np
import pytest

from core.errors import InvalidMotionError
from core.rotations import from_axis_angle, rotate
from scripts.asf_amc import read_amc, read_asf

ASF = """:version 1.10
:units
  mass 1.0
  length 0.5
  angle deg
:root
   order TX TY TZ RX RY RZ
   axis XYZ
   position 0 0 0
   orientation 0 0 0
:bonedata
  begin
     name thigh
     direction 0 -1 0
     length 4
     axis 0 0 0 XYZ
    dof rx ry rz
  end
  begin
     name shin
     direction 0 -1 0
     length 3
     axis 0 90 0 XYZ
    dof rx
    limits (-10.0 170.0)
  end
  begin
     name foot
     direction 0 0 1
     length 1
     axis 0 0 0 XYZ
  end
:hierarchy
  begin
    root thigh
    thigh shin
    shin foot
  end
"""
AMC = """#!OML:ASF
:FULLY-SPECIFIED
:DEGREES
1
root 1 2 3 0 0 0
thigh 0 0 0
shin 0
2
root 1 2 3 0 90 0
thigh 90 0 0
shin 90
"""
UNIT = 0.0254 / 0.5


def files(folder: Path, asf: str = ASF, amc: str = AMC) -> tuple[Path, Path]:
    (folder / "01.asf").write_text(asf, encoding="utf-8")
    (folder / "01_01.amc").write_text(amc, encoding="utf-8")
    return folder / "01.asf", folder / "01_01.amc"


def test_bones_stand_and_turn_where_the_file_says(tmp_path: Path) -> None:
    skeleton, motion = files(tmp_path)
    character = read_asf(skeleton)
    clip = read_amc(motion, character)
    _, heads = clip.world()
    assert clip.skeleton.names == ("root", "thigh", "shin", "foot")
    # A bone begins where the one above ends; the first bones begin at the root.
    assert np.allclose(heads[0] / UNIT, [[1, 2, 3], [1, 2, 3], [1, -2, 3], [1, -5, 3]])
    y = from_axis_angle(np.array([0.0, 1.0, 0.0]), np.array(np.pi / 2))
    knee = np.array([1.0, 2.0, 3.0]) + rotate(y, np.array([0.0, 0.0, -4.0]))
    assert np.allclose(heads[1, 2] / UNIT, knee)
    # The shin turns about its own axis: X after a quarter turn about Y, which is -Z.
    bent = rotate(from_axis_angle(np.array([0.0, 0.0, -1.0]), np.array(np.pi / 2)), np.array([0.0, -3.0, 0.0]))
    hip = from_axis_angle(np.array([1.0, 0.0, 0.0]), np.array(np.pi / 2))
    assert np.allclose(heads[1, 3] / UNIT, knee + rotate(y, rotate(hip, bent)))


def test_what_a_bone_cannot_do_is_no_channel(tmp_path: Path) -> None:
    skeleton, motion = files(tmp_path)
    character = read_asf(skeleton)
    assert [bone.channels for bone in character.bones] == [
        ("TX", "TY", "TZ", "RX", "RY", "RZ"), ("RX", "RY", "RZ"), ("RX",), (),
    ]  # fmt: skip
    clip = read_amc(motion, character, fps=60.0)
    assert np.allclose(clip.rotations[:, 2, 2:], 0.0)
    assert np.allclose(clip.times, [0.0, 1.0 / 60.0])


@pytest.mark.parametrize(
    ("asf", "amc"), [("HIERARCHY", AMC), (ASF, "MOTION"), (ASF, AMC.replace("thigh 90 0 0", "thigh 90 0"))]
)
def test_other_files_are_refused(tmp_path: Path, asf: str, amc: str) -> None:
    skeleton, motion = files(tmp_path, asf, amc)
    with pytest.raises(InvalidMotionError):
        read_amc(motion, read_asf(skeleton))
